"""RDDs that are joined again and again: what is kept of them changes no result, and is freed.

What is kept begins with the second join of the same RDD.
"""

import gc
import random
from fractions import Fraction

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.rdd import portable_hash

JOINS = ["join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin", "cogroup", "subtractByKey"]
TIMES = 4


@pytest.fixture(scope="module", params=["never", "always"])
def sc(request):
    conf = SparkConf().set("swiftwater.workers", request.param)
    with SparkContext("local[2]", "tables", conf=conf) as context:
        yield context


@pytest.fixture(autouse=True)
def _no_context_left():
    """The context is one for all tests of the module."""


def plain(value):
    return [list(values) for values in value] if isinstance(value, tuple) else value


def joined(left, right, operator, partitions):
    result = getattr(left, operator)(right, partitions)
    if operator == "cogroup":
        result = result.mapValues(plain)
    return result.glom().collect()


@pytest.fixture
def is_kept(capsys):
    def told(rdd):
        rdd.explain()
        return "divided and indexed once" in " ".join(capsys.readouterr().out.split())

    return told


# --- Results and their order ----------------------------------------------------------------------


def model(left, right, operator, partitions):
    """What PySpark gives: keys as first seen in the left side and then in the right one."""
    result = [[] for _ in range(partitions)]
    for key in dict.fromkeys(key for key, _ in left + right):
        ours = [value for other, value in left if other == key]
        theirs = [value for other, value in right if other == key]
        part = result[portable_hash(key) % partitions]
        if operator == "cogroup":
            part.append((key, [ours, theirs]))
        elif operator == "subtractByKey":
            part += [(key, value) for value in ours if not theirs]
        else:
            if operator in ("leftOuterJoin", "fullOuterJoin"):
                theirs = theirs or [None]
            if operator in ("rightOuterJoin", "fullOuterJoin"):
                ours = ours or [None]
            part += [(key, (a, b)) for a in ours for b in theirs]
    return result


def texts(draw):
    return draw.choice(["", "a", "b", "key", "a key longer than twelve bytes", "\u00e9\u4e2d"])


KEYS = {
    "numbers": lambda draw: draw.randrange(30),
    "few": lambda draw: draw.randrange(3),
    "skewed": lambda draw: 0 if draw.random() < 0.9 else draw.randrange(50),
    "texts": texts,
    "doubles": lambda draw: draw.choice([0.0, -0.0, 0.5, 1.0, float("inf")]),
    "mixed numbers": lambda draw: draw.choice([0, 1, 1.0, True, 2, 2.5, False, -0.0, 1 << 70]),
    "tuples": lambda draw: (draw.randrange(4), texts(draw)),
    "with None": lambda draw: draw.choice([None, 1, 2]),
    "bytes": lambda draw: bytes([draw.randrange(5)]),
    "fractions": lambda draw: Fraction(draw.randrange(6), 2),
}


def pairs(draw, key, count):
    return [(key(draw), draw.choice([1, 2.5, "v", None, (1, "x")])) for _ in range(count)]


def columns(draw, key, count):
    return [(key(draw), number) for number in range(count)]


@pytest.mark.parametrize("is_right", [True, False], ids=["right", "left"])
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("operator", JOINS)
def test_the_results_are_those_of_all_records_in_their_order(sc, operator, keys, is_right):
    draw = random.Random(f"{operator}, {keys}, {is_right}")
    values = draw.choice([pairs, columns])
    table = values(draw, KEYS[keys], draw.choice([0, 1, 150]))
    kept = sc.parallelize(table, 3)
    if draw.random() < 0.5:
        kept = kept.mapValues(lambda value: value).cache()
    for number in range(TIMES):
        batch = values(draw, KEYS[keys], draw.choice([0, 1, 7, 40]))
        other = sc.parallelize(batch, draw.choice([1, 2]))
        sides = (other, kept) if is_right else (kept, other)
        partitions = draw.choice([2, 3])
        expected = model(*((batch, table) if is_right else (table, batch)), operator, partitions)
        assert joined(*sides, operator, partitions) == expected, number
        assert repr(joined(*sides, operator, partitions)) == repr(expected), number


@pytest.mark.parametrize("operator", JOINS)
def test_text_that_came_in_columns(sc, tmp_path, operator):
    file = tmp_path / "table.txt"
    file.write_text("".join(f"key-{n % 40} {n}\n" for n in range(400)))
    table = (
        sc.textFile(str(file), 2)
        .map(lambda line: line.split(" "))
        .map(lambda fields: (fields[0], fields[1]))
    )
    records = table.collect()
    table = table.cache()
    for number in range(TIMES):
        batch = [(f"key-{(number * 7 + n) % 50}", str(n)) for n in range(5)]
        lines = tmp_path / f"batch-{number}.txt"
        lines.write_text("".join(f"{key} {value}\n" for key, value in batch))
        for other in (
            sc.parallelize(batch, 1),
            sc.textFile(str(lines), 1)
            .map(lambda line: line.split(" "))
            .map(lambda fields: (fields[0], fields[1])),
        ):
            for sides, lists in (
                ((other, table), (batch, records)),
                ((table, other), (records, batch)),
            ):
                assert joined(*sides, operator, 2) == model(*lists, operator, 2)


@pytest.mark.parametrize("operator", JOINS)
def test_a_table_that_is_divided_already(sc, operator):
    table = [(n % 50, n) for n in range(200)]
    kept = sc.parallelize(table, 3).partitionBy(4)
    for number in range(TIMES):
        batch = [(number * 3 + n, n) for n in range(5)]
        other = sc.parallelize(batch, 2)
        assert joined(other, kept, operator, 4) == model(batch, table, operator, 4)
        assert joined(kept, other, operator, 4) == model(table, batch, operator, 4)
        # Moved: the records as they lie.
        assert joined(other, kept, operator, None) == model(batch, kept.collect(), operator, 6)


@pytest.mark.parametrize("operator", ["join", "leftOuterJoin", "cogroup"])
def test_a_nan_is_found_as_before(sc, operator):
    nan = float("nan")
    table = [(nan, 1), (nan, 2), *((n, n) for n in range(100))]
    kept = sc.parallelize(table, 2)
    for _ in range(TIMES):
        batch = [(nan, "a"), (5, "b"), (float("nan"), "c")]
        # Made of the same objects, and never joined before.
        fresh = joined(sc.parallelize(batch, 1), sc.parallelize(table, 2), operator, 2)
        assert repr(joined(sc.parallelize(batch, 1), kept, operator, 2)) == repr(fresh)


def test_who_gets_records_that_can_be_changed_gets_copies(sc):
    kept = sc.parallelize([(n, [n]) for n in range(100)], 2)

    def grown(sides):
        sides[1].append("more")
        return sides[1]

    for _ in range(TIMES):
        other = sc.parallelize([(3, 0), (4, 1)], 1)
        found = other.join(kept, 1).mapValues(grown).collect()
        assert found == [(3, [3, "more"]), (4, [4, "more"])]


@pytest.mark.parametrize("operator", ["join", "subtractByKey"])
def test_a_table_that_cannot_be_computed_fails_each_time(sc, operator):
    for kept, error in (
        (
            sc.parallelize([*((str(n), 1) for n in range(50)), ("x", 1)], 2).map(
                lambda pair: (int(pair[0]), 1)
            ),
            "invalid literal",
        ),
        (sc.parallelize([1, 2, 3], 1), "cannot unpack|unpack"),
        (sc.parallelize([([1], 1)], 1), "unhashable|a hash of its own"),
    ):
        for _ in range(TIMES):
            with pytest.raises(Exception, match=error):
                joined(sc.parallelize([(1, 1)], 1), kept, operator, 2)


def test_records_of_the_other_side_that_are_no_pairs_fail_as_ever(sc):
    kept = sc.parallelize([(n, n) for n in range(100)], 2)
    for _ in range(TIMES):
        with pytest.raises(Exception, match="unpack"):
            joined(sc.parallelize([1], 1), kept, "join", 2)
        assert joined(sc.parallelize([(1, 1)], 1), kept, "join", 1) == [[(1, (1, 1))]]


# --- What may be kept -----------------------------------------------------------------------------


def test_a_file_is_read_again_for_each_join_unless_it_is_cached(sc, tmp_path):
    file = tmp_path / "table.txt"

    def write(value):
        file.write_text("".join(f"{key},{value}\n" for key in "abcdefgh"))

    def found(table):
        return sc.parallelize([("a", 1)], 1).join(table, 1).collect()

    write("one")
    table = sc.textFile(str(file), 1).map(lambda line: line.split(",")).map(lambda f: (f[0], f[1]))
    for value in ("one", "two", "three", "four"):
        write(value)
        assert found(table) == [("a", (1, value))]
    table.cache()
    for value in ("four", "five", "six"):
        assert found(table) == [("a", (1, "four"))]
        write(value)
    table.unpersist()
    assert found(table) == [("a", (1, "six"))]
    table.cache()
    write("seven")
    assert found(table) == [("a", (1, "seven"))]
    write("eight")
    assert found(table) == [("a", (1, "seven"))]


def test_a_function_that_is_not_understood_is_called_for_each_join(sc):
    calls = sc.accumulator(0)

    def counted(pair):
        calls.add(1)
        return pair

    table = sc.parallelize([(n, n) for n in range(10)], 2).map(counted)
    for number in range(1, TIMES + 1):
        assert joined(sc.parallelize([(1, 1)], 1), table, "join", 1) == [[(1, (1, 1))]]
        assert calls.value == number * 10


def test_a_function_sees_what_its_variables_are_bound_to(sc):
    factor = 1
    offset = [0]
    table = sc.parallelize([(n, n) for n in range(10)], 2).mapValues(lambda n: n * factor)
    moved = sc.parallelize([(n, n) for n in range(10)], 2).mapValues(lambda n: n + offset[0])
    for factor in (2, 2, 2, 3, 3, 2):
        offset[0] += 1
        other = sc.parallelize([(4, 0)], 1)
        assert other.join(table, 2).collect() == [(4, (0, 4 * factor))]
        assert other.join(moved, 2).collect() == [(4, (0, 4 + offset[0]))]


WAYS = {
    "given": lambda rdd: rdd,
    "understood functions": lambda rdd: rdd.mapValues(lambda n: n + 1).filter(lambda kv: kv[1] > 0),
    "cached": lambda rdd: rdd.map(lambda kv: max([kv], key=lambda x: x)).cache(),
    "shuffled": lambda rdd: rdd.reduceByKey(lambda a, b: a + b, 3),
    "divided": lambda rdd: rdd.partitionBy(3),
    "divided as is wanted": lambda rdd: rdd.partitionBy(2),
    "united": lambda rdd: rdd.union(rdd.mapValues(lambda n: -n)),
    "joined": lambda rdd: rdd.join(rdd, 3).mapValues(lambda sides: sides[0]),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_kept_is_told(sc, is_kept, way):
    table = WAYS[way](sc.parallelize([(n, n) for n in range(100)], 2))
    other = sc.parallelize([(4, 0)], 1)
    first = other.join(table, 2)
    assert not is_kept(first)
    expected = first.collect()
    for _ in range(TIMES):
        again = sc.parallelize([(4, 0)], 1).join(table, 2)
        assert way == "divided as is wanted" or is_kept(again)
        assert again.collect() == expected


# --- How long it is kept --------------------------------------------------------------------------


class Key(str):  # noqa: SLOT000 - the collector knows of what has a dictionary
    """A key that the collector knows of, unlike a text."""


def alive():
    gc.collect()
    return sum(type(thing) is Key for thing in gc.get_objects())


def keyed(sc, numbers, value=0):
    return sc.parallelize([(Key(str(number)), value) for number in numbers], 2)


@pytest.mark.parametrize("partitions", [2, 3])
def test_what_is_kept_goes_with_the_rdd(sc, partitions):
    table = keyed(sc, range(100)).partitionBy(3)
    for _ in range(TIMES):
        found = keyed(sc, [5], 1).join(table, partitions).collect()
        assert found == [("5", (1, 0))]
    del found
    assert alive() >= 100
    del table
    sc.parallelize([1]).count()
    assert alive() == 0


def test_what_was_bound_before_goes_when_another_is_bound(sc):
    most = []
    for number in range(6):
        table = keyed(sc, range(50), number)
        for _ in range(TIMES):
            found = keyed(sc, [7]).join(table, 2).collect()
            assert found == [("7", (0, number))]
        del found
        most.append(alive())
    # One that has been given away just now may be there still.
    assert max(most) < 110
    del table
    sc.parallelize([1]).count()
    assert alive() == 0


def test_what_is_kept_goes_where_the_rdd_is_not_cached_any_more(sc):
    table = sc.parallelize(range(100), 2).map(lambda number: (Key(str(number)), 0)).cache()
    for _ in range(TIMES):
        assert keyed(sc, [7]).join(table, 2).count() == 1
    assert alive() >= 100
    table.unpersist()
    sc.parallelize([1]).count()
    assert alive() == 0
    assert keyed(sc, [7]).join(table, 2).count() == 1


def test_joins_into_many_numbers_of_partitions_keep_few_of_them(sc):
    table = keyed(sc, range(100))
    most = []
    for _ in range(2):
        for number in range(1, 9):
            found = joined(keyed(sc, [1, 2, 3]), table, "join", number)
            assert sorted(pair[0] for part in found for pair in part) == ["1", "2", "3"]
            del found
            most.append(alive())
    # The RDD's own and four more.
    assert max(most) < 510


def test_memory_stays_as_it_is_over_many_joins(sc):
    table = sc.parallelize([(f"key {n}", n) for n in range(1000)], 2)
    sizes = []
    for number in range(1500):
        batch = sc.parallelize([(f"key {number % 1000}", 1)], 1)
        assert batch.join(table, 2).collect() == [(f"key {number % 1000}", (1, number % 1000))]
        if number % 500 == 499:
            gc.collect()
            sizes.append(len(gc.get_objects()))
    assert max(sizes) - min(sizes) < 300
