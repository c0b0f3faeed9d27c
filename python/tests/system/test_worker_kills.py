"""Workers that are killed at random moments: nothing is lost, and nothing counts twice."""

import collections
import contextlib
import datetime as dt
import json
import os
import random
import re
import select
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest
from jobs import Job, environment, require_host

# Another one each time; SWIFTWATER_SEED repeats the input and the killer's choices. Read when
# pytest loads this file: the tests run without settings from outside.
SEED = os.environ.get("SWIFTWATER_SEED") or str(random.SystemRandom().randrange(10**6))

# Every wait has an end.
NO_PROGRESS_SECONDS = 8
GONE_SECONDS = 2


# --- the killer ---------------------------------------------------------------------------------


def workers(driver):
    """The workers of a driver that have not ended."""
    found = []
    for task in Path(f"/proc/{driver}/task").glob("*"):
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return sorted(pid for pid in found if is_running_worker(pid))


def is_running_worker(pid):
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return b"--worker" in arguments and state not in "ZX"


def kill(pid):
    """Kill a worker and wait until it has gone; false for one that had gone before."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # Another process may have had the number by now.
        if not is_running_worker(pid):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
        gone = select.poll()
        gone.register(process, select.POLLIN)
        assert gone.poll(GONE_SECONDS * 1000), f"worker {pid} survives SIGKILL"
    finally:
        os.close(process)
    return True


class Killer:
    """Kills ``kills`` workers of a job, each some time after the one before it.

    Asked again and again, it waits only for the end of what it has killed.
    """

    def __init__(self, job, kills, milliseconds):
        self._job = job
        self._milliseconds = milliseconds
        self._numbers = random.Random(f"{SEED} killer")
        self._began = time.monotonic()
        self._wait()
        self.left = kills
        self.killed = []

    def _wait(self):
        self._next = time.monotonic() + self._numbers.uniform(*self._milliseconds) / 1000

    def kill_if_due(self):
        if not self.left or time.monotonic() < self._next:
            return
        living = workers(self._job.process.pid)
        # Where there is none, the next one is killed as it comes up.
        if living and kill(pid := self._numbers.choice(living)):
            self.left -= 1
            self.killed.append(f"{dt.datetime.now():%H:%M:%S.%f} {pid}")
            self._wait()

    def report(self):
        """Print what has happened, which pytest shows where a test fails, or with -rP."""
        tried_again = [
            place[1]
            for place in re.finditer(
                r"a worker process was .*?runs out\) (.*?)(?: at |,).*tried again", self._job.err
            )
        ]
        places = dict(collections.Counter(tried_again))
        print(
            f"seed {SEED}: {len(self.killed)} kills in {time.monotonic() - self._began:.1f} s, "
            f"{len(tried_again)} tasks tried again {places}, "
            f"{self._job.err.count('functions run in the driver')} times in the driver"
        )
        print("the last kills:", *self.killed[-5:], sep="\n  ")

    def check(self, kills):
        assert len(self.killed) == kills
        # No worker dies that nobody has killed.
        assert self._job.err.count("a worker process was killed") <= kills


@pytest.fixture
def begin(tmp_path):
    """Start a job whose functions all run in workers."""
    jobs = []

    def begun(command, text, *arguments):
        (tmp_path / "job.py").write_text(textwrap.dedent(text))
        env = environment(SWIFTWATER_WORKERS="always")
        job = Job([*command, "job.py", *map(str, arguments)], tmp_path, env)
        jobs.append(job)
        return job

    yield begun
    for job in jobs:
        job.close()


@pytest.fixture
def host():
    return [require_host(), "run"]


@pytest.fixture(params=["host", "stock"])
def way(request):
    """What the script's name follows: one of two ways to run it."""
    return [require_host(), "run"] if request.param == "host" else [sys.executable]


def run_until(job, killer, step, progress, is_over):
    """Call ``step`` and the killer until ``is_over``; fail where ``progress`` stands still."""
    deadline = time.monotonic() + NO_PROGRESS_SECONDS
    last = None
    try:
        while not is_over():
            step()
            if last != (last := (killer.left, progress())):
                deadline = time.monotonic() + NO_PROGRESS_SECONDS
            assert time.monotonic() < deadline, f"stands still\n{job.out}\n{job.err[-5000:]}"
            assert job.process.poll() is None, f"has ended\n{job.out}\n{job.err[-5000:]}"
            time.sleep(0.001)
    finally:
        killer.report()


# --- a streaming job ----------------------------------------------------------------------------

LINES_OF_A_FILE = 40
# Files that are moved into the folder before their counts are out.
FILES_AHEAD = 10
KEYS = 30

STREAM = """
import json
import os
import time

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext("local[2]", "kills")
ssc = StreamingContext(sc, 0.1)
seen = sc.accumulator(0)
output = open("batches", "w")
batch = {}


def parsed(line):
    time.sleep(0.0003)
    seen.add(1)
    pairs = [("lines", 1)]
    for word in line.split():
        key, _, amount = word.partition("=")
        try:
            pairs.append((key, int(amount)))
        except ValueError:
            pairs.append(("broken", 1))
    return pairs


def total(amounts, before):
    try:
        return sum(amounts) + (before or 0)
    except TypeError:
        raise AssertionError((amounts, before))


def collected(rdd):
    pairs = rdd.collect()
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def note_totals(time, rdd):
    batch.update(totals=collected(rdd), seen=seen.value, time=str(time))
    output.write(json.dumps(batch) + "\\n")
    output.flush()
    batch.clear()


counts = ssc.textFileStream("input").flatMap(parsed).reduceByKey(lambda a, b: a + b, 2).cache()
counts.foreachRDD(lambda rdd: batch.update(counts=collected(rdd)))
counts.updateStateByKey(total, 2).foreachRDD(note_totals)
ssc.start()
while not os.path.exists("stop"):
    # Raises the error of a batch that has failed.
    ssc.awaitTerminationOrTimeout(0.1)
ssc.stop(stopGraceFully=True)
print("stopped")
"""


def lines_of_file(number):
    numbers = random.Random(f"{SEED} file {number}")
    return [
        " ".join(
            f"k{numbers.randrange(KEYS)}={numbers.choice(('', 'x', *range(20)))}"
            for _ in range(numbers.randrange(6))
        )
        for _ in range(LINES_OF_A_FILE)
    ]


def add_counts(totals, number):
    """Add what the job counts in a file."""
    for line in lines_of_file(number):
        totals["lines"] += 1
        for word in line.split():
            key, amount = word.split("=")
            if amount.isdigit():
                totals[key] += int(amount)
            else:
                totals["broken"] += 1


class Feeder:
    """Moves files into the folder of a job, some ahead of what has come out."""

    def __init__(self, folder):
        self._folder = folder
        self._open_line = b""
        self._at = 0
        self.files = 0
        self.batches = []
        (folder / "input").mkdir()

    def feed(self):
        while self.files < self.files_out + FILES_AHEAD:
            path = self._folder / f"file-{self.files}"
            path.write_text("".join(line + "\n" for line in lines_of_file(self.files)))
            path.rename(self._folder / "input" / path.name)
            self.files += 1

    def read(self):
        """Read the batches that have come out since the last time."""
        with contextlib.suppress(FileNotFoundError), open(self._folder / "batches", "rb") as file:
            file.seek(self._at)
            data = file.read()
            self._at += len(data)
            *lines, self._open_line = (self._open_line + data).split(b"\n")
            self.batches += map(json.loads, lines)

    @property
    def files_out(self):
        return self.batches[-1]["totals"].get("lines", 0) // LINES_OF_A_FILE if self.batches else 0

    def check(self):
        """Compare every batch with those before it, and their sum with the input."""
        totals = collections.defaultdict(int)
        for number, batch in enumerate(self.batches):
            for key, count in batch["counts"].items():
                totals[key] += count
            assert batch["totals"] == totals, f"batch {number}: {batch}"
            assert batch["seen"] == totals.get("lines", 0), f"batch {number}: {batch}"
        times = [batch["time"] for batch in self.batches]
        assert times == sorted(set(times))
        expected = collections.defaultdict(int)
        for number in range(self.files):
            add_counts(expected, number)
        assert totals == expected


@pytest.mark.parametrize("kills", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_kills_in_a_stream(host, begin, tmp_path, kills):
    feeder = Feeder(tmp_path)
    job = begin(host, STREAM)
    killer = Killer(job, kills, (100, 220))

    def step():
        feeder.read()
        # Files that are older than the stream do not count.
        if feeder.batches and killer.left:
            feeder.feed()
            killer.kill_if_due()

    run_until(
        job,
        killer,
        step,
        progress=lambda: feeder.files_out,
        is_over=lambda: not killer.left and feeder.files_out == feeder.files,
    )
    print(f"{feeder.files} files in {len(feeder.batches)} batches")
    (tmp_path / "stop").touch()
    assert job.end() == 0, job.out + job.err
    assert job.out == "stopped\n"
    feeder.read()
    feeder.check()
    killer.check(kills)


# --- long actions -------------------------------------------------------------------------------

ACTIONS = """
import os
import random
import sys

from swiftwater import SparkContext

RECORDS = 200_000
numbers = random.Random(sys.argv[1])
data = [(key, numbers.randrange(1000)) for key in range(RECORDS)]
numbers.shuffle(data)
small = dict(data[:20_000])
groups = {}
for key, value in data:
    groups.setdefault(value, []).append(key)


def checked(pair):
    try:
        key, value = pair
    except ValueError:
        raise AssertionError(pair)
    seen.add(1)
    return key, value


def swapped(pair):
    key, value = checked(pair)
    return value, key


sc = SparkContext("local[2]", "actions")
pairs = sc.parallelize(data, 24)
others = sc.parallelize(list(small.items()), 2)
actions = {
    "sortByKey": (lambda: pairs.map(checked).sortByKey(numPartitions=4).collect(), sorted(data)),
    "join": (
        lambda: sorted(pairs.map(checked).join(others.map(checked), 4).collect()),
        sorted((key, (value, value)) for key, value in small.items()),
    ),
    "groupByKey": (
        lambda: sorted(pairs.map(swapped).groupByKey(4).mapValues(sorted).collect()),
        sorted((value, sorted(keys)) for value, keys in groups.items()),
    ),
}
added = {}
print("begin", flush=True)
while not os.path.exists("stop"):
    for name, (action, expected) in actions.items():
        seen = sc.accumulator(0)
        assert action() == expected, name
        # How often sortByKey looks at its input before it sorts is its own affair.
        assert seen.value == added.setdefault(name, seen.value), (name, seen.value, added)
        print(name, flush=True)
assert added["join"] == RECORDS + len(small), added
assert added["groupByKey"] == RECORDS, added
print("stopped", added)
"""


@pytest.mark.parametrize("kills", [15, pytest.param(300, marks=pytest.mark.long)])
def test_kills_in_long_actions(way, begin, tmp_path, kills):
    job = begin(way, ACTIONS, SEED)
    job.until_out("begin\n")
    killer = Killer(job, kills, (200, 500))
    run_until(
        job,
        killer,
        killer.kill_if_due,
        progress=lambda: None,
        is_over=lambda: not killer.left,
    )
    (tmp_path / "stop").touch()
    assert job.end() == 0, job.out + job.err
    assert "\nstopped" in job.out
    print(job.out.count("\n") - 2, "actions", job.out.splitlines()[-1])
    killer.check(kills)


# --- workers that start -------------------------------------------------------------------------

STARTS = """
import os

from swiftwater import SparkContext

sc = SparkContext("local[2]", "starts")
driver = os.getpid()


def place(number):
    try:
        return number * 2, os.getpid() == driver
    except TypeError:
        raise AssertionError(number)


print("begin", flush=True)
while not os.path.exists("stop"):
    found = sc.parallelize(range(8), 4).map(place).collect()
    assert [number for number, _ in found] == list(range(0, 16, 2)), found
    print(sum(is_driver for _, is_driver in found), flush=True)
print("stopped")
"""


@pytest.mark.parametrize("milliseconds", [(0, 0), (0, 60)])
def test_kills_while_workers_start(host, begin, tmp_path, milliseconds):
    """As one that is killed later, each costs its task another attempt."""
    job = begin(host, STARTS)
    job.until_out("begin\n")
    killer = Killer(job, 10, milliseconds)
    run_until(
        job,
        killer,
        killer.kill_if_due,
        progress=lambda: None,
        is_over=lambda: not killer.left,
    )
    actions = len(job.out.splitlines())
    job.until(lambda: len(job.out.splitlines()) > actions + 3, "actions after the last kill")
    (tmp_path / "stop").touch()
    assert job.end() == 0, job.out + job.err
    killer.check(10)
    in_driver = job.out.splitlines()[1:-1]
    print("records in the driver:", *collections.Counter(in_driver).items())
    assert in_driver[-1] == "0", "no workers any more"
    assert set(in_driver) == {"0"}
