"""Functions that make processes: these obey signals, and go no further than the function."""

import pytest

STREAM = """
import multiprocessing, os, signal, sys, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

{function}

sc = SparkContext("local[2]", "forks")
ssc = StreamingContext(sc, 0.1)
ssc.queueStream([[1, 2]]).{output}
ssc.start()
while not done:
    ssc.awaitTerminationOrTimeout(0.05)
ssc.stop()
print("end")
"""

SIGNALS = """
done = []

def child(ready):
    ready.set()
    time.sleep(60)

def act(rdd):
    if done:
        return
    context = multiprocessing.get_context("fork")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        ready = context.Event()
        process = context.Process(target=child, args=(ready,))
        sys.stdout.flush()
        process.start()
        ready.wait()
        os.kill(process.pid, number)
        process.join(10)
        print(number.name, process.exitcode, flush=True)
        process.kill()
    done.append(1)
"""


def test_a_process_that_a_batch_has_forked_obeys_signals(runner, run, script):
    job = run([*runner, script(STREAM.format(function=SIGNALS, output="foreachRDD(act)"))])
    # What multiprocessing makes of an uncaught KeyboardInterrupt is status 1.
    assert job.out == "SIGTERM -15\nSIGINT 1\nSIGHUP -1\nend\n", job.err
    assert job.status == 0


POOL = """
done = []

def act(rdd):
    if done:
        return
    for _ in range(10):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
    done.append(1)
"""


def test_a_pool_in_a_batch_ends(runner, run, script):
    job = run([*runner, script(STREAM.format(function=POOL, output="foreachRDD(act)"))])
    assert (job.out, job.status) == ("end\n", 0), job.err


FORKS = """
import os, sys
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

conf = SparkConf().set("swiftwater.workers", sys.argv[2])
sc = SparkContext("local[2]", "forks", conf=conf)
script = os.getpid()

def forked(end):
    def function(record):
        child = os.fork()
        if child == 0:
            return end()
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    return function

def partition(end):
    def function(records):
        yield from map(forked(end), records)
    return function

def returns():
    return "in the child"

def exits():
    sys.exit(7)

def raises():
    raise ValueError("in the child")

end = {"returns": returns, "exits": exits, "raises": raises}[sys.argv[1]]
numbers = sc.parallelize([1, 2], 1)
print("map", numbers.map(forked(end)).collect(), flush=True)
print("mapPartitions", numbers.mapPartitions(partition(end)).collect(), flush=True)
ssc = StreamingContext(sc, 0.1)
done = []
def act(rdd):
    if done:
        return
    status = forked(end)(1)
    if os.getpid() == script:
        print("foreachRDD", status, flush=True)
        done.append(1)
ssc.queueStream([[1]]).foreachRDD(act)
ssc.start()
while not done:
    ssc.awaitTerminationOrTimeout(0.05)
ssc.stop()
print("end of", "the script" if os.getpid() == script else "a child", flush=True)
"""


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize(
    ("end", "status", "told"),
    [
        ("returns", 0, "has come back from the function"),
        ("exits", 7, ""),
        ("raises", 1, "ValueError: in the child"),
    ],
)
def test_a_process_that_comes_back_from_a_function_ends(
    runner, run, script, end, status, told, workers
):
    job = run([*runner, script(FORKS), end, workers])
    assert job.out.splitlines() == [
        f"map [{status}, {status}]",
        f"mapPartitions [{status}, {status}]",
        f"foreachRDD {status}",
        "end of the script",
    ], job.err
    assert job.status == 0
    assert job.err.count(told) >= 5


READS = """
import os, sys
from swiftwater import SparkContext

sc = SparkContext("local[2]", "forks")

def function(records):
    next(records)
    child = os.fork()
    if child == 0:
        try:
            list(records)
        except RuntimeError as error:
            print(error, flush=True)
            os._exit(5)
    _, status = os.waitpid(child, 0)
    return [os.waitstatus_to_exitcode(status), *records]

print(sc.parallelize([1, 2, 3], 1).mapPartitions(function).collect())
"""


def test_the_records_are_the_parent_s(runner, run, script):
    job = run([*runner, script(READS)])
    lines = job.out.splitlines()
    assert "cannot be read in a process that its function has forked" in lines[0], job.err
    assert lines[1:] == ["[5, 2, 3]"]


WORKERS = """
import os, sys
from swiftwater import SparkConf, SparkContext

sc = SparkContext("local[2]", "forks", conf=SparkConf().set("swiftwater.workers", "always"))
numbers = sc.parallelize([1], 1)
before = numbers.map(lambda _: os.getpid()).collect()
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
print(before == numbers.map(lambda _: os.getpid()).collect())
"""


def test_a_forked_script_that_ends_leaves_the_workers_alone(runner, run, script):
    job = run([*runner, script(WORKERS)])
    assert job.out == "True\n", job.err
    assert "killed" not in job.err
