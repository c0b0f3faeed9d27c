"""What the benchmarks share: the options of a call, progress, the sender."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import engines
import logs
import text
from engines import Engine
from processes import BenchmarkError, Child
from rows import Row

FOLDER = Path(__file__).resolve().parent
# What the builds of scripts/bench have made.
BUILT = FOLDER.parent / ".build"


def say(message: str) -> None:
    """Progress, on standard error: standard output is for the table."""
    print(message, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Options:
    """The settings of one call."""

    engine: Engine
    data: Path
    megabytes: float
    runs: int
    seconds: float
    longest_window: int = 3600  # batches
    most_keys: int = 10_000_000

    @cached_property
    def pyspark(self) -> Engine | None:
        """PySpark, None (after a word about it) where it is not installed."""
        try:
            return engines.pyspark()
        except BenchmarkError as error:
            say(f"PySpark is left out: {error}")
            return None

    @cached_property
    def text(self) -> Path:
        """The file to count."""
        return text.text_file(self.megabytes, self.data, say)

    @cached_property
    def mixed_text(self) -> Path:
        """The same with some words that are not ASCII."""
        return text.text_file(self.megabytes, self.data, say, mixed=True)

    @cached_property
    def log(self) -> Path:
        """The log to analyse."""
        return logs.log_file(self.megabytes, self.data, say)

    @cached_property
    def words(self) -> int:
        """The number of words in that file."""
        return self.text.read_bytes().count(b"\n") * text.WORDS_PER_LINE


@dataclass(frozen=True)
class Benchmark:
    """A benchmark as the command line knows it."""

    name: str
    summary: str
    run: Callable[[Options], list[Row]]


# --- sending lines ------------------------------------------------------------------------------


class Sender(Child):
    """A sender on a port of the loopback interface (socket_sender.py)."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, str(FOLDER / "socket_sender.py"), *map(str, arguments)]
        super().__init__(command)
        try:
            self.port = int(self.line(60)[1])
        except BaseException:
            self.end()
            raise

    def first_sent(self, timeout: float) -> float:
        """When it sent its first byte (monotonic clock)."""
        return float(self.line(timeout)[1].split()[1])
