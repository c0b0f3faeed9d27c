"""Recovery after a clean stop: windows and states go on as if nothing had happened."""

import pytest

from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext
from swiftwater.streaming._checkpoints.recovery import recovered
from swiftwater.testing import StreamingTest, _VirtualTime
from tests.streaming.checkpoints.checkpointed_jobs import (
    KINDS,
    add,
    feed,
    made_up,
    pairs,
    subtract,
    total,
)


def define(test, kind):
    lines = test.text_source()
    test.collect(KINDS[kind](pairs(lines.stream)).glom())
    test.collect(lines.stream.count())


def results(test):
    return [(out.times, out.batches) for out in test.outputs]


@pytest.mark.parametrize("kind", KINDS)
def test_a_recovered_job_goes_on_as_if_it_had_never_stopped(kind, tmp_path):
    seed = len(kind)
    batches = made_up(seed, 16)
    with StreamingTest() as test:
        define(test, kind)
        feed(test, batches)
        expected = results(test)
    for stops in ([1], [5], [8], [2, 3, 9]):
        folder = str(tmp_path / f"{stops}")
        with StreamingTest() as test:
            test.ssc.checkpoint(folder)
            define(test, kind)
            feed(test, batches[: stops[0]])
            found = [(list(times), list(records)) for times, records in results(test)]
        for begin, end in zip(stops, [*stops[1:], len(batches)], strict=True):
            with StreamingTest.recovered(folder) as test:
                feed(test, batches[begin:end])
                for before, more in zip(found, results(test), strict=True):
                    before[0].extend(more[0])
                    before[1].extend(more[1])
        assert found == expected, f"seed {seed}, stops {stops}"


def test_batches_that_were_missed_run_in_order_with_their_own_times(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.collect(pairs(test.text_source().stream).updateStateByKey(total))
        feed(test, [["a 1"], ["b 2"]])
    with StreamingTest.recovered(str(tmp_path), downtime=3.5) as test:
        test.start()
        out = test.outputs[0]
        assert out.times == [3.0, 4.0, 5.0]
        feed(test, [["a 1"]])
        assert out.times == [3.0, 4.0, 5.0, 6.0]
        assert [sorted(batch) for batch in out.batches] == [[("a", 1), ("b", 2)]] * 3 + [
            [("a", 2), ("b", 2)]
        ]


def test_setup_is_called_only_without_a_checkpoint(tmp_path, sc):
    calls = []

    def setup():
        calls.append(1)
        ssc = StreamingContext(sc, 1)
        ssc.socketTextStream("localhost", 9).pprint()
        return ssc

    folder = str(tmp_path / "new")
    ssc = StreamingContext.getOrCreate(folder, setup)
    ssc.start()
    ssc.stop(stopSparkContext=False)
    again = StreamingContext.getOrCreate(folder, setup)
    assert calls == [1]
    assert again.sparkContext is sc
    assert again._interval_ms == 1000
    again.stop(stopSparkContext=False)


def test_a_context_is_opened_with_the_settings_of_the_checkpoint(tmp_path):
    with StreamingTest(0.25, master="local[3]", settings={"spark.app.name": "before"}) as test:
        test.ssc.checkpoint(str(tmp_path))
        test.collect(test.text_source().stream)
        test.advance()

    ssc = recovered(_VirtualTime, str(tmp_path))
    assert SparkContext._active_spark_context is ssc.sparkContext
    assert ssc.sparkContext.master == "local[3]"
    assert ssc._interval_ms == 250
    ssc.stop()


def test_setup_must_return_a_context(tmp_path):
    with pytest.raises(TypeError, match="must return a StreamingContext, not int"):
        StreamingContext.getOrCreate(str(tmp_path), lambda: 3)


def test_get_active_or_create(streaming, tmp_path):
    with pytest.raises(TypeError, match=r"^setupFunc should be callable\.$"):
        StreamingContext.getActiveOrCreate(None, 3)
    streaming.collect(streaming.ssc.queueStream([[1]]))
    assert StreamingContext.getActiveOrCreate(None, lambda: "new") == "new"
    streaming.start()
    found = StreamingContext.getActiveOrCreate(str(tmp_path), lambda: 1 / 0)
    assert found is streaming.ssc


WORDS = {
    "PythonStateDStream": lambda s: s.updateStateByKey(total),
    "PythonReducedWindowedDStream": lambda s: s.reduceByKeyAndWindow(add, subtract, 2, 1),
    "PythonTransformedDStream": lambda s: s.map(str),
    "WindowedDStream": lambda s: s.window(2),
    "PythonTransformed2DStream": lambda s: s.union(s),
    "UnionDStream": lambda s: s.context().union(s, s),
}


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (0.2, "200 ms which is lower than its slide time (1000 ms). Please set it to at least"),
        (1.5, "1500 ms which not a multiple of its slide time (1000 ms). Please set it to a"),
    ],
)
def test_checkpoint_intervals(streaming, tmp_path, kind, interval, text):
    streaming.ssc.checkpoint(str(tmp_path))
    stream = WORDS[kind](pairs(streaming.text_source().stream))
    streaming.collect(stream.checkpoint(interval))
    with pytest.raises(RuntimeError) as caught:
        streaming.start()
    begin = f"requirement failed: The checkpoint interval for {kind} has been set to {text}"
    assert str(caught.value).startswith(begin)


def test_without_a_folder_a_plain_stream_has_no_checkpoints(streaming):
    streaming.collect(streaming.text_source().stream.checkpoint(2))
    with pytest.raises(RuntimeError, match="^requirement failed: The checkpoint directory has not"):
        streaming.start()


def test_without_a_folder_state_runs_after_one_warning(streaming, capfd):
    lines = pairs(streaming.text_source().stream)
    streaming.collect(lines.updateStateByKey(total).checkpoint(2))
    streaming.collect(lines.countByWindow(5, 1))
    streaming.advance(3)
    err = capfd.readouterr().err
    assert err.count("The checkpoint directory has not been set.") == 1
    assert "updateStateByKey-1, countByWindow-2" in err


def test_a_window_needs_no_folder(streaming, capfd):
    streaming.collect(streaming.text_source().stream.window(2))
    streaming.advance(3)
    assert "checkpoint" not in capfd.readouterr().err


def test_the_folder_of_the_spark_context_is_enough(streaming, tmp_path, capfd):
    streaming.sc.setCheckpointDir(str(tmp_path))
    streaming.collect(pairs(streaming.text_source().stream).updateStateByKey(total).checkpoint(2))
    streaming.advance()
    assert "checkpoint directory" not in capfd.readouterr().err


def test_the_checkpoint_interval_is_fixed_by_the_start(streaming):
    stream = streaming.text_source().stream
    streaming.collect(stream)
    streaming.start()
    text = "^Cannot change checkpoint interval of a DStream after streaming context has started$"
    with pytest.raises(RuntimeError, match=text):
        stream.checkpoint(2)
