"""Operators that bring equal keys together, and where they put them."""

import pickle

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.rdd import portable_hash
from swiftwater.resultiterable import ResultIterable

PAIRS = [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)]


@pytest.mark.parametrize("slices", [1, 2, 5])
@pytest.mark.parametrize("partitions", [None, 1, 3])
def test_reduce_by_key(sc, slices, partitions):
    reduced = sc.parallelize(PAIRS, slices).reduceByKey(lambda a, b: a + b, partitions)
    assert sorted(reduced.collect()) == [("a", 4), ("b", 7), ("c", 4)]
    assert reduced.getNumPartitions() == (partitions or slices)


def test_values_are_combined_in_order(sc):
    words = [(1, "a"), (1, "b"), (2, "x"), (1, "c"), (1, "d")]
    reduced = sc.parallelize(words, 3).reduceByKey(lambda a, b: a + b, 1)
    assert reduced.collect() == [(1, "abcd"), (2, "x")]


def test_keys_keep_the_order_in_which_they_came(sc):
    keys = ["z", "a", "m", "z", "b", "a"]
    reduced = sc.parallelize([(k, 1) for k in keys], 2).reduceByKey(lambda a, b: a + b, 1)
    assert reduced.keys().collect() == ["z", "a", "m", "b"]


def test_combine_by_key(sc):
    combined = sc.parallelize(PAIRS, 2).combineByKey(
        lambda v: [v], lambda c, v: [*c, v], lambda a, b: a + b, 1
    )
    assert dict(combined.collect()) == {"a": [1, 3], "b": [2, 5], "c": [4]}


def test_the_partition_is_that_of_the_hash(sc):
    keys = [0, 1, 2, 5, -1, "a", "é", b"x", None, 1.5, (1, "a"), True]
    parts = sc.parallelize([(k, 0) for k in keys]).reduceByKey(lambda a, b: a, 3).glom().collect()
    for number, part in enumerate(parts):
        for key, _ in part:
            assert portable_hash(key) % 3 == number


def test_a_partition_function_of_ones_own(sc):
    pairs = sc.parallelize([(n, 1) for n in range(6)], 2)
    parts = pairs.reduceByKey(lambda a, b: a + b, 2, lambda key: key // 3).glom().collect()
    assert [sorted(k for k, _ in part) for part in parts] == [[0, 1, 2], [3, 4, 5]]


def test_default_partitions_are_the_setting_where_it_is_given():
    conf = SparkConf().set("spark.default.parallelism", "4")
    with SparkContext("local[2]", "x", conf=conf) as sc:
        assert sc.parallelize(PAIRS, 3).reduceByKey(max).getNumPartitions() == 4


# What PySpark 4.3 gives with PYTHONHASHSEED=0.
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, 0),
        (0, 0),
        (7, 7),
        (-1, -2),
        (1.0, 1),
        ("", 0),
        ("a", 4644417185603328019),
        ("é", 6047309291227476195),
        ((), 3430008),
        ((None, 1), 3430028580079870073),
        ((1, "a"), 5400004561722130730),
    ],
)
def test_portable_hash(key, expected):
    assert portable_hash(key) == expected


@pytest.mark.parametrize("partitions", [0, -1, "two", 1.5])
def test_partition_numbers_that_make_no_sense(sc, partitions):
    with pytest.raises(ValueError, match="reduceByKey needs a positive number"):
        sc.parallelize(PAIRS).reduceByKey(lambda a, b: a, partitions)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_combine_by_key_needs_three_functions(sc, which):
    functions = [lambda v: v, lambda c, v: c, lambda a, b: a]
    functions[which] = 3
    with pytest.raises(TypeError, match="^combineByKey needs a function"):
        sc.parallelize(PAIRS).combineByKey(*functions)


def test_an_error_names_operator_and_record(sc):
    pairs = sc.parallelize([("k", 1), ("k", "x")], 1)
    with pytest.raises(TypeError) as caught:
        pairs.reduceByKey(lambda a, b: a + b).collect()
    assert "reduceByKey at test_rdd_keys.py:" in "\n".join(caught.value.__notes__)


def test_what_is_no_pair_is_an_error(sc):
    with pytest.raises((TypeError, ValueError)):
        sc.parallelize([1, 2]).reduceByKey(lambda a, b: a).collect()


def test_combine_by_key_across_partitions(sc):
    pairs = sc.parallelize(range(10), 3).map(lambda n: (n % 3, n))
    combined = pairs.combineByKey(
        lambda v: f"<{v}", lambda c, v: f"{c},{v}", lambda a, b: f"{a}|{b}", 2
    )
    assert combined.glom().collect() == [[(0, "<0|<3|<6,9"), (2, "<2|<5|<8")], [(1, "<1|<4|<7")]]


def appended(values, value):
    values.append(value)
    return values


def extended(values, others):
    values.extend(others)
    return values


def test_aggregate_by_key_gives_each_key_its_own_zero(sc):
    zero = []
    pairs = sc.parallelize([("a", 1), ("b", 2), ("a", 3), ("c", 4)], 2)
    parts = pairs.aggregateByKey(zero, appended, extended, 2).glom().collect()
    assert parts == [[("b", [2]), ("c", [4])], [("a", [1, 3])]]
    assert zero == []


def test_fold_by_key_begins_anew_in_each_partition(sc):
    pairs = [("a", 1), ("a", 2), ("a", 3)]
    for slices, expected in ((3, 36), (1, 16)):
        folded = sc.parallelize(pairs, slices).foldByKey(10, lambda a, b: a + b)
        assert folded.collect() == [("a", expected)]


def test_group_by_key(sc):
    grouped = sc.parallelize(PAIRS, 5).groupByKey(2)
    assert [[(k, list(v)) for k, v in part] for part in grouped.glom().collect()] == [
        [("b", [2, 5]), ("c", [4])],
        [("a", [1, 3])],
    ]
    values = grouped.lookup("b")[0]
    assert isinstance(values, ResultIterable)
    assert (len(values), list(values), list(values), values.data) == (2, [2, 5], [2, 5], [2, 5])


def test_a_result_iterable_is_pickled_with_its_values():
    assert list(pickle.loads(pickle.dumps(ResultIterable([1, 2])))) == [1, 2]
    assert not ResultIterable([])


def test_group_by(sc):
    grouped = sc.parallelize(range(12), 3).groupBy(lambda n: n % 4)
    assert [[(k, list(v)) for k, v in part] for part in grouped.glom().collect()] == [
        [(0, [0, 4, 8]), (3, [3, 7, 11])],
        [(1, [1, 5, 9])],
        [(2, [2, 6, 10])],
    ]


def test_reduce_by_key_locally(sc):
    pairs = sc.parallelize(PAIRS, 5)
    assert pairs.reduceByKeyLocally(lambda a, b: a * 10 + b) == {"a": 13, "b": 25, "c": 4}
    assert list(pairs.reduceByKeyLocally(max)) == ["a", "b", "c"]


def test_collect_as_map_keeps_the_last_value(sc):
    assert sc.parallelize(PAIRS, 5).collectAsMap() == {"a": 3, "b": 5, "c": 4}


def test_lookup(sc, tmp_path):
    pairs = sc.parallelize(PAIRS, 5)
    assert pairs.lookup("a") == [1, 3]
    assert pairs.lookup("z") == []

    def noted(index, records):
        (tmp_path / str(index)).touch()
        return records

    placed = pairs.partitionBy(3).mapPartitionsWithIndex(noted, preservesPartitioning=True)
    assert placed.lookup("a") == [1, 3]
    # Only the partition of the key was computed.
    assert [path.name for path in tmp_path.iterdir()] == [str(portable_hash("a") % 3)]


@pytest.mark.parametrize("seed", [None, "0"])
@pytest.mark.parametrize("key", [["a"], {}, ("a", ["b"]), bytearray(b"a")])
def test_a_key_without_a_hash_is_said_to_have_none(sc, monkeypatch, key, seed):
    # A seed would not help: nobody is to be sent to set one first.
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    if seed is not None:
        monkeypatch.setenv("PYTHONHASHSEED", seed)
    pairs = sc.parallelize([(key, 1)], 1)
    for divided in (pairs.partitionBy(2), pairs.join(pairs), pairs.cogroup(pairs)):
        with pytest.raises(TypeError, match="unhashable type"):
            divided.collect()
