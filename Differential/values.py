"""Values as JSON that keeps their types, so that two engines' results can be compared exactly.

JSON has its own forms for text, integers, booleans, None and lists. Everything else is an object
with one tag:

====== ======================= ======================================
tag    value                   content
====== ======================= ======================================
``t``  tuple                   its items
``f``  float                   its ``repr``
``b``  bytes                   text in Latin-1
``d``  dict                    [key, value] lists, in the dict's order
``s``  set or frozenset        its items, sorted by their JSON
``r``  PySpark's ResultIterable its items
``o``  anything else           [name of the type, ``repr``]
====== ======================= ======================================
"""

from __future__ import annotations

import json
from typing import Any

Json = Any


def encoded(value: Any) -> Json:
    """``value`` as JSON with tags."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is list:
        return [encoded(item) for item in value]
    if kind is tuple:
        return {"t": [encoded(item) for item in value]}
    if kind is float:
        return {"f": repr(value)}
    if kind in (bytes, bytearray):
        return {"b": value.decode("latin-1")}
    if isinstance(value, dict):
        return {"d": [[encoded(key), encoded(item)] for key, item in value.items()]}
    if kind in (set, frozenset):
        return {"s": sorted((encoded(item) for item in value), key=json.dumps)}
    if kind.__name__ == "ResultIterable":
        return {"r": [encoded(item) for item in value]}
    return {"o": [kind.__name__, repr(value)]}


def decoded(form: Json) -> Any:
    """The value that ``encoded`` gave this form for (``r`` and ``o`` have no way back)."""
    if isinstance(form, list):
        return [decoded(item) for item in form]
    if not isinstance(form, dict):
        return form
    ((tag, content),) = form.items()
    match tag:
        case "t":
            return tuple(decoded(item) for item in content)
        case "f":
            return float(content)
        case "b":
            return content.encode("latin-1")
        case "d":
            return {decoded(key): decoded(item) for key, item in content}
        case "s":
            return {decoded(item) for item in content}
    raise ValueError(f"no value has the form {form!r}")


def error_form(error: BaseException) -> Json:
    """What is compared of an exception: the name of its type, as the user's function raised it.

    PySpark hands over a Java exception, in whose text the Python worker's traceback stands.
    """
    text = str(error)
    if hasattr(error, "java_exception"):
        name = _raised(text)
        return {"error": name or f"java: {text.splitlines()[1:2]}"}
    return {"error": type(error).__name__}


def _raised(text: str) -> str | None:
    """The exception's name at the end of the last traceback of the first Python error in a text."""
    name = None
    inside = False
    for line in text.splitlines():
        if line.endswith("Traceback (most recent call last):"):
            inside = True
        elif inside and line.startswith(("\tat ", "Caused by:", "Driver stacktrace")):
            break
        elif inside and line and not line[0].isspace():
            head = line.split(":")[0]
            if head.replace(".", "").replace("_", "").isalnum():
                name = head.rpartition(".")[2]
                inside = False
    return name
