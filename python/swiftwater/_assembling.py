"""One class of several parts, each in a file of its own subject.

The parts derive from one core, and a public module puts them together. Python's messages, ``help``
and pickles name a method by its class and module: that is the whole class, whichever part it is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any, Generic, TypeVar

__all__ = ["assembled"]

C = TypeVar("C", bound=type)


def assembled(whole: C) -> C:
    """Make the methods of all parts of a class its own. Data stay where they are."""
    for part in whole.__mro__[1:]:
        if part is object or part is Generic:
            continue
        for name, member in list(vars(part).items()):
            for function in _functions(member):
                function.__module__ = whole.__module__
                function.__qualname__ = f"{whole.__qualname__}.{name}"
                # Annotations are text: the part's file knows the whole only as a type.
                function.__globals__.setdefault(whole.__name__, whole)
                notes = function.__annotations__
                if "self" in notes:
                    # Of the core or of a part, and behind it the types of records.
                    _, bracket, types = notes["self"].partition("[")
                    notes["self"] = f"{whole.__name__}{bracket}{types}"
                if name not in vars(whole):
                    setattr(whole, name, member)
    return whole


def _functions(member: Any) -> Iterator[FunctionType]:
    """Give the functions that a member of a class consists of, also those that others wrap."""
    if isinstance(member, (classmethod, staticmethod)):
        member = member.__func__
    left = [member.fget, member.fset] if isinstance(member, property) else [member]
    while left:
        function = left.pop()
        if isinstance(function, FunctionType):
            yield function
            left.append(getattr(function, "__wrapped__", None))
