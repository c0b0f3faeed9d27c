"""Random functions: their sources, and arguments for them."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["arguments", "program"]

_NAMES = """
import functools
import math
import operator
from operator import add, itemgetter
LIMIT = 3
RATE = -0.5
NAME = "ab"
NOTHING = None
FLAG = True
WORDS = {"a", "b", "1"}
ORDER = ["b", "a", 2]
BOUNDS = (1, "x", (2.5, None))
BYKEY = {"a": 1, 2: 3}
split = functools.partial(str.split, maxsplit=1)
first = itemgetter(0)
last_two = itemgetter(-1, -2)
"""

_METHODS = ("lower", "upper", "strip", "title", "split", "isdigit", "isalpha", "splitlines")
_METHODS_OF_TEXT = ("split", "startswith", "endswith", "find", "count", "strip", "partition")
_BUILTINS = ("len", "int", "float", "str", "bool", "abs", "repr", "round", "tuple", "sum", "sorted")
_OPERATORS = ("+", "-", "+", "-", "*", "/", "//", "%", "&", "|", "^")
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_FUNCTIONS = ("operator.add", "add", "operator.sub", "operator.eq", "operator.lt", "both", "second")
_ONE_ARGUMENT = ("operator.not_", "operator.neg", "str.lower", "str.split", "first", "last_two")
_HELPERS = ("both", "second", "sign", "fallback", "nested")

_BODIES = """
def both(first, other=LIMIT):
    return (first, other)

def second(first, other):
    return other

def sign(value, zero=0):
    if value > 0:
        return 1
    return -1 if value < 0 else zero

def fallback(value, *, other="none"):
    return value or other

def nested(value):
    a, b = both(value)
    return second(a, sign(a, zero=b))
"""


class _Writer:
    """Writes random source text; ``numbers`` decides everything."""

    def __init__(self, numbers: random.Random, parameters: list[str]) -> None:
        self.numbers = numbers
        self.names = list(parameters)

    def chance(self, share: float) -> bool:
        return self.numbers.random() < share

    def constant(self) -> str:
        return self.numbers.choice(
            ("0", "1", "2", "-1", "2.5", "-0.0", "''", "'a'", "'a,b c'", "' '", "None", "True")
            + ("LIMIT", "RATE", "NAME", "NOTHING", "FLAG", "BOUNDS", "math.pi", "captured")
        )

    def value(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.15):
            return self.constant() if self.chance(0.35) else self.numbers.choice(self.names)
        kinds = (
            self.operation,
            self.operation,
            self.comparison,
            self.condition,
            self.choice,
            self.method,
            self.builtin,
            self.item,
            self.text,
            self.collection,
            self.membership,
            self.function,
            self.helper,
        )
        return self.numbers.choice(kinds)(depth - 1)

    def operation(self, depth: int) -> str:
        symbol = self.numbers.choice(_OPERATORS)
        if symbol == "*":
            # Large factors would make large texts.
            return f"({self.value(depth)} * {self.numbers.choice('023')})"
        if self.chance(0.1):
            return f"({self.numbers.choice('-+')}{self.value(depth)})"
        return f"({self.value(depth)} {symbol} {self.value(depth)})"

    def comparison(self, depth: int) -> str:
        symbols = [self.numbers.choice(_COMPARISONS) for _ in range(1 + self.chance(0.3))]
        text = self.value(depth)
        for symbol in symbols:
            text += f" {symbol} {self.value(depth)}"
        return f"({text})"

    def condition(self, depth: int) -> str:
        if self.chance(0.2):
            return f"(not {self.value(depth)})"
        if self.chance(0.2):
            return f"({self.value(depth)} is {'not ' * self.chance(0.5)}None)"
        symbol = self.numbers.choice((" and ", " or "))
        return f"({symbol.join(self.value(depth) for _ in range(self.numbers.randint(2, 3)))})"

    def choice(self, depth: int) -> str:
        return f"({self.value(depth)} if {self.value(depth)} else {self.value(depth)})"

    def method(self, depth: int) -> str:
        receiver = self.value(depth)
        if self.chance(0.6):
            return f"({receiver}).{self.numbers.choice(_METHODS)}()"
        if self.chance(0.2):
            return f"({receiver}).split(maxsplit=1)"
        return f"({receiver}).{self.numbers.choice(_METHODS_OF_TEXT)}({self.value(depth)})"

    def builtin(self, depth: int) -> str:
        if self.chance(0.15):
            name = self.numbers.choice(("min", "max"))
            return f"{name}({self.value(depth)}, {self.value(depth)})"
        return f"{self.numbers.choice(_BUILTINS)}({self.value(depth)})"

    def item(self, depth: int) -> str:
        value = self.value(depth)
        if self.chance(0.3):
            bounds = [
                "" if self.chance(0.3) else str(self.numbers.randint(-2, 3)) for _ in range(2)
            ]
            return f"({value})[{':'.join(bounds)}]"
        index = self.value(depth) if self.chance(0.2) else str(self.numbers.randint(-2, 2))
        return f"({value})[{index}]"

    def text(self, depth: int) -> str:
        parts = []
        for _ in range(self.numbers.randint(1, 3)):
            conversion = self.numbers.choice(("", "", "!r", "!s", "!a"))
            spec = self.numbers.choice(("", "", "", ":.1f", ":>6", ":d"))
            parts.append("{" + self.value(0).replace("'", '"') + conversion + spec + "}")
        return "f'" + self.numbers.choice(("", "-", "x ")).join(parts) + "'"

    def collection(self, depth: int) -> str:
        count = self.numbers.choice((0, 1, 2, 2, 3))
        items = ", ".join(self.value(depth) for _ in range(count))
        if self.chance(0.2):
            return f"[{items}]"
        return f"({items},)" if count else "()"

    def membership(self, depth: int) -> str:
        symbol = self.numbers.choice(("in", "not in"))
        containers = ("(1, 'a', None)", "{'a', 1}", "[1, 2]", "WORDS", "ORDER", "BYKEY", "BOUNDS")
        container = self.numbers.choice((*containers, self.value(depth)))
        return f"({self.value(depth)} {symbol} {container})"

    def function(self, depth: int) -> str:
        if self.chance(0.4):
            return f"{self.numbers.choice(_ONE_ARGUMENT)}({self.value(depth)})"
        if self.chance(0.15):
            return f"split({self.value(depth)})"
        name = self.numbers.choice(_FUNCTIONS)
        return f"{name}({self.value(depth)}, {self.value(depth)})"

    def helper(self, depth: int) -> str:
        name = self.numbers.choice(_HELPERS)
        if name == "fallback":
            return f"fallback({self.value(depth)}, other={self.value(depth)})"
        if name == "second":
            return f"second(other={self.value(depth)}, first={self.value(depth)})"
        if name == "sign" and self.chance(0.5):
            return f"sign({self.value(depth)}, zero={self.value(depth)})"
        return f"{name}({self.value(depth)})"

    def statements(self, indent: str, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.numbers.randint(1, 3)):
            lines += self.statement(indent, depth)
        return lines

    def statement(self, indent: str, depth: int) -> list[str]:
        kind = self.numbers.random()
        if kind < 0.35 or depth <= 0:
            text = self.value(2)
            # After the value, so that it is not used before it is there.
            name = self.numbers.choice(("u", "v", "w"))
            if name not in self.names:
                self.names.append(name)
            return [f"{indent}{name} = {text}"]
        if kind < 0.45:
            name = self.numbers.choice(self.names)
            return [f"{indent}{name} {self.numbers.choice('+-|')}= {self.value(1)}"]
        if kind < 0.55:
            text = self.value(2)
            self.names += [name for name in ("u", "v") if name not in self.names]
            return [f"{indent}u, v = {text}"]
        if kind < 0.62:
            return [f"{indent}{self.value(2)}"]
        if kind < 0.72:
            return [f"{indent}if {self.value(2)}:", f"{indent}    return {self.value(2)}"]
        lines = [f"{indent}if {self.value(2)}:"]
        before = list(self.names)
        lines += self.statements(indent + "    ", depth - 1)
        while self.chance(0.3):
            self.names = list(before)
            lines += [f"{indent}elif {self.value(1)}:"]
            lines += self.statements(indent + "    ", depth - 1)
        if self.chance(0.6):
            self.names = list(before)
            lines += [f"{indent}else:", *self.statements(indent + "    ", depth - 1)]
        # What only one side assigns may be used: then the function is refused, or raises.
        if self.chance(0.9):
            self.names = before
        return lines


def program(seed: str) -> tuple[str, Callable[..., Any], int]:
    """Return source text, the function, and its number of arguments."""
    numbers = random.Random(seed)
    arity = numbers.choice((1, 1, 2))
    parameters = ["x", "y"][:arity]
    writer = _Writer(numbers, parameters)
    if numbers.random() < 0.5:
        body = f"    return lambda {', '.join(parameters)}: {writer.value(4)}"
    else:
        lines = writer.statements("        ", 2)
        lines.append(f"        return {writer.value(3)}")
        body = "\n".join([f"    def function({', '.join(parameters)}):", *lines])
        body += "\n    return function"
    source = f"{_NAMES}{_BODIES}\ndef make(captured):\n{body}\n"
    names: dict[str, Any] = {"__name__": "random_program"}

    with warnings.catch_warnings():
        # Python has remarks on comparisons of constants and the like.
        warnings.simplefilter("ignore")
        exec(compile(source, f"<program {seed}>", "exec"), names)
    captured = numbers.choice((0, 1, 7, "b", "a,b", None, 2.5, False, ("a", 1)))
    return source + f"# captured = {captured!r}\n", names["make"](captured), arity


_VALUES = (
    *("", "a", "ab", "a,b c", "1", " 12 ", "-3.5", "ß x", "b"),
    *(0, 1, 2, -1, 3, 10**20, 2.5, -0.0, 1e300, float("inf"), True, False, None),
    *((), ("a", 1), (1, 2), ("a", ("b", 2.5)), ("1", "2", "3"), (0,)),
)


def arguments(seed: str, arity: int, count: int) -> list[tuple[Any, ...]]:
    """Return random lists of arguments; texts and numbers are the most."""
    numbers = random.Random(seed)
    return [
        tuple(
            numbers.choice(["x", 1]) if arity == 2 and numbers.random() < 0.1 else value
            for value in numbers.choices(_VALUES, k=arity)
        )
        for _ in range(count)
    ]
