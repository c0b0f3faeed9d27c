"""What an RDD's partitioner is after any chain of operators, and joins of RDDs placed anyhow.

The model says PySpark's rules in a few lines; whatever the engine says of a partitioner must hold
for each record.
"""

import random
from collections import defaultdict
from functools import partial

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.rdd import RDD, Partitioner, portable_hash

TEXTS = ["a", "b", "cc", "dd", "eee", "", "f g"]
KEYS = [*TEXTS, 1, 2, 3, None, ("x", 1)]


def add(a, b):
    return a + b


def by_text(key):
    return len(repr(key))


class ByLength:
    """Two of one remainder are equal: that counts, not which object it is."""

    def __init__(self, remainder):
        self.remainder = remainder

    def __call__(self, key):
        return len(str(key)) % self.remainder

    def __eq__(self, other):
        return isinstance(other, ByLength) and other.remainder == self.remainder

    def __hash__(self):
        return self.remainder


FUNCTIONS = [portable_hash, by_text, lambda key: 3, ByLength]


def function(choose):
    chosen = choose.choice(FUNCTIONS)
    return ByLength(choose.randint(2, 3)) if chosen is ByLength else chosen


class Known:
    """An RDD with what the model says of it."""

    def __init__(self, rdd, count, partitioner, records):
        self.rdd = rdd
        self.count = count
        self.partitioner = partitioner
        self.records = records

    def becomes(self, rdd, records=None, *, keeps=False, count=None, partitioner=None):
        return Known(
            rdd,
            self.count if count is None else count,
            self.partitioner if keeps else partitioner,
            self.records if records is None else records,
        )


def source(sc, choose):
    if choose.random() < 0.08:
        return Known(sc.emptyRDD(), 0, None, [])
    keys = choose.choice([TEXTS, KEYS])
    pairs = [(choose.choice(keys), choose.randint(0, 9)) for _ in range(choose.randint(0, 25))]
    count = choose.randint(1, 4)
    return Known(sc.parallelize(pairs, count), count, None, pairs)


def summed(records):
    sums = defaultdict(int)
    for key, value in records:
        sums[key] += value
    return list(sums.items())


def placed(known, choose):
    """Return a number of partitions, or None, with what that comes to, and a function."""
    given = choose.choice([None, None, 1, 2, 3])
    return given, known.count if given is None else given, function(choose)


def partition_by(known, choose):
    given, number, place = placed(known, choose)
    where = Partitioner(number, place) if number else None
    return known.becomes(known.rdd.partitionBy(given, place), count=number, partitioner=where)


def reduce_by_key(known, choose):
    given, number, place = placed(known, choose)
    where = Partitioner(number, place) if number else None
    reduced = known.rdd.reduceByKey(add, given, place)
    return known.becomes(reduced, summed(known.records), count=number, partitioner=where)


def group_by_key(known, choose):
    given, number, place = placed(known, choose)
    where = Partitioner(number, place) if number else None
    grouped = known.rdd.groupByKey(given, place).mapValues(sum)
    return known.becomes(grouped, summed(known.records), count=number, partitioner=where)


def united(one, other):
    """Return number of partitions and partitioner of a union."""
    filled = [each for each in (one, other) if each.count > 0]
    shared = filled[0].partitioner if filled else None
    if shared is not None and all(each.partitioner == shared for each in filled):
        return filled[0].count, shared
    return one.count + other.count, None


def union(known, choose):
    other = chain(known.rdd.ctx, choose, 2)
    if choose.random() < 0.5:
        other = known.becomes(known.rdd.mapValues(abs), keeps=True)
    count, where = united(known, other)
    both = known.records + other.records
    return Known(known.rdd.union(other.rdd), count, where, both)


def join(known, choose):
    other = chain(known.rdd.ctx, choose, 2)
    given = choose.choice([None, 2])
    number = united(known, other)[0] if given is None else given
    values = defaultdict(list)
    for key, value in other.records:
        values[key].append(value)
    found = [(key, a + b) for key, a in known.records for b in values.get(key, ())]
    joined = known.rdd.join(other.rdd, given).mapValues(sum)
    where = Partitioner(number, portable_hash) if number else None
    return Known(joined, number, where, found)


def subtract_by_key(known, choose):
    other = chain(known.rdd.ctx, choose, 2)
    number = united(known, other)[0]
    keys = {key for key, _ in other.records}
    rest = [pair for pair in known.records if pair[0] not in keys]
    where = Partitioner(number, portable_hash) if number else None
    return Known(known.rdd.subtractByKey(other.rdd), number, where, rest)


def subtract(known, choose):
    other = chain(known.rdd.ctx, choose, 2)
    there = set(other.records)
    rest = [pair for pair in known.records if pair not in there]
    return Known(known.rdd.subtract(other.rdd), known.count + other.count, None, rest)


def sort(known, choose):
    if not all(isinstance(key, str) for key, _ in known.records):
        return known
    rdd = known.rdd.sortByKey(choose.random() < 0.5, choose.choice([1, 2, 3]))
    # Its function is nobody else's: what it says is looked at, not which one it is.
    return known.becomes(rdd, count=rdd.getNumPartitions(), partitioner=rdd.partitioner)


def coalesce(known, choose):
    wanted = choose.randint(1, 3)
    return known.becomes(known.rdd.coalesce(wanted), count=min(wanted, known.count))


def repartition(known, choose):
    wanted = choose.randint(1, 3)
    return known.becomes(known.rdd.repartition(wanted), count=wanted)


def keep_records(records):
    return list(records)


def keep_with_index(index, records):
    return list(records)


def same(record):
    return record


def alone(record):
    return [record]


def texts(pair):
    return repr(pair[0]), pair[1]


def small(pair):
    return pair[1] < 8


def up(value):
    return value + 1


def twice(value):
    return [value, value]


def checked(known, choose):
    """Read from a file from now on, or kept."""
    rdd = known.rdd.map(same, preservesPartitioning=True)
    if choose.random() < 0.5:
        rdd.localCheckpoint()
        rdd.count()
        return known.becomes(rdd, keeps=True)
    return known.becomes(rdd.cache(), keeps=True)


OPERATORS = [
    lambda known, choose: known.becomes(known.rdd.map(same)),
    lambda known, choose: known.becomes(known.rdd.map(same, True), keeps=True),
    lambda known, choose: known.becomes(known.rdd.flatMap(alone)),
    lambda known, choose: known.becomes(known.rdd.flatMap(alone, True), keeps=True),
    lambda known, choose: known.becomes(
        known.rdd.filter(small), list(filter(small, known.records)), keeps=True
    ),
    lambda known, choose: known.becomes(
        known.rdd.mapValues(up), [(key, up(value)) for key, value in known.records], keeps=True
    ),
    lambda known, choose: known.becomes(
        known.rdd.flatMapValues(twice), known.records * 2, keeps=True
    ),
    lambda known, choose: known.becomes(known.rdd.mapPartitions(keep_records)),
    lambda known, choose: known.becomes(known.rdd.mapPartitions(keep_records, True), keeps=True),
    lambda known, choose: known.becomes(
        known.rdd.mapPartitionsWithIndex(keep_with_index, True), keeps=True
    ),
    lambda known, choose: known.becomes(known.rdd.glom().flatMap(same)),
    partition_by,
    partition_by,
    reduce_by_key,
    reduce_by_key,
    group_by_key,
    union,
    join,
    subtract_by_key,
    subtract,
    sort,
    coalesce,
    repartition,
    checked,
]


def chain(sc, choose, length):
    known = source(sc, choose)
    for _ in range(choose.randint(0, length)):
        if len(known.records) > 400:
            break
        known = choose.choice(OPERATORS)(known, choose)
    return known


def ordered(records):
    return sorted(records, key=repr)


def check(known, seed):
    rdd = known.rdd
    assert rdd.getNumPartitions() == known.count, seed
    assert rdd.partitioner == known.partitioner, seed
    parts = rdd.glom().collect()
    assert ordered(record for part in parts for record in part) == ordered(known.records), seed
    if rdd.partitioner is not None:
        for number, part in enumerate(parts):
            assert {rdd.partitioner(key) for key, _ in part} <= {number}, seed


@pytest.mark.parametrize("part", range(8))
def test_what_a_chain_of_operators_is_divided_by(sc, part):
    for number in range(40):
        seed = 1000 * part + number
        check(chain(sc, random.Random(seed), 6), seed)


# --- joins ----------------------------------------------------------------------------------------


def grouped(records):
    values = defaultdict(list)
    for key, value in records:
        values[key].append(value)
    return values


def joined(name, left, right):
    """Return what a join gives, by a dict of each side."""
    ours, theirs = grouped(left), grouped(right)
    keys = dict.fromkeys([*ours, *theirs])
    if name == "cogroup":
        return [(key, (sorted(ours[key]), sorted(theirs[key]))) for key in keys]
    lone_left = name in ("leftOuterJoin", "fullOuterJoin")
    lone_right = name in ("rightOuterJoin", "fullOuterJoin")
    return [
        (key, (a, b))
        for key in keys
        for a in ours.get(key, [None] if lone_right else [])
        for b in theirs.get(key, [None] if lone_left else [])
    ]


def as_lists(groups):
    return tuple(sorted(group) for group in groups)


def sides(sc, choose):
    """Return two RDDs, divided alike, or one of them, or neither, or each otherwise."""
    ways = [
        lambda rdd: rdd,
        lambda rdd: rdd.partitionBy(2),
        lambda rdd: rdd.partitionBy(3),
        lambda rdd: rdd.partitionBy(3, by_text),
        lambda rdd: rdd.partitionBy(2, ByLength(2)),
        lambda rdd: rdd.partitionBy(3).filter(small).mapValues(up),
        lambda rdd: rdd.map(texts).sortByKey(True, 3),
    ]
    both = choose.random() < 0.4
    first = choose.choice(ways)
    left, right = source(sc, choose), source(sc, choose)
    for known, way in ((left, first), (right, first if both else choose.choice(ways))):
        if known.count:
            known.rdd = way(known.rdd)
        known.records = known.rdd.collect()
    return left, right


JOINS = ["join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin", "cogroup"]


@pytest.mark.parametrize("name", JOINS)
@pytest.mark.parametrize("use", ["never", "always"])
def test_joins_of_rdds_that_are_divided_anyhow(name, use):
    conf = SparkConf().set("swiftwater.workers", use)
    with SparkContext("local[2]", "joins", conf=conf) as sc:
        for number in range(12 if use == "always" else 60):
            seed = f"{name} {number}"
            choose = random.Random(seed)
            left, right = sides(sc, choose)
            count = choose.choice([None, 1, 2, 3])
            found = getattr(left.rdd, name)(right.rdd, count)
            if name == "cogroup":
                found = found.mapValues(as_lists)
            expected = joined(name, left.records, right.records)
            check(
                Known(found, found.getNumPartitions(), expected_partitioner(found), expected), seed
            )
            if count is not None:
                assert found.getNumPartitions() == count, seed


def expected_partitioner(rdd):
    number = rdd.getNumPartitions()
    return Partitioner(number, portable_hash) if number else None


@pytest.mark.parametrize("number", range(20))
def test_several_that_are_divided_anyhow(sc, number):
    choose = random.Random(f"several {number}")
    left, right = sides(sc, choose)
    third, fourth = sides(sc, choose)
    all_four = [left, right, third, fourth]
    found = left.rdd.groupWith(*(known.rdd for known in all_four[1:])).mapValues(as_lists)
    values = [grouped(known.records) for known in all_four]
    keys = dict.fromkeys(key for group in values for key in group)
    expected = [(key, tuple(sorted(group[key]) for group in values)) for key in keys]
    assert ordered(found.collect()) == ordered(expected)


def shuffles(rdd, name):
    """Return how many shuffles of its own a join has planned."""
    return rdd.toDebugString().decode().count(f"{name} at ") - 1


@pytest.mark.parametrize(
    ("one", "two", "count", "expected"),
    [
        (None, None, None, 2),
        ((3, portable_hash), None, 3, 1),
        (None, (3, portable_hash), 3, 1),
        ((3, portable_hash), (3, portable_hash), None, 0),
        ((3, portable_hash), (3, portable_hash), 3, 0),
        ((3, portable_hash), (2, portable_hash), 3, 1),
        ((3, by_text), (3, portable_hash), 3, 1),
        # Divided alike, but not as is wanted: they are moved together.
        ((3, by_text), (3, by_text), 3, 1),
        ((3, ByLength(2)), (3, ByLength(2)), 3, 1),
        ((3, ByLength(2)), (3, ByLength(3)), 3, 2),
    ],
)
def test_which_sides_are_moved(sc, one, two, count, expected):
    rdds = []
    for way in (one, two):
        pairs = sc.parallelize([(1, 2), (3, 4)], 2)
        rdds.append(pairs if way is None else pairs.partitionBy(*way))
    assert shuffles(rdds[0].join(rdds[1], count), "join") == expected


def test_nothing_is_computed_for_a_plan(sc):
    def failing(pair):
        raise AssertionError("computed")

    broken = sc.parallelize([(1, 2)], 2).map(failing)
    placed = broken.partitionBy(2, by_text)
    for name in JOINS:
        getattr(broken, name)(placed)
        getattr(placed, name)(placed, 3)
    broken.subtract(placed)
    broken.intersection(placed)
    broken.groupWith(placed, broken)
    assert placed.union(placed).partitioner == Partitioner(2, by_text)


def test_an_error_of_comparing_comes_to_who_asks(sc):
    class Rude:
        def __call__(self, key):
            return 0

        def __eq__(self, other):
            raise ZeroDivisionError("rude")

        __hash__ = None

    pairs = sc.parallelize([(1, 2)])
    one, two = pairs.partitionBy(2, Rude()), pairs.partitionBy(2, Rude())
    for ask in (one.join, one.union):
        with pytest.raises(ZeroDivisionError, match="rude"):
            ask(two)


def test_bound_methods_are_the_same_function(sc):
    class Places:
        def place(self, key):
            return key

    places = Places()
    pairs = sc.parallelize([(1, 2)]).partitionBy(2, places.place)
    assert pairs.partitionBy(2, places.place) is pairs
    assert pairs.partitionBy(2, partial(places.place)) is not pairs


def test_a_program_may_say_what_its_records_are_divided_by(sc):
    pairs = sc.parallelize([(0, "a"), (1, "b")], 2)
    pairs.partitioner = Partitioner(2, portable_hash)
    assert pairs.partitionBy(2) is pairs
    assert pairs.mapValues(str).partitioner == Partitioner(2, portable_hash)
    pairs.partitioner = None
    assert pairs.partitioner is None
    moved = pairs.partitionBy(2)
    assert isinstance(moved, RDD)
    assert moved is not pairs
    assert moved.glom().collect() == [[(0, "a")], [(1, "b")]]


def test_the_partitioner_of_what_a_stream_hands_out(streaming):
    found = []

    def look(rdd):
        found.append(rdd.partitioner)
        return rdd

    pairs = streaming.ssc.queueStream([[("a", 1), ("b", 2)]])
    for stream in (
        pairs,
        pairs.reduceByKey(add, 3),
        pairs.reduceByKey(add, 3).mapValues(abs),
        pairs.reduceByKey(add, 3).map(same),
        pairs.partitionBy(2, by_text).filter(small),
        pairs.join(pairs, 2),
        pairs.reduceByKey(add, 2).union(pairs.reduceByKey(add, 2)),
        pairs.reduceByKey(add, 2).union(pairs.reduceByKey(add, 3)),
        pairs.reduceByKey(add, 2).window(2),
        pairs.window(2),
        pairs.updateStateByKey(lambda new, old: 1, 2),
        pairs.reduceByKeyAndWindow(add, None, 2, 1, 3),
    ):
        streaming.collect(stream.transform(look))
    streaming.advance(1)
    hashed = [Partitioner(number, portable_hash) for number in range(4)]
    assert found == [
        None,
        hashed[3],
        hashed[3],
        None,
        Partitioner(2, by_text),
        hashed[2],
        hashed[2],
        None,
        hashed[2],
        None,
        hashed[2],
        hashed[3],
    ]
