"""Records that a worker process cannot take in: the driver works on them, and none is lost."""

import os

import pytest

from swiftwater import SparkConf, SparkContext


class OneWay:
    """Can be pickled, and not unpickled."""

    def __init__(self, number):
        self.number = number

    def __setstate__(self, state):
        raise RuntimeError("only once")


def reading(records):
    return [(record.number, os.getpid()) for record in records]


def reading_on(records):
    """Go on with what there is."""
    found = []
    try:
        found.extend((record.number, os.getpid()) for record in records)
    except Exception:  # noqa: BLE001 - as functions do that must not fail
        found.append("failed")
    return found


def one_by_one(records):
    for record in records:
        yield record.number, os.getpid()


@pytest.mark.parametrize("function", [reading, reading_on, one_by_one], ids=lambda f: f.__name__)
def test_a_function_that_reads_its_input_itself(function, capfd):
    conf = SparkConf().set("swiftwater.workers", "always")
    with SparkContext("local[2]", "input", conf=conf) as sc:
        records = sc.parallelize([OneWay(number) for number in range(6)], 2)
        expected = [(number, os.getpid()) for number in range(6)]
        assert records.mapPartitions(function).collect() == expected
    assert "its records cannot be unpickled (RuntimeError: only once)" in capfd.readouterr().err
