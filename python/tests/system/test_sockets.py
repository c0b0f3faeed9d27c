"""Lines from a TCP server: netcat, and servers that behave badly."""

import shutil
import socket
import struct
import subprocess
import time

import pytest

JOB = """
import sys
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "sockets")
ssc = StreamingContext(sc, 0.1)
lines = ssc.socketTextStream("127.0.0.1", int(sys.argv[1]))
lines.map(repr).foreachRDD(lambda rdd: [print("line", line) for line in rdd.collect()])
ssc.start()
ssc.awaitTermination()
"""

WORDCOUNT = """
import sys
from {package} import SparkContext
from {package}.streaming import StreamingContext

sc = SparkContext("local[2]", "NetworkWordCount")
ssc = StreamingContext(sc, 1)
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
words = lines.flatMap(lambda line: line.split(" "))
counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
counts.pprint()
ssc.start()
ssc.awaitTermination()
"""


def lines_of(job):
    return [eval(line[5:]) for line in job.out.splitlines() if line.startswith("line ")]


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(20)
        yield made


@pytest.fixture
def job(runner, start, script, server):
    return start([*runner, script(JOB), server.getsockname()[1]])


def got(job, expected):
    job.until(lambda: lines_of(job) == expected, f"the lines {expected!r}")


def test_netcat_words(runner, start, script, free_port):
    netcat = shutil.which("nc")
    if netcat is None:
        pytest.skip("there is no netcat")
    package = "pyspark" if "run" in runner else "swiftwater"
    with subprocess.Popen([netcat, "-lk", str(free_port)], stdin=subprocess.PIPE) as sender:
        try:
            job = start(
                [*runner, script(WORDCOUNT.format(package=package)), "localhost", free_port]
            )
            # What is written before the job has connected goes to the first connection.
            sender.stdin.write(b"to be or not to be\n")
            sender.stdin.flush()
            job.until_out("('be', 2)")
            sender.stdin.write(b"again\n")
            sender.stdin.flush()
            job.until_out("('again', 1)")
        finally:
            sender.terminate()
    rule = "-" * 43
    blocks = job.out.split(f"{rule}\nTime: ")
    assert blocks[0] == ""
    with_words = next(block for block in blocks if "('be', 2)" in block).splitlines()
    assert with_words[1] == rule
    assert sorted(with_words[2:6]) == ["('be', 2)", "('not', 1)", "('or', 1)", "('to', 2)"]
    assert with_words[6:] == [""]
    # Aligned as Spark aligns them: whole seconds.
    assert all(len(block.splitlines()[0]) == len("2026-11-22 12:34:00") for block in blocks[1:])


def test_kinds_of_lines(job, server):
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"plain\ndos\r\nmac\rempty\n\n\xff\xfe\n\xc3\xa9\n")
        got(job, ["plain", "dos", "mac", "empty", "", "\ufffd\ufffd", "é"])


def test_a_line_in_pieces(job, server):
    connection, _ = server.accept()
    with connection:
        for piece in (b"a", b"b\xc3", b"\xa9c", b"\r", b"\nd\n"):
            connection.sendall(piece)
            time.sleep(0.15)  # so that each piece is received on its own
        got(job, ["ab\u00e9c", "d"])


def test_the_last_line_without_an_end_and_the_next_connection(job, server):
    connection, _ = server.accept()
    connection.sendall(b"first\nlast")
    connection.close()
    got(job, ["first", "last"])
    begin = time.monotonic()
    connection, _ = server.accept()
    assert 1.0 < time.monotonic() - begin < 5
    with connection:
        connection.sendall(b"back\n")
        got(job, ["first", "last", "back"])


def test_a_reset_connection(job, server):
    connection, _ = server.accept()
    connection.sendall(b"one\n")
    got(job, ["one"])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"two\n")
        got(job, ["one", "two"])
    assert job.process.poll() is None


def test_a_server_that_comes_later(runner, start, script, free_port):
    job = start([*runner, script(JOB), free_port])
    job.until_err(f"127.0.0.1:{free_port}")
    with socket.create_server(("127.0.0.1", free_port)) as server:
        server.settimeout(20)
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"here\n")
            got(job, ["here"])


def test_a_line_that_is_too_long_is_dropped_and_named(runner, start, script, server):
    text = JOB.replace(
        'SparkContext("local[2]", "sockets")',
        f'SparkContext("local[2]", "sockets", conf=SparkConf().set("{LIMIT}", "1000"))',
    )
    job = start([*runner, script(text), server.getsockname()[1]])
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"short\n" + b"begin" + b"x" * 5000 + b"\nafter\n")
        got(job, ["short", "after"])
    job.until_err("beginxxx")
    assert "x" * 100 not in job.err


LIMIT = "swiftwater.receiver.maxLineLength"


def test_a_large_input_comes_whole_and_in_order(job, server):
    connection, _ = server.accept()
    total = 200_000
    with connection:
        connection.sendall(b"".join(b"%d\n" % n for n in range(total)))
        job.until(lambda: job.out.count("\n") >= total, "all lines")
    assert lines_of(job) == [str(n) for n in range(total)]
