"""Functions on states: which of them keep the state of a key without new values."""

# ruff: noqa: B006, C420, FURB192, PLC0415, RET503, RUF034

from __future__ import annotations

import functools
import math
import operator
import random
import time
from collections import Counter, defaultdict
from typing import Any

__all__ = ["CONDITIONAL", "REFUSED_STATES", "UNCHANGED", "condition_words"]

LIMIT = 5
ZERO = 0
FILLED = "int | float | tuple | list+ | dict+ | set+ | frozenset+"
seen: list[Any] = []


def returns_early(new, old):
    if not new:
        return old
    print(new, time.time(), file=open("nowhere", "w"))  # noqa: SIM115
    return sum(new)


def returns_early_by_length(new, old):
    if len(new) == 0:
        return old
    raise ValueError(new)


def last_one(new, old):
    if new:
        old = new[-1]
    return old


def puts_in(new, old):
    if old is None:
        old = defaultdict(int)
    for value in new:
        old[value] += 1
    return old


def counted(new, old):
    counter = old if old is not None else Counter()
    for value in new:
        counter[value] += 1
    return counter


def total(new, old):
    total = old or 0
    for value in new:
        total += value
    return total


def counts_on(new, old):
    count = 0 if old is None else old
    return count + len(new)


def mean(new, old):
    sums, count = old or (0, 0)
    return (sums + sum(new), count + len(new))


def mean_by_items(new, old):
    if old is None:
        old = (0.0, 0)
    return (old[0] + sum(new), old[1] + len(new))


def extremes(new, old):
    if old is None:
        return (len(new), min(new), max(new)) if new else None
    count, low, high = old
    return (count + len(new), min([low, *new]), max([high] + new))


def nested(new, old):
    (a, b), items = old or ((0, 0), [])
    return ((a + sum(new), b + len(new)), items + new)


def extends(new, old):
    old = old or []
    old.extend(new)
    return old


def adds_in_place(new, old):
    old = old or []
    old += new
    return old


def dict_by_keys(new, old):
    old = old or {"sum": 0, "count": 0}
    old["sum"] += sum(new)
    old["count"] += len(new)
    return old


def dict_anew(new, old):
    if old is None:
        old = {"sum": 0, "count": 0}
    return {"sum": old["sum"] + sum(new), "count": old["count"] + len(new)}


def dict_of_keys(new, old):
    state = dict(old or {})
    for key, value in new:
        state[key] = state.get(key, 0) + value
    return state


def list_by_items(new, old):
    old = old or [0, 0]
    old[0] += sum(new)
    old[1] += len(new)
    return old


def set_updated(new, old):
    state = set(old) if old else set()
    state.update(new)
    return state


def catches(new, old):
    try:
        return (old or 0) + sum(new)
    except TypeError:
        return None


def plus(first, second=0):
    return first + (second or 0)


def through_others(new, old):
    return plus(sum(new), old)


def recent(most):
    return lambda new, old: ((old or []) + new)[-most:]


def squares(new, old):
    return sum(value * value for value in new) + (old or 0)


def comprehensions(new, old):
    return [value for value in new if value] + (old or [])


def dict_comprehension(new, old):
    limit = LIMIT
    return {**(old or {}), **{value: limit for value in new}}


def loops_to(new, old):
    state = list(old or [])
    for index, value in enumerate(new):
        state.append((index, value))
    while len(new) > LIMIT:
        new = new[1:]
    return state


# Functions that keep any state.
UNCHANGED = [
    lambda new, old: old,
    returns_early,
    returns_early_by_length,
    last_one,
    puts_in,
    counted,
    lambda new, old: new[-1] if new else old,
    lambda new, old: old if not new else old + sum(new),
    lambda new, old: new or old,
    lambda new, old: max(new + [old]),
    lambda new, old: max([old] + new) if old is not None else max(new),
    lambda new, old: min([old, *new]),
    lambda new, old: max(new, default=old),
    lambda new, old: max(new, key=lambda value: value[1], default=old),
    lambda new, old: sorted([old] + new)[0],
    lambda new, old: functools.reduce(lambda a, b: a + b, new, old),
    lambda new, old: old if len(new) < LIMIT else None,
    lambda new, old: None if any(new) or old is None else old,
    lambda new, old: [old, *new][-1],
    functools.partial(lambda k, new, old: old if not new else k, 3),
    functools.partial(lambda new, old, k: k if new else old, k=3),
    lambda new, old, k=5: k if new else old,
]

# Functions that keep states of some forms, and these.
CONDITIONAL = [
    (lambda new, old: sum(new) + (old or 0), "int | float"),
    (lambda new, old: (old or 0) + sum(new), "int | float"),
    (lambda new, old: len(new) + (old or 0), "int | float"),
    (lambda new, old: (old or 0) + len(new), "int | float"),
    (
        lambda new, old: sum(new, old or 0),
        "int | float | tuple | list+ | dict+ | set+ | frozenset+",
    ),
    (lambda new, old: (old or 0.0) + sum(new), "float"),
    (lambda new, old: (old or ZERO) + sum(new), "int | float"),
    (lambda new, old: sum([old] + new), "int | float"),
    (lambda new, old: operator.add(sum(new), old or 0), "int | float"),
    (lambda new, old: functools.reduce(operator.add, new, old or 0), None),
    (lambda new, old: old - len(new) if old else len(new), "int | float"),
    (lambda new, old: (old or "") + "".join(new), "str"),
    (lambda new, old: (old or b"") + (b"x" if new else b""), "bytes+"),
    (lambda new, old: (old or []) + new, "list"),
    (lambda new, old: new + (old or []), "list"),
    (lambda new, old: list(old or []) + list(new), "list"),
    (lambda new, old: [*(old or []), *new], None),
    (lambda new, old: (*(old or ()), *new), "tuple"),
    (lambda new, old: (old or ()) + tuple(new), "tuple"),
    (lambda new, old: old.copy(), "list | dict | set | frozenset"),
    (lambda new, old: (old or set()) | set(new), "set | frozenset+"),
    (lambda new, old: set(new) | (old or set()), "set"),
    (lambda new, old: (old or set()).union(new), "set | frozenset+"),
    (lambda new, old: (old or frozenset()) | set(new), "set+ | frozenset+"),
    (lambda new, old: {**(old or {}), **dict(new)}, "dict"),
    (lambda new, old: (old or {}) | dict(new), "dict"),
    (lambda new, old: old if isinstance(old, int) else None, "int | bool"),
    (lambda new, old: old if old == old else old, None),
    (lambda new, old: old[:], None),
    (total, "int | float | tuple | list+ | dict+ | set+ | str+ | bytes+ | frozenset+"),
    (counts_on, "int | float"),
    (mean, "tuple[int | float, int | float]"),
    (mean_by_items, "tuple[int | float, int | float]"),
    (extremes, "tuple[int | float, any, any]"),
    (nested, "tuple[tuple[int | float, int | float], list]"),
    (extends, "list"),
    (adds_in_place, "list"),
    (dict_by_keys, "dict[sum: int | float, count: int | float]+"),
    (dict_anew, "dict[sum: int | float, count: int | float] only"),
    (dict_of_keys, "dict"),
    (list_by_items, "list[int | float, int | float] | dict[0: int | float, 1: int | float]+"),
    (set_updated, "set"),
    (catches, "int | float"),
    (through_others, "int | float"),
    (recent(100), "list#100"),
    (squares, "int | float"),
    (comprehensions, "list"),
    (dict_comprehension, "dict"),
    (loops_to, "list"),
]


def tells_the_time(new, old):
    if time.time() > 0:
        return old
    return None


def prints(new, old):
    print(old)
    return old


def remembers(new, old):
    seen.append(old)
    return old


def default_list(new, old, known=[]):
    known.append(len(new))
    return old


def counter():
    calls = 0

    def update(new, old):
        nonlocal calls
        calls += 1
        return old

    return update


def assigns_global(new, old):
    global ZERO
    ZERO = 0
    return old


def removes_when_empty(new, old):
    if new:
        return sum(new)


def removes_large(new, old):
    count = (old or 0) + len(new)
    return count if count < 100 else None


def raises(new, old):
    if not new:
        raise ValueError
    return old


def asserts(new, old):
    assert new
    return old


def appends_without(new, old):
    old = old or []
    old.append(len(new))
    return old


def stores_other(new, old):
    old["last"] = len(new)
    return old


def decays(new, old):
    return (old or 0) * 0.9 + sum(new)


def mean_of_others(new, old):
    sums, count = old or (0, 0)
    return (sums + sum(new), count + 1)


def swapped(new, old):
    a, b = old or (0, 0)
    return (b + sum(new), a + sum(new))


def empty_batches(new, old):
    count, idle = old or (0, 0)
    return (count + len(new), idle + 1 if not new else 0)


def calls_itself(new, old):
    return calls_itself(new, old)


def loops_for_ever(new, old):
    while not new:
        pass
    return old


def attribute(new, old):
    old.count += len(new)
    return old


def yields(new, old):
    yield old


def variadic(*values):
    return values[1]


def with_file(new, old):
    with open("nowhere") as file:
        return file and old


def imports(new, old):
    import os

    return os and old


class Model:
    def __call__(self, new, old):
        return old

    def update(self, new, old):
        return old


# Functions of which it is not proved, and what the reason contains.
REFUSED_STATES = [
    (lambda new, old: None, "it gives None for a key without new values"),
    (removes_when_empty, "it gives None for a key without new values"),
    (removes_large, "it gives None for a key without new values"),
    (lambda new, old: sum(new), "something else than the state"),
    (lambda new, old: (old or 0) + 1, "something else than the state at +"),
    (lambda new, old: old * 1.0, "something else than the state at *"),
    (lambda new, old: old * 1, "something else than the state at *"),
    (lambda new, old: -old, "something else than the state at -"),
    (lambda new, old: [old], "something else than the state"),
    (lambda new, old: bool(old), "something else than the state"),
    (lambda new, old: str(old) + "x", "something else than the state"),
    (lambda new, old: old[0], "something else than the state"),
    (lambda new, old: (old or [])[1:] + new, "a part of the state"),
    (lambda new, old: old[::-1], "slices with a step"),
    (lambda new, old: new[0], "it takes an item of an empty list"),
    (lambda new, old: max(new), "it calls max on what may be anything"),
    (lambda new, old: max(old or 0, max(new, default=0)), "it calls max on what may be anything"),
    (lambda new, old: sum(old), "it calls sum on what may be anything"),
    (lambda new, old: old.pop(), "may change the state with pop"),
    (lambda new, old: random.random() and old, "it calls random.random, of which nothing is known"),
    (lambda new, old: old + math.pi, "it uses math.pi, which may change"),
    (lambda new, old: old if seen else None, "is true that may be anything"),
    (lambda new, old: old if LIMIT in seen else old, "it looks for something"),
    (lambda new, old: f"{old}", "it formats a value"),
    (lambda new, old: old(new), "it calls what may be anything"),
    (lambda new, old: not_defined, "it uses the name not_defined, which is not defined"),  # noqa: F821
    (lambda new: new, "it takes 1 argument where 2 are given"),
    (tells_the_time, "it calls time.time, of which nothing is known"),
    (prints, "it calls print, of which nothing is known"),
    (remembers, "it uses seen.append, the attribute of an object"),
    (default_list, "it uses known.append, the attribute of an object"),
    (counter(), "it assigns the captured variable calls"),
    (assigns_global, "it assigns a global variable"),
    (raises, "it raises an exception"),
    (asserts, "it may raise an AssertionError"),
    (appends_without, "may change the state with append"),
    (stores_other, "it stores an item in the state"),
    (decays, "something else than the state at *"),
    (mean_of_others, "something else than the state at +"),
    (swapped, "something else than the state"),
    (empty_batches, "something else than the state at +"),
    (calls_itself, "calls functions through too many others"),
    (loops_for_ever, "it has too many branches"),
    (attribute, "it uses the attribute count of a value"),
    (yields, "it is a generator"),
    (variadic, "it takes any number of arguments"),
    (with_file, ""),
    (imports, "it imports a module"),
    (Model(), "it calls an object, of which nothing is known"),
    (Model().update, "it calls an object, of which nothing is known"),
    (print, "it calls an object, of which nothing is known"),
]


def condition_words(condition: Any) -> str:
    """Return a condition in short: ``list+`` is one with items, ``list#9`` one of at most 9."""
    return " | ".join(map(_form_words, condition)) or "any"


def _form_words(form: Any) -> str:
    kind, fewest, most, order, items = form
    words = str(kind)
    if items:
        texts = [
            (f"{key}: " if kind == "dict" else "") + condition_words(inner) for key, inner in items
        ]
        count = fewest if fewest == most and kind != "dict" else len(texts)
        words += f"[{', '.join(texts + ['any'] * (count - len(texts)))}]"
    elif fewest == most:
        words += f"#{most}"
    if fewest == 1 and most == -1 and kind != "tuple":
        words += "+"
    elif most >= 0 and fewest != most:
        words += f"#{most}"
    return words + " only" * (order is not None)
