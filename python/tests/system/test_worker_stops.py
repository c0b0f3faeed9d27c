"""Stopping functions that never return, in worker processes."""

import re
import signal
import sys
import time

import pytest
from worker_jobs import HANGS, HOST, STOCK, STOP_SECONDS, command_of, hanging

STREAM = """
ssc = StreamingContext(sc, 0.05)
stream = ssc.queueStream([sc.parallelize([0, 1], 2)]).map(hang)
stream.foreachRDD(lambda rdd: rdd.collect())
ssc.start()
{rest}
"""


def assert_log_shows_hang(job, what):
    """The log must say where the function was."""
    line = 1 + next(
        number
        for number, text in enumerate((job.folder / "job.py").read_text().split("\n"))
        if 'mark(f"hangs-' in text
    )
    places = re.findall(r'job\.py"?(?::|, line )(\d+) in hang', job.err)
    assert places, job.err
    assert all(line < int(place) <= line + 5 for place in places)
    assert ("did not react" in job.err) == (not HANGS[what][1]), job.err


def begin_hanging(begin, way, what, end):
    job = begin(way, hanging(what, end))
    job.until_file("hangs-0", "hangs-1")
    return job


@pytest.mark.parametrize(
    ("name", "whom", "what"),
    [
        *((HOST, "group", what) for what in HANGS),
        (HOST, "driver", "sleep"),
        (STOCK, "group", "sleep"),
        (STOCK, "driver", "C with the interpreter"),
    ],
)
def test_ctrl_c_ends_a_stream_whose_function_never_returns(begin, name, whom, what):
    job = begin_hanging(begin, command_of(name), what, STREAM.format(rest="ssc.awaitTermination()"))
    began = time.monotonic()
    (job.send if whom == "group" else job.process.send_signal)(signal.SIGINT)
    assert job.end() == 130
    assert time.monotonic() - began < STOP_SECONDS
    assert "Traceback" not in job.err
    assert_log_shows_hang(job, what)
    job.until_gone()


@pytest.mark.parametrize("what", ["loop", "C with the interpreter"])
def test_ctrl_c_ends_an_action_whose_function_never_returns(way, begin, what):
    job = begin_hanging(begin, way, what, "sc.parallelize([0, 1], 2).map(hang).collect()\n")
    began = time.monotonic()
    job.send(signal.SIGINT)
    # Python's own end, where nothing of the engine's watches over it.
    assert job.end() == (130 if way[0] != sys.executable else -signal.SIGINT)
    assert time.monotonic() - began < STOP_SECONDS
    assert_log_shows_hang(job, what)
    job.until_gone()


def test_an_interrupted_action_can_be_caught_and_the_next_one_works(way, begin):
    job = begin_hanging(
        begin,
        way,
        "catching",
        """
try:
    sc.parallelize([0, 1], 2).map(hang).collect()
except KeyboardInterrupt:
    print("caught", sc.parallelize([1, 2], 2).map(lambda n: (n, os.getpid())).keys().sum())
""",
    )
    job.send(signal.SIGINT)
    assert job.ends() == "caught 3\n"
    job.until_gone()


# A stop tells of the batches that wait behind the one that hangs.
WAITING = """
from swiftwater.streaming import StreamingListener

class Batches(StreamingListener):
    submitted = 0

    def onBatchSubmitted(self, event):
        self.submitted += 1
        if self.submitted == 3:
            mark("others-wait")
""" + STREAM.format(rest="ssc.awaitTermination()").replace(
    "ssc.start()", "ssc.addStreamingListener(Batches())\nssc.start()"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("what", ["loop", "C with the interpreter", "catching"])
def test_the_second_signal_ends_the_job_at_once(way, begin, what, number):
    job = begin_hanging(begin, way, what, WAITING)
    job.until_file("others-wait")
    job.process.send_signal(number)
    job.until_err("stopped; ")
    job.process.send_signal(number)
    began = time.monotonic()
    assert job.end() == 128 + number
    assert time.monotonic() - began < 1
    job.until_gone()


@pytest.mark.parametrize("what", ["loop", "C with the interpreter"])
def test_terminate_ends_a_stream_whose_function_never_returns(way, begin, what):
    job = begin_hanging(begin, way, what, STREAM.format(rest="ssc.awaitTermination()"))
    began = time.monotonic()
    job.process.terminate()
    assert job.end() == 143
    assert time.monotonic() - began < STOP_SECONDS
    assert "Traceback" not in job.err
    assert_log_shows_hang(job, what)
    job.until_gone()


STOPS = {
    "stop": "ssc.stop()",
    "stop the streams": "ssc.stop(False)",
    "stop the context": "sc.stop()",
    "cancel": "sc.cancelAllJobs(); ssc.stop()",
}


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("what", ["sleep", "C with the interpreter"])
def test_a_stop_while_a_function_never_returns(way, begin, what, stop):
    rest = f"wait_for('hangs-0')\nwait_for('hangs-1')\n{STOPS[stop]}\nprint('stopped')\n"
    job = begin(way, hanging(what, STREAM.format(rest=rest)), SWIFTWATER_STOP_TIMEOUT="500ms")
    job.until_file("hangs-0", "hangs-1")
    began = time.monotonic()
    assert job.ends() == "stopped\n"
    assert time.monotonic() - began < STOP_SECONDS
    assert_log_shows_hang(job, what)
    job.until_gone()


@pytest.mark.parametrize(
    ("name", "what"),
    [*((HOST, what) for what in HANGS), (STOCK, "loop"), (STOCK, "C with the interpreter")],
)
def test_a_cancelled_job_ends_and_the_next_one_works(begin, name, what):
    job = begin(
        command_of(name),
        hanging(
            what,
            """
import threading
from swiftwater.errors import JobCancelledException

def cancel():
    wait_for("hangs-0")
    wait_for("hangs-1")
    sc.cancelJobGroup("group")

threading.Thread(target=cancel).start()
sc.setJobGroup("group", "what is cancelled")
try:
    sc.parallelize([0, 1], 2).map(hang).collect()
except JobCancelledException:
    print("cancelled", sc.parallelize([1, 2], 2).map(lambda n: (n, os.getpid())).keys().sum())
""",
        ),
    )
    job.until_file("hangs-0", "hangs-1")
    began = time.monotonic()
    assert job.ends() == "cancelled 3\n"
    assert time.monotonic() - began < STOP_SECONDS
    assert_log_shows_hang(job, what)
    job.until_gone()


def test_a_signal_cuts_a_graceful_stop_short(way, begin):
    rest = "wait_for('hangs-0')\nprint('stopping', flush=True)\nssc.stop(True, True)\n"
    job = begin_hanging(begin, way, "sleep", STREAM.format(rest=rest))
    job.until_out("stopping")
    began = time.monotonic()
    job.process.send_signal(signal.SIGINT)
    assert job.end() == 130
    assert time.monotonic() - began < STOP_SECONDS
    job.until_gone()
