"""Workers that need more memory than they may have, or are killed."""

import os
import random
import re
import signal
import time

import pytest
from worker_jobs import HEAD


class Killer:
    """Kills workers of a job, one at a time, at random moments."""

    def __init__(self, job, count):
        seed = int(os.environ.get("SWIFTWATER_TEST_SEED") or random.SystemRandom().randrange(2**32))
        print(f"SWIFTWATER_TEST_SEED={seed}")
        self._random = random.Random(seed)
        self._job = job
        self._count = count
        self.killed = 0

    def run(self):
        while self.killed < self._count:
            # Enough for a new one to begin, and to be in the middle of something.
            time.sleep(self._random.uniform(0.05, 0.3))
            self._job.until(self._job.workers, "workers")
            # Where the job has ended meanwhile there are none, and the test fails elsewhere.
            if workers := self._job.workers():
                self._kill(self._random.choice(workers))

    def _kill(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed += 1
        self._job.until(lambda: pid not in self._job.workers(), f"end of {pid}")


ROUNDS = """
def work(n):
    time.sleep(0.0003)
    seen.add(n)
    return n % 7, [n]

seen = sc.accumulator(0)
rounds = 0
while not os.path.exists("enough"):
    before = seen.value
    rdd = sc.parallelize(range(300), 6).map(work).reduceByKey(lambda a, b: a + b, 3)
    found = rdd.mapValues(lambda ns: (time.sleep(0.001), sorted(ns))[1]).collect()
    assert sorted(found) == [(k, list(range(k, 300, 7))) for k in range(7)], found
    assert seen.value - before == sum(range(300)), (before, seen.value)
    rounds += 1
print("rounds", rounds)
"""


@pytest.mark.parametrize("kills", [15, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.parametrize("workers", ["always", "auto"])
def test_actions_whose_workers_are_killed_give_exact_results(begin, host, kills, workers):
    job = begin(host, ROUNDS, SWIFTWATER_WORKERS=workers)
    Killer(job, kills).run()
    (job.folder / "enough").touch()
    assert int(job.ends().removeprefix("rounds ")) > kills / 10
    assert "its task is tried again" in job.err


GREEDY = """
def greedy(n):
    return len(bytearray(1 << 31 if n == 5 else 10))

try:
    sc.parallelize(range(8), 2).map(greedy).collect()
except MemoryError as error:
    print("MemoryError", getattr(error, "__notes__", ""))
print(sc.parallelize(range(4), 2).map(lambda n: (n, os.getpid() != {driver})[1]).collect())
"""


@pytest.mark.parametrize("place", ["conf", "environment", "flag", "properties"])
def test_memory_beyond_the_bound_is_a_memory_error(begin, host, tmp_path, place):
    text = GREEDY.format(driver="int(os.environ['DRIVER'])")
    head = HEAD.replace("sc = ", "os.environ['DRIVER'] = str(os.getpid())\nsc = ")
    flags, env = [], {}
    if place == "conf":
        head = head.replace(
            "sc = ", 'conf = SparkConf().set("swiftwater.worker.memory", "500m")\nsc = '
        )
        head = head.replace('"workers")', '"workers", conf=conf)')
    elif place == "environment":
        env["SWIFTWATER_WORKER_MEMORY"] = "500m"
    elif place == "flag":
        flags = ["--conf", "swiftwater.worker.memory=500m"]
    else:
        (tmp_path / "job.conf").write_text("swiftwater.worker.memory 500m\n")
        flags = ["--properties-file", "job.conf"]
    job = begin([*host, *flags], text, head=head, **env)
    out = job.ends()
    assert re.search(r"MemoryError .*in operator: map at job.py:\d+", out), out
    assert "record: 5" in out
    assert out.endswith("[True, True, True, True]\n")


def test_an_uncaught_memory_error_is_shown(way, begin):
    job = begin(
        way,
        """
def greedy(n):
    return bytearray(1 << 31)

sc.parallelize([1]).map(greedy).count()
""",
        SWIFTWATER_WORKER_MEMORY="300m",
    )
    assert job.end() == 1
    assert "in greedy" in job.err
    assert "MemoryError" in job.err


KILLED = re.compile(
    r"killed by signal 9 \(SIGKILL, as where memory runs out\) "
    r"in map at job\.py:\d+, at about record \d+ \(records (\d+) to (\d+) of partition 1\), "
    r"like 2 before it at the same task"
)


def test_a_worker_that_the_system_kills_is_named_on_the_screen(way, begin):
    job = begin(
        way,
        """
def fatal(n):
    if n == 17:
        os.kill(os.getpid(), signal.SIGKILL)
    return n

sc.parallelize(range(20), 2).map(fatal).collect()
""",
    )
    assert job.end() == 1
    # Long lines are not broken; what the log says first is a part of the message.
    assert job.err.count("; its task is tried again") == 2
    shown = job.err.split("its task is tried again")[2]
    assert "SparkException: a worker process was killed" in shown
    first, last = map(int, KILLED.search(shown).groups())
    # Of the partition's records, 17 is the eighth.
    assert first <= 7 <= last


def test_a_stream_goes_on_after_a_batch_whose_workers_died(way, begin):
    job = begin(
        way,
        """
def fatal(n):
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return n

ssc = StreamingContext(sc, 0.05)
numbers = ssc.queueStream([[0], [1], [2]])
numbers.map(fatal).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
try:
    ssc.awaitTermination()
except Exception as error:
    print("raised", type(error).__name__)
    wait_for("enough")
""",
    )
    job.until_out("batch [2]\n")
    job.until_out("raised SparkException\n")
    (job.folder / "enough").touch()
    assert "batch [1]" not in job.ends()
    assert "foreachRDD failed: SparkException: a worker process was killed by signal 9" in job.err
