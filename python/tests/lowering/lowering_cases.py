"""Functions that have an expression, with arguments; and functions that have none, with the reason.

The functions are ugly on purpose: each has what the evaluation of bytecode must understand.
"""

# ruff: noqa: C400, C408, C416, C420, F821, F841, FURB110, FURB192, PLC3002, PLW0108, RET505
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


total = 0


def counts(value):
    global total
    total += 1
    return value


def loops(value):
    for item in value:
        value = item
    return value


def loops_while(value):
    while value > 0:
        value -= 1
    return value


def catches(value):
    try:
        return int(value)
    except ValueError:
        return 0


def finishes(value):
    try:
        return int(value)
    finally:
        double(value)


def with_file(value):
    with open(value) as file:
        return file


def generates(value):
    yield value


async def waits(value):
    return value


def raises(value):
    if value:
        raise ValueError(value)
    return value


def raises_again(value):
    raise KeyError


def asserts(value):
    assert value
    return value


def imports(value):
    import os

    return os.path.join(value)


def stores(value):
    value[0] = 1
    return value


def stores_attribute(value):
    value.name = 1
    return value


def makes_class(value):
    class Inner:
        pass

    return Inner


def counter():
    count = 0

    def counting(value):
        nonlocal count
        count += 1
        return value

    return counting


def again(value):
    return again(value - 1) if value else 0


def ping(value):
    return pong(value)


def pong(value):
    return ping(value)


def unset(value):
    if value:
        other = 1
    return other


def late(value):
    value = other
    other = 1
    return value


def appends(value):
    value.append(1)
    return value


def grows(value):
    words = value.split()
    same = words
    words += ["x"]
    return same


def deep(value):
    return value + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1


def patterns(value):
    match value:
        case [first, second]:
            return first
    return None


class Model:
    limit = 5

    def predict(self, value):
        return value

    def __call__(self, value):
        return value


def varied(*values):
    return values


def named(value, **names):
    return value


model = Model()
names_of_all = {"a": 1}
undefined_later = None
huge = set(range(1001))
odd_set = {model}
nan_set = {float("nan")}
cached = functools.lru_cache(double)

# (function, arity, the instruction begins with, the reason contains)
REFUSED = [
    (counts, 1, "STORE_GLOBAL total", "it assigns the global variable total"),
    (loops, 1, "GET_ITER", "it loops"),
    (loops_while, 1, "", "it loops"),
    (catches, 1, "", "it catches exceptions"),
    (finishes, 1, "", "it catches exceptions"),
    (with_file, 1, "BEFORE_WITH", "it uses with"),
    (generates, 1, "", "it is a generator"),
    (waits, 1, "", "it is asynchronous"),
    (raises, 1, "CALL", "it raises ValueError"),
    (raises_again, 1, "RAISE_VARARGS", "it raises an exception"),
    (asserts, 1, "LOAD_ASSERTION_ERROR", "it asserts"),
    (imports, 1, "IMPORT_NAME os", "it imports a module"),
    (stores, 1, "STORE_SUBSCR", "it stores an item"),
    (stores_attribute, 1, "STORE_ATTR name", "it assigns the attribute name"),
    (makes_class, 1, "LOAD_BUILD_CLASS", "it makes a class"),
    (counter(), 1, "STORE_DEREF count", "it assigns the captured variable count"),
    (again, 1, "CALL", "it calls itself"),
    (ping, 1, "CALL", "calls ping again"),
    (unset, 1, "LOAD_FAST", "it uses the variable other, which may have no value"),
    (late, 1, "LOAD_FAST", "it uses the variable other before it has a value"),
    (appends, 1, "CALL", "it calls the method append, which has no native form"),
    (grows, 1, "BINARY_OP +=", "it changes a list"),
    (patterns, 1, "MATCH_SEQUENCE", "it matches patterns"),
    (lambda s: [w.lower() for w in s.split()], 1, "", "it has a comprehension"),
    (lambda s: {w for w in s.split()}, 1, "", "it has a comprehension"),
    (lambda s: {w: 1 for w in s.split()}, 1, "", "it has a comprehension"),
    (lambda s: list(w for w in s.split()), 1, "MAKE_FUNCTION", "it has a comprehension"),
    (lambda s: (lambda w: w)(s), 1, "MAKE_FUNCTION", "it makes a function"),
    (lambda s: (lambda: s)(), 1, "MAKE_FUNCTION", "it makes a function"),
    (lambda s: json.loads(s), 1, "CALL", "it calls json.loads, which has no native form"),
    (lambda s: catches(s), 1, "", "catches catches exceptions"),
    (lambda s: math.floor(s), 1, "CALL", "it calls math.floor, which has no native form"),
    (lambda s: math.nothing, 1, "LOAD_ATTR nothing", "math.nothing, which is not defined"),
    (lambda s: print(s), 1, "CALL", "it calls print, which has no native form"),
    (lambda s: isinstance(s, int), 1, "CALL", "it calls isinstance, which has no native form"),
    (lambda s: Model(), 1, "CALL", "it calls Model, which has no native form"),
    (lambda s: model.predict(s), 1, "", "it uses model.predict, the attribute of an object"),
    (lambda s: model.limit, 1, "LOAD_ATTR limit", "it uses model.limit, the attribute of an"),
    (lambda s: model(s), 1, "CALL", "it calls model, which has no native form"),
    (lambda s: model, 1, "RETURN_VALUE", "the variable model, which is of the type Model"),
    (lambda s: (s, model), 1, "BUILD_TUPLE", "the variable model, which is of the type Model"),
    (lambda s: TABLE[s], 1, "BINARY_SUBSCR", "it uses the variable TABLE, a dict"),
    (lambda s: TABLE.get(s), 1, "", "it uses TABLE.get, the attribute of an object"),
    (lambda s: STOPWORDS, 1, "RETURN_VALUE", "the variable STOPWORDS, a set, otherwise than with"),
    (lambda s: len(STOPWORDS), 1, "CALL", "the variable STOPWORDS, a set, otherwise than with in"),
    (lambda s: s in huge, 1, "CONTAINS_OP", "the variable huge, a set of more than 1000 items"),
    (lambda s: s in odd_set, 1, "CONTAINS_OP", "the variable odd_set"),
    (lambda s: s in nan_set, 1, "CONTAINS_OP", "the variable nan_set"),
    (lambda s: not_there, 1, "LOAD_GLOBAL not_there", "not_there, which is not defined"),
    (lambda s: {"a": s}, 1, "", "it makes a dict"),
    (lambda s: {s}, 1, "BUILD_SET", "it makes a set"),
    (lambda s: s[::2], 1, "BUILD_SLICE", "it slices with a step"),
    (lambda s: s.name, 1, "LOAD_ATTR name", "it uses the attribute name of a value"),
    (lambda s: s(1), 1, "CALL", "it calls a value of a record"),
    (lambda s: len(*s), 1, "CALL_FUNCTION_EX", "it passes arguments with *"),
    (lambda s: [*s], 1, "LIST_EXTEND", "it unpacks a value with *"),
    (lambda s: s @ s, 1, "BINARY_OP @", "it uses the operator @"),
    (lambda s: s is LIMIT, 1, "IS_OP", "it uses is with something else than None"),
    (lambda s: b"x", 1, "", "it uses a constant of the type bytes"),
    (lambda s: str.split(sep=s), 1, "CALL", "it calls str.split, which has no native form"),
    (lambda s: f"{s:{s}}", 1, "", "it computes how to format a value"),
    (lambda s: max(s, key=len), 1, "", "it calls max with the argument key="),
    (lambda s: sorted(s, reverse=True), 1, "", "it calls sorted with the argument reverse="),
    (lambda s: len(), 1, "CALL", "it calls len with 0 arguments"),
    (lambda s: double(s, 1, 2), 1, "", "double takes 2 arguments where 3 are given"),
    (lambda s: double(s, what=2), 1, "", "double cannot take the argument what="),
    (lambda s: cached(s), 1, "CALL", "it calls cached, which has no native form"),
    (lambda a, b: a, 1, "", "it takes 2 arguments where 1 is given"),
    (lambda a: a, 2, "", "it takes 1 argument where 2 are given"),
    (lambda: 1, 1, "", "it takes 0 arguments where 1 is given"),
    (varied, 1, "", "it takes any number of arguments"),
    (named, 1, "", "it takes arguments of any name"),
    (model, 1, "", "it is of the type Model, which has no native form"),
    (model.predict, 1, "", "it is a method of an object"),
    (Model, 1, "", "it makes objects of Model"),
    (cached, 1, "", "it is of the type _lru_cache_wrapper, which has no native form"),
    (print, 1, "", "it is of the type builtin_function_or_method"),
    (itemgetter(model), 1, "", "it is of the type itemgetter"),
    (functools.partial(model), 1, "", "which has no native form"),
    (functools.partial(both, model), 1, "", "of the type Model"),
]
