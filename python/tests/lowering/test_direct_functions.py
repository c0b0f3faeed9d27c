"""Small functions behind ones that stay in Python: computed on objects, without being called.

What comes out must be what the function gives, and the function is called wherever what it does
with an object could be a matter of code.
"""

# ruff: noqa: FURB110, FURB136, RUF021, UP031

import math
import sys

import pytest

from swiftwater import SparkConf, SparkContext
from tests.lowering.lowering_programs import difference


class Loud(int):
    """A number that is heard."""

    def __add__(self, other):
        return ("added", int(self), other)

    __radd__ = __mul__ = __lt__ = __eq__ = __add__
    __hash__ = int.__hash__

    def __neg__(self):
        return "negative"

    def __bool__(self):
        return False


class Title(str):
    __slots__ = ()

    def __contains__(self, item):
        return True

    def __eq__(self, other):
        return "never"

    __hash__ = str.__hash__


class Row(tuple):
    __slots__ = ()

    def __getitem__(self, index):
        return "an item"

    def __bool__(self):
        return False


class Other:
    """Compared by nothing but its type."""

    def __bool__(self):
        raise LookupError("no truth")

    def __repr__(self):
        return "Other()"


def seen(value):
    try:
        return value
    finally:
        pass


# Of one value.
SIMPLE = [
    lambda x: x,
    lambda x: None,
    lambda x: 1,
    lambda x: "text",
    lambda x: -0.0,
    lambda x: (x, 1),
    lambda x: (x, x),
    lambda x: ((x, "a"), (x, None), ()),
    lambda x: x[0],
    lambda x: x[-1],
    lambda x: x[1][0],
    lambda x: (x[1], x[0]),
    lambda x: x is None,
    lambda x: x is not None,
    lambda x: x[0] is x[1],
    lambda x: x is True,
    lambda x: not x,
    lambda x: not (x and x[0]),
    lambda x: -x,
    lambda x: -x + 1,
    lambda x: x + 1,
    lambda x: x + x,
    lambda x: x * 2 - 1,
    lambda x: x / 2,
    lambda x: 7 // x,
    lambda x: x % 3,
    lambda x: x + "b",
    lambda x: x + (1,),
    lambda x: "%s" % x,
    lambda x: x == 1,
    lambda x: x != "a",
    lambda x: x < 2,
    lambda x: 0 <= x < 10,
    lambda x: x > "a",
    lambda x: "a" in x,
    lambda x: "a" not in x,
    lambda x: x and x[0],
    lambda x: x or 0,
    lambda x: (x and x[0]) or (x or "nothing"),
    lambda x: x[0] > 1 and x[1] > 1 or x[0],
    lambda x: x if x else 0,
    lambda x: 1 if x is None else (2 if x else 3),
    lambda x: (x + 1 if x > 1 else x - 1) * 2,
    lambda x: (x[0] + 1, x[1]) if x[1] == 2 else (x[0], 0),
]


def unpacked(pair):
    first, second = pair
    return (second, first)


def kept(pair):
    both = pair[0] + pair[1]
    return (both, both)


def unused(pair):
    pair[1]
    return pair[0]


SIMPLE += [unpacked, kept, unused]

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 10, 2**62, 2**63 - 1, -(2**63), 10**30),
    *(0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, "", "a", "Wörter a", "a\udc80", b"a"),
    *((), (1,), (1, 2), (2, 2.5), ("a", 1), (None, None), ((1, 2), (3, 4)), (math.nan, 1)),
    *([], [1, 2], [[1], [2]], {"a": 1}, {0: "zero"}, {1}, range(3), 1j),
    *(Loud(1), (Loud(1), Loud(2)), (1, Loud(2)), Title("b"), Row((1, 2)), (Row((1, 2)), 1)),
    *(Other(), (Other(), 1), int, len),
]

# Of two values.
MERGES = [
    lambda a, b: a + b,
    lambda a, b: b + a,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a if a > b else b,
    lambda a, b: a,
    lambda a, b: b,
    lambda a, b: (a, b),
    lambda a, b: (a[0] + b[0], a[1] + b[1]),
    lambda a, b: a or b,
    lambda a, b: a is b,
]


@pytest.fixture(scope="module")
def contexts():
    """The same with the setting on, and off: only one context at a time."""

    def run(job):
        results = []
        for lowering in ("true", "false"):
            conf = SparkConf().set("swiftwater.lowering", lowering)
            conf.set("swiftwater.log.level", "error").set("swiftwater.workers", "never")
            with SparkContext("local[1]", "test", conf=conf) as sc:
                results.append(job(sc))
        return results

    return run


def outcome(action):
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - any may be the right one
        return (type(error).__name__, repr(error.args), getattr(error, "__notes__", []))


def compare(contexts, job):
    direct, plain = contexts(job)
    found = difference(direct, plain)
    assert not found


@pytest.mark.parametrize("number", range(len(SIMPLE)))
@pytest.mark.parametrize("operator", ["map", "filter", "mapValues"])
def test_functions_of_a_value(contexts, number, operator):
    function = SIMPLE[number]

    def job(sc):
        results = []
        for value in VALUES:
            record = ("key", value) if operator == "mapValues" else value
            rdd = getattr(sc.parallelize([record], 1).map(seen), operator)(function)
            results.append(outcome(rdd.collect))
        return results

    compare(contexts, job)


@pytest.mark.parametrize("number", range(len(MERGES)))
def test_functions_of_two_values(contexts, number):
    function = MERGES[number]

    def job(sc):
        results = []
        for first in VALUES:
            for second in (first, 1, "a", 2.5, (1, 2), [3], None, Loud(3)):
                pairs = [("key", first), ("other", second), ("key", second), ("key", first)]
                rdd = sc.parallelize(pairs, 1).map(seen).reduceByKey(function)
                results.append(outcome(rdd.collect))
        return results

    compare(contexts, job)


CALLED = set()


def note(frame, event, _):
    if event == "call":
        CALLED.add(frame.f_code.co_name)


# Functions of a module are not copied for a task, and share its variables.
def begin(value):
    try:
        sys.setprofile(note)
        return value
    finally:
        pass


def end(value):
    try:
        sys.setprofile(None)
        return value
    finally:
        pass


@pytest.mark.parametrize("lowering", ["true", "false"])
def test_they_are_not_called(lowering):
    def swapped(pair):
        return (pair[1], pair[0])

    def is_small(pair):
        return pair[0] is not None and pair[0] < 10

    def doubled(value):
        return value * 2

    def added(first, second):
        return first + second

    def named(pair):
        return (str(pair[0]), pair[1])

    conf = SparkConf().set("swiftwater.lowering", lowering).set("swiftwater.workers", "never")
    with SparkContext("local[1]", "test", conf=conf) as sc:
        CALLED.clear()
        data = sc.parallelize([(1, 2), (1, None), (3, 2)], 1).map(begin)
        small = data.map(swapped).filter(is_small).map(named).mapValues(doubled)
        assert small.reduceByKey(added).map(end).collect() == [("2", 8)]
        names = {"swapped", "is_small", "doubled", "added", "named"}
        wanted = {"named"} if lowering == "true" else names
        assert CALLED & names == wanted


def test_new_code_counts_at_once():
    def function(value):
        return value + 1

    def other(value):
        return value * 10

    with SparkContext("local[1]", "test") as sc:
        rdd = sc.parallelize([1, 2], 1).map(seen).map(function)
        assert rdd.collect() == [2, 3]
        function.__code__ = other.__code__
        assert rdd.collect() == [10, 20]
        function.__code__ = (lambda value, by=5: value * by).__code__
        function.__defaults__ = (7,)
        assert rdd.collect() == [7, 14]
        function.__defaults__ = (8,)
        assert rdd.collect() == [8, 16]


def test_what_is_made_once_is_one_object():
    def twice(pair):
        both = pair[0] + pair[1]
        return (both, both)

    with SparkContext("local[1]", "test") as sc:
        first, second = sc.parallelize([([1], [2])], 1).map(seen).map(twice).first()
        assert first is second
