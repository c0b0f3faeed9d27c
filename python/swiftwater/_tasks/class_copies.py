"""Copies of the script's own classes, for functions that use what is kept in them.

Spark pickles a class of the script with its attributes. So a task that changes one
(``Stats.count += 1``) changes a copy. Here a class whose attributes a function may change gets a
stand-in, under whose name the copied function finds it: a class with attributes of its own, which
takes all others from the class. Records are never of the stand-in, so that those of one class stay
of one class; what a method of a record does to its class it does to the class itself. Copies of
captured objects are of it where no function can see that (``class_views``). A class that functions
compare by identity, or of which they see that a captured object is of it, has no stand-in.
"""

from __future__ import annotations

import abc
import copyreg
import dis
import sys
import types
import weakref

from swiftwater._typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "attributes",
    "compared",
    "functions",
    "is_own",
    "keep",
    "keep_all",
    "made_of",
    "original",
    "stand_in",
]

_ORIGINAL: Final = "_swiftwater_original"


class _StandIn(type):
    """The type of stand-ins."""

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        made = super().__call__(*arguments, **keywords)
        if type(made) is cls:
            try:
                # Not through a `__setattr__` of the class's own.
                object.__setattr__(made, "__class__", original(cls))
            except TypeError:
                # Objects of the two are laid out differently: it stays one of the stand-in's, which
                # the class counts as its own.
                return made
        elif type(made) is original(cls):
            # An earlier one, which `__new__` has kept: Python sees no object of the stand-in in it.
            initialise: Any = cls.__init__  # type: ignore[misc]
            initialise(made, *arguments, **keywords)
        return made

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, original(cls))

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, original(cls))

    def __eq__(cls, other: object) -> bool:
        return isinstance(other, type) and original(cls) is original(other)

    def __hash__(cls) -> int:
        return hash(original(cls))


class _AbstractStandIn(_StandIn, abc.ABCMeta):
    """The type of stand-ins of abstract classes."""


_TYPES: Final[dict[type, type]] = {
    type: _StandIn,
    abc.ABCMeta: _AbstractStandIn,
    _StandIn: _StandIn,
    _AbstractStandIn: _AbstractStandIn,
}


def _reduced(kind: type) -> tuple[Any, ...]:
    """Pickle a stand-in as what it stands for: objects are copied by pickling them."""
    return original, (original(kind),)


copyreg.pickle(_StandIn, _reduced)
copyreg.pickle(_AbstractStandIn, _reduced)


class _QuietSlots:
    """In front of a class: what it does about new subclasses is not done."""

    __slots__ = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        pass


class _Quiet:
    """The same in front of a class whose objects have attributes: they are laid out alike."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        pass


# Those that functions compare by identity (``type(record) is Point``), or give to ``super``.
_kept: Final[weakref.WeakKeyDictionary[type, None]] = weakref.WeakKeyDictionary()


def compared(code: types.CodeType) -> set[str]:
    """Return the variables that code may compare by identity, or give to ``super``.

    What is compared with None, has an attribute of it read or is called is not among them.
    """
    found: set[str] = set()
    line: set[str] = set()
    before, name = "", ""
    is_none = is_null = False
    is_called: int = False
    for instruction in dis.get_instructions(code):
        if instruction.starts_line:
            line = set()
        # Of a call there is a NULL in front of the callable, or behind it.
        is_seen = instruction.opname not in {"LOAD_ATTR", "LOAD_METHOD", "PUSH_NULL"}
        if name and is_seen and not is_called:
            line.add(name)
            if before == "super":
                found.add(name)
        if instruction.opname == "IS_OP" and not is_none:
            found |= line
        is_none = instruction.opname == "LOAD_CONST" and instruction.argval is None
        is_variable = instruction.opname in _VARIABLES
        is_called = is_null or (instruction.opname == "LOAD_GLOBAL" and (instruction.arg or 0) & 1)
        is_null = instruction.opname == "PUSH_NULL"
        before, name = name, instruction.argval if is_variable else ""
    return found - {"__class__"}


_VARIABLES: Final = frozenset(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"))


def keep(kind: Any) -> None:
    """Have no stand-in made of a class any more: a function needs the class itself."""
    if isinstance(kind, type):
        _kept[original(kind)] = None


def keep_all(kinds: Iterable[type]) -> None:
    """Have no stand-in made of classes of the script any more."""
    for kind in kinds:
        if type(kind) in _TYPES and kind.__module__ != "builtins" and is_own(kind):
            keep(kind)


def is_own(kind: type) -> bool:
    """Return whether a class is the script's, and a stand-in can be made of it."""
    if original(kind) in _kept:
        return False
    if type(kind) not in _TYPES or issubclass(kind, (BaseException, tuple)):
        # ``except`` does not ask a class what it stands for, and tuples have nothing to change.
        return False
    module = kind.__module__
    if module == "__main__" or "<" in kind.__qualname__:
        return True
    found: Any = sys.modules.get(module)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is not kind


def original(kind: type) -> type:
    """Return the class for which another one stands; the class itself where it stands for none."""
    found: type = kind.__dict__.get(_ORIGINAL, kind)
    return found


def stand_in(kind: type) -> type:
    """Return a stand-in without attributes of its own."""
    base = original(kind)
    space = {"__slots__": (), "__module__": kind.__module__, _ORIGINAL: base}
    quiet = _Quiet if base.__dictoffset__ else _QuietSlots
    made: type = _TYPES[type(kind)](kind.__name__, (quiet, base), space)
    made.__qualname__ = kind.__qualname__
    made.__doc__ = kind.__doc__
    return made


def attributes(kind: type) -> dict[str, Any]:
    """Return the values that the script keeps in a class, or in one that it is derived from."""
    return {
        name: value
        for name, value in _members(kind)
        if not hasattr(type(value), "__get__") and not isinstance(value, type)
    }


def functions(kind: type) -> Iterator[tuple[str, Any, types.FunctionType]]:
    """Iterate over the methods: the name, what stands there, and a function that is in it."""
    for name, value in _members(kind):
        inner = value
        if isinstance(value, (classmethod, staticmethod)):
            inner = value.__func__
        if isinstance(value, property):
            inner = value.fget
        if isinstance(inner, types.FunctionType):
            yield name, value, inner


def made_of(method: Any, function: types.FunctionType) -> Any:
    """Return what stands in a class for a copied function, as ``method`` for the first one."""
    if isinstance(method, (classmethod, staticmethod)):
        return type(method)(function)
    if isinstance(method, property):
        return property(function, method.fset, method.fdel, method.__doc__)
    return function


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for each in kind.__mro__:
        if each is object or (each is not kind and not is_own(each)):
            continue
        for name, value in tuple(each.__dict__.items()):
            if name in seen or name in _OF_EVERY_CLASS or name.startswith("__dataclass_"):
                continue
            seen.add(name)
            yield name, value


_OF_EVERY_CLASS: Final = frozenset((
    _ORIGINAL, "__module__", "__dict__", "__weakref__", "__doc__", "__annotations__", "__slots__",
    "__match_args__", "__qualname__", "__abstractmethods__", "_abc_impl", "__parameters__",
    "__orig_bases__", "__slotnames__", "__firstlineno__", "__static_attributes__",
    "__class_getitem__",
))  # fmt: skip
