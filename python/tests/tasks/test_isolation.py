"""Whose values: what a function changes is seen neither by the driver nor by the engine."""

import dataclasses
import datetime as dt
import decimal
import enum
import functools
import random
import threading
from collections import Counter, namedtuple

import pytest

from swiftwater._native import engine
from swiftwater.testing import run_batches

Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Box:
    items: list


IMMUTABLE = [
    None, True, 1, 10**40, 1.5, 2j, "text", b"bytes", (), (1, ("a", None)), frozenset([1]),
    range(3), len, str.upper, Box, Colour.RED, dt.date(2030, 1, 1), decimal.Decimal("1.5"),
    Point(1, (2, 3)), dt, ...,
]  # fmt: skip

CHANGEABLE = [
    [], [1, [2, [3]]], {}, {"a": [1]}, {1, 2}, bytearray(b"x"), ([],), (1, ({},)), Point(1, [2]),
    Box([1]), Counter("abca"), [Box([1]), {"k": (Box([]), {3})}],
]  # fmt: skip


@pytest.mark.parametrize("value", IMMUTABLE, ids=repr)
def test_what_cannot_be_changed_is_shared(value):
    assert engine.is_immutable(value)
    assert engine.isolated(value) is value


def changeable_parts(value):
    """All objects in ``value`` that can be changed, by identity."""
    if engine.is_immutable(value):
        return {}
    parts = {id(value): value} if not isinstance(value, tuple) else {}
    inner = value.values() if isinstance(value, dict) else ()
    inner = value if isinstance(value, (list, tuple, set)) else inner
    inner = [value.items] if isinstance(value, Box) else inner
    for item in inner:
        parts.update(changeable_parts(item))
    return parts


@pytest.mark.parametrize("value", CHANGEABLE, ids=repr)
def test_copies_are_equal_and_share_nothing_changeable(value):
    assert not engine.is_immutable(value)
    copy = engine.isolated(value)
    assert copy == value
    assert type(copy) is type(value)
    assert not changeable_parts(copy).keys() & changeable_parts(value).keys()


def test_what_a_value_holds_twice_its_copy_holds_twice():
    shared = [1]
    first, second = engine.isolated([shared, (shared, 2)])
    assert first is second[0]


def test_a_value_within_itself():
    value = []
    value.append(value)
    copy = engine.isolated(value)
    assert copy is not value
    assert copy[0] is copy


def test_deep_values():
    value = []
    for _ in range(500):
        value = [value]
    copy = engine.isolated(value)
    for _ in range(501):
        assert copy is not value
        copy, value = (copy[0], value[0]) if value else (None, None)


def test_what_cannot_be_copied_is_shared():
    lock = threading.Lock()
    value = [lock, [1]]
    assert engine.isolated(value)[0] is lock


def random_value(rng, depth=0):
    makers = [
        lambda: rng.randint(-(2**70), 2**70), rng.random, lambda: None, lambda: "aé𐍈",
        lambda: rng.randbytes(3), lambda: rng.random() < 0.5, lambda: complex(rng.random(), 1),
        lambda: float("-inf"),
    ]  # fmt: skip
    if depth < 4:
        count = rng.randint(0, 3)
        makers += [
            lambda: [random_value(rng, depth + 1) for _ in range(count)],
            lambda: tuple(random_value(rng, depth + 1) for _ in range(count)),
            lambda: {rng.randint(0, 9): random_value(rng, depth + 1) for _ in range(count)},
            lambda: {rng.randint(0, 9) for _ in range(count)},
            lambda: frozenset(str(rng.random()) for _ in range(count)),
            lambda: Box([random_value(rng, depth + 1)]),
            lambda: Point(1, random_value(rng, depth + 1)),
        ]
    return rng.choice(makers)()


def test_random_values_survive_copying_and_writing():
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(2000):
        value = random_value(rng)
        copy = engine.isolated(value)
        assert copy == value
        assert not changeable_parts(copy).keys() & changeable_parts(value).keys()
        read = engine.decode_value(engine.encode_value(value))
        assert shape(read) == shape(value)


def shape(value):
    """Types and values; of sets without their order."""
    if isinstance(value, (list, tuple)):
        return type(value), [shape(item) for item in value]
    if isinstance(value, Box):
        return Box, shape(value.items)
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(map(repr, value))
    if isinstance(value, dict):
        return dict, [(shape(key), shape(item)) for key, item in value.items()]
    return type(value), repr(value)


@pytest.mark.parametrize(
    "value", ["\ud800 lone", -1, -(2**63), 2**63, 0.1, -0.0, [[[]]], {1: {2: 3}}]
)
def test_written_values(value):
    read = engine.decode_value(engine.encode_value(value))
    assert (type(read), repr(read)) == (type(value), repr(value))


def test_built_in_types_are_written_without_pickle():
    data = engine.encode_value([None, 1, "a", (2.5, b"x"), {"k": {1}}, frozenset()])
    assert b"P" not in data
    assert b"builtins" not in data


def test_what_cannot_be_written_is_pickle_s_error():
    with pytest.raises(Exception, match=r"pickle|lambda"):
        engine.encode_value([lambda: 1])


def test_damaged_bytes_are_refused_not_followed(sc):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    good = engine.encode(sc.parallelize([("key", [1, 2.5, None]), ("é", {"a": (1,)})], 1)._handle)[
        0
    ]
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        data = bytes(data[: rng.randint(0, len(data))])
        try:
            rdd = engine.decode(sc._engine, [data])
        except (SystemError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - bytes that say "pickled" are pickle's to refuse
            continue
        engine.collect(rdd, None)


# --- what the engine keeps ---------------------------------------------------------------------


def appended(value):
    value.append("changed")
    return value


def test_sources_keep_their_values(sc):
    given = [[1], [2]]
    rdd = sc.parallelize(given, 2)
    given[0].append("later")
    assert rdd.map(appended).collect() == [[1, "changed"], [2, "changed"]]
    assert rdd.collect() == [[1], [2]]
    rdd.collect()[0].append("outside")
    assert rdd.collect() == [[1], [2]]
    assert given == [[1, "later"], [2]]


@pytest.mark.parametrize("read", ["collect", "take", "toLocalIterator"])
def test_caches_keep_their_values(sc, read):
    rdd = sc.parallelize([1, 2], 1).map(lambda n: [n]).cache()
    readers = {
        "collect": rdd.collect,
        "take": lambda: rdd.take(5),
        "toLocalIterator": lambda: list(rdd.toLocalIterator()),
    }
    for _ in range(3):
        for record in readers[read]():
            assert len(record) == 1
            record.append("changed")
        assert rdd.map(appended).count() == 2


def test_reducers_may_change_their_first_argument(sc):
    def extended(a, b):
        a.extend(b)
        return a

    pairs = sc.parallelize([("k", [1]), ("k", [2]), ("j", [3])], 3).cache()
    sums = pairs.reduceByKey(extended, 2)
    for _ in range(3):
        assert sorted(sums.collect()) == [("j", [3]), ("k", [1, 2])]
        assert pairs.collect() == [("k", [1]), ("k", [2]), ("j", [3])]
    assert pairs.values().reduce(extended) == [1, 2, 3]
    assert pairs.collect() == [("k", [1]), ("k", [2]), ("j", [3])]


def test_a_shuffle_that_two_jobs_read(sc):
    groups = sc.parallelize([("a", [1]), ("a", [2])], 2).groupByKey(1)
    for _ in range(2):
        changed = groups.mapValues(lambda lists: [appended(x) for x in lists])
        assert changed.collect() == [("a", [[1, "changed"], [2, "changed"]])]


def test_batches_of_a_stream_that_two_outputs_use():
    def both(stream):
        lists = stream.map(lambda n: [n]).cache()
        return lists.map(appended).union(lists)

    assert run_batches(both, [[1]], master="local[1]") == [[[1, "changed"], [1]]]


# --- captures ------------------------------------------------------------------------------------

seen_globally = []
counter = 0


def remember_globally(value):
    seen_globally.append(value)
    return len(seen_globally)


# As a script's own functions are: pickling could not name it.
remember_globally.__module__ = "__main__"


def count_globally(value):
    global counter
    counter += 1
    return counter


count_globally.__module__ = "__main__"


class Adder:
    def __init__(self):
        self.values = []

    def __call__(self, value):
        return self.method(value)

    def method(self, value):
        self.values.append(value)
        return len(self.values)


def closure():
    values = []

    def remember(value):
        values.append(value)
        return len(values)

    return remember


def nonlocal_counter():
    count = 0

    def counted(value):
        nonlocal count
        count += 1
        return count

    return counted


def with_default():
    def remember(value, values=[]):  # noqa: B006
        values.append(value)
        return len(values)

    return remember


def partial_of_list():
    def remember(values, value):
        values.append(value)
        return len(values)

    return functools.partial(remember, [])


def around(inner):
    def outer(value):
        return inner(value)

    return outer


COUNTERS = {
    "closure": closure,
    "nonlocal": nonlocal_counter,
    "default": with_default,
    "partial": partial_of_list,
    "callable object": Adder,
    "bound method": lambda: Adder().method,
    "global list": lambda: remember_globally,
    "global number": lambda: count_globally,
    "closure over a function": lambda: around(closure()),
}


@pytest.mark.parametrize("make", COUNTERS.values(), ids=COUNTERS.keys())
def test_each_task_begins_with_the_driver_s_captures(sc, make):
    function = make()
    numbers = sc.parallelize(range(6), 2)
    for _ in range(2):
        assert numbers.map(function).collect() == [1, 2, 3, 1, 2, 3]
    # The driver's own have not changed.
    assert function(0) == 1
    assert numbers.map(function).first() == 2
    # Put back what this test changed in the module.
    seen_globally.clear()
    globals()["counter"] = 0


def test_a_task_s_functions_share_what_they_share(sc):
    values = []
    both = (
        sc.parallelize(range(4), 2)
        .map(lambda n: (values.append(n), n)[1])
        .map(lambda n: (n, len(values)))
    )
    assert both.collect() == [(0, 1), (1, 2), (2, 1), (3, 2)]
    assert values == []


def test_the_driver_s_changes_are_seen_by_the_next_batch(streaming):
    limit = [0]
    number = 0
    out = streaming.collect(
        streaming.ssc.queueStream([[1, 2, 3]] * 3).filter(lambda n: n > limit[0] and n > number)
    )
    for batch in range(3):
        streaming.advance()
        limit[0] = batch + 1
        number = batch
    assert out.batches == [[1, 2, 3], [2, 3], [3]]


@pytest.mark.parametrize("thing", ["context", "rdd", "ssc", "stream"])
def test_what_belongs_to_the_driver_is_refused(streaming, thing):
    captured = {
        "context": streaming.sc,
        "rdd": streaming.sc.parallelize([1]),
        "ssc": streaming.ssc,
        "stream": streaming.ssc.queueStream([[1]]),
    }[thing]
    rdd = streaming.sc.parallelize([1]).map(lambda n: captured)
    with pytest.raises(Exception, match=r"driver|only be (used|invoked)|transformation"):
        rdd.collect()
