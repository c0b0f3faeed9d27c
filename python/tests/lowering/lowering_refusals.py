"""Functions that have no expression, with the reason."""

# ruff: noqa: C400, C416, C420, F821, F841, PLC3002, PLW0108

from __future__ import annotations

import functools
import json
import math
from operator import itemgetter

from lowering_cases import LIMIT, STOPWORDS, TABLE, both


def double(value, times=2):
    return value * times


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
