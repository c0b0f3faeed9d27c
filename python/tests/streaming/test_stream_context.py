"""The life of a ``StreamingContext``: made, started, waited for, stopped."""

import warnings

import pytest

from swiftwater import SparkContext
from swiftwater.errors import (
    IllegalArgumentException,
    IllegalStateException,
    Py4JJavaError,
    SparkException,
    UnsupportedOperationException,
)
from swiftwater.streaming import StreamingContext
from swiftwater.testing import StreamingTest


@pytest.mark.parametrize(
    ("interval", "error"),
    [
        (None, AssertionError),
        (0, ValueError),
        (0.0, ValueError),
        (-1, ValueError),
        (0.0009, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ("1", TypeError),
        (True, TypeError),
        ([1], TypeError),
    ],
)
def test_intervals_that_make_no_sense(sc, interval, error):
    with pytest.raises(error, match="batch interval"):
        StreamingContext(sc, interval)


@pytest.mark.parametrize(
    ("interval", "slide"),
    [(1, 1.0), (0.5, 0.5), (0.0019, 0.001), (2.9999, 2.999), (86400, 86400.0)],
)
def test_the_interval_is_cut_to_milliseconds(sc, interval, slide):
    ssc = StreamingContext(sc, interval)
    assert ssc.queueStream([[1]])._slideDuration == slide
    assert ssc.sparkContext is sc
    ssc.stop(stopSparkContext=False)


def test_it_needs_a_running_spark_context(sc):
    with pytest.raises(TypeError, match="needs a SparkContext, not str"):
        StreamingContext("local[2]", 1)
    sc.stop()
    with pytest.raises(RuntimeError, match="stopped SparkContext"):
        StreamingContext(sc, 1)


def test_nothing_is_deprecated(sc):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        StreamingContext(sc, 1).stop(False)


def test_start_without_output(streaming):
    streaming.ssc.queueStream([[1]]).map(str)
    text = "^requirement failed: No output operations registered, so nothing to execute$"
    with pytest.raises(RuntimeError, match=text):
        streaming.start()
    with pytest.raises(RuntimeError, match="^StreamingContext has already been stopped$"):
        streaming.start()


def test_a_second_start_does_nothing(streaming, capfd):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.start()
    streaming.ssc.start()
    assert "StreamingContext has already been started" in capfd.readouterr().err
    streaming.advance()


def test_start_after_stop(streaming):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.start()
    streaming.ssc.stop(False)
    with pytest.raises(RuntimeError, match="^StreamingContext has already been stopped$"):
        streaming.ssc.start()


def test_only_one_context_is_active(streaming):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    with StreamingTest(spark_context=streaming.sc) as other:
        other.collect(other.ssc.queueStream([[2]]))
        streaming.start()
        text = "^Only one StreamingContext may be started in this JVM. .* was started at .*:[0-9]+$"
        with pytest.raises(RuntimeError, match=text):
            other.start()
        streaming.ssc.stop(stopSparkContext=False)
        other.advance()


def additions(ssc, stream):
    return {
        "map": lambda: stream.map(str),
        "reduceByKey": lambda: stream.reduceByKey(max),
        "count": stream.count,
        "union": lambda: stream.union(stream),
        "transform": lambda: stream.transform(lambda rdd: rdd),
        "pprint": stream.pprint,
        "foreachRDD": lambda: stream.foreachRDD(print),
        "socketTextStream": lambda: ssc.socketTextStream("localhost", 9),
        "queueStream": lambda: ssc.queueStream([[1]]),
        "ssc.union": lambda: ssc.union(stream, stream),
        "ssc.transform": lambda: ssc.transform([stream], lambda rdds: rdds[0]),
    }


@pytest.mark.parametrize(
    "operator",
    "map reduceByKey count union transform pprint foreachRDD socketTextStream queueStream "
    "ssc.union ssc.transform".split(),
)
def test_nothing_is_added_after_the_start(streaming, operator):
    stream = streaming.ssc.queueStream([[1]])
    streaming.collect(stream)
    streaming.start()
    text = (
        "^Adding new inputs, transformations, and output operations after {} a context "
        "is not supported$"
    )
    with pytest.raises(RuntimeError, match=text.format("starting")):
        additions(streaming.ssc, stream)[operator]()
    streaming.ssc.stop(stopSparkContext=False)
    with pytest.raises(RuntimeError, match=text.format("stopping")):
        additions(streaming.ssc, stream)[operator]()


def test_get_active(streaming):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    assert StreamingContext.getActive() is None
    streaming.start()
    assert StreamingContext.getActive() is streaming.ssc
    assert StreamingContext._activeContext is streaming.ssc
    streaming.ssc.stop(False)
    assert StreamingContext.getActive() is None


def test_stop_takes_the_spark_context_along(sc):
    ssc = StreamingContext(sc, 1)
    ssc.queueStream([[1]]).pprint()
    ssc.stop(stopSparkContext=False)
    assert sc.parallelize([1]).count() == 1
    ssc.stop()
    ssc.stop(True, True)
    assert SparkContext._active_spark_context is None


def test_stopping_the_spark_context_stops_its_streams(streaming):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.start()
    streaming.sc.stop()
    assert StreamingContext.getActive() is None
    assert streaming.ssc.awaitTerminationOrTimeout(0) is True


@pytest.mark.parametrize("timeout", [0, 0.01, -1])
def test_waiting_with_a_timeout(streaming, timeout):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.start()
    assert streaming.ssc.awaitTerminationOrTimeout(timeout) is False
    assert streaming.ssc.awaitTermination(timeout) is None
    streaming.ssc.stop(stopSparkContext=False)
    assert streaming.ssc.awaitTerminationOrTimeout(timeout) is True
    assert streaming.ssc.awaitTermination() is None


def test_waiting_for_no_number_is_refused(streaming):
    with pytest.raises(ValueError, match="timeout"):
        streaming.ssc.awaitTermination(float("nan"))


def test_waiting_raises_the_latest_error_and_the_context_lives_on(streaming):
    stream = streaming.ssc.queueStream([["1"], ["x"], ["y"], ["2"]])
    out = streaming.collect(stream.map(int))
    streaming.advance()
    for word in ("x", "y"):
        with pytest.raises(ValueError, match=f"'{word}'"):
            streaming.advance()
        with pytest.raises(ValueError, match=f"'{word}'"):
            streaming.ssc.awaitTerminationOrTimeout(0)
    streaming.advance()
    with pytest.raises(ValueError, match="'y'"):
        streaming.ssc.awaitTermination(0)
    assert out.batches == [[1], [2]]
    assert StreamingContext.getActive() is streaming.ssc


def test_a_graceful_stop_works_on_what_has_come(streaming):
    source = streaming.text_source()
    out = streaming.collect(source.stream)
    streaming.start()
    source.send("not yet in a batch")
    streaming.ssc.stop(stopSparkContext=False, stopGraceFully=True)
    assert out.records == ["not yet in a batch"]


def test_a_plain_stop_does_not(streaming):
    source = streaming.text_source()
    out = streaming.collect(source.stream)
    streaming.start()
    source.send("dropped")
    streaming.ssc.stop(stopSparkContext=False)
    assert out.records == []


def test_streams_know_their_context(streaming):
    stream = streaming.ssc.queueStream([[1]]).map(str)
    assert stream.context() is streaming.ssc
    assert (stream._ssc, stream._sc) == (streaming.ssc, streaming.sc)
    assert not stream.is_checkpointed


def test_remember_is_said_once(streaming):
    streaming.ssc.remember(5)
    text = r"^requirement failed: Remember duration already set as 5000 ms\. Cannot set it again\.$"
    with pytest.raises(RuntimeError, match=text):
        streaming.ssc.remember(7)


def test_what_is_remembered_lasts(streaming):
    streaming.ssc.remember(4)
    numbers = streaming.ssc.queueStream([[1], [2], [3], [4], [5], [6]])
    streaming.collect(numbers)
    streaming.advance(6)
    begin, end = streaming.batch_time(0), streaming.batch_time(6)
    assert [rdd.collect() for rdd in numbers.slice(begin, end)][-4:] == [[3], [4], [5], [6]]


@pytest.mark.parametrize(
    ("duration", "error"), [("5", TypeError), (True, TypeError), (-1, ValueError)]
)
def test_times_to_remember_that_make_no_sense(streaming, duration, error):
    with pytest.raises(error, match="the time to remember"):
        streaming.ssc.remember(duration)


def test_what_comes_too_late_is_told(streaming, tmp_path, capfd):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.start()
    streaming.ssc.remember(5)
    streaming.ssc.checkpoint(str(tmp_path / "late"))
    err = capfd.readouterr().err
    assert "remember has no effect after the start" in err
    assert "checkpoint has no effect after the start" in err
    assert not (tmp_path / "late").exists()


def test_the_storage_level_is_fixed_by_the_start(streaming):
    stream = streaming.ssc.queueStream([[1]])
    assert stream.cache() is stream
    assert stream.is_cached
    streaming.collect(stream)
    streaming.start()
    text = "^Cannot change storage level of a DStream after streaming context has started$"
    for change in (stream.cache, stream.persist):
        with pytest.raises(RuntimeError, match=text):
            change()


def test_a_context_that_never_ran_is_over_when_it_is_stopped(sc):
    ssc = StreamingContext(sc, 1)
    ssc.queueStream([[1]]).pprint()
    ssc.stop(stopSparkContext=False)
    assert ssc.awaitTermination() is None
    assert ssc.awaitTerminationOrTimeout(1) is True


def test_names_of_the_jvm(streaming):
    ssc = streaming.ssc
    assert ssc._jduration(1.5).milliseconds() == 1500
    assert str(ssc._jduration(2)) == "2000 ms"
    assert ssc._jduration(1) == ssc._jduration(1.0) != ssc._jduration(2)
    assert ssc._jvm is streaming.sc._jvm
    assert StreamingContext._transformerSerializer is None
    streaming.collect(ssc.queueStream([[1]]))
    assert ssc._jssc.getState() == "INITIALIZED"
    streaming.start()
    assert StreamingContext.getActive() is ssc
    ssc._jssc.stop(False)
    assert StreamingContext.getActive() is None
    assert ssc._jssc.getState() == "STOPPED"
    with pytest.raises(NotImplementedError, match="needs a JVM"):
        ssc._jssc.sparkContext()


@pytest.mark.parametrize("what", ["stream", "context"])
def test_streams_and_contexts_stay_in_the_driver(streaming, what):
    stream = streaming.ssc.queueStream([[1]])
    held = stream if what == "stream" else streaming.ssc
    streaming.collect(stream.map(lambda record: (record, held)))
    with pytest.raises(RuntimeError, match="can only be used in the driver"):
        streaming.advance()


def test_errors_are_those_of_pyspark(streaming):
    ssc = streaming.ssc
    stream = ssc.queueStream([[1]])
    with pytest.raises(SparkException, match="has not been initialized"):
        stream.slice(0, 1)
    with pytest.raises(IllegalArgumentException, match="No output operations registered"):
        ssc.start()
    with pytest.raises(IllegalStateException, match="has already been stopped"):
        ssc.start()
    with pytest.raises(IllegalStateException, match="Adding new inputs"):
        stream.map(str)
    with pytest.raises(UnsupportedOperationException, match="Cannot change storage level"):
        stream.cache()
    kinds = (IllegalArgumentException, IllegalStateException, SparkException)
    assert all(issubclass(kind, (Py4JJavaError, RuntimeError)) for kind in kinds)
