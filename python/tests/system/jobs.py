"""Real processes: a job started through either door, watched and ended by a test."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[2]
HOST = PYTHON.parent / ".build" / "release" / "swiftwater"
PATIENCE_SECONDS = 20


class Job:
    """A process whose output goes to pipes, read as it comes, as a program behind it would."""

    def __init__(self, command, folder, env):
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A terminal's Ctrl-C reaches the job as this group's signal does.
            start_new_session=True,
        )
        self._read = {"out": b"", "err": b""}
        self._threads = [
            threading.Thread(target=self._drain, args=(name, pipe), daemon=True)
            for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr))
        ]
        for thread in self._threads:
            thread.start()

    def _drain(self, name, pipe):
        while chunk := os.read(pipe.fileno(), 65536):
            self._read[name] += chunk

    @property
    def out(self):
        return self._read["out"].decode()

    @property
    def err(self):
        return self._read["err"].decode()

    def until(self, true, what):
        """Wait until ``true()``; fail with the job's output where that takes too long."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not true():
            ended = self.process.poll() is not None
            if ended:
                for thread in self._threads:
                    thread.join(PATIENCE_SECONDS)
                if true():
                    return
            assert not ended, f"the job ended before {what}:\n{self.out}\n{self.err}"
            assert time.monotonic() < end, f"no {what}:\n{self.out}\n{self.err}"
            time.sleep(0.005)

    def until_out(self, text):
        self.until(lambda: text in self.out, f"{text!r} in the output")

    def until_err(self, text):
        self.until(lambda: text in self.err, f"{text!r} in the log")

    def send(self, number):
        os.killpg(self.process.pid, number)

    def end(self):
        """Wait for the end and return the exit status."""
        try:
            status = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the job does not end:\n{self.out}\n{self.err}")
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE_SECONDS)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()


def environment(**extra):
    """The test's environment without what would change a job's, plus ``extra``."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SWIFTWATER_", "PYTHONUNBUFFERED", "VIRTUAL_ENV"))
    }
    env["PYTHONPATH"] = os.pathsep.join(
        [str(PYTHON), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    return {**env, **extra}


def require_host():
    if not HOST.exists():
        pytest.skip("the host is not built")
    return str(HOST)
