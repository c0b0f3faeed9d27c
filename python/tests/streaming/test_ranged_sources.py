"""What batches read of files and queues when it is asked for late, twice, or not at all."""

import os

import pytest

from swiftwater.streaming import StreamingListener


@pytest.fixture
def put(streaming, tmp_path):
    (tmp_path / "in").mkdir()

    def put(name, batch):
        """Put a file there that was changed at a batch's time, with its name in it."""
        path = tmp_path / "in" / name
        path.write_text(name)
        at = streaming.batch_time(0).timestamp() + batch
        os.utime(path, (at, at))
        return path

    return put


@pytest.fixture
def lines(streaming, tmp_path):
    return streaming.ssc.textFileStream(str(tmp_path / "in"))


def test_a_window_with_gaps_has_the_files_of_the_gaps(streaming, lines, put):
    out = streaming.collect(lines.window(1, 2))
    streaming.start()
    for batch in range(1, 5):
        put(f"{batch}", batch)
        streaming.advance()
    # Nobody asked for the batches in between: their files are still new.
    assert out.batches == [["1", "2"], ["3", "4"]]


def test_of_two_times_the_one_that_is_asked_first_has_the_files(streaming, lines, put):
    windows = streaming.collect(lines.window(2, 2))
    out = streaming.collect(lines)
    streaming.start()
    put("1", 1)
    streaming.advance()
    put("2", 2)
    streaming.advance()
    assert out.batches == [["1"], ["2"]]
    assert windows.batches == [["1", "2"]]


def test_a_window_has_a_file_that_is_gone_by_then(streaming, lines, put):
    out = streaming.collect(lines.window(3, 1))
    streaming.start()
    path = put("1", 1)
    streaming.advance()
    path.unlink()
    put("2", 2)
    streaming.advance(2)
    assert out.batches == [["1"], ["1", "2"], ["1", "2"]]


def test_two_outputs_of_a_stream_share_its_files(streaming, lines, put):
    first = streaming.collect(lines)
    second = streaming.collect(lines.map(str.upper))
    streaming.start()
    put("a", 1)
    streaming.advance()
    assert (first.batches, second.batches) == ([["a"]], [["A"]])


def test_what_waits_in_a_queue_keeps_no_graceful_stop(streaming):
    out = streaming.collect(streaming.ssc.queueStream([[1], [2], [3]]))
    streaming.advance()
    streaming.ssc.stop(stopSparkContext=False, stopGraceFully=True)
    assert out.batches == [[1]]


def test_two_streams_of_one_queue_share_what_a_batch_has(streaming):
    queue = streaming.ssc.queueStream([[1, 2], [3]])
    first, second = streaming.collect(queue), streaming.collect(queue.map(str))
    windows = streaming.collect(queue.window(2, 2))
    streaming.advance(2)
    assert first.batches == [[1, 2], [3]]
    assert second.batches == [["1", "2"], ["3"]]
    assert windows.batches == [[1, 2, 3]]


def test_listeners_hear_of_receivers_alone(streaming, lines, put):
    class Inputs(StreamingListener):
        def __init__(self):
            self.heard = []

        def onBatchCompleted(self, event):  # noqa: N802
            info = event.batchInfo()
            inputs = info.streamIdToInputInfo()
            self.heard.append((info.numRecords(), {n: inputs[n].numRecords() for n in inputs}))

    source = streaming.text_source()
    for stream in (lines, streaming.ssc.queueStream([[1]]), source.stream):
        streaming.collect(stream)
    listener = Inputs()
    streaming.ssc.addStreamingListener(listener)
    streaming.start()
    put("a", 1)
    source.send("x", "y")
    streaming.advance()
    assert listener.heard == [(2, {1: 2})]
