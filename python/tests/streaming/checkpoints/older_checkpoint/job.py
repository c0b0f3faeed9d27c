"""The job that has written the checkpoint beside it, with an older version."""

import sys

from swiftwater.errors import SparkException
from swiftwater.rdd import portable_hash
from swiftwater.statcounter import StatCounter
from swiftwater.testing import StreamingTest


class Held:
    """What a class of the script stands on is one of the script's, too."""

    def __init__(self, value):
        self.value = value


class Box(Held):
    """A value of a class of the script itself."""


def boxed(new, old):
    return Box(sum(new) + (old.value if old else 0))


def opened(box):
    if not isinstance(box, Box):
        raise SparkException(f"{box!r} is no box")
    return box.value


def measured(new, old):
    return (old or StatCounter()).mergeStats(StatCounter(new))


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def define(test):
    pairs = test.text_source().stream.map(str.split).map(lambda two: (two[0], int(two[1])))
    for stream in (
        pairs.updateStateByKey(boxed).mapValues(opened),
        pairs.partitionBy(2, portable_hash).updateStateByKey(measured).mapValues(StatCounter.mean),
        pairs.groupByKey().window(2).mapValues(list),
        pairs.reduceByKeyAndWindow(add, subtract, 5, 1).transform(lambda rdd: rdd.sortByKey()),
        pairs.map(lambda pair: pair[1]).countByWindow(3, 1),
    ):
        test.collect(stream)


if __name__ == "__main__":
    with StreamingTest() as test:
        test.ssc.checkpoint(sys.argv[1])
        define(test)
        for batch in range(3):
            test.sources[0].send(f"a {batch}", "b 1")
            test.advance()
