"""One class of several parts, each in a file of its own subject.

The parts derive from one core, and a public module puts them together. Python's messages, ``help``
and pickles name a method by its class and module: that is the whole class, whichever part it is in.
"""

from __future__ import annotations

import sys
from types import FunctionType

from swiftwater._typing import Any, Generic, TypeVar

__all__ = ["assembled"]

C = TypeVar("C", bound=type)


def assembled(whole: C) -> C:
    """Make the methods of all parts of a class its own. Data stay where they are."""
    own = set(vars(whole))
    for part in whole.__mro__[1:]:
        if part is object or part is Generic:
            continue
        # Annotations are text: the part's file knows the whole only as a type.
        vars(sys.modules[part.__module__]).setdefault(whole.__name__, whole)
        for member_name, member in vars(part).items():
            if _named(member, member_name, whole) and member_name not in own:
                own.add(member_name)
                setattr(whole, member_name, member)
    return whole


def _named(member: Any, name: str, whole: type) -> bool:
    """Have the functions of a member say whose they are; return whether it is one of functions."""
    if isinstance(member, property):
        _named(member.fset, name, whole)
        return _named(member.fget, name, whole)
    function = getattr(member, "__func__", member)
    if type(function) is not FunctionType:
        return False
    while type(function) is FunctionType:
        function.__module__ = whole.__module__
        function.__qualname__ = f"{whole.__qualname__}.{name}"
        notes = function.__annotations__
        if "self" in notes:
            # Of the core or of a part, and behind it the types of records.
            notes["self"] = whole.__name__ + "".join(notes["self"].partition("[")[1:])
        function = function.__dict__.get("__wrapped__")  # What it wraps, too.
    return True
