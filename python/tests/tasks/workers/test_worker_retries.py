"""Tasks whose worker dies are computed once more, from the same records."""

import os
import signal

import pytest


class DiesOnce:
    """A function of one record that ends its worker the first time it meets one of them."""

    def __init__(self, marker, record):
        self.marker = str(marker)
        self.record = record

    def __call__(self, record):
        if record == self.record:
            try:
                os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return record
            os.kill(os.getpid(), signal.SIGKILL)
        return record


LEFT = [("a", 1), ("b", 2), ("a", 3), ("b", 4)]
RIGHT = [("c", 10), ("d", 20), ("c", 30), ("d", 40)]


def joined(sc):
    """Two RDDs, the second one's partitions behind those of the first."""
    return sc.parallelize(LEFT, 2).union(sc.parallelize(RIGHT, 2))


def moved_union(sc):
    return joined(sc).map(lambda pair: pair).union(sc.parallelize([("e", 100)] * 4, 2))


def cached_union(sc):
    left = sc.parallelize(LEFT, 2).cache()
    right = sc.parallelize(RIGHT, 2).cache()
    assert (left.count(), right.count()) == (4, 4)
    return left.union(right)


def chosen(sc):
    """Every partition is one of another RDD's, under another number."""
    return sc.union([joined(sc), joined(sc)]).coalesce(4)


INPUTS = {
    "union": joined,
    "union of a moved part": moved_union,
    "union of cached": cached_union,
    "coalesced": chosen,
}


def numbered(number, pairs):
    return [(number, list(pairs))]


ENDS = {
    "combineByKey": lambda rdd, dies: rdd.combineByKey(
        lambda value: [dies(value)],
        lambda values, value: [*values, dies(value)],
        lambda some, others: some + others,
        2,
    ),
    "mapPartitionsWithIndex": lambda rdd, dies: rdd.mapValues(dies).mapPartitionsWithIndex(
        numbered
    ),
    "zip": lambda rdd, dies: rdd.zip(rdd.mapValues(dies)),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("source", INPUTS)
def test_a_second_attempt_reads_what_the_first_did(always, tmp_path, source, end):
    expected = ENDS[end](INPUTS[source](always), abs).glom().collect()
    marker = tmp_path / "marker"
    found = ENDS[end](INPUTS[source](always), DiesOnce(marker, 40)).glom().collect()
    assert marker.exists()
    assert found == expected
