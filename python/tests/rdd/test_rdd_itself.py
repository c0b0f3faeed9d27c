"""What an RDD says of itself, and what is not there."""

import os
import re

import pytest

from swiftwater import RDD
from swiftwater._rdd.core import _DEEPEST_ORIGIN
from swiftwater.errors import UnsupportedOperationException
from swiftwater.rdd import _NOT_THERE
from swiftwater.storagelevel import StorageLevel


def test_an_rdd_is_true_and_has_a_type(sc):
    assert sc.emptyRDD()
    assert RDD[int] is not None


def test_names(sc):
    numbers = sc.parallelize([1])
    assert numbers.name() is None
    assert numbers.setName("numbers") is numbers
    assert (numbers.name(), repr(numbers)) == ("numbers", f"numbers RDD[{numbers.id()}]")
    assert numbers.context is numbers.ctx is sc


def test_storage_levels(sc):
    numbers = sc.parallelize([1, 2])
    assert numbers.getStorageLevel() == StorageLevel.NONE
    assert numbers.cache().getStorageLevel() == StorageLevel.MEMORY_ONLY
    assert numbers.persist() is numbers
    with pytest.raises(UnsupportedOperationException, match="^Cannot change storage level of an"):
        numbers.persist(StorageLevel.DISK_ONLY)
    assert numbers.unpersist(blocking=True).getStorageLevel() == StorageLevel.NONE
    assert numbers.persist(StorageLevel.DISK_ONLY_2).getStorageLevel().replication == 2
    assert numbers.persist(StorageLevel.DISK_ONLY_2).is_cached
    with pytest.raises(TypeError, match="persist needs a StorageLevel, not str: 'memory'"):
        numbers.persist("memory")


def test_the_level_none_keeps_nothing(sc, tmp_path):
    def noted(record):
        with open(tmp_path / "log", "a") as file:
            file.write("x")
        return record

    numbers = sc.parallelize([1, 2]).map(noted).persist(StorageLevel.NONE)
    assert numbers.is_cached  # Spark says so too
    assert (numbers.count(), numbers.count()) == (2, 2)
    assert (tmp_path / "log").read_text() == "x" * 4


def test_debug_string(sc):
    pairs = sc.parallelize([("a", 1)], 3)
    other = sc.parallelize([("b", 2)], 2).setName("other")
    both = pairs.reduceByKey(max).map(str).union(other.cache()).setName("both")
    here = "at test_rdd_itself.py:"
    lines = both.toDebugString().decode().splitlines()
    line = str(lines[0]).rpartition(":")[2].removesuffix(" []")
    numbers = [rdd.id() for rdd in (pairs, other, both)]
    first = numbers[1] + 1
    assert lines == [
        f"(5) both RDD[{numbers[2]}] union {here}{line} []",
        f" |  RDD[{first + 1}] map {here}{line} []",
        f" |  RDD[{first}] reduceByKey {here}{line} []",
        f" +-(3) RDD[{numbers[0]}] []",
        f" |  RDD[{numbers[1]}] []",
    ]
    assert other.toDebugString() == (
        f"(2) other RDD[{other.id()}] [Memory Serialized 1x Replicated]".encode()
    )


def test_shuffles_behind_shuffles_are_indented(sc):
    pairs = sc.parallelize([("a", 1)], 2).mapValues(str)
    twice = pairs.groupByKey(12).mapValues(len).reduceByKey(max, 1)
    lines = twice.toDebugString().decode().splitlines()
    assert [line[: line.index("RDD")] for line in lines] == [
        "(1) ",
        " +-(12) ",
        "    |   ",
        "    |   ",
        "    +-(2) ",
        "       |  ",
    ]


@pytest.mark.parametrize(
    "call", ["textFile", "wholeTextFiles", "binaryFiles", "binaryRecords", "pickleFile"]
)
def test_files_are_named(sc, tmp_path, call):
    path = tmp_path / "some, with [signs].txt"
    path.write_text("ab")
    read = getattr(sc, call)
    rdd = read(str(path), 2) if call == "binaryRecords" else read(str(path))
    here = "at test_rdd_itself.py:"
    (line,) = rdd.toDebugString().decode().splitlines()
    assert re.fullmatch(rf"\(\d\) {re.escape(str(path))} RDD\[\d+\] {call} {here}\d+ \[\]", line)
    first, *_, last = rdd.map(str).groupBy(len).toDebugString().decode().splitlines()
    assert " groupBy at " in first
    assert last.strip(" |+-(12)").startswith(f"{path} RDD[{rdd.id()}] {call} at ")


def lineage(stream):
    """What the RDDs of a stream say of themselves in each batch."""
    said = []
    stream.foreachRDD(lambda rdd: said.append(rdd.toDebugString().decode()))
    return said


def test_files_of_streams_are_named(streaming, tmp_path):
    lines = streaming.ssc.textFileStream(str(tmp_path))
    upper = lines.map(str.upper).filter(bool)
    counts = upper.map(lambda line: (line, 1)).reduceByKey(max, 2)
    records = streaming.ssc.binaryRecordsStream(str(tmp_path), 1)
    said = [lineage(stream) for stream in (lines, upper, counts, records, lines.window(2))]
    derived = []
    lines.foreachRDD(lambda rdd: derived.append(rdd.map(len).glom().toDebugString().decode()))
    streaming.start()
    for batch, names in enumerate((["a.txt"], [], ["b.txt", "c.txt"]), 1):
        for name in names:
            (tmp_path / name).write_text(name)
            seconds = streaming.batch_time(batch).timestamp()
            os.utime(tmp_path / name, (seconds, seconds))
        streaming.advance()

    def files(text):
        return re.findall(rf"file:{tmp_path}/(\w+\.txt) RDD\[\d+\]", text)

    for each in (*said[:4], derived):
        assert list(map(files, each)) == [["a.txt"], [], ["b.txt", "c.txt"]]
    assert list(map(files, said[4])) == [["a.txt"], ["a.txt"], ["b.txt", "c.txt"]]
    assert re.match(r"\(1\) file:\S+/a.txt RDD\[\d+\] textFile \[\]$", said[0][0])
    assert re.match(r"\(2\) RDD\[\d+\] reduceByKey \[\]\n \+-\(1\) RDD", said[2][0])
    assert "union" in said[0][2]


def test_a_stream_without_files_has_a_lineage(streaming):
    stream = streaming.ssc.queueStream([[1, 2]])
    said = lineage(stream.map(lambda n: (n, n)).reduceByKey(max, 1).filter(bool))
    streaming.advance()
    assert re.sub(r"RDD\[\d+\]", "RDD", said[0]).splitlines() == [
        "(1) RDD filter []",
        " |  RDD reduceByKey []",
        " +-(2) RDD map []",
        "    |  RDD []",
    ]


def test_a_long_lineage_of_a_stream_is_cut(streaming):
    stream = streaming.ssc.queueStream([[1]] * 300).window(300)
    said = lineage(stream)
    streaming.advance(260)
    assert len(said[-1].splitlines()) <= 201


def test_a_long_lineage_is_not_kept_for_ever(sc):
    rdd = sc.parallelize([1], 1)
    for _ in range(3 * _DEEPEST_ORIGIN):
        rdd = rdd.map(lambda n: n)
    assert len(rdd.toDebugString().splitlines()) <= _DEEPEST_ORIGIN + 1
    assert rdd.collect() == [1]


@pytest.mark.parametrize("name", sorted(_NOT_THERE))
def test_what_is_not_there_says_so(sc, name):
    with pytest.raises(NotImplementedError, match=rf"^RDD\.{name} is not part of Swiftwater: "):
        getattr(sc.parallelize([1]), name)("any", argument=1)
    assert getattr(RDD, name).__doc__
