"""Stops while a function does not come back."""

import signal
import time

import pytest

SLEEPS = "time.sleep(1000)"
HUNG = {
    "sleep": SLEEPS,
    "a loop": "while True: pass",
    "a lock": "threading.Lock().acquire() and threading.Event().wait()",
    "a socket": "socket.create_server(('127.0.0.1', 0)).accept()",
    "a process": "subprocess.run(['sleep', '20'], stdout=-3, stderr=-3)",
    "C": "ctypes.CDLL(None).sleep(1000)",
    "one that catches everything": "catch_everything()",
}

HANGING = """
import ctypes, socket, subprocess

def catch_everything():
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass

def hang():
    print("hangs", flush=True)
    {how}

def on_record(record):
    hang()

def on_rdd(rdd):
    hang()

numbers = ssc.queueStream([[(0, 1)]])
{where}
ssc.start()
{rest}
"""
ON_RECORDS = "numbers.map(on_record).pprint()"
WHERE = {
    "map": ON_RECORDS,
    "foreachRDD": "numbers.foreachRDD(on_rdd)",
    "transform": "numbers.transform(on_rdd).pprint()",
    "mapPartitions": "numbers.mapPartitions(lambda records: hang()).pprint()",
    "updateStateByKey": "numbers.updateStateByKey(lambda new, old: hang()).pprint()",
    "window": "numbers.window(0.1).foreachRDD(lambda rdd: rdd.foreach(on_record))",
}
WAITS = "ssc.awaitTermination()"


def interrupted(job, number=signal.SIGINT):
    """Send one signal; return how long the process took to end."""
    job.until_out("hangs")
    begin = time.monotonic()
    job.send(number)
    status = job.end()
    assert status == 128 + number, job.err
    assert "Traceback" not in job.err
    return time.monotonic() - begin


@pytest.mark.parametrize("how", HUNG.values(), ids=HUNG)
def test_a_function_that_hangs_does_not_stop_an_interrupt(begins, how):
    job = begins(HANGING.format(how=how, where=ON_RECORDS, rest=WAITS))
    assert interrupted(job) < 4


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
def test_wherever_it_hangs(begins, where):
    job = begins(HANGING.format(how=SLEEPS, where=where, rest=WAITS))
    assert interrupted(job) < 4


@pytest.mark.parametrize("how", [SLEEPS, HUNG["a loop"]])
def test_nor_a_termination(begins, how):
    job = begins(HANGING.format(how=how, where=ON_RECORDS, rest=WAITS))
    assert interrupted(job, signal.SIGTERM) < 4


def test_a_listener_that_hangs_does_not_stop_an_interrupt(begins):
    text = """
class Hung(StreamingListener):
    def onBatchCompleted(self, event):
        print("hangs", flush=True)
        time.sleep(1000)

ssc.addStreamingListener(Hung())
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: None)
ssc.start()
ssc.awaitTermination()
"""
    assert interrupted(begins(text)) < 4


def test_a_hung_action_outside_of_streams(begins):
    text = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)

def hang(record):
    print("hangs", flush=True)
    while True: pass

sc.parallelize([1]).map(hang).collect()
"""
    assert interrupted(begins(text)) < 4


def test_programs_that_functions_start_hear_signals(ends):
    job = ends(
        """
import subprocess
ended = threading.Event()

def run(rdd):
    program = subprocess.Popen(["sleep", "20"])
    program.terminate()
    print(program.wait(), flush=True)
    ended.set()

ssc.queueStream([[0]]).foreachRDD(lambda rdd: ended.is_set() or run(rdd))
ssc.start()
assert ended.wait(10)
ssc.stop()
"""
    )
    assert job.out == "-15\n"


def test_a_plain_stop_gives_a_hung_function_up(ends):
    rest = """
time.sleep(0.5)
begin = time.monotonic()
ssc.stop(stopSparkContext=False)
print(ssc._phase(), time.monotonic() - begin < 8)
sc.stop()
"""
    job = ends(HANGING.format(how="while True: pass", where=ON_RECORDS, rest=rest))
    assert job.out == "hangs\nstopped True\n"


def test_an_interrupt_ends_a_graceful_stop_that_hangs(begins):
    rest = 'time.sleep(0.5)\nprint("stopping", flush=True)\nssc.stop(True, True)'
    job = begins(HANGING.format(how=SLEEPS, where=ON_RECORDS, rest=rest))
    job.until_out("stopping")
    time.sleep(0.2)
    assert interrupted(job) < 4


# Where C keeps the interpreter to itself, no Python code can react: the second signal ends it.
KEEPS_THE_INTERPRETER = {
    "C": "ctypes.PyDLL(None).sleep(1000)",
    "a long sum": "sum(range(10 ** 12))",
    "a regular expression": "__import__('re').match('(a+)+$', 'a' * 60 + 'b')",
}


@pytest.mark.parametrize("how", KEEPS_THE_INTERPRETER.values(), ids=KEEPS_THE_INTERPRETER)
def test_the_second_interrupt_needs_no_interpreter(begins, how):
    job = begins(HANGING.format(how=how, where=ON_RECORDS, rest=WAITS))
    job.until_out("hangs")
    job.send(signal.SIGINT)
    time.sleep(0.3)
    begin = time.monotonic()
    if job.process.poll() is None:
        job.send(signal.SIGINT)
    assert job.end() == 130
    assert time.monotonic() - begin < 2
