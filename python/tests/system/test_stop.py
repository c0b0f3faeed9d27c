"""A stop that a batch asks for: the batch goes on, and the process ends as it should."""

import pytest

STOP_INSIDE = """
import sys, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "stop")
ssc = StreamingContext(sc, 0.1)
calls = []

def stop(rdd):
    calls.append(rdd.collect())
    if len(calls) == 2:
        {stop}
        print("asked", flush=True)
        time.sleep(0.3)

def later(rdd):
    print("later", rdd.collect(), sc.parallelize([1, 2]).sum())

def failing(rdd):
    if {failing}:
        raise ValueError("told of in the log")

numbers = ssc.queueStream([[0], [1]], default=[2])
numbers.foreachRDD(failing)
numbers.foreachRDD(stop)
numbers.foreachRDD(later)
ssc.start()
{rest}
"""

WAIT = """
ssc.awaitTermination()
print("ended", StreamingContext.getActive())
while SparkContext._active_spark_context is not None:
    time.sleep(0.01)
with SparkContext("local", "next") as sc:
    print("next", sc.parallelize([1]).count())
"""


AT_EXIT = """
import atexit
import swiftwater

atexit.register(lambda: print(sc.parallelize([1, 2]).sum()))
sc = swiftwater.SparkContext("local[2]", "exit")
"""


def test_what_a_program_registers_at_exit_has_its_context(runner, run, script):
    job = run([*runner, script(AT_EXIT)])
    assert (job.status, job.out) == (0, "3\n"), job.err


@pytest.mark.parametrize("graceful", [True, False])
def test_the_other_outputs_of_the_batch_still_run(runner, run, script, graceful):
    text = STOP_INSIDE.format(stop=f"ssc.stop(True, {graceful})", failing=False, rest=WAIT)
    job = run([*runner, script(text)])
    assert job.status == 0, job.err
    assert "asked\nlater [1] 3\n" in job.out
    assert job.out.endswith("ended None\nnext 1\n")
    assert "failed" not in job.err
    assert "Traceback" not in job.err


def test_a_failure_before_changes_nothing(runner, run, script):
    rest = """
import signal
while ssc._phase() != "stopped":
    time.sleep(0.01)
try:
    ssc.awaitTermination()
except ValueError as error:
    print("raised", error)
"""
    text = STOP_INSIDE.format(
        stop="ssc.stop(True, False)", failing="rdd.collect() == [0]", rest=rest
    )
    job = run([*runner, script(text)])
    assert job.status == 0, job.err
    assert "asked\nlater [1] 3\n" in job.out
    assert job.err.count(" failed: ") == 1, job.err


def test_the_script_may_end_meanwhile(runner, run, script):
    rest = """
while len(calls) < 2:
    time.sleep(0.01)
time.sleep(0.1)
"""
    text = STOP_INSIDE.format(stop="ssc.stop(True, True)", failing=False, rest=rest)
    job = run([*runner, script(text)])
    assert job.status == 0, job.err
    assert "asked\nlater [1] 3\n" in job.out
    assert "Traceback" not in job.err


def test_a_stop_waits_for_the_stop_of_another_thread(runner, run, script):
    text = """
import threading, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "stop")
ssc = StreamingContext(sc, 0.1)

def slow(rdd):
    print("begin", flush=True)
    time.sleep(1)
    print("end", rdd.collect())

ssc.queueStream([[0]]).foreachRDD(slow)
ssc.start()
time.sleep(0.5)
first = threading.Thread(target=ssc.stop, args=(False, True))
first.start()
time.sleep(0.1)
ssc.stop(False, True)
print("stopped", ssc._phase())
first.join()
sc.stop()
"""
    job = run([*runner, script(text)])
    assert job.status == 0, job.err
    assert "end [0]\n" in job.out.partition("stopped stopped")[0]
    assert "stopped stopped" in job.out
