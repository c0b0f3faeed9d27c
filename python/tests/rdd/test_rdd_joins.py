"""RDDs brought together by key or by place. Expected partitions are those of PySpark 4.3."""

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.errors import SparkException

LEFT = [("a", 1), ("b", 2), ("a", 3), ("c", 4)]
RIGHT = [("b", 10), ("a", 20), ("d", 30), ("a", 40)]

B = [("b", (2, 10))]
A = [("a", (1, 20)), ("a", (1, 40)), ("a", (3, 20)), ("a", (3, 40))]


@pytest.fixture
def sides(sc):
    return sc.parallelize(LEFT, 3), sc.parallelize(RIGHT, 2)


@pytest.mark.parametrize(
    ("operator", "partitions", "expected"),
    [
        ("join", None, [[], [], B, [], A]),
        ("join", 2, [B, A]),
        ("leftOuterJoin", None, [[], [], [*B, ("c", (4, None))], [], A]),
        ("leftOuterJoin", 2, [[*B, ("c", (4, None))], A]),
        ("rightOuterJoin", None, [[], [("d", (None, 30))], B, [], A]),
        ("rightOuterJoin", 2, [[*B, ("d", (None, 30))], A]),
        ("fullOuterJoin", None, [[], [("d", (None, 30))], [*B, ("c", (4, None))], [], A]),
        ("fullOuterJoin", 2, [[*B, ("c", (4, None)), ("d", (None, 30))], A]),
        ("subtractByKey", None, [[], [], [("c", 4)], [], []]),
        ("subtractByKey", 1, [[("c", 4)]]),
    ],
)
def test_by_key(sides, operator, partitions, expected):
    left, right = sides
    assert getattr(left, operator)(right, partitions).glom().collect() == expected


def lists(rdd):
    parts = rdd.mapValues(lambda groups: [list(group) for group in groups])
    return parts.glom().collect()


def test_cogroup(sides):
    left, right = sides
    assert lists(left.cogroup(right)) == [
        [],
        [("d", [[], [30]])],
        [("b", [[2], [10]]), ("c", [[4], []])],
        [],
        [("a", [[1, 3], [20, 40]])],
    ]


def test_group_with_any_number(sc, sides):
    left, right = sides
    third = sc.parallelize([("z", 1), ("a", 7)], 1)
    assert lists(left.groupWith(right, third)) == [
        [("b", [[2], [10], []]), ("z", [[], [], [1]])],
        [("a", [[1, 3], [20, 40], [7]])],
        [("d", [[], [30], []])],
        [],
        [("c", [[4], [], []])],
        [],
    ]
    assert len(left.groupWith(right, third, third).first()[1]) == 4


def test_the_setting_decides_the_number_of_partitions():
    conf = SparkConf().set("spark.default.parallelism", "4")
    with SparkContext("local[2]", "x", conf=conf) as sc:
        left, right = sc.parallelize(LEFT, 3), sc.parallelize(RIGHT, 2)
        assert left.join(right).getNumPartitions() == 4
        assert left.cogroup(right, 2).getNumPartitions() == 2


def alike(sc, count, modulo, sign, slices, function):
    pairs = sc.parallelize(range(count), slices).map(lambda n: (n % modulo, sign * n))
    return pairs.partitionBy(3, function)


def test_sides_that_are_placed_alike(sc):
    def one_up(key):
        return key + 1

    one = alike(sc, 12, 5, 1, 3, one_up)
    two = alike(sc, 12, 7, -1, 2, one_up)
    other = sc.parallelize([(9, 1), (2, 2)], 1)
    # As many partitions as each has, but by the hash of the key; keys come in the order of a union
    # that takes partition by partition.
    assert one.join(two).getNumPartitions() == 3
    assert lists(one.cogroup(two, 2)) == [
        [
            (2, [[2, 7], [-2, -9]]),
            (0, [[0, 5, 10], [0, -7]]),
            (6, [[], [-6]]),
            (4, [[4, 9], [-4, -11]]),
        ],
        [(5, [[], [-5]]), (3, [[3, 8], [-3, -10]]), (1, [[1, 6, 11], [-1, -8]])],
    ]
    assert lists(one.groupWith(two, other)) == [
        [(0, [[0, 5, 10], [0, -7], []]), (4, [[4, 9], [-4, -11], []])],
        [(5, [[], [-5], []]), (1, [[1, 6, 11], [-1, -8], []]), (9, [[], [], [1]])],
        [(2, [[2, 7], [-2, -9], [2]]), (6, [[], [-6], []])],
        [(3, [[3, 8], [-3, -10], []])],
    ]
    keys = one.fullOuterJoin(two, 2).groupByKey(2).keys()
    assert keys.glom().collect() == [[2, 0, 6, 4], [5, 3, 1]]


def test_sides_without_partitions(sc):
    pairs = sc.parallelize(LEFT, 3)
    nothing = sc.emptyRDD()
    assert pairs.join(nothing).glom().collect() == [[], [], []]
    assert nothing.fullOuterJoin(pairs).getNumPartitions() == 3
    assert nothing.join(nothing).getNumPartitions() == 0
    placed = pairs.partitionBy(3)
    assert placed.union(nothing).join(placed).getNumPartitions() == 3


def test_a_side_that_is_placed_already_is_not_moved(sc):
    pairs = sc.parallelize(LEFT, 3).partitionBy(2)
    joined = pairs.join(pairs.mapValues(str), 2)
    # A shuffle of the join's own would be a second line of that name.
    assert joined.toDebugString().count(b" join at ") == 1
    assert joined.lookup("c") == [(4, "4")]


def test_subtract(sc):
    rest = sc.parallelize([1, 2, 2, 3, 5, 3], 2).subtract(sc.parallelize([2, 9, 9], 3))
    assert rest.glom().collect() == [[5], [1], [], [3, 3], []]
    assert rest.partitioner is None


def test_intersection(sc):
    left, right = sc.parallelize([5, 1, 2, 2], 2), sc.parallelize([2, 3, 3, 5, 7, 5], 3)
    assert left.intersection(right).glom().collect() == [[5], [], [2], [], []]


@pytest.mark.parametrize(
    "operator",
    "join leftOuterJoin rightOuterJoin fullOuterJoin cogroup groupWith subtractByKey subtract "
    "intersection zip cartesian union".split(),
)
def test_something_else_is_refused(sc, operator):
    with pytest.raises(TypeError, match=f"^{operator} needs an RDD, not list$"):
        getattr(sc.parallelize([(1, 2)]), operator)([(1, 2)])


def test_zip(sc):
    numbers = sc.parallelize(range(5), 2)
    assert numbers.zip(numbers.map(str)).glom().collect() == [
        [(0, "0"), (1, "1")],
        [(2, "2"), (3, "3"), (4, "4")],
    ]
    assert sc.emptyRDD().zip(sc.emptyRDD()).collect() == []


@pytest.mark.parametrize("longer", [0, 1])
def test_zip_needs_as_many_records(sc, longer):
    sides = [sc.parallelize(range(6), 2), sc.parallelize(range(4), 2)]
    with pytest.raises(SparkException, match="same number of elements in each partition"):
        sides[longer].zip(sides[1 - longer]).collect()


def test_zip_needs_as_many_partitions(sc):
    with pytest.raises(ValueError, match="Can only zip with RDD which has the same number of part"):
        sc.parallelize(range(4), 2).zip(sc.parallelize(range(4), 4))


def test_cartesian(sc):
    left, right = sc.parallelize([1, 2], 2), sc.parallelize("ab", 2)
    parts = left.cartesian(right).glom().collect()
    assert parts == [[(1, "a")], [(1, "b")], [(2, "a")], [(2, "b")]]
    assert sc.emptyRDD().cartesian(left).getNumPartitions() == 0


def test_an_error_of_a_side_passes_through(sc):
    broken = sc.parallelize([(1, 0)], 1).mapValues(lambda n: 1 // n)
    fine = sc.parallelize([(1, 1)], 1)
    for operator in ("join", "cogroup", "zip", "cartesian", "union"):
        joined = getattr(fine, operator)(broken)
        with pytest.raises(ZeroDivisionError):
            joined.collect()


def test_records_that_are_no_pairs(sc):
    with pytest.raises((TypeError, ValueError)):
        sc.parallelize([1, 2]).join(sc.parallelize([(1, 2)])).collect()
