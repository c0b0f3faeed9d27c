"""Which partition a record is in, and who knows it. Expected partitions are PySpark 4.3's."""

from itertools import chain

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.rdd import Partitioner, portable_hash

PAIRS = [("a", 1), ("b", 2), ("c", 3)]


def test_a_partitioner():
    where = Partitioner(4, portable_hash)
    assert where(6) == 2
    assert where == Partitioner(4, portable_hash)
    assert hash(where) == hash(Partitioner(4, portable_hash))
    assert where not in (Partitioner(3, portable_hash), Partitioner(4, hash), 4)


@pytest.mark.parametrize(
    ("operation", "kept"),
    [
        (lambda r: r.mapValues(str), True),
        (lambda r: r.flatMapValues(lambda v: [v]), True),
        (lambda r: r.filter(bool), True),
        (lambda r: r.sample(False, 1), True),
        (lambda r: r.map(lambda pair: pair), False),
        (lambda r: r.map(lambda pair: pair, preservesPartitioning=True), True),
        (lambda r: r.flatMap(lambda pair: [pair], True), True),
        (lambda r: r.mapPartitions(list), False),
        (lambda r: r.mapPartitions(list, True), True),
        (lambda r: r.mapPartitionsWithIndex(lambda i, p: p, True), True),
        (lambda r: r.map(lambda pair: pair, True).mapValues(str), True),
        (lambda r: r.map(lambda pair: pair).mapValues(str), False),
        (lambda r: r.glom(), False),
        (lambda r: r.distinct(), False),
        (lambda r: r.coalesce(3), False),
        (lambda r: r.cartesian(r), False),
        (lambda r: r.groupByKey(), True),
        (lambda r: r.reduceByKey(max), True),
        (lambda r: r.join(r), True),
        (lambda r: r.subtractByKey(r), True),
        (lambda r: r.repartitionAndSortWithinPartitions(3), True),
        (lambda r: r.sortByKey(numPartitions=1), False),
        (lambda r: r.union(r), True),
        (lambda r: r.union(r.map(lambda pair: pair)), False),
        (lambda r: r.keys(), False),
        (lambda r: r.cache(), True),
    ],
)
def test_what_keeps_the_partitioner(sc, operation, kept):
    placed = sc.parallelize(PAIRS, 2).partitionBy(3)
    assert placed.partitioner == Partitioner(3, portable_hash)
    assert operation(placed).partitioner == (placed.partitioner if kept else None)


def test_ranges_are_a_partitioner_too(sc):
    ordered = sc.parallelize(PAIRS, 2).sortByKey()
    assert ordered.partitioner is not None
    assert ordered.lookup("b") == [2]
    assert ordered.values().partitioner is None


def test_partition_by(sc):
    pairs = sc.parallelize([(n, n) for n in range(9)], 3)
    parts = pairs.partitionBy(3, lambda key: key * 2)
    assert parts.keys().glom().collect() == [[0, 3, 6], [2, 5, 8], [1, 4, 7]]
    assert parts.partitionBy(3, parts.partitioner.partitionFunc) is parts
    assert parts.partitionBy(3) is not parts
    assert pairs.partitionBy(None).getNumPartitions() == 3
    assert sc.emptyRDD().partitionBy(None).getNumPartitions() == 0
    assert pairs.partitionBy(2).partitionBy(2) is not pairs


@pytest.mark.parametrize("partitions", [0, -1, "two", 1.5])
@pytest.mark.parametrize(
    "operator", "partitionBy groupByKey join cogroup distinct subtract sortByKey".split()
)
def test_numbers_that_make_no_sense(sc, operator, partitions):
    pairs = sc.parallelize(PAIRS)
    arguments = {"join": [pairs], "cogroup": [pairs], "subtract": [pairs], "sortByKey": [True]}
    with pytest.raises(ValueError, match=f"^{operator} needs a positive number of partitions"):
        getattr(pairs, operator)(*arguments.get(operator, []), partitions)


def test_a_partition_function_that_cannot_be_called(sc):
    for operator in ("partitionBy", "groupByKey"):
        with pytest.raises(TypeError, match=f"{operator} needs a function as partitionFunc"):
            getattr(sc.parallelize(PAIRS), operator)(2, 3)


def test_union_of_rdds_that_are_placed_alike(sc):
    left = sc.parallelize([("a", 1), ("b", 2), ("a", 3), ("c", 4)], 2).partitionBy(3)
    right = sc.parallelize([("b", 10), ("a", 20), ("d", 30), ("a", 40)], 2).partitionBy(3)
    both = left.union(right)
    assert both.glom().collect() == [
        [("b", 2), ("b", 10)],
        [("a", 1), ("a", 3), ("c", 4), ("a", 20), ("a", 40)],
        [("d", 30)],
    ]
    assert both.partitionBy(3) is both
    assert left.union(sc.emptyRDD()).getNumPartitions() == 3
    assert left.union(right.partitionBy(2)).getNumPartitions() == 5


def test_no_partitions_stay_none(sc):
    nothing = sc.emptyRDD()
    assert nothing.reduceByKey(max).getNumPartitions() == 0
    assert nothing.groupByKey().collect() == []
    assert nothing.reduceByKey(max, 2).getNumPartitions() == 2
    assert nothing.distinct().count() == 0
    assert nothing.repartitionAndSortWithinPartitions().getNumPartitions() == 0


def test_the_setting_decides_where_nobody_says_a_number():
    conf = SparkConf().set("spark.default.parallelism", "4")
    with SparkContext("local[2]", "x", conf=conf) as sc:
        pairs = sc.parallelize(PAIRS, 3)
        for rdd in (pairs.groupByKey(), pairs.partitionBy(None), pairs.distinct()):
            assert rdd.getNumPartitions() == 4


@pytest.mark.parametrize(
    ("slices", "number", "expected"),
    [
        (7, 1, [[0, 1, 2, 3, 4, 5, 6]]),
        (7, 2, [[0, 1, 2], [3, 4, 5, 6]]),
        (7, 3, [[0, 1], [2, 3], [4, 5, 6]]),
        (7, 5, [[0], [1], [2, 3], [4], [5, 6]]),
        (3, 9, [[0, 1], [2, 3], [4, 5, 6]]),
    ],
)
def test_coalesce(sc, slices, number, expected):
    assert sc.parallelize(range(7), slices).coalesce(number).glom().collect() == expected


def test_coalesce_makes_an_rdd_of_its_own(sc):
    numbers = sc.parallelize(range(4), 2)
    same = numbers.coalesce(5)
    assert same is not numbers
    same.cache()
    assert not numbers.is_cached
    assert sc.emptyRDD().coalesce(2).getNumPartitions() == 0


@pytest.mark.parametrize(
    ("partitions", "sizes", "firsts"),
    [
        (1, [1000], [0]),
        (2, [505, 495], [10, 0]),
        (3, [343, 329, 328], [0, 10, 20]),
        (6, [163, 153, 163, 180, 176, 165], [30, 40, 50, 0, 10, 20]),
        (8, [125, 120, 140, 133, 123, 123, 116, 120], [60, 70, 0, 10, 20, 30, 40, 50]),
        (
            11,
            [100, 100, 100, 79, 80, 100, 110, 102, 86, 73, 70],
            [70, 80, 90, 100, 0, 10, 20, 30, 40, 50, 60],
        ),
    ],
)
def test_repartition(sc, partitions, sizes, firsts):
    numbers = sc.parallelize(range(1000), 7)
    for spread in (numbers.repartition(partitions), numbers.coalesce(partitions, shuffle=True)):
        parts = spread.glom().collect()
        assert [len(part) for part in parts] == sizes
        assert [part[0] for part in parts] == firsts
        assert sorted(chain(*parts)) == list(range(1000))


def test_repartition_of_few_records(sc):
    parts = sc.parallelize(range(45), 3).repartition(5).glom().collect()
    assert parts == [
        [10, 11, 12, 13, 14, *range(25, 30), *range(40, 45)],
        [],
        [],
        [],
        [*range(10), *range(15, 25), *range(30, 40)],
    ]
    assert sc.emptyRDD().repartition(3).glom().collect() == [[], [], []]


@pytest.mark.parametrize("operator", ["coalesce", "repartition"])
@pytest.mark.parametrize("number", [0, -1])
def test_a_number_of_partitions_must_be_positive(sc, operator, number):
    with pytest.raises(ValueError, match=r"^Number of partitions must be positive\.$"):
        getattr(sc.parallelize([1]), operator)(number)


def test_numbers_for_records(sc):
    letters = sc.parallelize(range(5), 3).map(lambda n: "abcde"[n])
    assert letters.zipWithIndex().glom().collect() == [
        [("a", 0)],
        [("b", 1), ("c", 2)],
        [("d", 3), ("e", 4)],
    ]
    assert letters.zipWithUniqueId().glom().collect() == [
        [("a", 0)],
        [("b", 1), ("c", 4)],
        [("d", 2), ("e", 5)],
    ]
    assert letters.coalesce(1).zipWithIndex().values().collect() == [0, 1, 2, 3, 4]
    assert sc.emptyRDD().zipWithIndex().collect() == []


def test_distinct(sc):
    records = sc.parallelize([3, 1, 3, 2, 1, "a", None], 3)
    assert records.distinct().glom().collect() == [[3, None], [1, "a"], [2]]
    assert records.distinct(5).getNumPartitions() == 5
    assert sc.parallelize([1, 1.0, True], 1).distinct().collect() == [1]
