"""What is no ``Exception``, raised by a user's function, is an error of its task or batch."""

import asyncio
import signal
import sys

import pytest

from swiftwater import SparkConf, SparkContext, _workers
from swiftwater._tasks import isolation
from swiftwater._tasks.base_exceptions import WantedEnd, comes_from_outside
from swiftwater._workers import starting
from swiftwater.streaming.listener import StreamingListener


class Own(BaseException):
    """Of a program's own."""


# Each is given through a call: in Python's bytecode a plain "raise", or C code that raises.
RAISERS = {
    "SystemExit": lambda: exit_with(0),
    "KeyboardInterrupt": lambda: throw(KeyboardInterrupt()),
    "GeneratorExit": lambda: throw(GeneratorExit()),
    "CancelledError": lambda: throw(asyncio.CancelledError()),
    "Own": lambda: throw(Own("why")),
}


def exit_with(status):
    sys.exit(status)


def throw(error):
    raise error


@pytest.fixture(params=RAISERS)
def kind(request):
    return request.param


def failing(kind):
    raiser = RAISERS[kind]

    def fails(value, other=None):
        raiser()

    return fails


class Key:
    """A key whose hash fails."""

    def __init__(self, fails):
        self.fails = fails

    def __hash__(self):
        return self.fails(self)


ACTIONS = {
    "map": lambda rdd, fails: rdd.map(fails).collect(),
    "filter": lambda rdd, fails: rdd.filter(fails).count(),
    "flatMap": lambda rdd, fails: rdd.flatMap(fails).take(1),
    "mapPartitions": lambda rdd, fails: rdd.mapPartitions(fails).collect(),
    "a generator": lambda rdd, fails: rdd.mapPartitions(
        lambda records: (fails(record) for record in records)
    ).collect(),
    "behind mapPartitions": lambda rdd, fails: rdd.map(fails).mapPartitions(list).collect(),
    "reduceByKey": lambda rdd, fails: rdd.keyBy(lambda _: 0).reduceByKey(fails).collect(),
    "partitionBy": lambda rdd, fails: rdd.keyBy(str).partitionBy(2, fails).collect(),
    "sortBy": lambda rdd, fails: rdd.sortBy(fails).collect(),
    "foreach": lambda rdd, fails: rdd.foreach(fails),
    "foreachPartition": lambda rdd, fails: rdd.foreachPartition(fails),
    "the hash of a key": lambda rdd, fails: (
        rdd.map(lambda n: (Key(fails), n)).groupByKey().collect()
    ),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_fails_with_it(sc, action, kind):
    with pytest.raises(Exception, match=kind):
        ACTIONS[action](sc.parallelize([1, 2, 3], 1), failing(kind))
    assert sc.parallelize([1, 2]).count() == 2


def test_the_error_has_its_cause_and_place(sc, kind):
    with pytest.raises(RuntimeError, match=f"Caught {kind}.*; failing the task") as caught:
        sc.parallelize([1], 1).map(failing(kind)).collect()
    assert type(caught.value.__cause__).__name__ == kind
    notes = caught.value.__notes__
    assert notes[0].startswith("in operator: map at test_base_exceptions.py:")
    assert notes[1] == "record: 1"


def updated(stream, fails):
    return stream.map(lambda n: (n, 1)).updateStateByKey(fails)


STREAMS = {
    "map": lambda stream, fails: stream.map(fails).foreachRDD(lambda rdd: rdd.collect()),
    "foreachRDD": lambda stream, fails: stream.foreachRDD(fails),
    "transform": lambda stream, fails: stream.transform(fails).pprint(),
    "updateStateByKey": lambda stream, fails: updated(stream, fails).pprint(),
    "an inverse function": lambda stream, fails: stream.reduceByWindow(max, fails, 6, 1).pprint(),
}


@pytest.mark.parametrize("output", STREAMS)
def test_a_batch_fails_with_it_and_the_stream_goes_on(streaming, output, kind):
    stream = streaming.ssc.queueStream([[1], [2], [3], [4], [5], [6], [7]], default=[8])
    STREAMS[output](stream, failing(kind))
    seen = streaming.collect(stream)
    errors = [failure_of(streaming) for _ in range(7)]
    assert any(errors)
    assert all(kind in str(error) for error in errors if error is not None)
    # Also the outputs behind the one that failed, in every batch that could be planned.
    assert output == "transform" or seen.batches == [[n] for n in range(1, 8)]


def failure_of(streaming):
    """Run a batch; return what it raised."""
    try:
        streaming.advance(1)
    except Exception as error:  # noqa: BLE001 - an interrupt or an exit would end the test
        return error
    return None


def test_a_listener_that_raises_it_disturbs_nobody(streaming, kind, capfd):
    class Failing(StreamingListener):
        def onBatchCompleted(self, batchCompleted):  # noqa: N802, N803
            failing(kind)(self)

    told = []

    class Other(StreamingListener):
        def onBatchCompleted(self, batchCompleted):  # noqa: N802, N803
            told.append(1)

    streaming.ssc.addStreamingListener(Failing())
    streaming.ssc.addStreamingListener(Other())
    out = streaming.collect(streaming.ssc.queueStream([[1], [2]]))
    streaming.advance(2)
    assert out.batches == [[1], [2]]
    assert told == [1, 1]
    assert "a streaming listener failed in onBatchCompleted" in capfd.readouterr().err


# --- what comes from outside stays what it is ---------------------------------------------------


def interrupted(record):
    signal.raise_signal(signal.SIGINT)
    return record


def interrupted_and_exits(record):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        exit_with(3)


def alarmed(record):
    signal.raise_signal(signal.SIGUSR1)


def exits(number, frame):
    exit_with(4)


class Exits:
    def __call__(self, number, frame):
        exit_with(4)

    def method(self, number, frame):
        exit_with(4)


@pytest.mark.parametrize(
    ("function", "expected"),
    [(interrupted, KeyboardInterrupt), (interrupted_and_exits, SystemExit)],
)
def test_an_interrupt_in_a_function_is_the_program_s(sc, monkeypatch, function, expected):
    monkeypatch.setenv("SWIFTWATER_WORKERS", "never")
    if sc.getConf().get("swiftwater.workers") == "always":
        pytest.skip("signals reach the job's own process")
    with pytest.raises(expected):
        sc.parallelize([1], 1).map(function).collect()


@pytest.mark.parametrize("handler", [exits, Exits(), Exits().method])
def test_a_handler_of_the_program_s_own_ends_it(sc, handler):
    if sc.getConf().get("swiftwater.workers") == "always":
        pytest.skip("signals reach the job's own process")
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(SystemExit) as caught:
            sc.parallelize([1], 1).map(alarmed).collect()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught.value.code == 4


def raised(function):
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - is looked at
        return error
    raise AssertionError


def interrupted_in_answer():
    try:
        interrupted(1)
    except KeyboardInterrupt as error:
        raise Own from error


@pytest.mark.parametrize(
    ("function", "outside"),
    [
        (lambda: throw(KeyboardInterrupt()), False),
        (lambda: exit_with(1), False),
        (lambda: interrupted(1), True),
        (interrupted_in_answer, True),
        (lambda: throw(WantedEnd()), True),
    ],
)
def test_where_it_came_from(function, outside):
    assert comes_from_outside(raised(function)) is outside


def test_an_interrupt_is_not_lost_with_a_call_that_the_engine_can_do_without(monkeypatch, sc):
    asked = []

    def interrupted_kind(kind):
        asked.append(kind)
        signal.raise_signal(signal.SIGINT)
        return 0

    class New:
        pass

    monkeypatch.setattr(isolation, "kind_of_type", interrupted_kind)
    with pytest.raises(KeyboardInterrupt):
        sc.parallelize([New()], 1).map(lambda record: [record]).cache().count()
    assert New in asked


# What the driver asks of its own modules where a stage goes to workers.
ASKED = {"launch": starting, "pickled": _workers, "session": _workers}


@pytest.mark.parametrize(
    ("workers", "asked"),
    [("auto", "launch"), ("auto", "session"), *(("always", name) for name in ASKED)],
)
def test_an_interrupt_is_not_lost_where_a_stage_goes_to_workers(monkeypatch, workers, asked, capfd):
    original = getattr(ASKED[asked], asked)
    calls = []

    def interrupted_once(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(ASKED[asked], asked, interrupted_once)
    # With one core the main thread runs the tasks too.
    conf = SparkConf().set("swiftwater.workers", workers)
    with SparkContext("local[1]" if workers == "always" else "local[2]", "test", conf=conf) as sc:
        records = sc.parallelize(range(60_000), 2).map(lambda number: [number])
        with pytest.raises(KeyboardInterrupt):
            records.count()
        assert sc.parallelize([1], 1).map(lambda number: [number]).collect() == [[1]]
    assert calls
    assert "in the driver" not in capfd.readouterr().err
