"""What builtin functions give to a proof.

Each function here returns None where that depends on more than is known.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable

from swiftwater._lowering import _proof_operators
from swiftwater._lowering._proof_values import (
    KINDS_OF_ITEMS,
    NUMBERS,
    SIMPLE,
    Constant,
    Copy,
    Iterator,
    Made,
    State,
    Unknown,
)
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._lowering._proofs import ProofFrame

__all__ = ["builtin_name", "call_builtin"]

_MOST_ITEMS = 100


def call_builtin(frame: ProofFrame, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Return what a builtin function gives."""
    function = _CALLS.get(name)
    if function is not None:
        result = function(frame, arguments, named)
        if result is not None:
            return result
    raise frame.refusal(f"it calls {name} on what may be anything")


def _len(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if named or len(arguments) != 1:
        return None
    items = frame.way.items(arguments[0])
    if items is not None and type(arguments[0]) is not Iterator:
        return Constant(len(items))
    kind = frame.way.kind(arguments[0])
    return Unknown("int") if kind and kind not in (*NUMBERS, "None") else None


def _sum(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    start = named.get("start", arguments[1] if len(arguments) == 2 else Constant(0))
    if not 1 <= len(arguments) <= 2 or named.keys() - {"start"}:
        return None
    items = frame.way.items(arguments[0])
    # It refuses to begin with a text, whether there are items or not.
    if items is None or frame.way.kind(start) in ("", "str", "bytes"):
        return None
    total = start
    for value in items:
        if type(value) is Constant and type(value.value) is float:
            # How floats are added up depends on the version of Python.
            return None
        total = _proof_operators.binary(frame, "+", total, value)
    return total


def _extreme(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if named.keys() - {"default", "key"} or not arguments:
        return None
    items = arguments if len(arguments) > 1 else frame.way.items(arguments[0])
    if items is None or (items and "key" in named):
        return None
    if not items:
        return named.get("default")
    if len(items) == 1:
        return items[0]
    if "default" in named and len(arguments) > 1:
        return None
    first = items[0]
    if type(first) is State and all(type(one) is State and one.path == first.path for one in items):
        return first if frame.way.kind(first) in SIMPLE else None
    return None


def _sorted(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if len(arguments) != 1 or named.keys() - {"key", "reverse"}:
        return None
    items = frame.way.items(arguments[0])
    if items is None or len(items) > 1 or (items and named):
        return None
    return Made("list", list(items))


def _collection(kind: str) -> Callable[..., Any]:
    def make(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
        if kind == "dict" and named and not arguments:
            return Made("dict", dict(named))
        if named or len(arguments) > 1:
            return None
        items = frame.way.items(arguments[0]) if arguments else []
        if items is not None:
            if kind == "dict" and type(arguments[0] if arguments else None) is Made:
                given = arguments[0].items
                return Made("dict", dict(given)) if type(given) is dict or not given else None
            if kind in ("list", "tuple"):
                return Made(kind, list(items))
            if items:
                return None
            if kind == "frozenset":
                return Constant(frozenset())
            return Made(kind, {} if kind == "dict" else [])
        value = arguments[0]
        if type(value) not in (State, Copy):
            return None
        given = frame.way.kind(value)
        real = frame.way.assumptions.kind(value.path)
        if kind in ("list", "tuple") and given in ("list", "tuple"):
            return State(value.path) if kind == real == "tuple" else Copy(value.path, kind)
        if kind in ("set", "frozenset") and given in ("set", "frozenset"):
            return State(value.path) if kind == real == "frozenset" else Copy(value.path, kind)
        return Copy(value.path, kind) if kind == given == real else None

    return make


def _of_kind(kind: str) -> Callable[..., Any]:
    def convert(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
        if named or len(arguments) != 1:
            return None
        value = arguments[0]
        if kind == "bool":
            truth = frame.way.truth(value)
            return None if truth is None else Constant(truth)
        if type(value) is State and frame.way.kind(value) == kind:
            return value
        if type(value) is Constant and type(value.value).__name__ == kind:
            return value
        return None

    return convert


def _over_nothing(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    """Return an iterator over nothing: of ``enumerate``, ``zip`` or ``iter``."""
    known = arguments and not named and all(map(frame.way.is_empty, arguments))
    return Iterator([]) if known else None


def _reversed(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if len(arguments) != 1 or frame.way.kind(arguments[0]) not in ("list", "tuple", "str"):
        return None
    return _over_nothing(frame, arguments, named)


def _applied(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    """Return an iterator over nothing: ``map`` and ``filter`` call their function on no item."""
    return _over_nothing(frame, arguments[1:], named) if arguments else None


def _range(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if named or not arguments:
        return None
    if not all(type(one) is Constant and type(one.value) is int for one in arguments):
        return None
    numbers = range(*[one.value for one in arguments])
    return Iterator([*map(Constant, numbers)]) if len(numbers) <= _MOST_ITEMS else None


def _any(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    is_empty = not named and len(arguments) == 1 and frame.way.is_empty(arguments[0])
    return Constant(value=False) if is_empty else None


def _all(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    return Constant(value=True) if _any(frame, arguments, named) is not None else None


def _isinstance(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if named or len(arguments) != 2:
        return None
    wanted = getattr(arguments[1], "value", None)
    kind = frame.way.kind(arguments[0])
    if type(wanted) is not type or wanted.__module__ != "builtins" or kind not in KINDS_OF_ITEMS:
        return None
    exact = type(None) if kind == "None" else getattr(builtins, kind)
    return Constant(issubclass(exact, wanted))


def _reduce(frame: ProofFrame, arguments: list[Any], named: dict[str, Any]) -> Any | None:
    if named or not 2 <= len(arguments) <= 3:
        return None
    items = frame.way.items(arguments[1])
    if items is None:
        return None
    items = [*arguments[2:], *items]
    return items[0] if len(items) == 1 else None


_CALLS: dict[str, Callable[[Any, list[Any], dict[str, Any]], Any]] = {
    "len": _len,
    "sum": _sum,
    "min": _extreme,
    "max": _extreme,
    "sorted": _sorted,
    "list": _collection("list"),
    "tuple": _collection("tuple"),
    "set": _collection("set"),
    "frozenset": _collection("frozenset"),
    "dict": _collection("dict"),
    "int": _of_kind("int"),
    "float": _of_kind("float"),
    "str": _of_kind("str"),
    "bool": _of_kind("bool"),
    "enumerate": _over_nothing,
    "zip": _over_nothing,
    "reversed": _reversed,
    "iter": _over_nothing,
    "map": _applied,
    "filter": _applied,
    "range": _range,
    "any": _any,
    "all": _all,
    "isinstance": _isinstance,
    "reduce": _reduce,
}
# The functions themselves stand beside, so that their addresses stay theirs.
_BY_ADDRESS: dict[int, tuple[Any, str]] = {
    id(getattr(builtins, name)): (getattr(builtins, name), name)
    for name in _CALLS
    if hasattr(builtins, name)
}


def builtin_name(function: Any) -> str | None:
    """Return the name of a builtin function that is known here."""
    known = _BY_ADDRESS.get(id(function))
    if known is not None:
        return known[1]
    functools: Any = sys.modules.get("functools")
    if functools is not None and function is functools.reduce:
        return "reduce"
    return None
