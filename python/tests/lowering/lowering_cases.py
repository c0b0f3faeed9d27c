"""Functions that have an expression, with arguments.

The functions are ugly on purpose: each has what the evaluation of bytecode must understand.
"""

# ruff: noqa: C408, F841, FURB110, FURB192, PLW0108, RET505
# ruff: noqa: RUF021, RUF034, SIM201, SIM208, UP018, UP031, UP032

from __future__ import annotations

import functools
import json
import math
import operator
from math import pi
from operator import add, itemgetter

LINES = [("a,1,x",), ("b,2",), ("",), ("a, 7 ,",), ("no",), (",,",), (None,), (5,), ("İ,٣,ß",)]
NUMBERS = [(0,), (1,), (-7,), (2.5,), (-0.0,), (10**20,), (True,), (None,), ("3",), (float("nan"),)]
PAIRS = [(("k", 1),), (("k", 2.0),), ((1, 2),), ((1,),), ((1, 2, 3),), ("ab",), ([3, 4],), (None,)]
TWO = [(1, 2), (1, 2.5), ("a", "b"), ((1, 2), (3, 4)), (None, 1), ([1], [2]), (3, 0), (-0.0, 0)]
WORDS = [("Über  den  Wolken",), ("",), (" a\tb\n",), ("aXbXc",), (3,), (["a"],), ("a b",)]
FIELDS = [
    ("h - /api/x 200 17".split(),),
    ("h - /api/x 404 17".split(),),
    ("h - /x x 17".split(),),
    ("h - /api/x nope 17".split(),),
    ([],),
]

LIMIT = 10
PREFIX = "p:"
DEBUG = False
MODE = "fast"
ORIGIN = (0, ("a", None))
STOPWORDS = {"a", "the", "nobody"}
KNOWN = frozenset((1, 2, "x"))
TABLE = {"a": 1, "b": 2}
ALLOWED = ["GET", "POST"]
join_words = ", ".join
second_item = itemgetter(1)
by_comma = functools.partial(str.split, maxsplit=1)


def double(value, times=2):
    return value * times


def clean(text, *, lower=True, strip=" "):
    if lower:
        text = text.lower()
    return text.strip(strip)


def both(first, second):
    return (first, second)


def first_of_two(first, second):
    return first


def sign(value):
    if value > 0:
        return 1
    elif value < 0:
        return -1
    return 0


def apply(function, value):
    return function(value)


def parse(line):
    fields = line.split(",")
    number = int(fields[1])
    if fields[0] == "a":
        return (fields[0], number)
    return (fields[0], 0)


def drops(line):
    int(line)
    return 1


def drops_on_one_side(value):
    if value == "no":
        float(value)
    return value


def drops_inside(value):
    result = 0
    if value:
        number = int(value)
        if number > 2:
            result = number
        else:
            len(value)
    return result


def kept_for_one_side(value):
    if value is None:
        size = 0
    else:
        size = len(value)
        other = value[0]
    return size


def many_ways(value):
    if (value == 1 or value == 2) and (value == 1 or value == 3):
        kind = "one"
    elif value == 4 or (value == 5 and not value == 6):
        kind = "more"
    else:
        kind = "none"
    return (kind, value)


def sequence_of_choices(value):
    a = 1 if value else 2
    b = 3 if value != 1 else a
    c = b if value == 2.5 else 4
    d = c if value == 3 else b
    e = d + 1 if value == 4 else a
    f = e if a == b else d
    return (a, b, c, d, e, f)


def swaps(pair):
    a, b = pair
    a, b = b, a
    c, d, e = a, b, a
    c, d, e = e, c, d
    return [a, b, c, d, e]


def assigned_again(value):
    value = value + 1
    value *= 2
    value -= 1
    return value


def short_circuits(value):
    return value and value[0] and value[0] in "abc" or "none"


def walrus(line):
    if (size := len(line)) > 3:
        return size
    return -size


def deleted(value):
    other = value
    del value
    return other


def nothing(value):
    pass


def constant_only(value):
    return 1.5


def debug(value):
    if DEBUG:
        print(value)
        json.dumps(value)
    if MODE == "slow":
        raise ValueError
    return value


def scaled_by(factor, shift=0):
    return lambda value: value * factor + shift


def inner_cells(value):
    return scaled(value) + value


scaled = scaled_by(3, shift=1)


def matches(value):
    match value:
        case "a" | "b":
            return 1
        case None:
            return 2
        case 5:
            return 3
        case other:
            return (4, other)


def starred_pieces(value):
    first = (value, 1)
    return [*first, 2], (0, *first)


# (function, lists of arguments): arity is the number of the arguments.
LOWERED = [
    (lambda line: line.split(" "), WORDS),
    (lambda word: (word, 1), WORDS),
    (lambda a, b: a + b, TWO),
    (lambda f: "/api/" in f[2] and 200 <= int(f[3]) < 400, FIELDS),
    (lambda f: (f[2], (int(f[4]), 1)), FIELDS),
    (lambda a, b: (a[0] + b[0], a[1] + b[1]), TWO),
    (lambda v: (v[1], v[0] / v[1]), PAIRS),
    # Functions as they are.
    (str.split, WORDS),
    (str.lower, WORDS),
    (str.strip, WORDS),
    (len, WORDS),
    (int, LINES + NUMBERS),
    (float, LINES + NUMBERS),
    (str, NUMBERS),
    (bool, NUMBERS),
    (tuple, PAIRS),
    (list, PAIRS),
    (add, TWO),
    (operator.mul, TWO),
    (operator.lt, TWO),
    (operator.ne, TWO),
    (operator.getitem, [("abc", 1), ([1, 2], -1), ((), 0), (None, 0)]),
    (operator.contains, [("abc", "b"), ((1, 2), 2), ((1, 2), 3), (None, 3)]),
    (operator.not_, NUMBERS),
    (operator.truth, NUMBERS),
    (operator.neg, NUMBERS),
    (itemgetter(1), PAIRS),
    (itemgetter(0, -1), PAIRS),
    (operator.methodcaller("split", ","), LINES),
    (max, TWO),
    (min, TWO),
    (", ".join, [(["a", "b"],), ("ab",), ([1],)]),
    (functools.partial(str.split, maxsplit=1), WORDS),
    (functools.partial(both, 5), NUMBERS),
    (functools.partial(both, second=5), NUMBERS),
    (functools.partial(functools.partial(both, 1)), NUMBERS),
    (functools.partial(double, times=3), NUMBERS),
    # Operators.
    (lambda a, b: a - b, TWO),
    (lambda a, b: a * b, TWO),
    (lambda a, b: a / b, TWO),
    (lambda a, b: a // b, TWO),
    (lambda a, b: a % b, TWO),
    (lambda a: a**2, NUMBERS),
    (lambda a: (a & 6, a | 1, a ^ 3, a << 2, a >> 1), NUMBERS),
    (lambda a: (-a, +a), NUMBERS),
    (lambda a: ~a, [(5,), (2.5,), ("a",)]),
    (lambda a: not a, NUMBERS),
    (lambda a: (not not a, not not not a), NUMBERS),
    (lambda a, b: not not a < b, TWO),
    (lambda a, b: (a < b, a <= b, a > b, a >= b), TWO),
    (lambda a, b: (a == b, a != b), TWO),
    (lambda a, b: 0 < a < b != 3, TWO),
    (lambda a: a is None, NUMBERS),
    (lambda a: a is not None and a == a, NUMBERS),
    (lambda a: None is a, NUMBERS),
    (lambda a: a is True or a is False, NUMBERS),
    (lambda a: a in (1, 2.5, "3"), NUMBERS),
    (lambda a: a not in {1, "3"}, NUMBERS),
    (lambda a: a in [1, 2.5], NUMBERS),
    (lambda a: a in [LIMIT, a], NUMBERS),
    (lambda a: a in (LIMIT, PREFIX), NUMBERS),
    (lambda a: a in {LIMIT, 1}, NUMBERS),
    (lambda a, b: a in b, TWO),
    # Items and slices.
    (lambda s: (s[0], s[-1]), WORDS),
    (lambda s: (s[1:], s[:2], s[-3:-1], s[:]), WORDS),
    (lambda s: s[1 : len(s) - 1], WORDS),
    (lambda s: s[1:2:None], WORDS),
    (lambda a, b: a[b], [("abc", 1), ("abc", 9), ((1,), 0), (None, None)]),
    (lambda a: (a, 1)[0], NUMBERS),
    (lambda a: (1, 2)[a], NUMBERS),
    (lambda a: a[LIMIT - 9], PAIRS),
    (lambda a: a[-LIMIT + 9], PAIRS),
    # Methods.
    (lambda s: s.split(sep=",", maxsplit=1), LINES),
    (lambda s: s.split(maxsplit=1), WORDS),
    (lambda s: s.rsplit(",", maxsplit=1), LINES),
    (lambda s: s.splitlines(keepends=True), WORDS),
    (lambda s: s.strip().lower().replace("x", "y"), WORDS),
    (lambda s: s.startswith(("a", PREFIX)), WORDS),
    (lambda s: s.partition(",")[2], LINES),
    (lambda s: ",".join(s), LINES),
    (lambda s: str.lower(s), WORDS),
    (lambda s: str.split(s, ","), LINES),
    (lambda s: join_words(s), LINES),
    (lambda s: by_comma(s), WORDS),
    (lambda s: "{} {}".format(s, 1), WORDS),
    (lambda s: s.isdigit() or s.isalpha(), WORDS),
    # Builtin functions.
    (lambda a: (abs(a), round(a)), NUMBERS),
    (lambda a: round(a, 1), NUMBERS),
    (lambda a: round(a, ndigits=1), NUMBERS),
    (lambda a: (int(), str(), float(), bool(), tuple(), list()), NUMBERS),
    (lambda a: int(a, 16), LINES),
    (lambda a: int(a, base=16), LINES),
    (lambda a: sum(a, start=2), PAIRS),
    (lambda a: (sum(a), min(a), max(a)), PAIRS),
    (lambda a: sorted(a)[0], PAIRS),
    (lambda a: (repr(a), str(a)), NUMBERS),
    (lambda a: chr(ord(a)), [("a",), ("ß",), ("",), (1,)]),
    (lambda a, b: max(a, b, 2), TWO),
    # Texts.
    (lambda a: f"{a}", NUMBERS),
    (lambda a: f"<{a!r:>8}|{a!s}|{a!a}|{a:.2f}>", NUMBERS),
    (lambda a: f"{PREFIX}{a}", NUMBERS),
    (lambda a: "%s-%s" % (a, 1), NUMBERS),
    (lambda a: "x%d" % a, NUMBERS),
    (lambda a: f"{f'{a!r}':>5}", NUMBERS),
    (lambda a: f"{a!r}", NUMBERS),
    # Making things.
    (lambda a: [a, 1], NUMBERS),
    (lambda a: [], NUMBERS),
    (lambda a: [1, 2, 3, "x"], NUMBERS),
    (lambda a: ((a, (1, 2)), [a]), NUMBERS),
    (starred_pieces, NUMBERS),
    (lambda p: (lambda_pair := p)[0], PAIRS),
    # What is captured.
    (lambda a: a + LIMIT, NUMBERS),
    (lambda a: a * pi, NUMBERS),
    (lambda a: a * math.pi, NUMBERS),
    (lambda a: (a, ORIGIN), NUMBERS),
    (lambda a: ORIGIN[1][0], NUMBERS),
    (lambda a: a in STOPWORDS, LINES),
    (lambda a: a not in KNOWN, NUMBERS),
    (lambda a: a in TABLE, LINES),
    (lambda a: a in ALLOWED, LINES),
    (lambda a: operator.contains(STOPWORDS, a), LINES),
    (lambda a, k=5: a + k, NUMBERS),
    (lambda a, *, k=5: a + k, NUMBERS),
    (lambda a, default=None: default if a is None else a, NUMBERS),
    (scaled_by(2), NUMBERS),
    (scaled_by(2.5, "x"), NUMBERS),
    # Ways.
    (lambda a: a if a else "none", NUMBERS),
    (lambda a: a or "none", NUMBERS),
    (lambda a: a and 1, NUMBERS),
    (lambda a: 1 if a and a != 1 else 2, NUMBERS),
    (lambda a: 1 if a > 0 else 1, NUMBERS),
    (lambda a: 1 if not a else 2 if a == 1 else 3, NUMBERS),
    (lambda a: (a or 1) and (a or 2), NUMBERS),
    (short_circuits, WORDS),
    (sign, NUMBERS),
    (parse, LINES),
    (drops, LINES + NUMBERS),
    (drops_on_one_side, LINES),
    (drops_inside, LINES + NUMBERS),
    (kept_for_one_side, LINES),
    (many_ways, [(n,) for n in range(7)]),
    (sequence_of_choices, NUMBERS),
    (swaps, PAIRS),
    (assigned_again, NUMBERS),
    (walrus, WORDS),
    (deleted, NUMBERS),
    (nothing, NUMBERS),
    (constant_only, NUMBERS),
    (debug, NUMBERS),
    (matches, [("a",), ("c",), (None,), (5,), (5.0,), ((),)]),
    (lambda p: p[0] if len(p) == 1 else p[1] if len(p) == 2 else None, PAIRS),
    # Functions that are called.
    (lambda a: double(a), NUMBERS),
    (lambda a: double(times=a, value=3), NUMBERS),
    (lambda a: double(double(a, times=3)), NUMBERS),
    (lambda s: clean(s, lower=False), WORDS),
    (lambda s: clean(s, strip="a"), WORDS),
    (lambda s: first_of_two(s, int(s)), LINES),
    (lambda s: first_of_two(second=int(s), first=s), LINES),
    (lambda a: both(sign(a), sign(-a)), NUMBERS),
    (lambda a: apply(str, a), NUMBERS),
    (lambda a: apply(double, a), NUMBERS),
    (lambda a: apply(len, a), PAIRS),
    (lambda a: apply(second_item, a), PAIRS),
    (inner_cells, NUMBERS),
    (lambda p: sign(p[0]) if p[0] else sign(p[1]), PAIRS),
]
