"""Random records for random programs: texts and numbers with all that is odd about them.

A ``Kind`` says what an expression or a record should be. It is finer than Python's types where
that makes programs which mostly work: a text that is a number, a line with separated fields.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any, NamedTuple


class Name(str):
    """A text that is not only one."""

    __slots__ = ()

    def lower(self) -> str:
        return f"lower({self})"


class Number(int):
    """An int that is not only one."""

    def __add__(self, other: object) -> int:
        return 1000 + int(self)


class Pair(NamedTuple):
    """A tuple that is not only one."""

    key: Any
    value: Any


@dataclass(frozen=True)
class Kind:
    """What a value is meant to be."""

    name: str
    parts: tuple[Kind, ...] = ()
    separator: str = ""


INT = Kind("int")
FLOAT = Kind("float")
BOOL = Kind("bool")
NONE = Kind("none")
MIXED = Kind("mixed")
TEXT = Kind("text")
# Texts that int() and float() can mostly read.
NUMERAL = Kind("numeral")
DECIMAL = Kind("decimal")
SIMPLE = (INT, FLOAT, BOOL, TEXT)


def tuple_of(*parts: Kind) -> Kind:
    return Kind("tuple", parts)


def list_of(part: Kind) -> Kind:
    return Kind("list", (part,))


def maybe(part: Kind) -> Kind:
    """Of the kind ``part``, or None."""
    return part if part.name in ("maybe", "none", "mixed") else Kind("maybe", (part,))


def fields(separator: str, *parts: Kind) -> Kind:
    """A text that ``split(separator)`` divides into texts of the kinds ``parts``."""
    return Kind("fields", parts, separator)


def row(*parts: Kind) -> Kind:
    """A list of texts of the kinds ``parts``."""
    return Kind("row", parts)


TEXTS = list_of(TEXT)


def fits(have: Kind, wanted: Kind) -> bool:
    """Whether a value of the first kind is one of the second."""
    if have == wanted or wanted.name == "any":
        return True
    if wanted.name == "maybe":
        return have == NONE or fits(have, wanted.parts[0])
    if wanted == TEXT:
        return have.name in ("numeral", "decimal", "fields")
    if wanted.name == "decimal":
        return have == NUMERAL
    if wanted.name == "list" and have.name == "row":
        return all(fits(part, wanted.parts[0]) for part in have.parts)
    if wanted.name == have.name and wanted.name in ("tuple", "list"):
        return len(wanted.parts) == len(have.parts) and all(map(fits, have.parts, wanted.parts))
    return False


def common(first: Kind, second: Kind) -> Kind:
    """The kind of what is of one of two kinds."""
    if fits(first, second):
        return second
    if fits(second, first):
        return first
    if first == NONE:
        return maybe(second)
    return maybe(first) if second == NONE else MIXED


WORDS = (
    *"a b to be or not to be the The THE quick Fox word x1 key an error warn x y z".split(),
    *"GET POST /api/v1 /api/v2/users index.html 200 404 k=v a-b it's 3rd _id ab abc abcd".split(),
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmnop",
    "abcdefghijklmnopq",
    "prefix-0000000001",
    "prefix-0000000002",
    "prefix-000000000",
    "x" * 63,
    "x" * 64,
    "x" * 65,
    "ab" * 50,
)
STRANGE = (
    *"é É ß ẞ İ \u0131 \u017f ﬁ ŉ ǆ ǅ Σ ς ΟΔΟΣ ΐ ñandú Straße naïve".split(),
    *"日本 語 文字列 Ⅷ ² ½ ٣ ९ \U0001d7d9 😀 \U0001d518".split(),
    "e\u0301",
    "\u0301",
    "👨\u200d👩\u200d👧",
    "🇩🇪",
    "\\ud800",
    "\u200b",
    "\u00ad",
    "\ufeff",
    "\ufffd",
    "\U0010ffff",
    "\uffff",
    "日" * 22,
    *("\0", "\0\0", "a\0", "a\0\0", "abcdefghijkl\0", "abcdefghijklmnop\0"),
    # Halves of a pair, which no UTF-8 has; the second stands for a byte that is none.
    "\ud800",
    "x\udcff",
)
# What str.split() and str.strip() take as white space, and some that they do not.
SPACES = tuple(" \t\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2028\u2029\u202f\u3000\u200b\0")
NUMERALS = (
    *"0 1 7 42 -1 +5 007 -0 100 65535 2147483648 9007199254740993 999999999999999999".split(),
    *"9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809".split(),
    *"99999999999999999999 1_000 ٣ ४२ 1__0 _1 0x10 1e5 1.5 - + abc 12a \uff12 ² --1".split(),
    " 7 ",
    "\t8",
    "9\n",
    "\x1f3\x1c",
    "\xa05",
    "4\0",
    "",
    " ",
    "1 2",
)
DECIMALS = (
    *"0.1 0.5 -0.0 0.0 1e5 1E-3 -2.75 .5 5. 1e400 -1e400 5e-324 1e-400".split(),
    *"2.5e-323 0.30000000000000004".split(),
    *"nan NaN inf -inf Infinity +inf 1_0.5 1.7976931348623157e308".split(),
    "123456789012345678901234567890",
    *"9007199254740993 1e22 1e23 4.35 2.675 1.1.1 1e e5 . - 0x1p3 \u0663.\u0665 1,5".split(),
    " 1.5 ",
    "\x1c2.5\u2003",
    "1e5\0",
    "",
)
INTEGERS = (
    *(2**31 - 1, -(2**31), 2**32, 2**53, 2**53 + 1, -(2**53) - 1, 2**62, 2**63 - 1, -(2**63)),
    *(10**18, -(10**18), 999999999999999999, 4294967295, 255, 256),
    # What Python's hash of an int goes by.
    *(2**61 - 1, 2**61, 2**61 - 2, -(2**61) + 1, 2 * (2**61 - 1)),
)
HUGE_INTEGERS = (2**63, -(2**63) - 1, 2**64, -(2**64), 10**19, 10**30, -(10**40), 3**200)
FLOATS = (
    *(
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        0.2,
        0.5,
        -2.5,
        1.5,
        2.5,
        3.0,
        1e16,
        1e22,
        1e-5,
        1e-4,
        123456789.125,
    ),
    *(2.675, 1 / 3, 9007199254740993.0, 2.0**63, -(2.0**63), 1e300, 1e15, 99999.5, 0.045),
)
ODD_FLOATS = (
    *(float("nan"), float("inf"), float("-inf"), 5e-324, -5e-324, 1.7976931348623157e308, -0.0),
    2.2250738585072014e-308,
)


@dataclass(frozen=True)
class Theme:
    """How odd the records of one program are: shares between 0 and 1."""

    dirty: float
    strange: float
    huge: float
    variety: int
    # So many records, of the many that are there then, are odd in each way.
    exceptions: int = 0

    @staticmethod
    def random(rng: random.Random) -> Theme:
        if rng.random() < 0.2:
            return Theme(0, 0, 0, 1000, exceptions=rng.choice((1, 1, 2, 3)))
        return Theme(
            dirty=rng.choice((0, 0, 0, 0.02, 0.1, 0.4)),
            strange=rng.choice((0, 0, 0.05, 0.2, 0.7)),
            huge=rng.choice((0, 0, 0.05, 0.3)),
            variety=rng.choice((2, 5, 1000)),
        )


class Records:
    """Makes values of given kinds."""

    def __init__(self, rng: random.Random, theme: Theme) -> None:
        self.rng = rng
        self.theme = theme

    def values(self, kind: Kind, count: int) -> list[Any]:
        """Make records; with little variety the same ones come again and again."""
        if self.theme.exceptions:
            return self._with_exceptions(kind, 20 + count)
        pool = [self.value(kind) for _ in range(min(count, self.theme.variety))]
        if len(pool) == count:
            return pool
        return [self.rng.choice(pool) for _ in range(count)]

    def _with_exceptions(self, kind: Kind, count: int) -> list[Any]:
        values = [self.value(kind) for _ in range(count)]
        odd = Records(self.rng, Theme(dirty=0.7, strange=0.7, huge=0.7, variety=1000))
        for _ in range(self.theme.exceptions):
            values[self.rng.randrange(count)] = odd.value(kind)
        return values

    def value(self, kind: Kind) -> Any:
        if kind.parts and kind.name != "maybe" and self.rng.random() < self.theme.dirty / 8:
            return self._broken(kind)
        make = getattr(self, "_" + kind.name)
        return make(kind)

    def _broken(self, kind: Kind) -> Any:
        if kind.name == "fields":
            return self.rng.choice(("", kind.separator, self._text(TEXT), "a" + kind.separator))
        if kind.name in ("tuple", "row"):
            parts = [self.value(part) for part in kind.parts]
            rest = parts[:-1] if self.rng.random() < 0.5 else [*parts, parts[0]]
            if self.rng.random() < 0.3:
                return self._mixed(MIXED)
            return tuple(rest) if kind.name == "tuple" else rest
        return self._mixed(MIXED)

    def _int(self, _: Kind) -> int:
        chance = self.rng.random()
        if chance < self.theme.huge / 4:
            return self.rng.choice(HUGE_INTEGERS)
        if chance < self.theme.huge:
            return self.rng.choice(INTEGERS)
        if chance < 0.8:
            return self.rng.randint(-3, 9)
        return self.rng.randint(-100_000, 100_000)

    def _float(self, _: Kind) -> float:
        chance = self.rng.random()
        if chance < (self.theme.huge + self.theme.dirty) / 3:
            return self.rng.choice(ODD_FLOATS)
        if chance < 0.7:
            return self.rng.choice(FLOATS)
        if chance < 0.75:
            return math.ldexp(self.rng.random() - 0.5, self.rng.randint(-1080, 1024))
        return round(self.rng.gauss(0, 100), self.rng.choice((1, 2, 20)))

    def _bool(self, _: Kind) -> bool:
        return self.rng.random() < 0.5

    def _none(self, _: Kind) -> None:
        return None

    def _maybe(self, kind: Kind) -> Any:
        return None if self.rng.random() < 0.3 else self.value(kind.parts[0])

    def _mixed(self, _: Kind) -> Any:
        if self.rng.random() < 0.05:
            return self.rng.choice((b"a", 1j, {"a": 1}, range(3)))
        pick = (INT, INT, FLOAT, BOOL, TEXT, TEXT, NONE, tuple_of(TEXT, INT), TEXTS)
        return self.value(self.rng.choice(pick))

    def _tuple(self, kind: Kind) -> tuple[Any, ...]:
        return tuple([self.value(part) for part in kind.parts])

    def _list(self, kind: Kind) -> list[Any]:
        return [self.value(kind.parts[0]) for _ in range(self.rng.choice((0, 1, 2, 2, 3, 5)))]

    def _row(self, kind: Kind) -> list[Any]:
        return [self.value(part) for part in kind.parts]

    def _fields(self, kind: Kind) -> str:
        parts = [self.value(part).replace(kind.separator, "") for part in kind.parts]
        return kind.separator.join(parts)

    def _numeral(self, _: Kind) -> str:
        if self.rng.random() < self.theme.dirty:
            return self.rng.choice(NUMERALS)
        if self.rng.random() < self.theme.huge:
            return str(self.rng.choice(INTEGERS + HUGE_INTEGERS))
        return str(self.rng.choice((self.rng.randint(-3, 9), self.rng.randint(0, 9999), 200, 404)))

    def _decimal(self, _: Kind) -> str:
        if self.rng.random() < self.theme.dirty:
            return self.rng.choice(DECIMALS)
        if self.rng.random() < self.theme.huge:
            digits = str(self.rng.getrandbits(self.rng.choice((30, 60, 90))))
            at = self.rng.randint(0, len(digits))
            exponent = self.rng.choice(("", "", f"e{self.rng.randint(-340, 320)}"))
            return self.rng.choice(
                (repr(self._float(FLOAT)), f"{digits[:at]}.{digits[at:]}{exponent}")
            )
        return self.rng.choice(("0.5", "1.5", "-2.25", "3", "0.1", "100.0", "1e3", "7.125"))

    def _text(self, _: Kind) -> str:
        shape = self.rng.random()
        if shape < 0.4:
            return self.word()
        separator = self._separator()
        words = [self.word() for _ in range(self.rng.choice((0, 1, 2, 3, 3, 5, 10)))]
        if self.rng.random() < 0.2:
            words.insert(self.rng.randint(0, len(words)), "")
        text = separator.join(words)
        if self.rng.random() < 0.15:
            text = self._separator() + text
        if self.rng.random() < 0.15:
            text += self._separator()
        chance = self.rng.random()
        if chance < 0.01:
            text *= 20 if chance > 0.0003 else 700
        return text

    def _separator(self) -> str:
        chance = self.rng.random()
        if chance < 0.55:
            return " "
        if chance < 0.55 + self.theme.strange / 4:
            return self.rng.choice(SPACES)
        return self.rng.choice((",", "\t", ";", "|", ":", "  ", "::", "=", " - ", " , ", "\t\t"))

    def word(self) -> str:
        chance = self.rng.random()
        if chance < self.theme.strange:
            strange = self.rng.choice(STRANGE)
            return strange if self.rng.random() < 0.6 else self.rng.choice(WORDS) + strange
        if chance > 0.93:
            return self.rng.choice(NUMERALS + DECIMALS)
        return self.rng.choice(WORDS[: self.rng.choice((8, len(WORDS)))])
