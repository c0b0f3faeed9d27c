"""Streams that are divided anyhow: their joins, and what they are divided by after a recovery."""

import random
from collections import defaultdict

import pytest

from swiftwater.rdd import Partitioner, portable_hash
from swiftwater.testing import StreamingTest

KEYS = ["a", "b", "c", "dd", "", 1, 2, None]


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def by_text(key):
    return len(repr(key))


def up(value):
    return value + 1


def total(new, old):
    return sum(new) + (old or 0)


def batches(choose, count):
    return [
        [(choose.choice(KEYS), choose.randint(0, 9)) for _ in range(choose.randint(0, 8))]
        for _ in range(count)
    ]


def summed(records):
    sums = defaultdict(int)
    for key, value in records:
        sums[key] += value
    return list(sums.items())


# How a stream is divided, and what becomes of a batch's records.
WAYS = {
    "not": (lambda s: s, list),
    "hash 2": (lambda s: s.partitionBy(2), list),
    "hash 3": (lambda s: s.partitionBy(3), list),
    "function": (lambda s: s.partitionBy(3, by_text), list),
    "sums": (lambda s: s.reduceByKey(add, 2), summed),
    "sums, up": (
        lambda s: s.reduceByKey(add, 3).mapValues(up),
        lambda records: [(key, value + 1) for key, value in summed(records)],
    ),
    "moved": (lambda s: s.reduceByKey(add, 2).map(lambda pair: pair), summed),
}
JOINS = ["join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin", "cogroup"]


def joined(name, left, right):
    ours, theirs = defaultdict(list), defaultdict(list)
    for groups, records in ((ours, left), (theirs, right)):
        for key, value in records:
            groups[key].append(value)
    keys = dict.fromkeys([*ours, *theirs])
    if name == "cogroup":
        return [(key, (sorted(ours[key]), sorted(theirs[key]))) for key in keys]
    left_too = name in ("leftOuterJoin", "fullOuterJoin")
    right_too = name in ("rightOuterJoin", "fullOuterJoin")
    return [
        (key, (a, b))
        for key in keys
        for a in ours.get(key, [None] if right_too else [])
        for b in theirs.get(key, [None] if left_too else [])
    ]


def as_lists(groups):
    return tuple(sorted(group) for group in groups)


def noting(seen):
    return lambda rdd: seen.append(rdd.partitioner)


def ordered(records):
    return sorted(records, key=repr)


@pytest.mark.parametrize("name", JOINS)
def test_joins_of_streams_that_are_divided_anyhow(name):
    for number in range(12):
        seed = f"{name} {number}"
        choose = random.Random(seed)
        given = [batches(choose, 3), batches(choose, 3)]
        ways = [choose.choice(list(WAYS.values())) for _ in given]
        lengths = [choose.choice([0, 2, 3]) for _ in given]
        count = choose.choice([None, 1, 3])
        seen = []
        with StreamingTest() as test:
            sides = []
            for side, (divide, _), length in zip(given, ways, lengths, strict=True):
                rdds = [test.sc.parallelize(batch, choose.randint(1, 3)) for batch in side]
                stream = divide(test.ssc.queueStream(rdds))
                sides.append(stream.window(length) if length else stream)
            result = getattr(sides[0], name)(sides[1], count)
            if name == "cogroup":
                result = result.mapValues(as_lists)
            result.foreachRDD(noting(seen))
            out = test.collect(result.glom())
            test.advance(3)
        for batch, parts in enumerate(out.batches):
            looked_at = []
            for side, (_, becomes), length in zip(given, ways, lengths, strict=True):
                first = batch - max(length - 1, 0)
                looked_at.append(
                    [pair for old in side[max(first, 0) : batch + 1] for pair in becomes(old)]
                )
            records = [record for part in parts for record in part]
            assert ordered(records) == ordered(joined(name, *looked_at)), (seed, batch)
            where = Partitioner(len(parts), portable_hash)
            assert seen[batch] == where, (seed, batch)
            for place, part in enumerate(parts):
                assert {where(key) for key, _ in part} <= {place}, (seed, batch)


def test_a_join_of_a_stream_that_has_no_rdd(streaming):
    pairs = streaming.ssc.queueStream([[("a", 1)]], default=streaming.sc.parallelize([("b", 2)]))
    missing = pairs.transform(lambda rdd: None)
    out = [
        streaming.collect(stream)
        for stream in (
            pairs.leftOuterJoin(missing),
            missing.fullOuterJoin(pairs),
            missing.join(missing),
            missing.union(pairs),
            missing.union(missing),
        )
    ]
    streaming.advance(1)
    assert [collected.batches for collected in out] == [
        [[("a", (1, None))]],
        [[("a", (None, 1))]],
        [[]],
        [[("a", 1)]],
        [[]],
    ]


# --- after a recovery -----------------------------------------------------------------------------

LINES = [[f"{letter} {number}" for letter in "abcdefg"[number:]] for number in range(6)]

# Streams that look back on RDDs that are divided by key.
LOOKING_BACK = {
    "sums": lambda s: s.reduceByKey(add, 3).window(3),
    "sums of words": lambda s: s.reduceByKey(add, 3).filter(lambda kv: kv[1] > 0).window(3),
    "join": lambda s: s.join(s.mapValues(up), 3).window(3),
    "union": lambda s: s.reduceByKey(add, 3).union(s.reduceByKey(max, 3)).window(3),
    "window of a window": lambda s: s.reduceByKey(add, 2).window(2).window(2),
    "placed": lambda s: s.partitionBy(3, by_text).window(3),
    "state": lambda s: s.updateStateByKey(total, 3).window(2),
    "state joined": lambda s: s.updateStateByKey(total, 3).join(s.reduceByKey(add, 3), 3),
    "with inverse": lambda s: s.reduceByKeyAndWindow(add, subtract, 6, 1, 3),
    "without inverse": lambda s: s.reduceByKeyAndWindow(add, None, 3, 1, 3).window(2),
}


def pair(line):
    letter, number = line.split()
    return letter, int(number)


def define(test, kind):
    test.collect(LOOKING_BACK[kind](test.text_source().stream.map(pair)).glom())


def feed(test, lines):
    for batch in lines:
        test.sources[-1].send(*batch)
        test.advance()
    return test.outputs[0].batches


@pytest.mark.parametrize("kind", LOOKING_BACK)
def test_a_recovered_stream_is_divided_as_if_it_had_never_stopped(tmp_path, kind):
    with StreamingTest() as test:
        define(test, kind)
        expected = feed(test, LINES)
    folder = str(tmp_path)
    with StreamingTest() as test:
        test.ssc.checkpoint(folder)
        define(test, kind)
        found = feed(test, LINES[:3])
    with StreamingTest.recovered(folder) as test:
        found = found + feed(test, LINES[3:])
    assert found == expected


def test_nothing_of_a_state_is_moved(streaming):
    lines = []

    def note(rdd):
        lines.append(rdd.toDebugString().decode())
        return rdd

    pairs = streaming.ssc.queueStream([[("a", 1), ("b", 2)], [("a", 3)], [("c", 1)]])
    out = streaming.collect(pairs.updateStateByKey(total, 2).transform(note))
    streaming.advance(3)
    assert [sorted(batch) for batch in out.batches] == [
        [("a", 1), ("b", 2)],
        [("a", 4), ("b", 2)],
        [("a", 4), ("b", 2), ("c", 1)],
    ]
    # One shuffle a batch, that of the new values.
    assert [text.count("+-(") for text in lines] == [1, 1, 1]
