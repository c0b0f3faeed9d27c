"""Where records come from: queues of RDDs and text lines."""

import socket

import pytest

from swiftwater.testing import StreamingTest


# What PySpark 4.3 gives on local[2]: the partitions of three batches.
@pytest.mark.parametrize(
    ("rdds", "options", "expected"),
    [
        ([[1, 2], [3]], {}, [[[1], [2]], [[], [3]], [[]]]),
        (([1], [2]), {}, [[[], [1]], [[], [2]], [[]]]),
        ([[1, 2], [3]], {"oneAtATime": False}, [[[1], [2], [], [3]], [[]], [[]]]),
        (
            [[1, 2], [3]],
            {"oneAtATime": False, "default": [9]},
            [[[1], [2], [], [3]], [[], [9]], [[], [9]]],
        ),
        ([], {"default": [7]}, [[[], []], [[], [7]], [[], [7]]]),
        ([[1]], {"default": []}, [[[], [1]], [[]], [[]]]),
        ([range(3)], {"default": "ab"}, [[[0], [1, 2]], [["a"], ["b"]], [["a"], ["b"]]]),
    ],
)
def test_queue_stream(streaming, rdds, options, expected):
    out = streaming.collect(streaming.ssc.queueStream(rdds, **options).glom())
    streaming.advance(3)
    assert out.batches == expected


def test_queue_stream_of_rdds(streaming):
    sc = streaming.sc
    queue = [sc.parallelize([1], 1), sc.parallelize([2], 3)]
    out = streaming.collect(streaming.ssc.queueStream(queue, True, sc.parallelize(["d"], 1)).glom())
    queue.append(sc.parallelize(["too late"]))
    streaming.advance(3)
    assert out.batches == [[[1]], [[], [], [2]], [["d"]]]


@pytest.mark.parametrize(
    ("rdds", "options", "error"),
    [
        ([], {}, IndexError),
        ([], {"default": []}, IndexError),
        (None, {}, TypeError),
        (None, {"default": [1]}, TypeError),
        ([1, 2], {}, TypeError),
        ([[1]], {"default": 3}, TypeError),
    ],
)
def test_queue_stream_of_something_else(streaming, rdds, options, error):
    with pytest.raises(error):
        streaming.ssc.queueStream(rdds, **options)


def test_an_rdd_of_a_stopped_context_is_refused(streaming):
    mine = streaming.sc.parallelize([1])
    streaming.stop()
    with StreamingTest() as other, pytest.raises(ValueError, match="another SparkContext"):
        other.ssc.queueStream([mine])


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\r\nb\rc\n"], ["a", "b", "c"]),
        ([b"a\r", b"\nb\n"], ["a", "b"]),
        ([b"a\n\n\nb\n"], ["a", "", "", "b"]),
        ([b"ab", b"cd\n"], ["abcd"]),
        ([b"\xff\xfe\n"], ["\ufffd\ufffd"]),
        ([b"\xc3", b"\xa9\n"], ["é"]),
        ([b"\xe2\x82\n"], ["\ufffd"]),
        # A surrogate in three bytes is one; a mark in front stays, other than in a file.
        ([b"\xed\xa0", b"\x80\xed\xb0\x80\n"], ["\ufffd\ufffd"]),
        ([b"\xef\xbb\xbfa\n"], ["\ufeffa"]),
        ([b"tab\there\x00\n"], ["tab\there\x00"]),
        (["\u2028 is no end of line\n".encode()], ["\u2028 is no end of line"]),
        ([b"x" * 100_000 + b"\n"], ["x" * 100_000]),
    ],
)
def test_lines(streaming, chunks, expected):
    source = streaming.text_source()
    out = streaming.collect(source.stream)
    for chunk in chunks:
        source.send_bytes(chunk)
    streaming.advance()
    assert out.last == expected


def test_a_line_belongs_to_the_batch_in_which_it_ends(streaming):
    source = streaming.text_source()
    out = streaming.collect(source.stream)
    source.send_bytes(b"one\ntw")
    streaming.advance()
    source.send_bytes(b"o\n")
    streaming.advance()
    assert out.batches == [["one"], ["two"]]


@pytest.mark.parametrize(
    ("host", "port", "error"),
    [
        ("localhost", "9999", TypeError),
        ("localhost", 9999.0, TypeError),
        ("localhost", True, TypeError),
        ("localhost", 0, ValueError),
        ("localhost", 65536, ValueError),
        ("", 9999, ValueError),
        (None, 9999, TypeError),
    ],
)
def test_what_is_no_address_is_refused_at_once(streaming, host, port, error):
    with pytest.raises(error, match="host|port"):
        streaming.ssc.socketTextStream(host, port)


def test_nothing_connects_before_the_start(streaming):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        streaming.ssc.socketTextStream("127.0.0.1", server.getsockname()[1], "MEMORY_ONLY").count()
        with pytest.raises(BlockingIOError):
            server.accept()
