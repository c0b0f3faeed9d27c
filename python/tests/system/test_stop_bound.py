"""A graceful stop has a bound, and says what it has not worked off."""

import signal
import socket
import time

import pytest
from jobs import require_host
from test_stop_graceful import is_read

BOUND = "spark.streaming.gracefulStopTimeout"
GRACEFUL = "spark.streaming.stopGracefullyOnShutdown=true"

HANGS = """
import sys, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "bound")
ssc = StreamingContext(sc, 0.05)

def output(rdd):
    lines = rdd.collect()
    if lines:
        print("batch", *lines, flush=True)
        {how}

ssc.socketTextStream("127.0.0.1", int(sys.argv[1])).foreachRDD(output)
ssc.start()
ssc.awaitTermination()
"""


@pytest.fixture
def sending(start, script):
    """Start a job whose first batch is under way, with lines that wait behind it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def started(runner, how, bound):
            port = server.getsockname()[1]
            env = {"SWIFTWATER_STOP_TIMEOUT": "300ms"}
            flags = ["--conf", GRACEFUL, "--conf", f"{BOUND}={bound}"] if bound else []
            job = start([*runner, *flags, script(HANGS.format(how=how)), port], **env)
            connection, _ = server.accept()
            connections.append(connection)
            connection.sendall(b"first\n")
            job.until_out("batch first\n")
            connection.sendall(b"second\nthird\n")
            return job

        connections = []
        yield started
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("how", ["time.sleep(1000)", "while True: pass"], ids=["sleeps", "a loop"])
def test_a_hung_output_does_not_hold_it_beyond(sending, door, how):
    job = sending([*door, "run"], how, "1s")
    begin = time.monotonic()
    job.send(signal.SIGTERM)
    assert job.end() == 143, job.err
    assert 0.9 < time.monotonic() - begin < 6
    waits = "stopping when all is worked off that was received: a batch runs"
    reached = "the stop has waited 1000 ms for batches"
    dropped = "that had not run are given up, with 2 records"
    places = [job.err.find(words) for words in (waits, reached, dropped)]
    assert -1 < places[0] < places[1] < places[2], job.err


def test_slow_batches_have_the_time_that_they_need(sending, door):
    job = sending([*door, "run"], "time.sleep(0.7)", "30s")
    job.send(signal.SIGTERM)
    assert job.end() == 143, job.err
    assert "batch first\nbatch second third\n" in job.out or "batch third\n" in job.out
    assert "waiting; for at most 30000 ms" in job.err or "a batch runs; for" in job.err
    assert "given up" not in job.err


def test_a_second_termination_ends_it_at_once(sending, door):
    job = sending([*door, "run"], "time.sleep(1000)", "1h")
    job.send(signal.SIGTERM)
    job.until_err("stopping when all is worked off")
    begin = time.monotonic()
    job.send(signal.SIGTERM)
    assert job.end() == 143
    assert time.monotonic() - begin < 2


FILES = """
import os, sys, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

def setup():
    ssc = StreamingContext(SparkContext("local[2]", "files"), 0.1)

    def output(rdd):
        for line in rdd.collect():
            time.sleep(0.0 if os.path.exists("fast") else 0.4)
            print("line", line, flush=True)

    ssc.textFileStream("in").foreachRDD(output)
    return ssc

ssc = StreamingContext.getOrCreate("checkpoints", setup)
ssc.start()
ssc.awaitTermination()
"""


def test_what_was_not_worked_off_is_in_the_checkpoint(start, script, tmp_path):
    path = script(FILES)
    folder = tmp_path / "in"
    folder.mkdir()
    flags = ["--conf", GRACEFUL, "--conf", f"{BOUND}=1s"]
    job = start([require_host(), "run", *flags, path], SWIFTWATER_STOP_TIMEOUT="300ms")
    job.until_err("started")
    for number in range(12):
        (folder / f".{number}").write_text(f"{number}\n")
        (folder / f".{number}").rename(folder / f"{number}")
        time.sleep(0.1)
    job.until_out("line 1\n")
    job.send(signal.SIGTERM)
    assert job.end() == 143, job.err
    assert "a recovery runs them, over the input that can be read again" in job.err
    first = job.out.split("\n")
    (tmp_path / "fast").touch()
    again = start([require_host(), "run", path])
    again.until_out("line 11\n")
    # One that was interrupted between two lines comes again as a whole.
    seen = {*first, *again.out.split("\n")}
    assert seen >= {f"line {number}" for number in range(12)}


LOGGED = """
import os, sys, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

def setup():
    ssc = StreamingContext(SparkContext("local[2]", "logged"), 0.1)

    def output(rdd):
        for line in rdd.collect():
            print("line", line, flush=True)
            if not os.path.exists("fast"):
                time.sleep(1000)

    ssc.socketTextStream("127.0.0.1", int(sys.argv[1])).foreachRDD(output)
    return ssc

ssc = StreamingContext.getOrCreate("checkpoints", setup)
ssc.start()
ssc.awaitTermination()
"""


def test_what_was_received_and_not_worked_off_is_in_the_log(start, script, tmp_path):
    path = script(LOGGED)
    flags = ["--conf", GRACEFUL, "--conf", f"{BOUND}=1s"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        job = start([require_host(), "run", *flags, path, port], SWIFTWATER_STOP_TIMEOUT="300ms")
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"first\n")
            job.until_out("line first\n")
            connection.sendall(b"second\nthird\n")
            job.until(lambda: is_read(connection), "reading of all lines")
            job.send(signal.SIGTERM)
            assert job.end() == 143, job.err
    assert "the stop has waited 1000 ms for batches" in job.err
    assert "2 records that were taken in are in the log" in job.err
    assert "given up" not in job.err
    (tmp_path / "fast").touch()
    again = start([require_host(), "run", path, port])
    again.until_out("line third\n")
    assert again.out == "line first\nline second\nline third\n"
