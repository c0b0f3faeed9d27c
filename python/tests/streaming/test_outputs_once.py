"""Outputs of the user's own that keep the names of their batches."""

import pytest

from swiftwater.streaming import BatchIdentity
from swiftwater.testing import StreamingTest

FIRST_MS = 1_893_456_001_000


class Store:
    """What outlives the job: batches by name."""

    kept: dict[str, list]
    calls: list[str]


def is_done(batch):
    Store.calls.append(f"asked {batch.time_ms - FIRST_MS}")
    return str(batch) in Store.kept


def write(batch, rdd):
    records = rdd.collect()
    if "fails" in records and "down" in Store.calls:
        raise ConnectionError("the store is down")
    Store.kept[str(batch)] = records
    if "late" in records and "down" in Store.calls:
        raise ConnectionError("no answer")


@pytest.fixture(autouse=True)
def _store():
    Store.kept, Store.calls = {}, []


def key(batch, output="foreachRDDOnce-1"):
    return f"test/{output}/{FIRST_MS + 1000 * (batch - 1)}"


def test_each_batch_is_asked_about_and_written(streaming):
    streaming.ssc.queueStream([["a"], [], ["b"]]).foreachRDDOnce(write, is_done)
    streaming.advance(3)
    assert Store.kept == {key(1): ["a"], key(2): [], key(3): ["b"]}
    assert Store.calls == ["asked 0", "asked 1000", "asked 2000"]


def test_what_is_done_is_not_written(streaming):
    Store.kept[key(1)] = ["a"]
    streaming.ssc.queueStream([["b"], ["c"]]).foreachRDDOnce(write, is_done)
    streaming.advance(2)
    assert Store.kept == {key(1): ["a"], key(2): ["c"]}


def test_outputs_have_names(streaming):
    stream = streaming.ssc.queueStream([["a"]])
    stream.foreachRDDOnce(write, is_done, name="first")
    stream.foreachRDDOnce(write, is_done)
    streaming.advance()
    assert list(Store.kept) == [key(1, "first"), key(1, "foreachRDDOnce-2")]
    with StreamingTest(spark_context=streaming.sc) as test:
        stream = test.ssc.queueStream([["a"]])
        stream.foreachRDDOnce(write, is_done, name="first")
        with pytest.raises(Exception, match="two outputs have the name 'first'"):
            stream.foreachRDDOnce(write, is_done, name="first")


@pytest.mark.parametrize("functions", [(None, is_done), (write, 3)])
def test_what_is_no_function_is_refused(streaming, functions):
    stream = streaming.ssc.queueStream([["a"]])
    with pytest.raises(TypeError, match="foreachRDDOnce needs a function"):
        stream.foreachRDDOnce(*functions)


@pytest.mark.parametrize("record", ["fails", "late"])
def test_a_batch_that_failed_takes_effect_once(tmp_path, record):
    folder = str(tmp_path)
    with StreamingTest() as test:
        test.ssc.checkpoint(folder)
        lines = test.text_source()
        lines.stream.foreachRDDOnce(write, is_done)
        Store.calls.append("down")
        lines.send(record)
        with pytest.raises(ConnectionError) as raised:
            test.advance()
        assert raised.value.__notes__[0].startswith("in operator: foreachRDDOnce at ")
        lines.send("next")
        test.advance()
    assert (key(1) in Store.kept) == (record == "late")
    Store.calls.remove("down")
    for _ in range(2):
        with StreamingTest.recovered(folder) as test:
            test.start()
        assert Store.kept == {key(1): [record], key(2): ["next"]}


def test_an_error_of_the_question_fails_the_batch(streaming):
    def broken(batch):
        raise ConnectionError("the store is down")

    streaming.ssc.queueStream([["a"]]).foreachRDDOnce(write, broken)
    with pytest.raises(ConnectionError, match="the store is down"):
        streaming.advance()
    assert Store.kept == {}


def test_a_name_of_a_batch(streaming):
    seen = []
    stream = streaming.ssc.queueStream([["a"]])
    stream.foreachRDDOnce(lambda batch, rdd: seen.append(batch), lambda batch: False)
    streaming.advance()
    (batch,) = seen
    assert batch == BatchIdentity("test", "foreachRDDOnce-1", FIRST_MS)
    assert batch.time == streaming.batch_time(1)
    assert repr(batch) == f"BatchIdentity('test', 'foreachRDDOnce-1', {FIRST_MS})"
    assert len({batch, BatchIdentity("test", "foreachRDDOnce-1", FIRST_MS)}) == 1
    assert batch != BatchIdentity("test", "foreachRDDOnce-2", FIRST_MS)
    assert batch != str(batch)
