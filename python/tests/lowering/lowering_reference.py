"""What an expression of the lowering means, in the plainest Python."""

from __future__ import annotations

import builtins
import operator
from typing import Any

_BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}
_UNARY = {"-": operator.neg, "+": operator.pos, "~": operator.invert, "not": operator.not_}
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}
_CONVERSIONS = {None: lambda value: value, "s": str, "r": repr, "a": ascii}


def evaluate(node: tuple[Any, ...], *arguments: Any) -> Any:
    """Return the value of an expression, or raise what it raises."""
    return _Values(arguments).of(node)


class _Values:
    """The values of nodes: each is computed once, and only where it is needed."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self._arguments = arguments
        self._known: dict[int, Any] = {}

    def of(self, node: tuple[Any, ...]) -> Any:
        if id(node) not in self._known:
            kind, place, *parts = node
            assert place is None or [type(part) for part in place] == [str, int, str], place
            self._known[id(node)] = getattr(self, f"_{kind}")(*parts)
        return self._known[id(node)]

    def _all(self, nodes: Any) -> list[Any]:
        return [self.of(node) for node in nodes]

    def _arg(self, index: int) -> Any:
        return self._arguments[index]

    def _const(self, value: Any) -> Any:
        assert type(value) in (type(None), bool, int, float, str, tuple, frozenset)
        return value

    def _tuple(self, *items: Any) -> Any:
        return tuple(self._all(items))

    def _list(self, *items: Any) -> Any:
        return self._all(items)

    def _item(self, value: Any, index: Any) -> Any:
        return self.of(value)[self.of(index)]

    def _slice(self, value: Any, start: Any, stop: Any) -> Any:
        return self.of(value)[self.of(start) : self.of(stop)]

    def _method(self, name: str, receiver: Any, *arguments: Any) -> Any:
        return getattr(self.of(receiver), name)(*self._all(arguments))

    def _call(self, name: str, *arguments: Any) -> Any:
        assert arguments
        return getattr(builtins, name)(*self._all(arguments))

    def _binary(self, symbol: str, a: Any, b: Any) -> Any:
        return _BINARY[symbol](self.of(a), self.of(b))

    def _unary(self, symbol: str, a: Any) -> Any:
        return _UNARY[symbol](self.of(a))

    def _compare(self, symbol: str, a: Any, b: Any) -> Any:
        return _COMPARE[symbol](self.of(a), self.of(b))

    def _if(self, condition: Any, a: Any, b: Any) -> Any:
        return self.of(a) if self.of(condition) else self.of(b)

    def _format(self, value: Any, conversion: str | None, spec: str) -> Any:
        return format(_CONVERSIONS[conversion](self.of(value)), spec)

    def _join(self, *parts: Any) -> Any:
        return "".join(self._all(parts))

    def _unpack(self, value: Any, index: int, count: int) -> Any:
        items = list(self.of(value))
        if len(items) != count:
            raise ValueError(f"{count} values were expected")
        return items[index]


def outcome(function: Any, *arguments: Any) -> tuple[Any, ...]:
    """Return what a call gives in a form that tells all differences: value, types, or exception.

    ``str.lower(5)`` raises another exception than ``(5).lower()``, which is how it is written in an
    expression. Both mean that the type is wrong.
    """
    try:
        return ("value", exact(function(*arguments)))
    except AttributeError:
        return ("raised", "TypeError")
    except Exception as error:  # noqa: BLE001
        return ("raised", type(error).__name__)


def exact(value: Any) -> Any:
    """Return a value with its types, so that 1, 1.0, True, 0.0 and -0.0 differ."""
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, [exact(item) for item in value])
    if isinstance(value, float):
        return ("float", value.hex())
    return (type(value).__name__, value)
