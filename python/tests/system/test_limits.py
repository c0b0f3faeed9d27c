"""Where the system gives a process little, it says what is missing; it never ends in silence."""

import signal

import pytest
from jobs import require_host

JOB = """
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[4]", "limits")
counts = sc.parallelize(range(100), 4).map(lambda n: (n % 7, n)).reduceByKey(max)
print(counts.count(), flush=True)
ssc = StreamingContext(sc, 0.1)
# Nobody listens there.
ssc.socketTextStream("127.0.0.1", 9).pprint()
ssc.queueStream([[1]]).map(lambda n: n + 1).foreachRDD(lambda rdd: print(rdd.collect(), flush=True))
ssc.start()
ssc.awaitTerminationOrTimeout(0.5)
ssc.stop()
print("end")
"""


def limited(start, limit, command, **env):
    # What a process that ends by a fault leaves is for nobody.
    shell = f'ulimit -c 0; ulimit {limit} && exec "$@"'
    job = start(["sh", "-c", shell, "sh", *command], **env)
    return job, job.end()


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize("count", [5, 6, 7, 8, 10, 14])
def test_few_descriptors(start, script, count, workers):
    command = [require_host(), "run", "--conf", f"swiftwater.workers={workers}", script(JOB)]
    job, status = limited(start, f"-n {count}", command)
    # What cannot be opened is an error of its own, or a connection that fails and is tried again.
    assert status in (0, 1), (status, job.err)
    assert status == 0 or "descriptors (ulimit -n)" in job.err or "open files" in job.err


@pytest.mark.parametrize(
    ("option", "megabytes", "workers"),
    [
        *(("-v", n, "never") for n in (60, 80, 100, 105, 110, 120, 140, 160, 180, 200, 240, 400)),
        *(("-v", n, "always") for n in (105, 120, 140, 170, 200, 260)),
        *(("-d", n, "never") for n in (20, 60, 80, 100, 160)),
    ],
)
def test_little_memory(start, script, door, option, megabytes, workers):
    command = [*door, "run", "--conf", f"swiftwater.workers={workers}", script(JOB)]
    job, status = limited(start, f"{option} {megabytes * 1024}", command)
    told(job, status, option)
    # Threads take no arenas of their own, each of which has 64 MB.
    assert megabytes < 140 or (status, job.out.splitlines()[-1]) == (0, "end")


# Memory goes on growing long after the start.
LARGE = """
from swiftwater import SparkContext

sc = SparkContext("local[4]", "limits")
lines = sc.parallelize([f"line {n} of {'x' * 50}" for n in range(60_000)], 4)
words = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
print(words.reduceByKey(lambda a, b: a + b).count(), flush=True)
print(lines.map(lambda line: (len(line), line)).groupByKey().mapValues(list).count(), flush=True)
print("end")
"""


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize("megabytes", [100, 110, 120, 135, 150, 180])
def test_memory_that_ends_later(start, script, runner, megabytes, workers):
    job, status = limited(
        start, f"-v {megabytes * 1024}", [*runner, script(LARGE)], SWIFTWATER_WORKERS=workers
    )
    told(job, status, "-v")


def told(job, status, option):
    """Check that a job has come to its end, or has said what bounds it."""
    if status == 0:
        assert job.out.endswith("end\n")
    else:
        assert f"(ulimit {option})" in job.err or "MemoryError" in job.err, (status, job.err)


@pytest.mark.parametrize("name", ["SIGILL", "SIGTRAP", "SIGSEGV", "SIGABRT"])
@pytest.mark.parametrize("where", ["script", "thread", "function"])
def test_a_fault_under_a_limit_names_it(start, script, runner, name, where):
    job, status = limited(start, "-v 4000000", [*runner, script(FAULT.format(name, where))])
    # Still the signal's: what started the job sees it.
    assert status == -getattr(signal, name)
    sentence = f"ends by {name}, and its memory is limited to 3906 MB (ulimit -v)"
    assert job.err.count(sentence) == 1


FAULT = """
import os, signal, threading
from swiftwater import SparkConf, SparkContext

sc = SparkContext("local[2]", "limits", conf=SparkConf().set("swiftwater.workers", "never"))

def fault(_):
    signal.pthread_kill(threading.get_ident(), signal.{0})

def thread():
    beside = threading.Thread(target=fault, args=[0])
    beside.start()
    beside.join()

calls = {{
    "script": lambda: fault(0),
    "thread": thread,
    "function": lambda: sc.parallelize([1, 2], 2).foreach(fault),
}}
calls["{1}"]()
"""


def test_without_a_limit_a_fault_says_nothing(start, script, runner):
    job, status = limited(start, "-c 0", [*runner, script(FAULT.format("SIGSEGV", "script"))])
    assert status == -signal.SIGSEGV
    assert "ends by" not in job.err


def test_others_hear_of_a_fault_too(start, script, runner):
    job, status = limited(
        start,
        "-v 4000000",
        [*runner, script(FAULT.format("SIGSEGV", "script"))],
        PYTHONFAULTHANDLER="1",
    )
    assert status == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in job.err
    assert "ends by SIGSEGV, and its memory is limited" in job.err
