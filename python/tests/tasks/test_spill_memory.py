"""The same results, records in the same order, whether they fit in memory or not."""

import contextlib
import os
import random

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.testing import StreamingTest

# Any process is larger than this: all that is kept goes to disk.
NOTHING_FITS = "1m"
ALL_FITS = "1000g"


def extended(a, b):
    a.extend(b)
    return a


def appended(values, value):
    values.append(value)
    return values


PROGRAMS = {
    "cache": lambda pairs: pairs.map(lambda pair: [pair]).cache(),
    "cached twice": lambda pairs: pairs.cache().mapValues(str).cache(),
    "reduceByKey": lambda pairs: pairs.reduceByKey(lambda a, b: a + b, 3),
    "groupByKey": lambda pairs: pairs.groupByKey(3).mapValues(list),
    "combineByKey": lambda pairs: pairs.combineByKey(lambda v: [v], appended, extended, 2),
    "partitionBy": lambda pairs: pairs.partitionBy(4),
    "join": lambda pairs: pairs.filter(lambda pair: pair[1] % 50 == 0).join(pairs.distinct(3), 2),
    "sortBy": lambda pairs: pairs.sortBy(lambda pair: (pair[1] % 97, pair[0]), numPartitions=3),
    "sortByKey": lambda pairs: pairs.sortByKey(ascending=False, numPartitions=2),
    "distinct": lambda pairs: pairs.map(lambda pair: pair[1] % 1000).distinct(3),
    "repartition": lambda pairs: pairs.repartition(5),
}


def results(program, limit, pairs):
    conf = SparkConf().set("swiftwater.spill.memory", limit)
    with SparkContext("local[2]", "spill", conf=conf) as sc:
        rdd = program(sc.parallelize(pairs, 4))
        first = rdd.glom().collect()
        assert rdd.glom().collect() == first
        return first


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_rdds(program):
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    pairs = [(f"key {rng.randrange(400)}", rng.randrange(10**6)) for _ in range(5000)]
    assert results(program, NOTHING_FITS, pairs) == results(program, ALL_FITS, pairs)


@pytest.mark.parametrize("name", ["reduceByKey", "combineByKey", "groupByKey"])
def test_groupings_that_outgrow_memory_on_both_sides(name):
    pairs = [(str(n * 7919 % 50_021), n) for n in range(300_000)]
    assert results(PROGRAMS[name], NOTHING_FITS, pairs) == results(PROGRAMS[name], ALL_FITS, pairs)


JOINS = {
    "join": lambda a, b: a.join(b, 2),
    "leftOuterJoin": lambda a, b: a.leftOuterJoin(b, 2),
    "rightOuterJoin": lambda a, b: a.rightOuterJoin(b, 2),
    "fullOuterJoin": lambda a, b: a.fullOuterJoin(b, 2),
    "cogroup": lambda a, b: a.cogroup(b, 2).mapValues(lambda two: [list(x) for x in two]),
    "subtractByKey": lambda a, b: a.subtractByKey(b, 2),
}


@pytest.mark.parametrize("join", JOINS.values(), ids=JOINS.keys())
def test_joins_that_outgrow_memory(join):
    left = [(n * 7919 % 30_011, n) for n in range(45_000)]

    def program(pairs):
        right = pairs.ctx.parallelize([(n * 31 % 40_009, -n) for n in range(45_000)], 3)
        return join(pairs, right)

    assert results(program, NOTHING_FITS, left) == results(program, ALL_FITS, left)


def test_lines(tmp_path):
    path = tmp_path / "lines.txt"
    lines = [f"line {number} é𐍈" for number in range(3000)]
    path.write_text("\n".join(lines))
    conf = SparkConf().set("swiftwater.spill.memory", NOTHING_FITS)
    conf.set("spark.local.dir", str(tmp_path))
    with SparkContext("local[2]", "spill", conf=conf) as sc:
        rdd = sc.textFile(str(path)).cache()
        assert rdd.collect() == lines
        assert rdd.collect() == lines
    # The files have no names.
    assert [item.name for item in tmp_path.iterdir()] == ["lines.txt"]


def test_windows_and_states():
    def run(limit):
        with StreamingTest(settings={"swiftwater.spill.memory": limit}) as test:
            batches = [[(n % 7, [n]) for n in range(10 * b, 10 * b + 10)] for b in range(6)]
            stream = test.ssc.queueStream(batches)
            state = test.collect(
                stream.updateStateByKey(
                    lambda new, old: extended(old or [], [x for part in new for x in part])
                )
            )
            window = test.collect(stream.reduceByKeyAndWindow(extended, None, 3))
            for _ in batches:
                test.advance()
            return state.batches, window.batches

    assert run(NOTHING_FITS) == run(ALL_FITS)


TEXT_WINDOWS = {
    "window": lambda lines: lines.window(4),
    "of a map": lambda lines: lines.map(str.upper).window(4, 2),
    "of Python objects": lambda lines: lines.map(lambda line: [line]).window(4),
    "rare": lambda lines: lines.map(lambda line: (line[:1], 1)).reduceByKeyAndWindow(
        lambda a, b: a + b, None, 4, 4
    ),
    "with an inverse": lambda lines: lines.map(lambda line: (line[:1], 1)).reduceByKeyAndWindow(
        lambda a, b: a + b, lambda a, b: a - b, 6, 1
    ),
    "two windows": lambda lines: lines.window(2).union(lines.map(str.upper).window(3)),
    "counts": lambda lines: lines.countByValueAndWindow(3, 1),
}


@pytest.mark.parametrize("program", TEXT_WINDOWS.values(), ids=TEXT_WINDOWS.keys())
def test_windows_of_text(program):
    def run(limit):
        with StreamingTest(settings={"swiftwater.spill.memory": limit}) as test:
            source = test.text_source()
            found = test.collect(program(source.stream))
            for batch in range(9):
                source.send(*(f"{number % 7} in {batch} é𐍈" for number in range(20)))
                test.advance()
            return found.batches

    assert run(NOTHING_FITS) == run(ALL_FITS)


def disk_bytes():
    """Return what the process's spill files take on the disk."""
    total = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if "swiftwater-spill" in os.readlink(f"/proc/self/fd/{number}"):
                total += os.stat(f"/proc/self/fd/{number}").st_blocks * 512
    return total


@pytest.mark.parametrize(
    ("program", "least_batches", "most_batches"),
    [
        (lambda lines: lines.window(8), 7, 9),
        # Spark keeps the text of these as long; here it goes with its batch.
        (lambda lines: lines.map(lambda line: (line[:1], 1)).reduceByKey(max).window(8), 0, 1),
        (lambda lines: lines.map(len).window(8), 0, 1),
        # Until the window is made, nothing is.
        (lambda lines: lines.map(len).window(6, 6), 0, 6),
    ],
    ids=["text", "sums", "numbers", "rare"],
)
def test_text_behind_a_window_is_on_disk(program, least_batches, most_batches):
    size = 3 << 20
    batch = (b"x" * 1023 + b"\n") * (size // 1024)
    with StreamingTest(settings={"swiftwater.spill.memory": NOTHING_FITS}) as test:
        source = test.text_source()
        program(source.stream).foreachRDD(lambda rdd: rdd.count())
        held = []
        for _ in range(18):
            source.send_bytes(batch)
            test.advance()
            held.append(disk_bytes())
        assert max(held) <= most_batches * size * 1.2
        assert min(held[8:]) >= least_batches * size


def test_a_full_disk_is_told_and_loses_nothing(tmp_path):
    settings = {
        "swiftwater.spill.memory": NOTHING_FITS,
        "spark.local.dir": str(tmp_path / "missing"),
    }
    with StreamingTest(settings=settings) as test:
        source = test.text_source()
        found = []
        source.stream.window(2).foreachRDD(lambda rdd: found.append(rdd.take(5)))
        source.send("a")
        with pytest.raises(OSError, match=r"missing.*spark\.local\.dir"):
            test.advance()
        source.send("b")
        with pytest.raises(OSError, match=r"missing.*spark\.local\.dir"):
            test.advance()
        assert found == [["a"], ["a", "b"]]


def test_a_folder_that_cannot_be_written_to(tmp_path):
    conf = SparkConf().set("swiftwater.spill.memory", NOTHING_FITS)
    conf.set("spark.local.dir", str(tmp_path / "missing"))
    refused = pytest.raises(OSError, match=r"missing.*spark\.local\.dir")
    with SparkContext("local[2]", "spill", conf=conf) as sc, refused:
        sc.parallelize(["a" * 100] * 2000).collect()
