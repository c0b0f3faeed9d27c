"""Worker processes of real jobs: what they print, how they end, what becomes of a job without them."""

import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import sys
import textwrap
import threading
import time
import uuid
from pathlib import Path

import pytest
from jobs import PYTHON, Job, environment, require_host

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

    def begun(command, text, *arguments, head=HEAD, limits=(), **env):
        (tmp_path / "job.py").write_text(head + textwrap.dedent(text))
        name = uuid.uuid4().hex
        env = environment(**{"SWIFTWATER_WORKERS": "always", **env}, SYSTEM_TEST_JOB=name)
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
    assert job.ends() == "é ß \ufffd\ufffd 日\n\\udcff\nchild\nno end[None]\n"
    assert job.err == "error \ufffd\nbad\n"


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

# What a function may be doing: the text, and whether it can be interrupted.
HANGS = {
    "loop": ("while True: pass", True),
    "sleep": ("time.sleep(1000)", True),
    "lock": ("import threading; threading.Semaphore(0).acquire()", True),
    "C": ("import ctypes; ctypes.CDLL(None).sleep(1000)", False),
    "C with the interpreter": ("import ctypes; ctypes.PyDLL(None).sleep(1000)", False),
    "regular expression": ("import re; re.match('(a+)+$', 'a' * 60 + 'b')", True),
    "child": ("subprocess.run(['sleep', '1000'], close_fds=False)", True),
    "fork": ("os.fork(); time.sleep(1000)", True),
    "signals": (
        "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)]"
        "; time.sleep(1000)",
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


@pytest.mark.parametrize("whom", ["group", "driver"])
@pytest.mark.parametrize("what", HANGS)
def test_ctrl_c_ends_a_stream_whose_function_never_returns(way, begin, what, whom):
    job = begin_hanging(begin, way, what, STREAM.format(rest="ssc.awaitTermination()"))
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("what", ["loop", "C with the interpreter", "catching"])
def test_the_second_signal_ends_the_job_at_once(way, begin, what, number):
    job = begin_hanging(begin, way, what, STREAM.format(rest="ssc.awaitTermination()"))
    # So that the first one is waited for.
    job.process.send_signal(number)
    time.sleep(0.05)
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
    "stop gracefully": "ssc.stop(True, True)",
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


@pytest.mark.parametrize("what", HANGS)
def test_a_cancelled_job_ends_and_the_next_one_works(way, begin, what):
    job = begin(
        way,
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
