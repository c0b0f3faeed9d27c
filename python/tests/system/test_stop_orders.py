"""Every order in which a job may be stopped: none hangs, and a graceful stop loses nothing.

A job that does not end within the patience of ``Job`` fails its test. What a batch that asks for
the stop sees is in ``test_stop.py``, signals in general are in ``test_signals.py``.
"""

import signal
import socket
import time

import pytest
from jobs import PATIENCE_SECONDS, require_host

HEAD = """
import sys, threading, time
from pyspark import SparkContext
from pyspark.streaming import StreamingContext, StreamingListener

sc = SparkContext("local[2]", "orders")
ssc = StreamingContext(sc, {interval})
"""


@pytest.fixture
def ends(run, script):
    """Run a script that stops its streams; it must end well. Return the job."""

    def ran(text, interval=0.1, *arguments):
        path = script(HEAD.format(interval=interval) + text)
        job = run([require_host(), "run", path, *arguments])
        assert job.status == 0, job.out + job.err
        assert "Traceback" not in job.err, job.err
        return job

    return ran


@pytest.fixture
def begins(start, script):
    """Start a script that a test stops from outside."""

    def started(text, interval=0.1, *arguments):
        path = script(HEAD.format(interval=interval) + text)
        # What hangs is waited for this long. With the default of two seconds it is the same.
        patience = "swiftwater.stop.timeout=300ms"
        return start([require_host(), "run", "--conf", patience, path, *arguments])

    return started


# --- one after the other ------------------------------------------------------------------------

TICKING = """
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: print("batch", rdd.collect()))
"""

WAIT_FOR_A_BATCH = """
seen = threading.Event()
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: seen.set())
ssc.start()
assert seen.wait(10)
"""

CALLS = [
    "ssc.stop()",
    "ssc.stop(False)",
    "ssc.stop(True, True)",
    "ssc.stop(False, True)",
    "sc.stop()",
]


@pytest.mark.parametrize("second", CALLS)
@pytest.mark.parametrize("first", CALLS)
def test_twice(ends, first, second):
    job = ends(
        f"""
{WAIT_FOR_A_BATCH}
{first}
print(ssc._phase(), SparkContext._active_spark_context is None)
{second}
ssc.awaitTermination()
print(ssc._phase(), SparkContext._active_spark_context is None, StreamingContext.getActive())
"""
    )
    stops = ["False" not in call for call in (first, second)]
    assert job.out == f"stopped {stops[0]}\nstopped {any(stops)} None\n"
    assert job.err.count("INFO stopped") == 1


def test_before_the_start(ends):
    job = ends(
        """
ssc.queueStream([[1]]).pprint()
ssc.stop(stopSparkContext=False)
ssc.stop(False, True)
ssc.awaitTermination()
print(ssc.awaitTerminationOrTimeout(5))
try:
    ssc.start()
except Exception as error:
    print(type(error).__name__, error)
sc.stop()
"""
    )
    assert job.out == ("True\nIllegalStateException StreamingContext has already been stopped\n")


def test_right_after_the_start(ends):
    job = ends(
        """
for number in range(30):
    ssc = StreamingContext(sc, 0.1)
    ssc.queueStream([[1]], default=[2]).foreachRDD(lambda rdd: rdd.count())
    ssc.start()
    ssc.stop(stopSparkContext=False, stopGraceFully=number % 2 == 1)
    ssc.awaitTermination()
sc.stop()
print("done")
""",
        0.5,
    )
    assert job.out == "done\n"


def test_another_stream_on_the_same_context(ends):
    job = ends(
        """
for number in range(3):
    ssc = StreamingContext(sc, 0.05)
    results, seen = [], threading.Event()
    def output(rdd):
        results.append(rdd.map(lambda n: n + number).collect())
        seen.set()
    ssc.queueStream([[1]], default=[2]).foreachRDD(output)
    ssc.start()
    assert seen.wait(10)
    ssc.stop(stopSparkContext=False)
    print(number, results[0])
ssc.stop()
"""
    )
    assert job.out == "0 [1]\n1 [2]\n2 [3]\n"


def test_the_spark_context_alone(ends):
    job = ends(
        f"""
{WAIT_FOR_A_BATCH}
sc.stop()
print(ssc._phase(), StreamingContext.getActive())
ssc.awaitTermination()
"""
    )
    assert job.out == "stopped None\n"


def test_at_the_end_of_a_with_block(ends):
    job = ends(
        """
sc.stop()
with SparkContext("local[2]", "with") as sc:
    ssc = StreamingContext(sc, 0.05)
    seen = threading.Event()
    ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: seen.set())
    ssc.start()
    assert seen.wait(10)
print(ssc._phase())
"""
    )
    assert job.out == "stopped\n"


# --- from inside --------------------------------------------------------------------------------


def test_a_listener_cannot_stop_the_job(ends):
    job = ends(
        """
errors, batches = [], threading.Semaphore(0)

class Stopper(StreamingListener):
    def onBatchCompleted(self, event):
        try:
            ssc.stop()
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        batches.release()

ssc.addStreamingListener(Stopper())
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: None)
ssc.start()
for _ in range(3):
    assert batches.acquire(timeout=10)
print(errors[0])
print(len(set(errors)), ssc._phase())
ssc.stop()
"""
    )
    words = "SparkException: Cannot stop StreamingContext within listener bus thread."
    assert job.out == f"{words}\n1 active\n"


@pytest.mark.parametrize("graceful", [True, False])
def test_a_listener_may_have_another_thread_stop_it(ends, graceful):
    job = ends(
        f"""
class Stopper(StreamingListener):
    def onBatchCompleted(self, event):
        threading.Thread(target=ssc.stop, args=(True, {graceful})).start()

ssc.addStreamingListener(Stopper())
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: None)
ssc.start()
ssc.awaitTermination()
print(ssc._phase())
"""
    )
    assert job.out == "stopped\n"


@pytest.mark.parametrize("call", CALLS)
def test_from_a_function_of_transform(ends, call):
    job = ends(
        f"""
def stop(rdd):
    {call}
    return rdd

ssc.queueStream([[0]], default=[1]).transform(stop).foreachRDD(
    lambda rdd: print("batch", rdd.collect())
)
ssc.start()
ssc.awaitTermination()
print(ssc._phase())
{"sc.stop()" if "False" in call else ""}
"""
    )
    # The batch goes on.
    assert job.out.startswith("batch [0]\n")
    assert job.out.endswith("]\nstopped\n")


@pytest.mark.parametrize("call", CALLS)
def test_from_an_output(ends, call):
    job = ends(
        f"""
def stop(rdd):
    {call}
    print("batch", rdd.collect(), sc.parallelize([1, 2]).sum())

numbers = ssc.queueStream([[0]], default=[1])
numbers.foreachRDD(stop)
numbers.foreachRDD(lambda rdd: print("later", rdd.collect()))
ssc.start()
ssc.awaitTermination()
print(ssc._phase())
{"sc.stop()" if "False" in call else ""}
"""
    )
    assert job.out.startswith("batch [0] 3\nlater [0]\n")
    assert job.out.endswith("]\nstopped\n")


@pytest.mark.parametrize("call", CALLS)
def test_from_a_function_on_records(ends, call):
    # Such a function cannot name the contexts, but it can ask for them.
    call = call.replace("ssc.", "StreamingContext.getActive().")
    call = (
        call.replace("sc.stop()", "SparkContext.getOrCreate().stop()", 1)
        if call == ("sc.stop()")
        else call
    )
    job = ends(
        f"""
def stop(record):
    if StreamingContext.getActive() is not None:
        try:
            {call}
        except Exception as error:
            pass
    return record

ssc.queueStream([[0]]).map(stop).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
if not ssc.awaitTerminationOrTimeout(2):
    ssc.stop()
print(ssc._phase())
"""
    )
    assert job.out.endswith("stopped\n")


# --- several at once ----------------------------------------------------------------------------

STOPS = {
    "gracefully": "ssc.stop(True, True)",
    "plainly": "ssc.stop(True, False)",
    "the streams only": "ssc.stop(False, False)",
    "the context": "sc.stop()",
}


@pytest.mark.parametrize("second", STOPS.values(), ids=STOPS)
@pytest.mark.parametrize("first", STOPS.values(), ids=STOPS)
def test_two_threads_at_the_same_time(ends, first, second):
    job = ends(
        f"""
def slow(rdd):
    seen.set()
    time.sleep(0.2)

seen = threading.Event()
ssc.queueStream([[0]], default=[1]).foreachRDD(slow)
ssc.start()
assert seen.wait(10)
together = threading.Barrier(2)
states = []

def first():
    together.wait()
    {first}
    states.append(ssc._phase())

def second():
    together.wait()
    {second}
    states.append(ssc._phase())

threads = [threading.Thread(target=call) for call in (first, second)]
for thread in threads:
    thread.start()
ssc.awaitTermination()
for thread in threads:
    thread.join()
print(states)
sc.stop()
"""
    )
    assert job.out == "['stopped', 'stopped']\n"


def test_many_threads_start_and_stop_and_wait(ends):
    job = ends(
        """
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: rdd.count())
together = threading.Barrier(8)
errors = []

def use(number):
    together.wait()
    try:
        if number < 2:
            ssc.start()
        elif number < 5:
            time.sleep(0.02 * number)
            ssc.stop(False, number % 2 == 0)
        else:
            ssc.awaitTerminationOrTimeout(10)
    except Exception as error:
        errors.append(str(error))

threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(ssc._phase(), errors)
sc.stop()
""",
        0.02,
    )
    assert job.out == "stopped []\n"


def test_another_thread_while_the_script_waits(ends):
    job = ends(
        """
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
threading.Timer(0.5, ssc.stop).start()
begin = time.monotonic()
ssc.awaitTermination()
print(ssc._phase(), time.monotonic() - begin < 5)
"""
    )
    assert job.out.endswith("stopped True\n")


# --- with work left -----------------------------------------------------------------------------


def test_gracefully_with_batches_that_wait(ends):
    job = ends(
        """
done, begun = [], threading.Event()

def slow(rdd):
    begun.set()
    time.sleep(0.1)
    done.extend(rdd.collect())

ssc.queueStream([[number] for number in range(12)]).foreachRDD(slow)
ssc.start()
assert begun.wait(10)
time.sleep(0.3)
ssc.stop(True, True)
# Batches are made every 10 ms and take 100: most of them waited when the stop came.
print(done == list(range(12)), ssc._phase())
""",
        0.01,
    )
    assert job.out == "True stopped\n"
    assert "given up" not in job.err


def test_plainly_with_batches_that_wait(ends):
    job = ends(
        """
done, begun = [], threading.Event()

def slow(rdd):
    begun.set()
    time.sleep(0.3)
    done.append(rdd.collect())

ssc.queueStream([[number] for number in range(100)]).foreachRDD(slow)
ssc.start()
assert begun.wait(10)
time.sleep(0.2)
ssc.stop()
# The batch that runs may end, and no other begins.
print(done)
""",
        0.01,
    )
    assert job.out == "[[0]]\n"
    assert "batches that had not run are given up" in job.err


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE_SECONDS)
        yield made


RECEIVED = """
import os

def slow(rdd):
    for line in rdd.collect():
        print(line, flush=True)
        time.sleep(0.02)

ssc.socketTextStream("127.0.0.1", int(sys.argv[1])).foreachRDD(slow)
ssc.start()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
ssc.stop(True, True)
print("stopped", ssc._phase())
"""


def is_read(connection):
    """Whether the other side, in this machine, has read all that was sent."""
    wanted = f"{connection.getpeername()[1]:04X}", f"{connection.getsockname()[1]:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    for _, local, remote, _, queues, *_ in rows:
        ports = local.partition(":")[2], remote.partition(":")[2]
        # Not sent yet, on our side; not read yet, on theirs.
        if (ports == wanted[::-1] and int(queues.partition(":")[0], 16) > 0) or (
            ports == wanted and int(queues.partition(":")[2], 16) > 0
        ):
            return False
    return True


def test_gracefully_with_lines_that_wait(begins, server, tmp_path):
    count = 60
    job = begins(RECEIVED, 0.05, server.getsockname()[1], tmp_path / "stop")
    connection, _ = server.accept()
    with connection:
        # A batch's worth every 50 ms, which takes 240 ms to print: most of it has to wait.
        for number in range(count):
            connection.sendall(f"line {number}\n".encode())
            if number % 12 == 11:
                time.sleep(0.05)
        job.until(lambda: is_read(connection), "reading of all lines")
        assert f"line {count - 1}\n" not in job.out
        (tmp_path / "stop").touch()
        assert job.end() == 0, job.err
    assert job.out.splitlines() == [
        *(f"line {number}" for number in range(count)),
        "stopped stopped",
    ]
    assert "given up" not in job.err


def test_gracefully_while_more_comes_in(begins, server, tmp_path):
    job = begins(RECEIVED, 0.05, server.getsockname()[1], tmp_path / "stop")
    connection, _ = server.accept()
    sent, most = 0, 100_000
    with connection:
        # Until the receiver hangs up.
        try:
            while sent < most:
                connection.sendall(f"line {sent}\n".encode())
                sent += 1
                if sent == 40:
                    (tmp_path / "stop").touch()
                time.sleep(0.01)
        except OSError:
            pass
        assert job.end() == 0, job.err
    lines = job.out.splitlines()
    assert lines.pop() == "stopped stopped"
    # All that was taken in came out: once, in order and without a gap.
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert 1 < len(lines) <= sent < most
    assert "given up" not in job.err


def test_gracefully_after_an_output_that_fails(ends):
    # Spark waits for ten intervals then.
    job = ends(
        """
failed = threading.Event()

def fail(rdd):
    failed.set()
    raise ValueError("told of in the log")

ssc.queueStream([[0]], default=[1]).foreachRDD(fail)
ssc.start()
assert failed.wait(10)
begin = time.monotonic()
ssc.stop(True, True)
print(time.monotonic() - begin < 3)
""",
        0.5,
    )
    assert job.out == "True\n"


# --- a function that does not come back ---------------------------------------------------------

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
