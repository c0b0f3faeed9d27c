"""Worker processes of real jobs: what they print, how they end, and jobs without them."""

import contextlib
import os
import random
import re
import signal
import sys
import textwrap
import time
import uuid
from pathlib import Path

import pytest
from jobs import Job, environment, require_host

HEAD = """
import os, signal, subprocess, sys, time
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

def mark(name):
    with open(f"{name}.new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(f"{name}.new", name)

def wait_for(name):
    end = time.monotonic() + 20
    while not os.path.exists(name):
        assert time.monotonic() < end, f"no {name}"
        time.sleep(0.002)

sc = SparkContext("local[2]", "workers")
"""

# What a worker, or whatever it has started, has until it is gone.
END_SECONDS = 1.0
# One worker that cannot be interrupted takes a second.
STOP_SECONDS = 6.0


# --- jobs and their processes -------------------------------------------------------------------


class WorkerJob(Job):
    """A job whose processes are known, also when their parents have ended."""

    def __init__(self, command, folder, name, env):
        super().__init__(command, folder, env)
        self._name = f"SYSTEM_TEST_JOB={name}".encode()
        self.folder = folder

    @property
    def out(self):
        return self._read["out"].decode(errors="backslashreplace")

    def processes(self):
        """The processes that live, but the driver: the number of each, and its command line."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self._name in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "cmdline").read_bytes().decode()
        found.pop(self.process.pid, None)
        return found

    def workers(self):
        """The workers of the driver, dead or alive."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*"):
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
        return [pid for pid in found if "--worker" in command_line(pid)]

    def until_file(self, *names):
        self.until(lambda: all((self.folder / name).exists() for name in names), f"files {names}")

    def until_gone(self, seconds=END_SECONDS):
        """Wait until nothing of the job is left; fail where that takes longer."""
        end = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < end, f"left: {left}\n{self.out}\n{self.err}"
            time.sleep(0.005)

    def ends(self):
        """Wait for a good end, and return what was printed to standard output."""
        assert self.end() == 0, self.out + self.err
        return self.out

    def close(self):
        super().close()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.fixture
def begin(tmp_path):
    """Start a job of ``HEAD`` and a text; all its functions run in workers."""
    jobs = []

    def begun(command, text, *arguments, head=HEAD, **env):
        (tmp_path / "job.py").write_text(head + textwrap.dedent(text))
        name = uuid.uuid4().hex
        env = {"SWIFTWATER_WORKERS": "always", "SYSTEM_TEST_JOB": name, **env}
        env = environment(**{name: value for name, value in env.items() if value is not None})
        job = WorkerJob([*command, "job.py", *arguments], tmp_path, name, env)
        jobs.append(job)
        return job

    yield begun
    for job in jobs:
        job.close()


HOST, STOCK = "host", "stock"


def command_of(name, *flags):
    return [require_host(), "run", *flags] if name == HOST else [sys.executable]


@pytest.fixture(params=[HOST, STOCK])
def way(request):
    """What the script's name follows: one of two ways to run it."""
    return command_of(request.param)


@pytest.fixture
def host():
    return command_of(HOST)


# --- what functions print -----------------------------------------------------------------------

TALK = """
def talk(worker):
    mark(f"talks-{worker}")
    wait_for(f"talks-{1 - worker}")
    for number in range(2000):
        # In pieces, so that no worker's pipe ever ends with a line.
        for piece in (f"out {worker} ", f"{number} ", "x" * (number % 90), " end\\n"):
            os.write(1, piece.encode())
        print("err", worker, number, "x" * (number % 90), "end", file=sys.stderr)
    return worker
"""
LINE = re.compile(r"(out|err) ([01]) (\d+) x* end")


def numbers_of(text):
    """The numbers of each worker's lines in their order; fails where a line is torn."""
    found = {}
    for line in text.splitlines():
        matched = LINE.fullmatch(line)
        assert matched, line
        found.setdefault(matched[2], []).append(int(matched[3]))
    return found


def test_lines_of_two_workers_are_whole_and_come_before_the_action_ends(way, begin):
    job = begin(way, TALK + "print('begin')\nprint(sc.parallelize([0, 1], 2).map(talk).collect())")
    out = job.ends()
    assert out.startswith("begin\n")
    assert out.endswith("end\n[0, 1]\n")
    all_lines = {"0": list(range(2000)), "1": list(range(2000))}
    assert numbers_of(out.removeprefix("begin\n").removesuffix("[0, 1]\n")) == all_lines
    assert numbers_of(job.err) == all_lines


def test_no_line_of_many_short_tasks_is_lost(way, begin):
    job = begin(
        way,
        """
def talk(name):
    for number in range(10):
        print(name, number)

for n in range(300):
    sc.parallelize([f"line {n} {part}" for part in range(6)], 6).foreach(talk)
""",
    )
    expected = [f"line {n} {p} {i}" for n in range(300) for p in range(6) for i in range(10)]
    assert sorted(job.ends().splitlines()) == sorted(expected)


def test_what_a_batch_prints_comes_before_its_end_and_while_the_job_runs(way, begin):
    job = begin(
        way,
        """
def talk(number):
    print("function", number)
    return number

ssc = StreamingContext(sc, 0.05)
ssc.queueStream([[1], [2]]).map(talk).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
ssc.awaitTermination()
""",
    )
    job.until_out("batch [2]\n")
    assert job.out.startswith("function 1\nbatch [1]\nfunction 2\nbatch [2]\n")


def test_what_a_function_flushes_is_seen_while_the_action_runs(way, begin):
    job = begin(
        way,
        """
def talk(_):
    print("seen", flush=True)
    wait_for("seen")

sc.parallelize([0], 1).foreach(talk)
""",
    )
    job.until_out("seen\n")
    (job.folder / "seen").touch()
    job.ends()


def test_bytes_and_what_children_print(way, begin):
    job = begin(
        way,
        r"""
def talk(_):
    sys.stdout.buffer.write("é ß".encode())
    sys.stdout.flush()
    os.write(1, b" \xff\x80 \xe6\x97")
    os.write(1, b"\xa5\n")
    print("\udcff")
    os.write(2, b"error \xff\n")
    subprocess.run(["sh", "-c", "echo child; echo bad >&2"], check=True)
    print("no end", end="")

print(sc.parallelize([0], 1).map(talk).collect())
""",
        PYTHONIOENCODING="utf-8",
    )
    assert job.ends() == "é ß \\xff\\x80 日\n\\udcff\nchild\nno end[None]\n"
    assert job.err == "error \\xff\nbad\n"


@pytest.mark.parametrize("death", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(3)"])
def test_what_a_worker_has_printed_is_not_lost_with_it(way, begin, death):
    job = begin(
        way,
        f"""
def talk(_):
    again = os.path.exists("once")
    mark("once")
    for number in range(3000):
        print("line", again, number)
        os.write(2, b"error %d\\n" % number)
    print("last words", end="", flush=True)
    if not again:
        {death}

print(sc.parallelize([0], 1).map(talk).count())
""",
    )
    once, again = ([f"line {again} {number}" for number in range(3000)] for again in (False, True))
    assert job.ends() == "\n".join([*once, "last words" + again[0], *again[1:], "last words1\n"])
    errors = [f"error {number}" for number in range(3000)]
    assert [line for line in job.err.splitlines() if "error" in line] == errors * 2
    assert job.err.count("its task is tried again") == 1


# --- their end ----------------------------------------------------------------------------------

# No signal ends it.
LOCKED_TWICE = (
    "lock = ctypes.{}(None).pthread_mutex_lock; mutex = ctypes.create_string_buffer(64)"
    "; lock(mutex); lock(mutex)"
)
# What a function may be doing: the text, and whether it can be interrupted.
HANGS = {
    "loop": ("while True: pass", True),
    "sleep": ("time.sleep(1000)", True),
    "lock": ("import threading; threading.Semaphore(0).acquire()", True),
    "C": (f"import ctypes; {LOCKED_TWICE.format('CDLL')}", False),
    "C with the interpreter": (f"import ctypes; {LOCKED_TWICE.format('PyDLL')}", False),
    "regular expression": ("import re; re.match('(a+)+$', 'a' * 60 + 'b')", True),
    "child": ("subprocess.run(['sleep', '1000'], close_fds=False)", True),
    "fork": ("os.fork(); time.sleep(1000)", True),
    "signals": (
        """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1000)""",
        False,
    ),
    "catching": (
        """
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass""",
        False,
    ),
}


def hanging(name, end="sc.parallelize([0, 1], 2).map(hang).collect()\n"):
    return f"""
def hang(number):
    mark(f"hangs-{{number}}")
    {HANGS[name][0]}

{end}"""


@pytest.mark.parametrize("what", HANGS)
def test_workers_end_with_a_driver_that_is_killed(way, begin, what):
    job = begin(way, hanging(what))
    job.until_file("hangs-0", "hangs-1")
    assert len(job.processes()) >= 2
    job.process.kill()
    assert job.end() == -signal.SIGKILL
    job.until_gone()


IDLE = """
{leave}
assert sc.parallelize([0, 1], 2).map(lambda n: (time.sleep(0.1), leave())).count() == 2
mark("idle")
{end}
"""
LEAVE = {
    "nothing": "def leave(): pass",
    "children": "def leave(): subprocess.Popen(['sleep', '1000'], close_fds=False)",
    "forks": "def leave(): os.fork() or time.sleep(1000)",
    "threads": """
import threading
def leave(): threading.Thread(target=time.sleep, args=(1000,)).start()""",
    "exit handlers": """
import atexit
def leave(): atexit.register(time.sleep, 1000)""",
}


@pytest.mark.parametrize("leave", LEAVE)
def test_idle_workers_end_with_a_driver_that_is_killed(way, begin, leave):
    job = begin(way, IDLE.format(leave=LEAVE[leave], end="time.sleep(1000)"))
    job.until_file("idle")
    assert len(job.processes()) >= 1
    job.process.kill()
    job.process.wait()
    job.until_gone()


ENDS = {
    "the last line": ("", 0),
    "stop": ("sc.stop(); mark('stopped')", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "an exception": ("1 / 0", 1),
    "os._exit": ("os._exit(4)", 4),
    "abort": ("os.abort()", -signal.SIGABRT),
    "another program": ("os.execvp('sleep', ['sleep', '0.1'])", 0),
}


@pytest.mark.parametrize("leave", ["nothing", "children", "exit handlers"])
@pytest.mark.parametrize("end", ENDS)
def test_no_worker_is_left_whatever_ends_the_job(way, begin, leave, end):
    text, status = ENDS[end]
    job = begin(way, IDLE.format(leave=LEAVE[leave], end=text))
    job.until_file("idle")
    # A shell's number for what a signal has ended.
    assert job.end() in {status, 128 - status if status < 0 else status}, job.err
    job.until_gone()


def test_no_worker_is_left_after_stop_in_a_job_that_goes_on(way, begin):
    job = begin(way, IDLE.format(leave=LEAVE["children"], end="sc.stop(); time.sleep(1000)"))
    job.until_file("idle")
    job.until_gone(2 * END_SECONDS)
    assert job.process.poll() is None


@pytest.mark.parametrize("leave", ["nothing", "children"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_worker_is_left_after_a_signal(way, begin, number, leave):
    job = begin(way, IDLE.format(leave=LEAVE[leave], end="time.sleep(1000)"))
    job.until_file("idle")
    job.process.send_signal(number)
    assert job.end() in {128 + number, -number}
    job.until_gone()


# --- stopping what never returns ----------------------------------------------------------------

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


# --- killed workers (those of streams: test_worker_kills.py) ------------------------------------


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


# --- memory -------------------------------------------------------------------------------------

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


# --- settings -----------------------------------------------------------------------------------

WHERE = """
pids = set(sc.parallelize(range(4), 4).map(lambda n: (time.sleep(0.03), os.getpid())[1]).collect())
pids |= set(sc.parallelize(range(4), 4).map(lambda n: (time.sleep(0.03), os.getpid())[1]).collect())
print("driver" if os.getpid() in pids else "", len(pids - {os.getpid()}))
"""
FOUND = {"always": " 2\n", "auto": "driver 1\n", "never": "driver 0\n"}


def places(tmp_path, value):
    """Where ``swiftwater.workers`` may be set: the flags, the environment, the text of ``conf``."""
    (tmp_path / "job.conf").write_text(f"swiftwater.workers={value}\n")
    return {
        "conf": ([], {}, f'conf=SparkConf().set("swiftwater.workers", "{value}")'),
        "environment": ([], {"SWIFTWATER_WORKERS": value}, ""),
        "flag": (["--conf", f"swiftwater.workers={value}"], {}, ""),
        "properties": (["--properties-file", "job.conf"], {}, ""),
    }


def begin_with(begin, way, setting, text):
    flags, env, conf = setting
    if way == [sys.executable] and flags:
        way = [sys.executable, "-m", "swiftwater", "run"]
    # Nothing but what the test sets.
    env = {"SWIFTWATER_WORKERS": env.get("SWIFTWATER_WORKERS")}
    head = HEAD.replace('"workers")', f'"workers", {conf})')
    return begin([*way, *flags], text, head=head, **env)


PLACES = ["conf", "environment", "flag", "properties"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", FOUND)
def test_each_place_of_the_setting_counts(way, begin, tmp_path, place, value):
    job = begin_with(begin, way, places(tmp_path, value)[place], WHERE)
    assert job.ends() == FOUND[value]


def test_whoever_runs_the_job_wins_over_the_code(way, begin, tmp_path):
    flags, env, _ = places(tmp_path, "never")["environment"]
    conf = places(tmp_path, "always")["conf"][2]
    assert begin_with(begin, way, (flags, env, conf), WHERE).ends() == FOUND["never"]


@pytest.mark.parametrize("value", ["sometimes", ""])
@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_value_ends_the_job_and_is_named(way, begin, tmp_path, place, value):
    job = begin_with(begin, way, places(tmp_path, value)[place], "print('not reached')")
    assert job.end() in {1, 2}
    assert "not reached" not in job.out
    assert "swiftwater.workers" in job.err
    assert all(word in job.err for word in ("auto", "always", "never"))


def test_a_wrong_size_and_a_wrong_name_are_named(way, begin):
    job = begin(way, "", SWIFTWATER_WORKER_MEMORY="lots")
    assert job.end() == 1
    assert "swiftwater.worker.memory" in job.err
    assert "lots" in job.err
    conf = 'conf=SparkConf().set("swiftwater.worker", "always")'
    job = begin(way, "", head=HEAD.replace('"workers")', f'"workers", {conf})'))
    assert job.end() == 1
    assert "swiftwater.workers" in job.err


# --- scripts ------------------------------------------------------------------------------------

BESIDE = {
    "beside.py": """
        import os
        FACTOR = 3
        loaded_in = os.getpid()
        def tripled(n):
            return n * FACTOR
        """,
    "package/__init__.py": "from .inner import Point",
    "package/inner.py": """
        from dataclasses import dataclass
        from . import numbers
        @dataclass(frozen=True)
        class Point:
            x: int
            def moved(self):
                return Point(self.x + numbers.STEP)
        """,
    "package/numbers.py": "STEP = 10",
    "data.txt": "from a file",
}
SCRIPT = """
from __future__ import annotations
import dataclasses, enum, os, sys
import beside
from beside import tripled
from package import Point
from swiftwater import SparkContext

print("top", __name__)
OFFSET = 5
CACHE = {}

@dataclasses.dataclass(order=True)
class Box:
    value: int
    more: list[int] = dataclasses.field(default_factory=list)

    def doubled(self) -> Box:
        return Box(self.value * 2, [*self.more, self.value])

class Base:
    def name(self):
        return type(self).__name__

class Child(Base):
    def name(self):
        return "a " + super().name()

class Colour(enum.Enum):
    RED = 1

def even(n):
    return True if n == 0 else odd(n - 1)

def odd(n):
    return False if n == 0 else even(n - 1)

def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)

def with_offset(n):
    return n + OFFSET

def cached(n):
    CACHE[n] = CACHE.get(n, 0) + 1
    return CACHE[n]

def content(name):
    with open(name) as file:
        return file.read()

def everything(n):
    assert os.getpid() != driver
    assert sys.argv[1:] == ["an argument"], sys.argv
    return (
        even(n), depth(n), with_offset(n), tripled(n), beside.tripled(n), Point(n).moved(),
        Box(n).doubled(), Child().name(), Colour(1) is Colour.RED, content("data.txt"),
        os.path.basename(os.getcwd()) == folder, cached(n), __name__, beside.loaded_in == driver,
        os.path.basename(__file__),
    )

def main():
    sc = SparkContext("local[2]", "script")
    numbers = sc.parallelize(range(4), 2)
    found = numbers.map(everything).collect()
    assert found == [
        (
            n % 2 == 0, n, n + 5, n * 3, n * 3, Point(n + 10), Box(n * 2, [n]), "a Child", True,
            "from a file", True, 1, "__main__", False, "job.py",
        )
        for n in range(4)
    ], found
    assert all(type(item[6]) is Box and type(item[5]) is Point for item in found)
    global OFFSET
    OFFSET = 100
    assert numbers.map(with_offset).collect() == [100, 101, 102, 103]
    boxes = numbers.map(lambda n: (Colour.RED, Box(n))).reduceByKey(max).collect()
    assert boxes == [(Colour.RED, Box(3))], boxes
    assert CACHE == {}
    print("passed")

driver, folder = os.getpid(), os.path.basename(os.getcwd())
if __name__ == "__main__":
    print("guarded")
    main()
"""
OUTPUT = "top __main__\nguarded\npassed\n"


@pytest.fixture
def beside(tmp_path):
    for name, text in BESIDE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))


@pytest.mark.usefixtures("beside")
def test_a_script_with_all_kinds_of_functions_and_classes(way, begin):
    assert begin(way, SCRIPT, "an argument", head="", PYTHONHASHSEED="0").ends() == OUTPUT


@pytest.mark.usefixtures("beside")
def test_a_script_that_is_run_by_exec(way, begin, tmp_path):
    (tmp_path / "cells.py").write_text(SCRIPT)
    text = 'exec(compile(open("cells.py").read(), "<cell>", "exec"), globals())'
    assert begin(way, text, "an argument", head="", PYTHONHASHSEED="0").ends() == OUTPUT


# --- workers that cannot be started -------------------------------------------------------------

# So many records that workers are wanted from the beginning.
TRY = """
for _ in range(5):
    rdd = sc.parallelize(range(60_000), 2)
    assert rdd.map(lambda n: [n]).collect() == [[n] for n in range(60_000)]
    assert set(rdd.map(lambda n: os.getpid()).collect()) == {os.getpid()}
print("passed")
"""
BROKEN = {
    "no such program": (
        """
sys.executable = "/nowhere/python"
if hasattr(sys, "_swiftwater_host"):
    sys._swiftwater_host = "/nowhere/swiftwater"
""",
        "cannot be started (/nowhere/",
    ),
    "an interpreter without a library": (
        "os.environ['PYTHONHOME'] = '/nowhere'",
        "exited with status 1 when it began",
    ),
    "a start that ends the process": (
        """
with open("sitecustomize.py", "w") as file:
    file.write("import os; os.write(2, b'no entry\\\\n'); os._exit(7)")
os.environ["PYTHONPATH"] = os.getcwd() + os.pathsep + os.environ["PYTHONPATH"]
""",
        "exited with status 7 when it began",
    ),
    "no files": (
        """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), 4096))
""",
        "Too many open files",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_without_workers_the_job_goes_on_which_is_said_once(way, begin, how):
    if how == "an interpreter without a library" and way[0] != sys.executable:
        pytest.skip("the host knows its own library")
    text, reason = BROKEN[how]
    job = begin(way, text + TRY, SWIFTWATER_WORKERS="auto")
    assert job.ends() == "passed\n"
    assert job.err.count("functions run in the driver, on one core: ") == 1
    assert reason in job.err
    if how == "a start that ends the process":
        assert "no entry\n" in job.err


def test_too_little_memory_for_a_worker(way, begin):
    job = begin(way, TRY, SWIFTWATER_WORKERS="auto", SWIFTWATER_WORKER_MEMORY="1m")
    assert job.ends() == "passed\n"
    assert job.err.count("functions run in the driver, on one core: ") == 1
    assert job.err.endswith("swiftwater.worker.memory is 1m: too little?\n")


# From too few files for anything to enough.
FEW_FILES = """
import resource
from swiftwater.errors import SparkException
sc.stop()

def descriptors():
    return len(os.listdir("/proc/self/fd"))

usual = resource.getrlimit(resource.RLIMIT_NOFILE)
before, alone = descriptors(), 0
for more in range(40):
    with SparkContext("local[2]", "few") as sc:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + more, usual[1]))
        rdd = sc.parallelize(range(8), 2)
        try:
            assert rdd.map(lambda n: [n]).collect() == [[n] for n in range(8)]
            assert os.getpid() not in rdd.map(lambda n: os.getpid()).collect()
        except SparkException as error:
            # All has to run in workers: none of it runs in the driver instead.
            assert "no worker process can be started" in str(error)
            alone += 1
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)
print(alone, descriptors() - before)
"""


def test_few_files(way, begin):
    alone, more = begin(way, FEW_FILES).ends().split()
    # Not in all cases, and not in none.
    assert 0 < int(alone) < 40
    assert more == "0"


# --- nothing grows ------------------------------------------------------------------------------

GROWTH = """
def used():
    with open("/proc/self/statm") as file:
        memory = int(file.read().split()[1]) * 4096
    children = 0
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                children += len(file.read().split())
        except OSError:
            pass
    return len(os.listdir("/proc/self/fd")), children, memory

def work(line):
    total.add(len(line))
    return [line, shared.value]

total, shared, done = sc.accumulator(0), sc.broadcast(["shared"] * 1000), 0
%s
first = None
while done < 400:
    step()
    if done == 100:
        first = used()
last = used()
print("grown", last[0] - first[0], last[1] - first[1], last[1], last[2] - first[2])
sc.stop()
"""
STEPS = {
    "actions": """
def step():
    global done
    n = done
    assert sc.parallelize(["x"] * 20, 4).map(lambda x: work(x + str(n))).count() == 20
    done += 1
""",
    "errors": """
def step():
    global done
    try:
        sc.parallelize([1, 0], 2).map(lambda n: 1 / n).count()
    except ZeroDivisionError:
        done += 1
""",
    "broadcasts": """
def step():
    global done
    value = sc.broadcast([done] * 10_000)
    assert sc.parallelize(range(4), 2).map(lambda n: value.value[n]).distinct().count() == 1
    value.destroy()
    done += 1
""",
    "batches": """
def counted(rdd):
    global done
    rdd.collect()
    done += 1

ssc = StreamingContext(sc, 0.01)
ssc.queueStream([], default=sc.parallelize(["a b", "c"] * 10, 4)).map(work).foreachRDD(counted)
ssc.start()

def step():
    n = done
    while done == n:
        time.sleep(0.0005)
""",
}


@pytest.mark.parametrize("step", STEPS)
def test_descriptors_workers_and_memory_do_not_grow(begin, host, step):
    job = begin(host, GROWTH % STEPS[step], SWIFTWATER_LOG_LEVEL="warning")
    job.end()
    assert "grown" in job.out, job.out[-1000:] + job.err
    files, workers, all_workers, memory = map(
        int, job.out.split("grown ")[1].split("\n")[0].split()
    )
    assert (files, workers, all_workers) == (0, 0, 2)
    # A leak of 10 KB a step would be 3 MB.
    assert memory < 3 << 20


def test_descriptors_and_memory_do_not_grow_with_deaths(begin, host):
    step = """
def step():
    global done
    here = done
    assert sc.parallelize(range(2), 2).map(lambda n: dies(here, n)).collect() == [0, 1]
    done += 1

def dies(here, n):
    name = f"died-{here}-{n}"
    if not os.path.exists(name):
        mark(name)
        os._exit(1)
    return n
"""
    text = GROWTH.replace("400", "40").replace("100", "10") % step
    job = begin(host, text, SWIFTWATER_LOG_LEVEL="error")
    files, workers, all_workers, memory = map(int, job.ends().split("grown ")[1].split())
    assert (files, workers, all_workers) == (0, 0, 2)
    assert memory < 3 << 20
