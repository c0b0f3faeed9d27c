"""Operators that give plain values."""

import operator

import pytest


@pytest.mark.parametrize(
    ("values", "action", "expected"),
    [
        ([3, 1, 2], lambda r: r.collect(), [3, 1, 2]),
        ([3, 1, 2], lambda r: r.count(), 3),
        ([3, 1, 2], lambda r: r.first(), 3),
        ([3, 1, 2], lambda r: r.take(2), [3, 1]),
        ([3, 1, 2], lambda r: r.take(0), []),
        ([3, 1, 2], lambda r: r.take(-1), []),
        ([3, 1, 2], lambda r: r.take(99), [3, 1, 2]),
        ([3, 1, 2], lambda r: r.takeOrdered(2), [1, 2]),
        ([3, 1, 2], lambda r: r.takeOrdered(2, key=lambda n: -n), [3, 2]),
        ([3, 1, 2], lambda r: r.takeOrdered(0), []),
        ([3, 1, 2], lambda r: r.isEmpty(), False),
        ([3, 1, 2], lambda r: r.reduce(operator.add), 6),
        (["a", "b", "c"], lambda r: r.reduce(operator.add), "abc"),
        ([3, 1, 2], lambda r: r.sum(), 6),
        ([0.5, 0.25], lambda r: r.sum(), 0.75),
        ([3, 1, 2], lambda r: r.max(), 3),
        ([3, 1, 2], lambda r: r.min(), 1),
        (["bb", "a", "ccc"], lambda r: r.max(key=len), "ccc"),
        (["bb", "a", "ccc"], lambda r: r.min(key=len), "a"),
        ([1, 2, 3], lambda r: r.fold(0, operator.add), 6),
        ([], lambda r: r.collect(), []),
        ([], lambda r: r.count(), 0),
        ([], lambda r: r.take(3), []),
        ([], lambda r: r.takeOrdered(3), []),
        ([], lambda r: r.isEmpty(), True),
        ([], lambda r: r.sum(), 0),
        ([], lambda r: r.fold(7, max), 7),
    ],
)
@pytest.mark.parametrize("slices", [1, 2, 5])
def test_action(sc, values, action, expected, slices):
    assert action(sc.parallelize(values, slices)) == expected


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda r: r.first(), "RDD is empty"),
        (lambda r: r.reduce(max), r"Can not reduce\(\) empty RDD"),
        (lambda r: r.max(), r"Can not reduce\(\) empty RDD"),
        (lambda r: r.min(), r"Can not reduce\(\) empty RDD"),
        (lambda r: r.takeOrdered(-1), "top N cannot be negative"),
    ],
)
def test_action_on_nothing(sc, action, message):
    with pytest.raises(ValueError, match=message):
        action(sc.parallelize([], 2))


def test_fold_gives_each_partition_its_own_zero(sc):
    def gather(a, b):
        a.extend(b)
        return a

    zero = []
    assert sc.parallelize([[1], [2], [3]], 3).fold(zero, gather) == [1, 2, 3]
    assert zero == []


@pytest.mark.parametrize(("wanted", "expected"), [(1, {0}), (2, {0, 1}), (3, {0, 1, 2})])
def test_take_looks_at_as_few_partitions_as_it_can(sc, tmp_path, wanted, expected):
    def note(index, records):
        (tmp_path / str(index)).touch()
        return records

    noted = sc.parallelize(range(40), 40).mapPartitionsWithIndex(note)
    assert noted.take(wanted) == list(range(wanted))
    seen = {int(path.name) for path in tmp_path.iterdir()}
    assert expected <= seen
    assert len(seen) <= 1 + 4 * (wanted > 1)


@pytest.mark.parametrize("wanted", [2**63 - 1, 2**63, 10**30])
def test_take_of_more_than_a_machine_counts(sc, wanted):
    assert sc.parallelize(range(5), 3).take(wanted) == list(range(5))
    assert sc.parallelize(range(5), 3).take(-wanted) == []


def test_take_looks_at_four_times_as_many_after_nothing(sc):
    late = sc.parallelize(range(30), 30).filter(lambda n: n == 29)
    assert late.take(1) == [29]


def test_foreach_calls_for_each_record(sc, tmp_path):
    sc.parallelize(["a", "b"]).foreach(lambda name: (tmp_path / name).touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_foreach_partition_runs_generators_too(sc, tmp_path):
    def touch(names):
        for name in names:
            (tmp_path / name).touch()
            yield name

    assert sc.parallelize(["a", "b"], 2).foreachPartition(touch) is None
    sc.parallelize(["c"], 1).foreachPartition(lambda names: list(touch(names)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_an_action_on_a_result_of_an_action(sc):
    first = sc.parallelize([3, 1]).collect()
    assert sc.parallelize(first).takeOrdered(1) == [1]
