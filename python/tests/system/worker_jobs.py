"""Jobs whose functions run in worker processes, and functions that never return."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from jobs import Job, require_host

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


HOST, STOCK = "host", "stock"


def command_of(name, *flags):
    return [require_host(), "run", *flags] if name == HOST else [sys.executable]


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
