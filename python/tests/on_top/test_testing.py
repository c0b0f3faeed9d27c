"""The test kit for users."""

import time
from datetime import UTC, datetime

import pytest

from swiftwater import SparkContext
from swiftwater.testing import StreamingTest, run_batches


def test_time_stands_still_until_it_is_moved(streaming):
    out = streaming.collect(streaming.ssc.queueStream([[1], [2]]))
    streaming.start()
    assert streaming.now == 0.0
    streaming.advance(0.4)
    streaming.advance(0.5)
    assert (streaming.now, out.batches) == (0.9, [])
    streaming.advance(0.1)
    assert (streaming.now, out.batches, out.times) == (1.0, [[1]], [1.0])
    streaming.advance(2.5)
    assert (streaming.now, out.batches, out.times) == (3.5, [[1], [2], []], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("interval", "times"),
    [(1.0, [1.0, 2.0]), (0.25, [0.25, 0.5]), (60, [60.0, 120.0]), (0.7, [0.7, 1.4]), (7, [7, 14])],
)
def test_batches_begin_with_the_test(interval, times):
    with StreamingTest(interval) as test:
        out = test.collect(test.ssc.queueStream([[1], [2]]))
        test.run_until_idle()
        assert out.times == times
        assert out.batches == [[1], [2]]


def test_the_beginning_is_fixed(streaming):
    start = datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC).astimezone().replace(tzinfo=None)
    assert streaming.batch_time(1) == start


def test_what_is_sent_before_the_start_is_in_the_first_batch(streaming):
    lines = streaming.text_source()
    out = streaming.collect(lines.stream)
    lines.send("early", "bird")
    lines.send()
    assert not streaming.started
    streaming.advance()
    assert streaming.started
    assert out.batches == [["early", "bird"]]


def test_two_sources(streaming):
    left, right = streaming.text_source(), streaming.text_source()
    out = streaming.collect(left.stream.union(right.stream))
    left.send("l")
    right.send("r")
    streaming.advance()
    assert out.last == ["l", "r"]


def test_what_is_collected(streaming):
    out = streaming.collect(streaming.ssc.queueStream([[1, 2], [], [3]]))
    with pytest.raises(IndexError, match="no batch has run yet"):
        _ = out.last
    streaming.run_until_idle()
    assert (out.batches, out.last, out.records) == ([[1, 2], [], [3]], [3], [1, 2, 3])


def test_run_until_idle_stops_when_nothing_is_left(streaming):
    lines = streaming.text_source()
    out = streaming.collect(lines.stream)
    streaming.run_until_idle()
    assert out.batches == []
    lines.send("a")
    streaming.run_until_idle()
    streaming.run_until_idle()
    assert out.batches == [["a"]]


def test_run_until_idle_has_a_bound(streaming):
    lines = streaming.text_source()
    lines.stream.foreachRDD(lambda rdd: lines.send("again"))
    lines.send("first")
    with pytest.raises(RuntimeError, match="still input after 5 batches"):
        streaming.run_until_idle(most_batches=5)


def test_an_error_is_raised_by_the_advance_of_its_batch(streaming):
    out = streaming.collect(streaming.ssc.queueStream([["1"], ["x"], ["3"]]).map(int))
    with pytest.raises(ValueError, match="'x'"):
        streaming.advance(3)
    assert (streaming.now, out.batches) == (2.0, [[1]])
    streaming.advance()
    assert out.batches == [[1], [3]]


def test_time_does_not_go_back(streaming):
    with pytest.raises(ValueError, match="time does not go back"):
        streaming.advance(-1)


def test_a_test_without_output_says_so(streaming):
    streaming.text_source()
    with pytest.raises(RuntimeError, match="No output operations registered"):
        streaming.advance()


def test_master_and_settings():
    with StreamingTest(master="local[3]", settings={"spark.default.parallelism": "5"}) as test:
        assert test.sc.master == "local[3]"
        assert test.sc.defaultParallelism == 5


def test_a_given_spark_context_stays_open(sc):
    for _ in range(2):
        with StreamingTest(spark_context=sc) as test:
            out = test.collect(test.ssc.queueStream([[1]]))
            test.advance()
            assert out.last == [1]
    assert sc.parallelize([1]).count() == 1


def test_a_bad_interval_leaves_nothing_open():
    with pytest.raises(ValueError, match="batch interval"):
        StreamingTest(0)
    assert SparkContext._active_spark_context is None


def test_an_error_in_the_block_closes_everything():
    with pytest.raises(KeyError), StreamingTest():
        raise KeyError("x")
    assert SparkContext._active_spark_context is None


def test_run_batches():
    assert run_batches(lambda s: s.map(str), [[1], [], [2, 3]]) == [["1"], [], ["2", "3"]]
    assert run_batches(lambda s: s.map(str), [[1]], batches=3) == [["1"], [], []]
    assert run_batches(lambda s: s.map(str), []) == []
    both = run_batches(lambda a, b: a.union(b), [[1], [2]], [["a"]])
    assert both == [[1, "a"], [2]]


def test_run_batches_raises_what_a_batch_raises():
    with pytest.raises(ZeroDivisionError):
        run_batches(lambda s: s.map(lambda n: 1 // n), [[0]])
    assert SparkContext._active_spark_context is None


def test_a_context_is_ready_at_once():
    def opened():
        begin = time.perf_counter()
        with StreamingTest() as test:
            out = test.collect(test.text_source().stream)
            test.start()
            took = time.perf_counter() - begin
            test.advance()
            assert out.batches == [[]]
        return took

    assert min(opened() for _ in range(5)) < 0.030
