"""What an RDD says of itself, and what is not there."""

import pytest

from swiftwater import RDD
from swiftwater.errors import UnsupportedOperationException
from swiftwater.rdd import _DEEPEST_ORIGIN, _NOT_THERE
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
