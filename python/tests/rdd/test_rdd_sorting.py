"""Order across partitions. Expected partitions are those of PySpark 4.3."""

import random
from itertools import chain

import pytest


def scattered(n):
    return n * 7919 % 10007


@pytest.mark.parametrize(
    ("ascending", "partitions", "sizes"),
    [
        (True, None, [1077, 1113, 1215, 1595]),
        (False, 7, [1114, 592, 673, 673, 831, 414, 703]),
        (True, 1, [5000]),
        (False, 1, [5000]),
    ],
)
def test_sort_by(sc, ascending, partitions, sizes):
    numbers = sc.parallelize(range(5000), 4).map(scattered)
    parts = numbers.sortBy(lambda n: n, ascending, partitions).glom().collect()
    assert [len(part) for part in parts] == sizes
    assert list(chain(*parts)) == sorted(map(scattered, range(5000)), reverse=not ascending)


def test_sort_by_key_from_a_sample(sc):
    pairs = sc.parallelize(range(30000), 3).map(lambda n: (scattered(n), n))
    parts = pairs.sortByKey(numPartitions=5).glom().collect()
    assert [len(part) for part in parts] == [5792, 6538, 6110, 7093, 4467]
    assert list(chain(*parts)) == sorted(
        ((scattered(n), n) for n in range(30000)), key=lambda p: p[0]
    )


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("partitions", [1, 2, 3, 9])
def test_equal_keys_keep_their_order(sc, ascending, partitions):
    pairs = [(n * 7 % 5, n) for n in range(20)]
    ordered = sc.parallelize(pairs, 3).sortByKey(ascending, partitions)
    assert ordered.collect() == sorted(pairs, key=lambda pair: pair[0], reverse=not ascending)
    assert ordered.getNumPartitions() == partitions


def test_descending_partitions(sc):
    pairs = [(n * 7 % 5, n) for n in range(20)]
    parts = sc.parallelize(pairs, 2).sortByKey(False, 3).keys().glom().collect()
    assert parts == [[4] * 4, [3] * 4 + [2] * 4, [1] * 4 + [0] * 4]


def test_a_function_of_the_key(sc):
    pairs = sc.parallelize([("B", 1), ("a", 2), ("C", 3)], 2)
    parts = pairs.sortByKey(True, 2, keyfunc=str.lower).glom().collect()
    assert parts == [[], [("a", 2), ("B", 1), ("C", 3)]]


def test_ascending_none_means_descending(sc):
    assert sc.parallelize([(1, 2), (3, 1)], 2).sortByKey(None).keys().collect() == [3, 1]


def test_nothing_to_sort(sc):
    assert sc.emptyRDD().sortBy(lambda n: n).getNumPartitions() == 0
    # Spark: an RDD without records stays as it is.
    assert sc.parallelize([], 3).sortBy(lambda n: n, numPartitions=5).getNumPartitions() == 3


def test_records_are_read_once_for_the_sample(sc, tmp_path):
    def noted(record):
        with open(tmp_path / "log", "a") as file:
            file.write("x")
        return record

    sc.parallelize(range(10), 2).map(noted).sortBy(lambda n: n)
    assert (tmp_path / "log").read_text() == "x" * 10


def test_what_cannot_be_compared_is_an_error(sc):
    with pytest.raises(TypeError):
        sc.parallelize([1, "a"], 2).sortBy(lambda record: record).collect()
    for mistake in (lambda r: r.sortBy(3), lambda r: r.sortByKey(keyfunc=3)):
        with pytest.raises(TypeError, match="^sortBy(Key)? needs a function"):
            mistake(sc.parallelize([(1, 2)]))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((2, lambda k: k % 2, True), [[(0, 5), (0, 8), (2, 6)], [(1, 3), (3, 8), (3, 9)]]),
        ((2, lambda k: k % 2, False), [[(2, 6), (0, 5), (0, 8)], [(3, 8), (3, 9), (1, 3)]]),
        (
            (2, lambda k: k, False, lambda k: -k),
            [[(0, 5), (0, 8), (2, 6)], [(1, 3), (3, 8), (3, 9)]],
        ),
        ((), [[(0, 5), (0, 8), (2, 6)], [(1, 3), (3, 8), (3, 9)]]),
    ],
)
def test_repartition_and_sort_within_partitions(sc, arguments, expected):
    pairs = sc.parallelize([(0, 5), (3, 8), (2, 6), (0, 8), (3, 9), (1, 3)], 2)
    assert pairs.repartitionAndSortWithinPartitions(*arguments).glom().collect() == expected


def test_any_numbers_are_sorted(sc):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(20):
        records = [(rng.randrange(50), n) for n in range(rng.randrange(400))]
        ascending, slices = rng.random() < 0.5, rng.randrange(1, 6)
        partitions = rng.choice([None, 1, 2, 5, 13])
        ordered = sc.parallelize(records, slices).sortByKey(ascending, partitions)
        assert ordered.collect() == sorted(records, key=lambda p: p[0], reverse=not ascending)
