"""Keys whose hash has an address in it: they have a place all the same, or are refused."""

import collections
import dataclasses
import enum
import ipaddress
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from swiftwater import SparkContext
from swiftwater._tasks.key_hashes import UnplaceableKeyError, placement_hash

# What CPython 3.12 and later give for None: the hashes below are theirs, whatever runs here.
NONE = 0xFCA86420


class Hash:
    """Something with a hash of its own."""

    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number


@dataclasses.dataclass(frozen=True)
class Point:
    x: object
    y: object = None


@dataclasses.dataclass(frozen=True)
class Line:
    begin: Point
    end: object


class Slots:
    __slots__ = ("__b", "a")

    def __init__(self, a, b):
        self.a = a
        self.__b = b

    def __hash__(self):
        return hash((self.a, self.__b))


class OneField:
    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.me = self

    def __hash__(self):
        return hash(self.name)


class WithClass:
    def __init__(self, x):
        self.x = x

    def __hash__(self):
        return hash((type(self), self.x))


class ByMethod:
    def __init__(self, x, lock=None):
        self.x = x
        self.lock = lock

    def key(self):
        return (self.x, 1)

    def __hash__(self):
        return hash(self.key())


class WithNone:
    def __init__(self, x):
        self.x = x

    def __hash__(self):
        return hash((self.x, None))


class WithNoneAndClass(WithNone):
    def __hash__(self):
        return hash((("a", None), type(self), self.x))


class SomeNone:
    """Uses None, and does not take its hash."""

    def __init__(self, x):
        self.x = x

    def __hash__(self):
        kept = getattr(self, "kept", None)
        if kept is None:
            kept = hash((self.x, 1))
        return kept


class Kept:
    def __init__(self, x):
        self.x = x
        self.kept = hash((x, 1))

    def __hash__(self):
        return self.kept


class Identity:
    pass


class Address:
    def __hash__(self):
        return id(self)


MADE = []


class Registry:
    def __init_subclass__(cls):
        MADE.append(cls)

    def __hash__(self):
        return hash((self.__class__, 1))


class Colour(enum.Enum):
    RED = 1


Pair = collections.namedtuple("Pair", "a b")


def of_class(kind):
    return hash(f"{kind.__module__}.{kind.__qualname__}")


# A key, and what its hash is made of.
PLACED = {
    "a field": (Point(1), (1, Hash(NONE))),
    "None in the method": (WithNone(1), (1, Hash(NONE))),
    "None in the method and in a field": (WithNone(None), (Hash(NONE), Hash(NONE))),
    "None in the method of a field": (Point(WithNone(1), 2), (Hash(hash((1, Hash(NONE)))), 2)),
    "None in a method that looks at the class": (
        WithNoneAndClass(1),
        (Hash(hash(("a", Hash(NONE)))), Hash(of_class(WithNoneAndClass)), 1),
    ),
    "None that is not hashed": (SomeNone(1), (1, 1)),
    "both fields": (Point(None), (Hash(NONE), Hash(NONE))),
    "no None": (Point(1, 2), (1, 2)),
    "an object in it": (Line(Point(1), 2), (Hash(hash((1, Hash(NONE)))), 2)),
    "a tuple in it": (Point(1, (2, None)), (1, (2, Hash(NONE)))),
    "a named tuple in it": (Point(1, Pair(2, None)), (1, (2, Hash(NONE)))),
    "a set in it": (Point(1, frozenset([None])), (1, frozenset([Hash(NONE)]))),
    "a class in it": (Point(1, Point), (1, Hash(of_class(Point)))),
    "NaN in it": (Point(1, float("nan")), (1, Hash(0))),
    "slots": (Slots(1, None), (1, Hash(NONE))),
    "an address": (ipaddress.ip_address("::5"), (5, Hash(NONE))),
    "of its class": (WithClass(3), (Hash(of_class(WithClass)), 3)),
    "of its class and None": (WithClass(None), (Hash(of_class(WithClass)), Hash(NONE))),
    "by a method": (ByMethod(1), (1, 1)),
    "by a method, with None": (ByMethod(None), (Hash(NONE), 1)),
    "by a method, beside a lock": (ByMethod(None, Identity()), (Hash(NONE), 1)),
    "a range": (range(0), (0, Hash(NONE), Hash(NONE))),
    "a short range": (range(7, 8), (1, 7, Hash(NONE))),
}


@pytest.mark.parametrize("kind", PLACED)
def test_no_address_is_in_the_place_of_a_key(kind):
    key, made_of = PLACED[kind]
    # The first one of a class shows how it makes its hash; the next ones are quicker.
    assert [placement_hash(key) for _ in range(3)] == [hash(made_of)] * 3


@pytest.mark.parametrize("key", [frozenset([None]), frozenset([None, 1])])
def test_sets(key):
    expected = frozenset(Hash(NONE) if item is None else item for item in key)
    assert placement_hash(key) == hash(expected)


@pytest.mark.parametrize("key", [int, len, Point, SparkContext.range, of_class])
def test_what_has_a_name_has_a_place(key):
    assert placement_hash(key) == of_class(key) or key is len
    assert placement_hash(len) == hash("builtins.len")
    assert placement_hash(type(None)) == hash("builtins.NoneType")


UNCHANGED = [
    Point(1, 2),
    Slots(1, "b"),
    OneField("a", Identity()),
    Kept(1),
    ByMethod(1),
    Colour.RED,
    Point(Colour.RED, 1),
    frozenset("ab"),
    range(5),
    date(2030, 1, 1),
    datetime(2030, 1, 1, tzinfo=UTC),
    ipaddress.ip_address("10.0.0.1"),
    ipaddress.ip_network("10.0.0.0/8"),
]


@pytest.mark.parametrize("key", UNCHANGED, ids=lambda key: type(key).__name__)
def test_other_keys_are_where_their_hash_says(key):
    for _ in range(3):
        assert placement_hash(key) == hash(key)


def local_function():
    return lambda: None


REFUSED = {
    "itself": (Identity(), "the hash of a Identity is where it lies in memory"),
    "by hand": (Address(), "its hash is not made of its values"),
    "in it": (Point(1, Identity()), "the hash of a Identity is where it lies"),
    "kept": (Kept(None), "it keeps a hash that is made of an address"),
    "a lambda": (local_function(), r"local_function.<locals>.<lambda> cannot be found by its name"),
    "a bound method": ("x".upper, "cannot be found by its name"),
    "a method": (ByMethod(1).key, r"ByMethod.key cannot be found by its name"),
    "of a class that notices": (Registry(), "its hash is made of that of its class"),
    "of classes": (list[int], "its hash is made of an address"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_key_without_a_place_is_refused(kind):
    if kind == "kept" and sys.version_info >= (3, 12):
        pytest.skip("the hash of None is no address there")
    key, reason = REFUSED[kind]
    text = rf"^the key .* has another hash in another process, so it has no place.*{reason}.*Make "
    for _ in range(2):
        with pytest.raises(UnplaceableKeyError, match=text):
            placement_hash(key)
    assert MADE == []


def test_what_hash_raises_is_raised():
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        placement_hash(Point([1]))


def placed_keys():
    return [key for key, _ in PLACED.values()] + UNCHANGED


JOB = """
import json, sys
from swiftwater import SparkConf, SparkContext
from swiftwater.rdd import portable_hash
from tests.tasks.test_key_addresses import placed_keys

places = [portable_hash(key) % 5 for key in placed_keys()]
with SparkContext("local[2]", "x", conf=SparkConf().set("swiftwater.workers", sys.argv[1])) as sc:
    pairs = sc.parallelize(range(len(places)), 3).map(lambda n: (placed_keys()[n], n))
    parts = pairs.partitionBy(5).values().glom().collect()
    found = {n: number for number, part in enumerate(parts) for n in part}
assert [found[n] for n in range(len(places))] == places
print(json.dumps(places))
"""


def run(job, workers):
    """Run a job in a process whose texts have the hashes of all others."""
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    done = subprocess.run(
        [sys.executable, "-c", job, workers],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": root},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_jobs_and_their_workers_agree():
    (never, _), (always, log) = run(JOB, "never"), run(JOB, "always")
    assert never == always
    # Nothing had to stay in the driver.
    assert "runs in the driver" not in log


REFUSING = """
import json, sys
from swiftwater import SparkConf, SparkContext
from tests.tasks.test_key_addresses import Address, Identity, local_function

found = []
with SparkContext("local[2]", "x", conf=SparkConf().set("swiftwater.workers", sys.argv[1])) as sc:
    for key in (Address, Identity, local_function):
        pairs = sc.parallelize([1, 2], 2).map(lambda n: (key(), n))
        try:
            pairs.reduceByKey(lambda a, b: a + b, 2).collect()
        except ValueError as error:
            found.append([str(error), *error.__notes__])
        # One partition needs no place.
        assert pairs.groupByKey(1).count() == 2
print(json.dumps(found))
"""


@pytest.mark.parametrize("workers", ["never", "always"])
def test_jobs_refuse_keys_where_they_appear(workers):
    found, _ = run(REFUSING, workers)
    assert len(found) == 3
    for text, place, *_ in found:
        assert "has no place among the partitions" in text
        assert place.startswith("in operator: reduceByKey at ")
