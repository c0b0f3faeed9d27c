"""take: as much work as its records need, and no more."""

import itertools

import pytest


def test_records_behind_the_wanted_ones_are_not_computed(sc):
    assert sc.parallelize(range(100), 1).map(lambda n: 1 // (50 - n)).take(3) == [0, 0, 0]


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_an_endless_flat_map_has_a_beginning(sc, count):
    endless = sc.parallelize([0], 1).flatMap(lambda _: itertools.count())
    assert endless.take(count) == list(range(count))


def test_a_partition_function_that_wants_one_record_costs_one(sc):
    calls = sc.parallelize(range(100), 1).map(lambda n: 1 // (50 - n))
    assert calls.mapPartitions(lambda records: [next(records)]).collect() == [0]


@pytest.mark.parametrize("partitions", [1, 3, 10])
@pytest.mark.parametrize("count", [0, 1, 5, 29, 30, 31, 2**70])
def test_the_first_records_in_order(sc, partitions, count):
    rdd = sc.parallelize(range(30), partitions)
    assert rdd.take(count) == list(range(30))[:count]
    assert rdd.map(lambda n: n).take(count) == list(range(30))[:count]
