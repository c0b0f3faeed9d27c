# ruff: noqa: N802
"""Streaming listeners: what they are told, and when."""

import threading
from threading import Event, Thread

import pytest

from swiftwater._native import engine
from swiftwater.streaming import StreamingContext, StreamingListener
from swiftwater.streaming._events import BatchInfo, OutputOperationInfo, ReceiverInfo, event
from swiftwater.testing import StreamingTest

BEGIN = 1_893_456_000_000


class Recorder(StreamingListener):
    def __init__(self):
        self.names = []
        self.events = {}

    def _note(self, name, event):
        self.names.append(name)
        self.events.setdefault(name, []).append(event)


def _noting(name):
    def method(self, event):
        self._note(name, event)

    return method


for _name in [name for name in vars(StreamingListener) if name.startswith("on")]:
    setattr(Recorder, _name, _noting(_name))


@pytest.fixture
def recorder(streaming):
    listener = Recorder()
    streaming.ssc.addStreamingListener(listener)
    return listener


BATCH = [
    "onBatchSubmitted",
    "onBatchStarted",
    "onOutputOperationStarted",
    "onOutputOperationCompleted",
    "onOutputOperationStarted",
    "onOutputOperationCompleted",
    "onBatchCompleted",
]


def test_the_order_of_events(streaming, recorder):
    numbers = streaming.ssc.queueStream([[1], [2]])
    streaming.collect(numbers)
    numbers.foreachRDD(lambda rdd: None)
    streaming.advance(2)
    assert recorder.names == ["onStreamingStarted", *BATCH, *BATCH]
    assert recorder.events["onStreamingStarted"][0].time() == BEGIN


def test_what_is_known_of_a_batch(streaming, recorder):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.advance()
    submitted = recorder.events["onBatchSubmitted"][0].batchInfo()
    assert submitted.batchTime().milliseconds() == BEGIN + 1000
    assert str(submitted.batchTime()) == f"{BEGIN + 1000} ms"
    assert submitted.submissionTime() == BEGIN + 1000
    unknown = ("processingStartTime", "processingEndTime", "schedulingDelay", "totalDelay")
    assert [getattr(submitted, name)() for name in unknown] == [-1] * 4
    started = recorder.events["onBatchStarted"][0].batchInfo()
    assert started.processingStartTime() >= BEGIN + 1000
    assert started.schedulingDelay() == 0
    assert (started.processingEndTime(), started.processingDelay()) == (-1, -1)
    done = recorder.events["onBatchCompleted"][0].batchInfo()
    assert done.totalDelay() == done.schedulingDelay() + done.processingDelay() >= 0
    assert list(done.outputOperationInfos()) == [0]


def test_a_queue_reports_no_records(streaming, recorder):
    streaming.collect(streaming.ssc.queueStream([[1, 2, 3]]))
    streaming.advance()
    done = recorder.events["onBatchCompleted"][0].batchInfo()
    assert done.numRecords() == 0
    assert done.streamIdToInputInfo() == {}


def test_a_receiver_reports_records(streaming, recorder):
    lines = streaming.text_source()
    streaming.collect(lines.stream)
    lines.send("a", "b")
    streaming.advance()
    done = recorder.events["onBatchCompleted"][0].batchInfo()
    assert done.numRecords() == 2
    (info,) = done.streamIdToInputInfo().values()
    assert info.numRecords() == 2
    assert list(done.streamIdToInputInfo()) == [info.inputStreamId()]
    started = recorder.events["onReceiverStarted"][0].receiverInfo()
    assert started.active()
    assert started.streamId() == info.inputStreamId()
    assert (started.lastErrorMessage(), started.lastErrorTime()) == ("", -1)


def test_outputs(streaming, recorder):
    def fail(rdd):
        raise ValueError("no such thing")

    numbers = streaming.ssc.queueStream([[1]])
    streaming.collect(numbers)
    numbers.foreachRDD(fail)
    with pytest.raises(ValueError, match="no such thing"):
        streaming.advance()
    good, bad = (
        each.outputOperationInfo() for each in recorder.events["onOutputOperationCompleted"]
    )
    assert (good.id(), bad.id()) == (0, 1)
    assert good.failureReason() is None
    assert "ValueError" in bad.failureReason()
    assert "no such thing" in bad.failureReason()
    assert "foreachRDD" in bad.name()
    assert bad.batchTime().milliseconds() == BEGIN + 1000
    assert bad.endTime() >= bad.startTime() >= BEGIN + 1000
    before = recorder.events["onOutputOperationStarted"][0].outputOperationInfo()
    assert (before.endTime(), before.failureReason()) == (-1, None)
    # A batch with a failed output is over too.
    assert recorder.names[-1] == "onBatchCompleted"


def test_a_failing_listener_disturbs_nobody(streaming, recorder, capfd):
    class Failing(StreamingListener):
        def onBatchCompleted(self, event):
            raise KeyError("listener")

    streaming.ssc.addStreamingListener(Failing())
    after = Recorder()
    streaming.ssc.addStreamingListener(after)
    out = streaming.collect(streaming.ssc.queueStream([[1], [2]]))
    streaming.advance(2)
    assert out.batches == [[1], [2]]
    assert recorder.names == after.names
    err = capfd.readouterr().err
    assert err.count("a streaming listener failed in onBatchCompleted") == 2
    assert "KeyError: 'listener'" in err


def test_a_listener_need_not_have_all_methods(streaming):
    class Some:
        def __init__(self):
            self.count = 0

        def onBatchCompleted(self, event):
            self.count += 1

    some = Some()
    streaming.ssc.addStreamingListener(some)
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.advance(3)
    assert some.count == 3


def test_listeners_come_and_go_while_it_runs(streaming):
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.advance()
    late = Recorder()
    streaming.ssc.addStreamingListener(late)
    streaming.advance()
    assert late.names[-1] == "onBatchCompleted"
    seen = len(late.names)
    streaming.ssc.removeStreamingListener(late)
    streaming.ssc.removeStreamingListener(late)
    streaming.advance()
    assert len(late.names) == seen


def test_without_a_listener_no_event_is_made(streaming, monkeypatch):
    told = []
    set_listener = engine.set_listener
    monkeypatch.setattr(
        engine,
        "set_listener",
        lambda handle, function: told.append(function) or set_listener(handle, function),
    )
    first, second = Recorder(), Recorder()
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.ssc.removeStreamingListener(first)
    streaming.ssc.addStreamingListener(first)
    streaming.ssc.addStreamingListener(second)
    streaming.ssc.removeStreamingListener(first)
    streaming.advance()
    assert [function is None for function in told] == [False]
    streaming.ssc.removeStreamingListener(second)
    streaming.advance()
    streaming.ssc.addStreamingListener(first)
    streaming.advance()
    assert [function is None for function in told] == [False, True, False]
    submitted = "onBatchSubmitted"
    assert (first.names.count(submitted), second.names.count(submitted)) == (1, 1)


def test_a_listener_cannot_stop_the_context(streaming):
    errors = []

    class Stopping(StreamingListener):
        def onBatchCompleted(self, event):
            try:
                streaming.ssc.stop(False)
            except RuntimeError as error:
                errors.append(str(error))

    streaming.ssc.addStreamingListener(Stopping())
    out = streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.advance(2)
    assert errors == ["Cannot stop StreamingContext within listener bus thread."] * 2
    assert out.batches == [[1], []]


def test_on_the_system_clock_a_listener_has_a_thread_of_its_own(sc):
    told = threading.Event()
    names = []

    class Threads(StreamingListener):
        def onBatchCompleted(self, event):
            names.append(threading.get_ident())
            told.set()

    ssc = StreamingContext(sc, 0.02)
    ssc.addStreamingListener(Threads())
    batches = []
    ssc.queueStream([[1]]).foreachRDD(lambda rdd: batches.append(threading.get_ident()))
    ssc.start()
    assert told.wait(10)
    ssc.stop(stopSparkContext=False)
    assert threading.get_ident() not in names
    assert not set(names) & set(batches)


def test_events_read_the_rows_of_the_engine():
    row = (3, "SocketReceiver-3", True, "localhost", None, "refused", 17)
    info = event("receiverError", row).receiverInfo()
    assert isinstance(info, ReceiverInfo)
    assert (info.streamId(), info.name(), info.active()) == (3, "SocketReceiver-3", True)
    assert (info.location(), info.executorId()) == ("localhost", "driver")
    assert (info.lastErrorMessage(), info.lastError(), info.lastErrorTime()) == ("", "refused", 17)
    output = (1000, 2, "pprint", "pprint at job.py:3", 1005, 1009, "broken")
    batch = (1000, 1001, 1004, 1010, [(0, 5, "lines"), (1, 2, "")], [output])
    info = event("batchCompleted", batch).batchInfo()
    assert isinstance(info, BatchInfo)
    assert (info.schedulingDelay(), info.processingDelay(), info.totalDelay()) == (3, 6, 9)
    assert info.numRecords() == 7
    inputs = info.streamIdToInputInfo()
    assert inputs[0].metadata() == {"Description": "lines"}
    assert (inputs[1].metadata(), inputs[1].metadataDescription()) == ({}, None)
    (done,) = info.outputOperationInfos().values()
    assert isinstance(done, OutputOperationInfo)
    assert (done.id(), done.name(), done.description()) == (2, "pprint", "pprint at job.py:3")
    assert (done.startTime(), done.endTime(), done.failureReason()) == (1005, 1009, "broken")


def test_the_base_class_hears_and_says_nothing():
    with StreamingTest() as test:
        test.ssc.addStreamingListener(StreamingListener())
        lines = test.text_source()
        out = test.collect(lines.stream)
        test.advance()
        assert out.batches == [[]]


def test_a_thread_is_not_taken_for_one_that_has_ended(sc):
    """The system gives the numbers of the engine's threads out again."""
    refused = []

    def stop_again(ssc):
        try:
            ssc.stop(stopSparkContext=False)
        except Exception as error:  # noqa: BLE001 - is looked at
            refused.append(error)

    for _ in range(12):
        told = Event()
        listener = StreamingListener()
        listener.onBatchCompleted = lambda info, told=told: told.set()
        ssc = StreamingContext(sc, 0.01)
        ssc.addStreamingListener(listener)
        ssc.queueStream([[1]]).foreachRDD(lambda rdd: rdd.count())
        ssc.start()
        assert told.wait(20)
        ssc.stop(stopSparkContext=False)
        threads = [Thread(target=stop_again, args=(ssc,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert refused == []
