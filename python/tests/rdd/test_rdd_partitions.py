"""Operators that see a partition, and what puts partitions together."""

import pytest


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda r: r.mapPartitions(lambda records: [sum(records)]), [1, 5, 9]),
        (lambda r: r.mapPartitions(lambda records: (n for n in records if n > 2)), [3, 4, 5]),
        (lambda r: r.mapPartitions(lambda records: ()), []),
        (
            lambda r: r.mapPartitionsWithIndex(lambda i, records: [(i, list(records))]),
            [(0, [0, 1]), (1, [2, 3]), (2, [4, 5])],
        ),
        (lambda r: r.glom(), [[0, 1], [2, 3], [4, 5]]),
    ],
)
def test_operator(sc, operation, expected):
    assert operation(sc.parallelize(range(6), 3)).collect() == expected


def test_records_come_as_an_iterator(sc):
    def first_two(records):
        return [next(records), next(records), hasattr(records, "__next__")]

    assert sc.parallelize([1, 2, 3], 1).mapPartitions(first_two).collect() == [1, 2, True]


def test_an_empty_partition_is_worked_on(sc):
    assert sc.parallelize([1], 2).mapPartitions(lambda r: [len(list(r))]).collect() == [0, 1]


def test_union_keeps_partitions_and_order(sc):
    left, right = sc.parallelize([1, 2], 2), sc.parallelize(["a"], 3)
    for both in (left.union(right), left + right):
        assert both.collect() == [1, 2, "a"]
        assert both.getNumPartitions() == 5
    assert left.union(left).collect() == [1, 2, 1, 2]


def test_union_with_something_else_is_refused(sc):
    with pytest.raises(TypeError):
        sc.parallelize([1]) + [2]
    with pytest.raises(TypeError, match="list"):
        sc.parallelize([1]).union([2])


def test_nothing_is_computed_before_an_action(sc, tmp_path):
    mapped = sc.parallelize(["seen"]).map(lambda name: (tmp_path / name).touch())
    assert list(tmp_path.iterdir()) == []
    assert mapped.count() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["seen"]


def test_cache_computes_once(sc, tmp_path):
    # The log is a file because a function's captured lists are copies.
    log = str(tmp_path / "log")

    def note(record):
        with open(log, "a") as file:
            file.write(f"{record}\n")
        return record

    def calls():
        try:
            with open(log) as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    rdd = sc.parallelize([1, 2], 2).map(note)
    assert rdd.cache() is rdd
    assert rdd.is_cached
    assert calls() == 0
    assert (rdd.collect(), rdd.collect(), calls()) == ([1, 2], [1, 2], 2)
    assert rdd.unpersist() is rdd
    assert not rdd.is_cached
    assert (rdd.collect(), calls()) == ([1, 2], 4)
