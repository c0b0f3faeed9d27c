"""Numbers about records, and results in several steps. Expected values are PySpark 4.3's."""

import math
from collections import defaultdict

import pytest


def test_stats(sc):
    stats = sc.parallelize([1.0, 2.0, 5.5, 3.25, 10.0], 3).stats()
    assert repr(stats) == "(count: 5, mean: 4.35, stdev: 3.2, max: 10.0, min: 1.0)"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (lambda r: r.mean(), 4.35),
        (lambda r: r.variance(), 10.24),
        (lambda r: r.stdev(), 3.2),
        (lambda r: r.sampleVariance(), 12.8),
        (lambda r: r.sampleStdev(), 3.5777087639996634),
    ],
)
def test_single_numbers(sc, action, expected):
    assert action(sc.parallelize([1.0, 2.0, 5.5, 3.25, 10.0], 3)) == expected


def test_partitions_of_very_different_sizes(sc):
    many = sc.parallelize(range(1000), 2).map(lambda n: n / 8)
    few = sc.parallelize([9.25, -3.5], 1).union(sc.parallelize(range(400, 405), 1))
    assert many.union(few).stats().asDict() == {
        "count": 1007,
        "mean": 64.00521350546177,
        "sum": 64453.25,
        "min": -3.5,
        "max": 404,
        "stdev": 43.26747940411118,
        "variance": 1872.0747739851852,
    }


def test_statistics_of_nothing(sc):
    nothing = sc.parallelize([], 2)
    assert nothing.mean() == 0.0
    assert math.isnan(nothing.variance())
    with pytest.raises(ValueError, match=r"Can not reduce\(\) empty RDD"):
        sc.emptyRDD().stats()


@pytest.mark.parametrize(
    ("records", "buckets", "expected"),
    [
        (range(51), 2, ([0, 25, 50], [25, 26])),
        (range(51), [0, 5, 25, 50], ([0, 5, 25, 50], [5, 20, 26])),
        (range(51), [0, 15, 30, 45, 60], ([0, 15, 30, 45, 60], [15, 15, 15, 6])),
        (["ab", "ac", "b", "bd", "ef"], ("a", "b", "c"), (("a", "b", "c"), [2, 2])),
        (
            [1, None, math.nan, 2.5, 3],
            3,
            ([1.0, 1.6666666666666665, 2.333333333333333, 3], [1, 0, 2]),
        ),
        ([1, 1], 4, ([1, 1], [2])),
        ([1, 1, None], (0, 3), ((0, 3), [2])),
        (
            [n * n % 37 for n in range(100)],
            5,
            ([0.0, 7.2, 14.4, 21.6, 28.8, 36], [24, 21, 11, 21, 23]),
        ),
        ([n * n % 37 / 2 for n in range(100)], [0, 2, 3.5, 18], ([0, 2, 3.5, 18], [14, 5, 81])),
    ],
)
@pytest.mark.parametrize("slices", [1, 3])
def test_histogram(sc, records, buckets, expected, slices):
    found = sc.parallelize(records, slices).histogram(buckets)
    assert found == expected
    assert type(found[0]) is type(expected[0])


@pytest.mark.parametrize(
    ("records", "buckets", "error", "message"),
    [
        ([], 2, ValueError, r"Can not reduce\(\) empty RDD"),
        (["a", "b"], 2, TypeError, "Can not generate buckets with non-number in RDD"),
        ([1.0, math.inf], 2, ValueError, "Can not generate buckets with infinite value"),
        ([1], 0, ValueError, "number of buckets must be >= 1"),
        ([1], [1], ValueError, "buckets should have more than one value"),
        ([1], [1, None], ValueError, "can not have None or NaN in buckets"),
        ([1], [1, math.nan], ValueError, "can not have None or NaN in buckets"),
        ([1], [2, 1], ValueError, "buckets should be sorted"),
        ([1], [1, 1], ValueError, "buckets should not contain duplicated values"),
        ([1], "x", TypeError, "buckets should be a list or tuple or number"),
        ([1], 2.5, TypeError, "buckets should be a list or tuple or number"),
        ([1, "a"], 2, TypeError, "'<' not supported between instances of 'str' and 'int'"),
    ],
)
def test_histograms_that_make_no_sense(sc, records, buckets, error, message):
    with pytest.raises(error, match=message):
        sc.parallelize(records, 2).histogram(buckets)


def test_counts(sc):
    letters = sc.parallelize("abcab", 2)
    found = letters.countByValue()
    assert found == {"a": 2, "b": 2, "c": 1}
    assert type(found) is defaultdict
    assert found["z"] == 0
    assert list(letters.map(lambda letter: (letter, 1)).countByKey()) == ["a", "b", "c"]
    assert sc.parallelize([], 2).countByValue() == {}


@pytest.mark.parametrize(
    "action",
    [
        lambda r: r.countByValue(),
        lambda r: r.countByKey(),
        lambda r: r.reduceByKeyLocally(max),
        lambda r: r.top(2),
        lambda r: r.mean(),
    ],
)
def test_what_needs_a_partition(sc, action):
    with pytest.raises(ValueError, match=r"^Can not reduce\(\) empty RDD$"):
        action(sc.emptyRDD())


@pytest.mark.parametrize(
    ("number", "key", "expected"),
    [
        (2, None, [9, 5]),
        (0, None, []),
        (-1, None, []),
        (99, None, [9, 5, 3, 1]),
        (2, lambda n: -n, [1, 3]),
    ],
)
def test_top(sc, number, key, expected):
    assert sc.parallelize([5, 3, 9, 1], 2).top(number, key=key) == expected


def test_equal_records_of_top_keep_their_order(sc):
    records = sc.parallelize([(3, "a"), (1, "b"), (3, "c"), (2, "d")], 2)
    assert records.top(3, key=lambda r: r[0]) == [(3, "a"), (3, "c"), (2, "d")]
    assert records.takeOrdered(3, key=lambda r: -r[0]) == [(3, "a"), (3, "c"), (2, "d")]


@pytest.mark.parametrize("operator", ["top", "takeOrdered"])
def test_a_key_is_asked_again_when_two_lists_meet(sc, operator):
    asked = []

    def key(number):
        asked.append(number)
        return number

    getattr(sc.parallelize([3, 1, 2, 4], 4), operator)(1, key)
    # In the driver: one of the best so far and of the next partition, three times.
    assert asked == ([3, 1, 3, 2, 3, 4] if operator == "top" else [3, 1, 1, 2, 1, 4])


@pytest.mark.parametrize(("depth", "expected"), [(2, "adgjbehkcfil"), (3, "aeibfjcgkdhl")])
def test_tree_reduce(sc, depth, expected):
    # The order shows through which partitions the results went.
    letters = sc.parallelize("abcdefghijkl", 12)
    assert letters.treeReduce(lambda a, b: a + b, depth) == expected
    assert letters.treeReduce(lambda a, b: a + b, 1) == "abcdefghijkl"


@pytest.mark.parametrize(
    ("zero", "depth", "expected"),
    [("", 2, "03691471025811"), ("-", 3, "-0-4-8-1-5-9-2-6-10-3-7-11")],
)
def test_tree_aggregate(sc, zero, depth, expected):
    digits = sc.parallelize(range(12), 12).map(str)
    add = lambda a, b: a + b  # noqa: E731
    assert digits.treeAggregate(zero, add, add, depth) == expected


def test_trees_of_nothing(sc):
    assert sc.parallelize([], 3).treeAggregate(5, max, max) == 5
    assert sc.emptyRDD().treeAggregate(5, max, max) == 5
    for nothing in (sc.parallelize([], 3), sc.emptyRDD()):
        with pytest.raises(ValueError, match=r"^Cannot reduce empty RDD\.$"):
            nothing.treeReduce(max)
    with pytest.raises(ValueError, match=r"^Depth cannot be smaller than 1 but got 0\.$"):
        sc.parallelize([1]).treeReduce(max, 0)
    with pytest.raises(ValueError, match=r"^Depth cannot be smaller than 1 but got 0\.$"):
        sc.parallelize([1]).treeAggregate(0, max, max, 0)


def test_aggregate(sc):
    numbers = sc.parallelize([1, 2, 3, 4], 2)
    sums = numbers.aggregate(
        (0, 0), lambda a, v: (a[0] + v, a[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1])
    )
    assert sums == (10, 4)
    assert sc.parallelize("abcdef", 3).fold("-", lambda a, b: a + b) == "--ab-cd-ef"


@pytest.mark.parametrize(
    "action",
    [
        lambda r, zero, add, join: r.aggregate(zero, add, join),
        lambda r, zero, add, join: r.treeAggregate(zero, add, join),
    ],
)
def test_each_partition_has_a_zero_of_its_own(sc, action):
    def add(values, value):
        values.append(value)
        return values

    def join(a, b):
        a.extend(b)
        return a

    zero = []
    numbers = sc.parallelize(range(4), 2)
    assert action(numbers, zero, add, join) == [0, 1, 2, 3]
    assert action(numbers, zero, add, join) == [0, 1, 2, 3]
    assert zero == []


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (lambda r: r.aggregate(0, 3, max), "aggregate"),
        (lambda r: r.aggregate(0, max, 3), "aggregate"),
        (lambda r: r.treeAggregate(0, max, 3), "treeAggregate"),
        (lambda r: r.treeReduce(3), "treeReduce"),
        (lambda r: r.top(1, 3), "top"),
        (lambda r: r.reduceByKeyLocally(3), "reduceByKeyLocally"),
        (lambda r: r.aggregateByKey(0, 3, max), "aggregateByKey"),
        (lambda r: r.foldByKey(0, 3), "foldByKey"),
        (lambda r: r.groupBy(3), "groupBy"),
    ],
)
def test_what_cannot_be_called_is_refused_at_once(sc, action, name):
    with pytest.raises(TypeError, match=f"^{name} needs a function"):
        action(sc.parallelize([1]))


def test_to_local_iterator_computes_what_is_asked_for(sc, tmp_path):
    numbers = sc.parallelize(range(6), 3).map(lambda n: ((tmp_path / str(n)).touch(), n)[1])
    records = numbers.toLocalIterator()
    assert list(tmp_path.iterdir()) == []
    assert [next(records), next(records)] == [0, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]
    assert list(records) == [2, 3, 4, 5]
    assert list(numbers.toLocalIterator(prefetchPartitions=True)) == list(range(6))
