"""Functions that work on RDDs in the driver: ``transform`` and ``foreachRDD``."""

import functools
from datetime import datetime

import pytest

from swiftwater import RDD
from swiftwater.testing import run_batches


class Methods:
    def one(self, rdd):
        return rdd.map(str)

    def two(self, time, rdd):
        assert isinstance(time, datetime)
        return rdd.map(str)

    def three(self, a, b, c):
        raise AssertionError

    @classmethod
    def of_class(cls, rdd):
        return rdd.map(str)

    @staticmethod
    def static(time, rdd):
        assert isinstance(time, datetime)
        return rdd.map(str)

    def __call__(self, rdd):
        return rdd.map(str)


def scaled(factor, rdd):
    return rdd.map(str)


def with_default(time, rdd=None):
    # Spark counts an argument that has a default.
    assert isinstance(time, datetime)
    return rdd.map(str)


@pytest.mark.parametrize(
    "function",
    [
        lambda rdd: rdd.map(str),
        lambda time, rdd: rdd.map(str),
        Methods().one,
        Methods().two,
        Methods.of_class,
        Methods.static,
        Methods(),
        functools.partial(scaled, 2),
        with_default,
    ],
)
def test_one_or_two_arguments(function):
    assert run_batches(lambda s: s.transform(function), [[1, 2], [3]]) == [["1", "2"], ["3"]]


@pytest.mark.parametrize(
    "function", [lambda: 1, lambda a, b, c: 1, lambda *all: 1, Methods().three]
)
def test_other_numbers_of_arguments_are_refused_at_once(streaming, function):
    stream = streaming.ssc.queueStream([[1]])
    with pytest.raises(AssertionError, match="^func should take one or two arguments$"):
        stream.transform(function)


def test_time_is_the_batch_time(streaming):
    times = []
    stream = streaming.ssc.queueStream([[1]])
    out = streaming.collect(stream.transform(lambda time, rdd: times.append(time) or rdd))
    streaming.advance(2)
    assert times == [streaming.batch_time(1), streaming.batch_time(2)]
    assert out.batches == [[1], []]


def test_none_means_no_rdd_and_outputs_are_skipped(streaming):
    stream = streaming.ssc.queueStream([[1], [2], [3]])
    odd = stream.transform(lambda rdd: rdd if rdd.first() != 2 else None)
    called = []
    seen = streaming.collect(odd.transform(lambda rdd: called.append(1) or rdd).map(str))
    streaming.run_until_idle()
    assert seen.batches == [["1"], ["3"]]
    assert len(called) == 2


def test_a_result_that_is_no_rdd_is_an_error(streaming):
    streaming.collect(streaming.ssc.queueStream([[1]]).transform(lambda rdd: [1]))
    with pytest.raises(TypeError, match="must return an RDD, not list"):
        streaming.advance()


def test_an_error_in_transform_drops_the_batch_and_no_other(streaming):
    stream = streaming.ssc.queueStream([[0], [1]])
    fine = streaming.collect(stream)
    streaming.collect(stream.transform(lambda rdd: rdd.map(str) if 1 / rdd.first() else rdd))
    with pytest.raises(ZeroDivisionError) as caught:
        streaming.advance()
    assert "transform at test_stream_transform.py:" in "\n".join(caught.value.__notes__)
    streaming.advance()
    assert fine.batches == [[1]]


def test_transform_of_many(streaming):
    ssc = streaming.ssc
    left, right = ssc.queueStream([[1], [2]]), ssc.queueStream([["a"]])

    def both(rdds):
        assert isinstance(rdds, tuple)
        return rdds[1].union(rdds[0])

    out = streaming.collect(ssc.transform([left, right], both))
    streaming.advance(2)
    assert out.batches == [["a", 1], [2]]


def test_transform_of_many_checks_its_arguments(streaming):
    with pytest.raises(ValueError, match="head of empty list"):
        streaming.ssc.transform([], lambda rdds: rdds[0])
    with pytest.raises(TypeError, match="transform needs a function"):
        streaming.ssc.transform([streaming.ssc.queueStream([[1]])], 3)


class Sink:
    def __init__(self):
        self.got = []

    def one(self, rdd):
        self.got.append(rdd.collect())

    def two(self, time, rdd):
        self.got.append((time, rdd.collect()))


def test_foreach_rdd_with_one_argument(streaming):
    got, sink = [], Sink()
    stream = streaming.ssc.queueStream([[1], [2]])
    stream.foreachRDD(lambda rdd: got.append(rdd.collect()))
    stream.foreachRDD(sink.one)
    streaming.run_until_idle()
    assert got == sink.got == [[1], [2]]


def test_foreach_rdd_with_time(streaming):
    sink, others = Sink(), []
    stream = streaming.ssc.queueStream([[1]])
    stream.foreachRDD(sink.two)
    # Spark: whatever does not take exactly one argument gets two.
    stream.foreachRDD(lambda *both: others.append(both))
    streaming.advance()
    assert sink.got == [(streaming.batch_time(1), [1])]
    assert others[0][0] == streaming.batch_time(1)
    assert isinstance(others[0][1], RDD)


def test_foreach_rdd_runs_in_the_driver_and_on_empty_batches(streaming):
    state = {"batches": 0}

    def add(rdd):
        state["batches"] += 1
        return "ignored"

    streaming.ssc.queueStream([[1]]).foreachRDD(add)
    streaming.advance(3)
    assert state == {"batches": 3}


def test_outputs_run_in_their_order_and_one_that_fails_stops_no_other(streaming):
    order = []
    stream = streaming.ssc.queueStream([["batch"], []])

    def fail(rdd):
        order.append("b")
        raise LookupError("b fails")

    stream.foreachRDD(lambda rdd: order.append("a"))
    stream.foreachRDD(fail)
    stream.foreachRDD(lambda rdd: order.append("c"))
    for _ in range(2):
        with pytest.raises(LookupError, match="b fails"):
            streaming.advance()
    assert order == ["a", "b", "c"] * 2


def test_notes_of_an_error_name_operator_batch_and_record(streaming):
    stream = streaming.ssc.queueStream([["12", "pear"]])
    streaming.collect(stream.map(int))
    with pytest.raises(ValueError, match="pear") as caught:
        streaming.advance()
    notes = "\n".join(caught.value.__notes__)
    assert "map at test_stream_transform.py:" in notes
    assert str(streaming.batch_time(1)) in notes
    assert "'pear'" in notes
