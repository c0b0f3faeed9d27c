"""What a function's meaning depends on beside its own code, and whether it is still the same.

A pin says how to come to a thing from the function (through its closure, its globals, a module, a
function that it calls) and what was found there. Pins are checked in the order in which they were
made, so each can begin at what an earlier one found. They hold constants, never other objects
of the program.
"""

from __future__ import annotations

import _operator
import sys
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from weakref import ref

from swiftwater._lowering._values import MISSING, MOST_ITEMS, is_plain
from swiftwater._typing import Any, Final

__all__ = [
    "Pin",
    "Read",
    "fingerprint",
    "getter_parts",
    "hold",
    "is_code_alone",
    "is_same",
    "itself",
    "look_into_collections",
    "members",
    "of_argument",
    "of_cell",
    "of_default",
    "of_function",
    "of_global",
    "of_keyword",
    "of_keyword_default",
    "of_keywords",
    "of_method",
    "of_module",
    "same_members",
    "seen",
]

# How to come from one thing to the next: the thing and a name or number within it.
Read = Callable[[Any, Any], Any]
Pin = tuple[Read, int, Any, Callable[[Any, Any], bool], Any]

_KEPT = (BuiltinFunctionType, MethodDescriptorType, ModuleType, type)
_SCALARS = (type(None), bool, int, str)
_NOTHING: Final = object()
_GETTERS = (_operator.itemgetter, _operator.methodcaller)


def hold(pins: list[Pin], function: object) -> bool:
    """Return whether all pins find from ``function`` what they found first."""
    found = [function]
    for read, start, key, same, expected in pins:
        value = read(found[start], key)
        if not same(value, expected):
            return False
        found.append(value)
    return True


def is_code_alone(pin: Pin) -> bool:
    """Return whether a pin asks of a function nothing but that it has the code that it had."""
    read, _, _, same, expected = pin
    return read is itself and same is is_same and expected[1][0] is FunctionType


# -- What is the same


def seen(value: Any) -> tuple[Any, Any]:
    """Return what ``is_same`` compares with: the value itself only where it can be held."""
    kind = type(value)
    if kind is BuiltinFunctionType:
        keeps = type(value.__self__) is ModuleType
    else:
        keeps = kind in _KEPT or value is MISSING or is_plain(value)
    return (value if keeps else _NOTHING, fingerprint(value))


def is_same(value: Any, expected: tuple[Any, Any]) -> bool:
    """Return whether a value means the same to a function as the one seen before."""
    return value is expected[0] or bool(fingerprint(value) == expected[1])


def fingerprint(value: Any) -> tuple[Any, ...]:
    """Return what a function's meaning depends on when it captures ``value``.

    The exact value of a constant (1, 1.0 and True differ, and so do the two zeros), the code of a
    function, and of an object without a native form only its type.
    """
    kind = type(value)
    if kind is float:
        return (kind, value.hex())
    if kind in _SCALARS:
        return (kind, value)
    if kind is FunctionType:
        # Code is not held either: the answers for a function go when its code goes.
        return (kind, ref(value.__code__))
    if kind is MethodType:
        function = value.__func__
        return (kind, ref(function.__code__) if type(function) is FunctionType else None)
    if kind is BuiltinFunctionType and type(value.__self__) not in (ModuleType, type(None)):
        # A method of an object: only a constant is held.
        owner = value.__self__
        return (kind, value.__name__, fingerprint(owner) if is_plain(owner) else type(owner))
    if kind in _KEPT or value is MISSING:
        return (kind, value)
    if kind in (tuple, frozenset):
        if not is_plain(value):
            return (kind, None)
        return (kind, kind(map(fingerprint, value)))
    if kind in _GETTERS:
        return (kind, fingerprint(getter_parts(value)))
    return (kind,)


def look_into_collections(pins: list[Pin]) -> bool:
    """Return whether a pin is what a collection, or a module of the program's, holds for now."""
    for read, start, _, same, expected in pins:
        if same is same_members:
            return True
        if read is of_module and start > 0 and is_plain(expected[0]):
            module = pins[start - 1][4][0]
            name = getattr(module, "__name__", "").partition(".")[0]
            if name not in sys.stdlib_module_names:
                return True
    return False


def getter_parts(getter: Any) -> tuple[Any, ...] | None:
    """Return what an ``operator.itemgetter`` or ``methodcaller`` was made with.

    None where that is more than constants by position.
    """
    kind, parts, *_ = getter.__reduce__()
    return parts if kind is type(getter) and is_plain(parts) else None


def members(collection: Any) -> tuple[Any, ...] | None:
    """Return the members of a set, list or dict (its keys) where they are few constants."""
    if len(collection) > MOST_ITEMS:
        return None
    found: tuple[Any, ...] = tuple(collection)
    return found if is_plain(found) else None


def same_members(collection: Any, expected: tuple[Any, tuple[Any, ...] | None]) -> bool:
    """Return whether a set, list or dict has the members that were seen."""
    kind, before = expected
    if type(collection) is not kind:
        return False
    if before is None:
        return members(collection) is None
    if len(collection) != len(before):
        return False
    now: tuple[Any, ...] = tuple(collection)
    if len(now) == len(before) and all(map(_operator.is_, now, before)):
        return True
    return is_plain(now) and frozenset(map(fingerprint, now)) == frozenset(map(fingerprint, before))


# -- Ways from one thing to the next


def itself(thing: Any, _: Any) -> Any:
    """Return the thing: for what is seen of it with another eye."""
    return thing


def of_cell(function: Any, index: int) -> Any:
    """Return what a captured variable holds."""
    try:
        return function.__closure__[index].cell_contents
    except ValueError:
        return MISSING


def of_global(function: Any, name: str) -> Any:
    """Return what the function finds for a name that is not its own."""
    value = function.__globals__.get(name, MISSING)
    return function.__builtins__.get(name, MISSING) if value is MISSING else value


def of_default(function: Any, index: int) -> Any:
    """Return a default, counted from the last one backwards, as parameters have them."""
    defaults = function.__defaults__ or ()
    return defaults[-1 - index] if index < len(defaults) else MISSING


def of_keyword_default(function: Any, name: str) -> Any:
    """Return the default of a parameter that is given by its name only."""
    return (function.__kwdefaults__ or {}).get(name, MISSING)


def of_module(module: Any, name: str) -> Any:
    """Return what a module has for a name."""
    return module.__dict__.get(name, MISSING)


def of_function(partial: Any, _: Any) -> Any:
    """Return the function of a ``functools.partial``."""
    return partial.func


def of_argument(partial: Any, index: int) -> Any:
    """Return an argument of a ``functools.partial``."""
    arguments = partial.args
    return arguments[index] if index < len(arguments) else MISSING


def of_keywords(partial: Any, _: Any) -> Any:
    """Return the number of arguments of a ``functools.partial``, and the names that it gives."""
    return len(partial.args), tuple(partial.keywords)


def of_keyword(partial: Any, name: str) -> Any:
    """Return an argument of a ``functools.partial`` that it gives by name."""
    return partial.keywords.get(name, MISSING)


def of_method(method: Any, _: Any) -> Any:
    """Return the object of a bound method."""
    return method.__self__
