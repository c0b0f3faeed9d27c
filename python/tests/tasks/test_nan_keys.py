"""NaN as a key: as in PySpark each record has its own, wherever its stage runs."""

import pytest

from swiftwater._native import engine
from swiftwater.testing import run_batches

NAN = float("nan")
PAIRS = [(NAN, 1), (NAN, 2), (float("nan"), 3), (1.0, 4), (1.0, 5)]


def add(a, b):
    return a + b


# With how many different keys a job on five records comes out, of which three have a NaN.
JOBS = {
    "reduceByKey": lambda pairs: pairs.reduceByKey(add),
    "combineByKey": lambda pairs: pairs.combineByKey(lambda v: [v], lambda a, v: [*a, v], add),
    "groupByKey": lambda pairs: pairs.groupByKey(),
    "distinct": lambda pairs: pairs.keys().distinct(),
    "countByValue": lambda pairs: pairs.context.parallelize(list(pairs.keys().countByValue())),
    "two steps": lambda pairs: pairs.keys().map(lambda k: (k, 1)).reduceByKey(add),
    "tuples": lambda pairs: pairs.map(lambda kv: ((kv[0], "a"), kv[1])).reduceByKey(add),
    "after a shuffle": lambda pairs: pairs.partitionBy(1).reduceByKey(add),
    "cached": lambda pairs: pairs.cache().reduceByKey(add),
}


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_three_records_stay_three(sc, name, partitions):
    assert JOBS[name](sc.parallelize(PAIRS, partitions)).count() == 4


def test_joins_find_none(sc):
    left, right = sc.parallelize(PAIRS, 2), sc.parallelize(PAIRS, 1)
    assert {key for key, _ in left.join(right).collect()} == {1.0}
    assert left.subtractByKey(right).count() == 3
    assert left.cogroup(right).count() == 7


def test_one_object_within_a_task_is_one_key(sc):
    """As it is for a ``dict``: nothing is pickled between two functions of a task."""
    rdd = sc.parallelize([1, 2, 3, 4], 2).map(lambda n: (NAN, n))
    assert sorted(value for _, value in rdd.reduceByKey(add).collect()) == [3, 7]


def test_records_of_batches():
    found = run_batches(lambda s: s.reduceByKey(add), [[(NAN, 1), (NAN, 2)]], master="local[1]")
    assert sorted(value for _, value in found[0]) == [1, 2]


@pytest.mark.parametrize("value", [NAN, (NAN,), [NAN], {"k": NAN}, ((NAN, "a"), 1)], ids=repr)
def test_copies_have_their_own(value):
    def inner(part):
        while not isinstance(part, float):
            part = next(iter(part.values() if isinstance(part, dict) else part))
        return part

    assert not engine.is_immutable(value)
    copy = engine.isolated(value)
    assert repr(copy) == repr(value)
    assert inner(copy) is not inner(value)


@pytest.mark.parametrize("value", [1.5, float("inf"), -0.0, (1.5, "a")])
def test_other_numbers_are_shared(value):
    assert engine.is_immutable(value)
    assert engine.isolated(value) is value
