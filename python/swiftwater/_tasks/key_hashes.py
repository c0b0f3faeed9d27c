"""Hashes of keys that are the same in every process, for objects that hash themselves.

Where a key goes must not depend on where something lies in memory. Python's hash of a class, of a
function and of an object without a hash of its own is an address, and before CPython 3.12 that of
None. The hash of an object is made by its class, of which nothing is known but what it gives. So
the object is copied with stand-ins for those, whose hashes can be chosen: if the copy has the
object's own hash when they have the addresses, it has the wanted hash when they have stable ones.
"""

from __future__ import annotations

import datetime as dt
import dis
import enum
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from operator import attrgetter
from threading import RLock
from weakref import WeakKeyDictionary, WeakSet

from swiftwater._typing import Any

__all__ = ["UnplaceableKeyError", "placement_hash", "placement_hash_or_none"]

# What CPython 3.12 and later give for None.
_HASH_OF_NONE = 0xFCA86420
_NONE_HAS_ADDRESS = hash(None) != _HASH_OF_NONE

# Nothing in these has an address as its hash.
_PLAIN = frozenset({bool, bytes, complex, int, str, uuid.UUID}) | {
    dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone,
}  # fmt: skip
_CODE = (
    type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType,
)  # fmt: skip
_COLLECTIONS = (tuple, frozenset, list, set)
_METACLASSES = frozenset({"type", "ABCMeta"})
_NAMES_OF_CLASS = frozenset({"type", "__class__"})

_ADVICE = (
    "Make the key of values, such as text, numbers and tuples of them, or give its class a "
    "__hash__ that is made of such values"
)

# What a method may call that sees no more of ``self`` than it is given.
_HARMLESS = frozenset({"hash", "tuple", "frozenset", "str", "int", "float", "bool", "len", "repr"})
_DEEPEST = 100

_known_traits: WeakKeyDictionary[type, _Traits] = WeakKeyDictionary()
_clones: WeakKeyDictionary[type, type] = WeakKeyDictionary()
# Those whose method has a None of its own in the hash.
_kinds_with_none: WeakSet[type] = WeakSet()
_choosing = RLock()


class UnplaceableKeyError(ValueError):
    """A key has another hash in another process."""


def placement_hash(key: Any) -> int:
    """Return a hash of ``key`` that every process finds; ``hash(key)`` wherever that is one.

    Texts must have the same hashes in all of them (``PYTHONHASHSEED``). Raises
    ``UnplaceableKeyError`` where there is none, and what ``hash(key)`` raises.
    """
    own = hash(key)
    kind = type(key)
    if kind in _PLAIN:
        return own
    known = _known_traits.get(kind)
    try:
        values = None if known is None else known.values(key)
        if values is not None:
            if _are_plain(values):
                return own
            if hash(values) == own:
                # Most classes make a tuple of their fields and take its hash.
                return hash(tuple(map(_stand_in, values)))
        return _placed(key, own)
    except UnplaceableKeyError as error:
        raise UnplaceableKeyError(
            f"the key {_shown(key)} has another hash in another process, so it has no place among "
            f"the partitions: {error}. {_ADVICE}"
        ) from None


def placement_hash_or_none(key: Any) -> int | None:
    """Return what ``placement_hash`` returns, and None where there is no such hash."""
    try:
        return placement_hash(key)
    except UnplaceableKeyError:
        return None


def _are_plain(values: tuple[Any, ...]) -> bool:
    for value in values:  # noqa: SIM110 - for every key: all() takes twice as long
        if type(value) not in _PLAIN:
            return False
    return True


def _placed(key: Any, own: int) -> int:
    if _is_address(key):
        return _hash_of_name(key)
    if _is_stable(key):
        return own
    return _without_addresses(key, own)


def _shown(key: Any) -> str:
    try:
        text = repr(key)
    except Exception:  # noqa: BLE001 - whatever a user's object raises
        text = f"of {type(key).__qualname__}"
    return text if len(text) <= 80 else f"{text[:80]}..."


# --- what has an address as its hash ------------------------------------------------------------


def _is_address(value: Any) -> bool:
    if value is None:
        return _NONE_HAS_ADDRESS
    kind = type(value)
    if kind is float:
        return bool(value != value)  # NaN
    if kind in _PLAIN:
        return False
    has_own: object = kind.__hash__
    return has_own is object.__hash__ or isinstance(value, _CODE)


def _hash_of_name(value: Any) -> int:
    """Return a stable hash in the place of an address."""
    if value is None:
        return _HASH_OF_NONE
    if type(value) is float:
        return 0
    if isinstance(value, _CODE):
        module, name = getattr(value, "__module__", None), value.__qualname__
        found: Any = sys.modules.get(module) if isinstance(module, str) else None
        for part in name.split("."):
            found = getattr(found, part, None)
        # Python's own types all have their names, and not all of them are found by these.
        if found is value or (module == "builtins" and isinstance(value, type)):
            return hash(f"{module}.{name}")
        raise UnplaceableKeyError(f"{name} cannot be found by its name")
    raise UnplaceableKeyError(
        f"the hash of a {type(value).__qualname__} is where it lies in memory"
    )


def _is_stable(value: Any, depth: int = 0) -> bool:
    """Return whether no address can be in the hash of ``value``."""
    if type(value) in _PLAIN:
        return True
    if _is_address(value):
        return False
    if isinstance(value, enum.Enum) and _is_of_enum(type(value).__hash__):
        return True
    if isinstance(value, range):
        # None is in it where it has no step, or no start.
        return len(value) > 1 or not _NONE_HAS_ADDRESS
    if depth > _DEEPEST:
        raise UnplaceableKeyError("what it refers to goes too deep")
    if _traits(value).has_class:
        return False
    return all(_is_stable(item, depth + 1) for item in _items(value))


def _is_of_enum(function: object) -> bool:
    # The hash of a name or a value, unless the class has one of its own.
    return getattr(function, "__module__", "enum") == "enum"


def _items(value: Any) -> Iterator[Any]:
    """Yield what the hash of a value can be made of, as far as that can be seen."""
    if isinstance(value, _COLLECTIONS):
        yield from value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from pair
    used = _traits(value).used
    yield from (item for name, item in _fields(value) if used is None or name in used)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name in ("__dict__", "__weakref__"):
                continue
            if name.startswith("__") and not name.endswith("__"):
                name = f"_{kind.__name__.lstrip('_')}{name}"  # noqa: PLW2901 - the mangled one
            if hasattr(value, name):
                yield name, getattr(value, name)


class _Traits:
    """What is known of a class: what its objects make their hash of."""

    def __init__(self, has_class: bool, used: tuple[str, ...] | None) -> None:
        self.has_class = has_class
        # The names of fields, as they are read; None for all that there are.
        self.used = used
        self._get = attrgetter(*used) if used and not has_class else None
        self._is_one = used is not None and len(used) == 1

    def values(self, value: Any) -> tuple[Any, ...] | None:
        """Return the fields of an object that its hash is made of, where those are known."""
        if self._get is None:
            return None
        try:
            found = self._get(value)
        except AttributeError:
            return None
        return (found,) if self._is_one else found


def _traits(value: Any) -> _Traits:
    """Return what is known of the class of ``value``.

    Raises ``UnplaceableKeyError`` where objects make their hash of where they lie themselves.
    """
    kind = type(value)
    known = _known_traits.get(kind)
    if known is None:
        used = None
        has_class = False
        if isinstance(kind.__hash__, types.FunctionType):
            used = _used_fields(value, kind.__hash__.__code__)
            if _looks_at_none(value):
                _kinds_with_none.add(kind)
            has_class = _looks_at_class(value) or kind in _kinds_with_none
        known = _known_traits[kind] = _Traits(has_class, used)
    return known


def _used_fields(value: Any, code: types.CodeType) -> tuple[str, ...] | None:
    """Return the attributes that a method reads, where they are all that it can know of ``self``.

    It is so where the method reads ``self`` only to read one of its attributes, each of which is a
    field, and nothing global but some of Python's own functions.
    """
    if code.co_argcount != 1 or code.co_freevars or code.co_cellvars:
        return None
    own = code.co_varnames[0]
    fields = dict(_fields(value))
    used: list[str] = []
    instructions = [each for each in dis.get_instructions(code) if each.opname != "CACHE"]
    for each, following in zip(instructions, [*instructions[1:], None], strict=True):
        if each.opname.startswith("LOAD_GLOBAL") and each.argval not in _HARMLESS:
            return None
        # Some instructions read two variables.
        names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        if not each.opname.startswith(("LOAD_FAST", "STORE_FAST")) or own not in names:
            continue
        if len(names) > 1:
            return None
        if following is None or following.opname != "LOAD_ATTR":
            return None
        # A property or a method may read others; a hash that is kept is made of others.
        if following.argval not in fields or fields[following.argval] == hash(value):
            return None
        used.append(following.argval)
    return tuple(used)


def _looks_at_class(value: Any) -> bool:
    kind = type(value)
    own = hash(value)
    try:
        again = hash(_copied(value, kind))
    except Exception:  # noqa: BLE001 - it has parts in C, or hashes what a copy does not have
        again = own
    if again != own:
        raise UnplaceableKeyError("its hash is not made of its values")
    code = kind.__hash__.__code__
    try:
        return hash(_copied(value, _clone(kind))) != own
    except Exception as error:
        if _NAMES_OF_CLASS & {*code.co_names, *code.co_freevars}:
            raise UnplaceableKeyError("its hash is made of that of its class") from error
        return False


def _looks_at_none(value: Any) -> bool:
    """Return whether a None that is written in the method itself is in the hash, as an address."""
    kind = type(value)
    if not _NONE_HAS_ADDRESS or not _holds_none(kind.__hash__.__code__.co_consts):
        return False
    own = hash(value)
    try:
        as_it_is, other = (
            _with_none(kind.__hash__, _StandIn(None, number))(_copied(value, kind))
            for number in (hash(None), 1)
        )
    except Exception:  # noqa: BLE001 - None is not hashed, but something else
        return False
    return bool(as_it_is == own != other)


def _holds_none(constant: Any) -> bool:
    return constant is None or (isinstance(constant, tuple) and any(map(_holds_none, constant)))


def _with_none(method: Any, stand_in: _StandIn) -> Callable[[Any], Any]:
    """Return the method with ``stand_in`` wherever None is written in it."""

    def replaced(constant: Any) -> Any:
        if isinstance(constant, tuple):
            return tuple(map(replaced, constant))
        return stand_in if constant is None else constant

    code = method.__code__.replace(co_consts=replaced(method.__code__.co_consts))
    return types.FunctionType(
        code, method.__globals__, method.__name__, method.__defaults__, method.__closure__
    )


def _clone(kind: type) -> type:
    """Return a class whose objects behave as those of ``kind``, and whose own hash is chosen."""
    known = _clones.get(kind)
    if known is not None:
        return known
    metaclass: Any = type(kind)
    if metaclass.__name__ not in _METACLASSES or any(
        "__init_subclass__" in base.__dict__ for base in kind.__mro__ if base is not object
    ):
        raise TypeError("somebody would notice a new class")

    class Chosen(metaclass):  # type: ignore[misc]
        original: type
        choose: Callable[[Any], int] | None = None

        def __hash__(cls) -> int:  # noqa: N805 - of a metaclass
            choose = Chosen.choose
            # Before a hash is chosen: as for any other class.
            return type.__hash__(cls) if choose is None else choose(cls.original)

    members: dict[str, Any] = {"__slots__": (), "__module__": kind.__module__}
    if kind in _kinds_with_none:
        members["__hash__"] = _with_none(kind.__hash__, _ChosenNone(Chosen))
    clone = Chosen(kind.__name__, (kind,), members)
    clone.original = kind
    _clones[kind] = clone
    return clone


# --- copies with stand-ins ----------------------------------------------------------------------


class _StandIn:
    """Is in the place of something whose hash is an address."""

    __slots__ = ("number", "value")

    def __init__(self, value: Any, number: int) -> None:
        self.value = value
        self.number = number

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self.value is (other.value if isinstance(other, _StandIn) else other)


_NONE = _StandIn(None, _HASH_OF_NONE)


class _ChosenNone(_StandIn):
    """Is in the place of a None in a method of a cloned class."""

    __slots__ = ("_metaclass",)

    def __init__(self, metaclass: Any) -> None:
        super().__init__(None, hash(None))
        self._metaclass = metaclass

    def __hash__(self) -> int:
        choose = self._metaclass.choose
        return self.number if choose is None else int(choose(None))


def _without_addresses(key: Any, own: int) -> int:
    if isinstance(key, range):
        key = (len(key), key[0] if key else None, None)
    elif type(key) not in _COLLECTIONS:
        values = _traits(key).values(key)
        if values is not None and hash(values) == own:
            return hash(tuple(map(_stand_in, values)))
    try:
        reproduces = _hash_with(key, hash) == own
        # What has no name does not matter where the hash is made without it.
        first, second = (_hash_with(key, _names_or(number)) for number in (1, 1_000_003))
    except Exception as error:
        raise UnplaceableKeyError("its hash is made of an address") from error
    if not reproduces:
        raise UnplaceableKeyError("its hash is made of an address")
    if _keeps(key, own):
        raise UnplaceableKeyError("it keeps a hash that is made of an address")
    if first != second:
        # Says what has no name.
        _hash_with(key, _hash_of_name)
    return first


def _stand_in(value: Any) -> Any:
    """Return something with a stable hash in the place of what a hash is made of."""
    if type(value) in _PLAIN:
        return value
    if value is None:
        return _NONE
    if isinstance(value, (enum.Enum, *_COLLECTIONS)) and _is_stable(value):
        return value
    return _StandIn(value, _placed(value, hash(value)))


def _names_or(number: int) -> Callable[[Any], int]:
    def choose(value: Any) -> int:
        try:
            return _hash_of_name(value)
        except UnplaceableKeyError:
            return number

    return choose


def _keeps(value: Any, own: int, depth: int = 0) -> bool:
    return depth < _DEEPEST and any(
        item == own if type(item) is int else _keeps(item, own, depth + 1) for item in _items(value)
    )


def _hash_with(key: Any, choose: Callable[[Any], int]) -> int:
    """Return the hash that ``key`` has where addresses are replaced by what ``choose`` gives."""
    metaclasses: list[Any] = []
    # The metaclasses are everybody's.
    with _choosing:
        copy = _replaced(key, choose, metaclasses)
        for metaclass in metaclasses:
            metaclass.choose = staticmethod(choose)
        try:
            return hash(copy)
        finally:
            for metaclass in metaclasses:
                metaclass.choose = None


def _replaced(value: Any, choose: Callable[[Any], int], metaclasses: list[Any]) -> Any:
    if _is_address(value):
        return _StandIn(value, choose(value))
    if _is_stable(value):
        return value
    kind = type(value)
    if _traits(value).has_class:
        kind = _clone(kind)
        metaclasses.append(type(kind))

    def replaced(item: Any) -> Any:
        return _replaced(item, choose, metaclasses)

    if isinstance(value, range):
        return (len(value), replaced(value[0] if value else None), replaced(None))
    if isinstance(value, dict):
        return {replaced(name): replaced(item) for name, item in value.items()}
    return _copied(value, kind, replaced)


def _copied(value: Any, kind: type, replaced: Callable[[Any], Any] = lambda item: item) -> Any:
    """Return an object of ``kind`` with the fields of ``value``, made without its constructor."""
    made: Any
    if isinstance(value, tuple):
        made = tuple.__new__(kind, map(replaced, value))
    elif isinstance(value, frozenset):
        made = frozenset.__new__(kind, map(replaced, value))
    elif isinstance(value, (list, set)):
        made = kind(map(replaced, value))
    else:
        made = object.__new__(kind)
    used = _traits_so_far(value)
    for name, item in _fields(value):
        object.__setattr__(made, name, replaced(item) if used is None or name in used else item)
    return made


def _traits_so_far(value: Any) -> tuple[str, ...] | None:
    known = _known_traits.get(type(value))
    return None if known is None else known.used
