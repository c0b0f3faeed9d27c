"""Processes of a measurement: started, watched, measured and always ended."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self


class BenchmarkError(Exception):
    """A measurement that could not be made; the message is for the user."""


# --- what the kernel says about a process ---------------------------------------------------


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = Path("/proc", entry, "stat").read_text()
                # The program's name stands in parentheses and may hold anything.
                parent = int(stat[stat.rfind(")") + 2 :].split()[1])
                children.setdefault(parent, []).append(int(entry))
    tree = [pid]
    for member in tree:
        tree.extend(children.get(member, ()))
    return tree


def resident_megabytes(pid: int) -> float:
    """Resident memory of the process tree, in millions of bytes."""
    kilobytes = 0
    for member in process_tree(pid):
        with contextlib.suppress(OSError):
            for line in Path("/proc", str(member), "smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    kilobytes += int(line.split()[1])
    if kilobytes == 0:
        raise BenchmarkError("the memory of the process cannot be read: it has ended")
    return kilobytes * 1024 / 1e6


def processor_seconds(pid: int) -> float:
    """Processor time that the process tree has used, all threads, user and system."""
    total = 0.0
    for member in process_tree(pid):
        # The clock of another process, as clock_getcpuclockid() names it; exact to the
        # nanosecond, where /proc counts ticks of 10 ms.
        with contextlib.suppress(OSError):
            total += time.clock_gettime((~member << 3) | 2)
    return total


# --- processes of ours ------------------------------------------------------------------------


class Child:
    """A process that is ended, with its descendants, when the block is left."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        self.command = command
        self.started = time.monotonic()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=None if environment is None else dict(environment),
                start_new_session=True,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            self._errors.close()
            raise BenchmarkError(f"cannot start {command[0]}: {error.strerror}") from None
        self.pid = self._process.pid
        self._lines: queue.SimpleQueue[tuple[float, str] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._lines.put((time.monotonic(), line.rstrip("\n")))
        self._lines.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    def line(self, timeout: float) -> tuple[float, str]:
        """The next line of output and when it came (monotonic clock)."""
        try:
            item = self._lines.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            raise BenchmarkError(self.failure(f"printed nothing for {timeout:.0f} s")) from None
        if item is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            raise BenchmarkError(self.failure(f"ended early, with status {self._process.poll()}"))
        return item

    def wait(self, timeout: float) -> None:
        """Waits for the process to end by itself with status 0."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(self.failure(f"did not end within {timeout:.0f} s")) from None
        if status != 0:
            raise BenchmarkError(self.failure(f"ended with status {status}"))

    def failure(self, what: str) -> str:
        """What happened, and the last lines that the process wrote on standard error."""
        self._errors.seek(0)
        tail = self._errors.read()[-4000:].decode("utf-8", "replace").splitlines()[-15:]
        return "\n".join([f"`{' '.join(self.command)}` {what}", *(f"    {line}" for line in tail)])

    def end(self) -> None:
        """Asks the process to end, then makes it. Harmless when it has ended."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(10)
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


@dataclass(frozen=True)
class PrintedBatch:
    """One batch as `pprint` wrote it."""

    at: float  # when its last line came, monotonic seconds
    lines: list[str]


def printed_batches(child: Child, timeout: float) -> Iterator[PrintedBatch]:
    """The batches that a job prints, each as soon as its last line (a blank one) is there."""
    rule = "-" * 43
    head: list[str] = []
    body: list[str] | None = None
    while True:
        at, line = child.line(timeout)
        if body is not None:
            if line:
                body.append(line)
            else:
                yield PrintedBatch(at, body)
                head, body = [], None
            continue
        head = [*head, line][-3:]
        if len(head) == 3 and head[0] == head[2] == rule and head[1].startswith("Time: "):
            body = []
