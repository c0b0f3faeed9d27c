"""What operators and calls do to the values of a proof.

Each function returns a value that is surely what Python computes, and raises ``NotProved`` where
that depends on more than is known, where Python raises, or where something else would be changed.
"""

from __future__ import annotations

import _operator
from collections.abc import Callable

from swiftwater._lowering._proof_values import (
    MUTABLE,
    NUMBERS,
    SIMPLE,
    Constant,
    Copy,
    Made,
    Slice,
    State,
    StateMethod,
    Unknown,
)
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._lowering._proofs import ProofFrame

__all__ = [
    "NOTHING",
    "OPERATORS",
    "binary",
    "compare",
    "contains",
    "is_none",
    "item",
    "method",
    "store",
]

NOTHING = Constant(None)
_SMALL = 1 << 31
_COMPUTED: dict[str, Callable[[Any, Any], Any]] = {
    "+": _operator.add,
    "-": _operator.sub,
    "*": _operator.mul,
    "/": _operator.truediv,
    "//": _operator.floordiv,
    "%": _operator.mod,
    "&": _operator.and_,
    "|": _operator.or_,
    "^": _operator.xor,
}
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": _operator.lt,
    "<=": _operator.le,
    ">": _operator.gt,
    ">=": _operator.ge,
    "==": _operator.eq,
    "!=": _operator.ne,
}
# Functions of the module operator, by their address.
OPERATORS: dict[int, tuple[Any, str]] = {
    id(function): (function, symbol) for symbol, function in _COMPUTED.items()
}


def _is_small(value: Any) -> bool:
    return type(value) is Constant and (
        type(value.value) in (bool, float)
        or (type(value.value) is int and -_SMALL < value.value < _SMALL)
    )


# -- Operators


def binary(frame: ProofFrame, symbol: str, first: Any, second: Any) -> Any:
    """Return ``first symbol second``; a symbol with ``=`` behind it may change the first."""
    in_place = symbol.endswith("=")
    symbol = symbol.removesuffix("=")
    if symbol in _COMPUTED and _is_small(first) and _is_small(second):
        try:
            return Constant(_COMPUTED[symbol](first.value, second.value))
        except (ArithmeticError, TypeError):
            raise frame.refusal(f"it can raise an exception at {symbol}") from None
    way = frame.way
    if type(first) is Made and first.kind == "list":
        added = way.items(second)
        if symbol == "+" and added is not None and (in_place or way.kind(second) == "list"):
            if not in_place:
                return Made("list", [*first.items, *added])
            first.items += added
            return first
    result = _with_nothing(frame, symbol, first, second, in_place=in_place)
    if result is None:
        result = _joined(frame, symbol, first, second)
    if result is None:
        raise frame.refusal(f"it may give something else than the state at {symbol}")
    return result


def _with_nothing(
    frame: ProofFrame, symbol: str, first: Any, second: Any, *, in_place: bool
) -> Any | None:
    """Return what comes of a value and something that changes nothing in it."""
    way = frame.way
    of_state = (State, Copy)
    if type(second) in of_state and type(first) not in of_state:
        # 0 + state, [] + state, {} | state; all others are another thing in another order.
        kind = way.kind(second)
        if symbol not in ("+", "|", "^") or in_place or kind not in (*NUMBERS, way.kind(first)):
            return None
        return _with_nothing(frame, symbol, second, first, in_place=False)
    if type(first) not in of_state:
        return None
    kind = way.kind(first)
    if kind in NUMBERS:
        return first if _is_neutral(symbol, kind, second) else None
    if symbol not in _NEUTRAL_SYMBOLS.get(kind, ()) or not way.is_empty(second):
        return None
    if in_place and kind in ("list", "dict"):
        # Whatever can be gone through does here.
        return first
    other = way.kind(second)
    if other != kind and not (kind in _SETS and other in _SETS):
        return None
    return Copy(first.path, kind) if kind in MUTABLE and not in_place else first


_SETS = ("set", "frozenset")
# By what operators nothing is added to a collection, or taken from it.
_NEUTRAL_SYMBOLS = {
    **dict.fromkeys(("str", "bytes", "tuple", "list"), ("+",)),
    **dict.fromkeys(_SETS, ("|", "-", "^")),
    "dict": ("|",),
}


def _is_neutral(symbol: str, kind: str, value: Any) -> bool:
    """Return whether a number of that kind stays as it is."""
    if kind == "bool" or type(value) is not Constant or type(value.value) not in _NEUTRAL[kind]:
        return False
    symbols = ("+", "-", "|", "^") if kind == "int" else ("+", "-")
    return symbol in symbols and bool(value.value == 0)


_NEUTRAL: dict[str, tuple[type, ...]] = {"int": (int, bool), "float": (int, bool, float)}


def _joined(frame: ProofFrame, symbol: str, first: Any, second: Any) -> Any | None:
    """Return a tuple or text behind another of the function's own."""
    way = frame.way
    for value in (first, second):
        if type(value) not in (Constant, Made):
            return None
    kinds = (way.kind(first), way.kind(second))
    if symbol == "+" and kinds == ("tuple", "tuple"):
        return Made("tuple", [*(way.items(first) or ()), *(way.items(second) or ())])
    if symbol == "+" and kinds == ("str", "str"):
        return Constant(first.value + second.value)
    neutral = symbol in _NEUTRAL_SYMBOLS.get(kinds[0], ()) and kinds[0] == kinds[1]
    if neutral and type(first) is Made and way.is_empty(second):
        return Made(kinds[0], first.items.copy())
    return None


def compare(frame: ProofFrame, symbol: str, first: Any, second: Any) -> Any:
    """Return a comparison."""
    way = frame.way
    if type(first) is Constant and type(second) is Constant:
        try:
            return Constant(bool(_COMPARED[symbol](first.value, second.value)))
        except TypeError:
            raise frame.refusal(f"it can raise an exception at {symbol}") from None
    kinds = (way.kind(first), way.kind(second))
    alike = (kinds[0] in NUMBERS and kinds[1] in NUMBERS) or (
        kinds[0] == kinds[1] and kinds[0] in ("str", "bytes")
    )
    plain = SIMPLE | {"None"}
    if alike or (symbol in ("==", "!=") and kinds[0] in plain and kinds[1] in plain):
        return Unknown("bool")
    if symbol in ("==", "!=") and way.is_empty(first) and way.is_empty(second):
        both = kinds[0] == kinds[1] and kinds[0] in MUTABLE
        if both:
            return Constant(symbol == "==")
    raise frame.refusal(f"it compares with {symbol} what may be anything")


def contains(frame: ProofFrame, wanted: Any, container: Any) -> bool:
    """Return whether something is in a collection."""
    if type(container) is Made and not container.items and type(wanted) is not Made:
        if container.kind in ("list", "tuple") or frame.way.kind(wanted) in SIMPLE | {"None"}:
            return False
    elif type(container) is Constant and type(wanted) is Constant:
        try:
            return wanted.value in container.value
        except TypeError:
            raise frame.refusal("it can raise an exception at in") from None
    raise frame.refusal("it looks for something in what may be anything")


def is_none(frame: ProofFrame, value: Any) -> bool:
    """Return whether a value is None; the state itself is not."""
    if type(value) is Constant:
        return value.value is None
    if type(value) is State and value.path:
        return frame.way.kind(value) == "None"
    return False


# -- Items


def _has_key(value: Any) -> bool:
    return type(value) is Constant and type(value.value) in (int, str)


def item(frame: ProofFrame, value: Any, index: Any) -> Any:
    """Return ``value[index]``."""
    way = frame.way
    if type(index) is Slice:
        return _sliced(frame, value, index)
    if type(value) in (State, Copy) and _has_key(index):
        key = index.value
        if way.truths.get(value.path) is not False and _assume_key(frame, value, key):
            return State((*value.path, key))
    elif type(value) is Made and _has_key(index):
        if value.kind == "dict" and index.value in value.items:
            return value.items[index.value]
        count = len(value.items)
        if value.kind in ("list", "tuple") and type(index.value) is int:
            if -count <= index.value < count:
                return value.items[index.value]
            raise frame.refusal("it takes an item of an empty list")
    elif type(value) is Constant and type(value.value) is tuple and _has_key(index):
        try:
            return Constant(value.value[index.value])
        except (IndexError, TypeError):
            pass
    raise frame.refusal("it takes an item that may not be there")


def _assume_key(frame: ProofFrame, value: Any, key: Any) -> bool:
    assumptions = frame.way.assumptions
    kind = frame.way.kind(value)
    if kind == "dict" and assumptions.kind(value.path) == "dict":
        keys = assumptions.keys.setdefault(value.path, [])
        if not any(type(known) is type(key) and known == key for known in keys):
            keys.append(key)
    elif kind in ("tuple", "list") and type(key) is int and key >= 0:
        if assumptions.kind(value.path) not in ("tuple", "list"):
            return False
        if not assumptions.size(value.path, key + 1, None):
            return False
    else:
        return False
    frame.way.truths[value.path] = True
    return True


def _sliced(frame: ProofFrame, value: Any, index: Slice) -> Any:
    way = frame.way
    bounds = [index.start, index.stop]
    if all(type(bound) is Constant and type(bound.value) in (int, type(None)) for bound in bounds):
        start, stop = [bound.value for bound in bounds]
        if type(value) is Made and value.kind in ("list", "tuple"):
            return Made(value.kind, value.items[start:stop])
        kind = way.kind(value)
        if type(value) in (State, Copy) and kind in ("list", "tuple", "str", "bytes"):
            most = None
            if start is not None and start < 0 and stop is None:
                most = -start
            elif start in (None, 0) and stop is not None and stop > 0:
                most = stop
            elif start not in (None, 0) or stop is not None:
                raise frame.refusal("it takes a part of the state")
            fits = most is None or way.assumptions.size(value.path, 0, most)
            if fits:
                return Copy(value.path, "list") if kind == "list" else value
    raise frame.refusal("it takes a part of the state")


def store(frame: ProofFrame, collection: Any, index: Any, value: Any) -> None:
    """Store an item: nothing is changed where it is there already."""
    way = frame.way
    if type(collection) is Made and _has_key(index):
        if collection.kind == "dict":
            collection.items[index.value] = value
            return
        count = len(collection.items)
        if collection.kind == "list" and type(index.value) is int and -count <= index.value < count:
            collection.items[index.value] = value
            return
    if type(collection) in (State, Copy) and _has_key(index) and way.kind(collection) in MUTABLE:
        key = index.value
        is_there = way.truths.get(collection.path) is not False
        is_there = is_there and _assume_key(frame, collection, key)
        if is_there and way.is_same(value, (*collection.path, key)):
            return
    raise frame.refusal("it stores an item in the state")


# -- Methods


def method(frame: ProofFrame, called: StateMethod, arguments: list[Any], names: Any) -> Any:
    """Return what a method of a value gives."""
    way, receiver, name = frame.way, called.receiver, called.name
    kind = way.kind(receiver)
    is_state = type(receiver) in (State, Copy)
    reason = f"it may change the state with {name}" if is_state else ""
    refusal = frame.refusal(reason or f"it calls the method {name} of what may be anything")
    if names or not kind:
        raise refusal
    if kind == "str" and type(receiver) is Constant and name == "join" and len(arguments) == 1:
        if way.is_empty(arguments[0]):
            return Constant("")
        raise refusal
    if name == "copy" and not arguments and kind in (*MUTABLE, "frozenset"):
        return _copied(receiver, kind)
    if all(map(way.is_empty, arguments)):
        if (len(arguments) == 1 and name in _CHANGES.get(kind, ())) or (
            kind == "set" and arguments and name in ("update", "difference_update")
        ):
            return NOTHING
        if kind in _SETS and (
            name in ("union", "difference")
            or (name == "symmetric_difference" and len(arguments) == 1)
        ):
            return _copied(receiver, kind)
    if type(receiver) is Made:
        return _method_of_made(frame, receiver, name, arguments, refusal)
    raise refusal


# What changes nothing where it is given nothing.
_CHANGES = {
    "list": ("extend",),
    "dict": ("update",),
    "set": ("update", "difference_update", "symmetric_difference_update"),
}


def _copied(value: Any, kind: str) -> Any:
    if type(value) is Made:
        return Made(kind, value.items.copy())
    return Copy(value.path, kind) if kind in MUTABLE and type(value) is not Constant else value


def _method_of_made(
    frame: ProofFrame, made: Made, name: str, arguments: list[Any], refusal: Exception
) -> Any:
    way = frame.way
    count = len(made.items)
    if made.kind == "list":
        if name == "append" and len(arguments) == 1:
            made.items.append(arguments[0])
            return NOTHING
        added = way.items(arguments[0]) if name == "extend" and len(arguments) == 1 else None
        if added is not None:
            made.items += added
            return NOTHING
        if name in ("sort", "reverse") and not arguments and count < 2:
            return NOTHING
    if made.kind == "dict" and not arguments and name in ("keys", "values", "items") and not count:
        return Made("list", [])
    if made.kind == "dict" and name == "get" and arguments and _has_key(arguments[0]):
        default = arguments[1] if len(arguments) == 2 else NOTHING
        if len(arguments) <= 2:
            return made.items.get(arguments[0].value, default)
    raise refusal
