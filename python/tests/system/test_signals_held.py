"""Signals that come where nobody can hear them at once: in C code, in waits, at the start."""

import signal
import time

import pytest
from jobs import require_host

HELD = """
import sys
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

def holds(record):
    print("begin", flush=True)
    return sum(range(10**11))

conf = SparkConf().set("swiftwater.stop.timeout", "300ms")
conf.set("swiftwater.workers", "never")
sc = SparkContext("local[2]", "signals", conf=conf)
ssc = StreamingContext(sc, 0.1)
ssc.queueStream([[0]]).map(holds).pprint()
ssc.start()
ssc.awaitTermination()
"""

ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "status"), ENDS)
def test_one_signal_ends_a_job_whose_function_holds_the_interpreter(
    runner, start, script, number, status
):
    job = start([*runner, script(HELD)])
    job.until_out("begin")
    job.send(number)
    begin = time.monotonic()
    assert job.end() == status
    assert time.monotonic() - begin < 10
    assert f"{number.name} has had no effect for 1 s" in job.err


WAITS = """
import time
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "signals")
ssc = StreamingContext(sc, 0.1)
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: print("batch", flush=True))
ssc.start()
ssc.awaitTermination()
"""


def test_a_hangup_ends_the_job(runner, start, script):
    job = start([*runner, script(WAITS)])
    job.until_out("batch")
    # A terminal that goes away and the shell in it send one each.
    job.send(signal.SIGHUP)
    job.send(signal.SIGHUP)
    assert job.end() == 129
    assert "INFO stopped" in job.err
    assert "Traceback" not in job.err


def test_a_hangup_that_is_ignored_stays_so(runner, start, script):
    job = start(["nohup", *runner, script(WAITS)])
    job.until_out("batch")
    job.send(signal.SIGHUP)
    seen = job.out.count("batch")
    job.until(lambda: job.out.count("batch") > seen + 2, "more batches")
    job.send(signal.SIGTERM)
    assert job.end() == 143


SHUFFLE = """
import threading
from swiftwater import SparkContext

sc = SparkContext("local[1]", "signals")
begun = threading.Event()
over = threading.Event()

def slow(number):
    begun.set()
    over.wait()
    return number, 1

counts = sc.parallelize([1, 2], 1).map(slow).reduceByKey(max)
thread = threading.Thread(target=counts.collect)
thread.start()
begun.wait()
print("begin", flush=True)
try:
    counts.collect()
except KeyboardInterrupt:
    print("caught", flush=True)
over.set()
thread.join()
print(sorted(counts.collect()))
"""


def test_a_wait_for_another_thread_s_shuffle_can_be_interrupted(runner, start, script):
    job = start([*runner, script(SHUFFLE)], SWIFTWATER_WORKERS="never")
    job.until_out("begin")
    time.sleep(0.2)
    job.send(signal.SIGINT)
    assert job.end() == 0, job.err
    assert job.out == "begin\ncaught\n[(1, 1), (2, 1)]\n"


@pytest.mark.parametrize("milliseconds", range(0, 100, 10))
def test_an_interrupt_while_the_host_starts_shows_nothing(start, script, milliseconds):
    job = start([require_host(), "run", script("import time\ntime.sleep(60)\n")])
    # Any moment will do: there is nothing to wait for.
    time.sleep(milliseconds / 1000)
    job.send(signal.SIGINT)
    # By the signal itself before the host's first line.
    assert job.end() in (130, -signal.SIGINT)
    assert job.err == ""
