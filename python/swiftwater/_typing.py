"""The names of ``typing`` that the package's files have at run time, without that module.

With what it loads in turn ``typing`` is a fifth of a job's start, and nothing here needs more of it
than names for annotations, which are text, and classes that can be indexed. Type checkers see
the module itself.
"""

from __future__ import annotations

from types import GenericAlias

__all__ = [
    "IO",
    "TYPE_CHECKING",
    "Any",
    "BinaryIO",
    "ClassVar",
    "Final",
    "Generic",
    "NoReturn",
    "Self",
    "TextIO",
    "TypeVar",
    "cast",
    "overload",
]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import (
        IO,
        Any,
        BinaryIO,
        ClassVar,
        Final,
        Generic,
        NoReturn,
        Self,
        TextIO,
        TypeVar,
        cast,
        overload,
    )
else:

    class Any:
        """Whatever it is."""

    class _Form:
        """What stands in annotations only, alone or with an index."""

        def __class_getitem__(cls, item):
            return GenericAlias(cls, item)

    IO = BinaryIO = ClassVar = Final = NoReturn = Self = TextIO = _Form

    class Generic:
        """A class that can be indexed with the types of its records."""

        __slots__ = ()

        def __class_getitem__(cls, params):
            """Return the class with the types of its records."""
            return GenericAlias(cls, params)

    # What `help` shows of the classes is as with the module's own.
    Any.__module__ = Generic.__module__ = "typing"

    class TypeVar:
        """The name of a type."""

        def __init__(self, name, *constraints, bound=None, covariant=False):
            self.__name__ = name

        def __repr__(self):
            return f"~{self.__name__}"

        def __or__(self, other):
            return Any

        __ror__ = __or__

    def cast(typ, value):
        """Return the value."""
        return value

    def overload(function):
        """Return the function, in whose place the one behind all forms comes."""
        return function
