"""What the benchmarks share: the options of a call, progress, the counting runs."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import engines
import text
from engines import JOBS, Engine, clean_environment
from processes import BenchmarkError, Child
from rows import Row, rate

FOLDER = Path(__file__).resolve().parent


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
    def words(self) -> int:
        """The number of words in that file."""
        return self.text.read_bytes().count(b"\n") * text.WORDS_PER_LINE


@dataclass(frozen=True)
class Benchmark:
    """A benchmark as the command line knows it."""

    name: str
    summary: str
    run: Callable[[Options], list[Row]]


# --- counting words -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """What a counting script reports of itself (jobs/outcome.py writes it)."""

    started: float
    ended: float
    words: int
    distinct: int
    digest: str

    def rate(self, started: float | None = None) -> float:
        """Million words a second."""
        return self.words / (self.ended - (self.started if started is None else started)) / 1e6


def patience(options: Options) -> float:
    """Seconds after which a counting run is given up: at 50,000 words a second."""
    return 120 + options.megabytes * 1e6 / 7.5 / 50_000


def counted(child: Child, result: Path, timeout: float) -> Counted:
    """Waits for a counting script and reads its report."""
    child.wait(timeout)
    try:
        return Counted(**json.loads(result.read_text()))
    except (OSError, ValueError, TypeError):
        raise BenchmarkError(child.failure("left no result")) from None


def plain_python(options: Options) -> Counted:
    """The opponent: the same three functions called by a plain loop, in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = [sys.executable, str(JOBS / "plain_loop.py"), str(options.text), str(result)]
        with Child(command, clean_environment()) as child:
            return counted(child, result, patience(options))


Measure = Callable[[Options, Engine], tuple[Counted, float]]


def against_plain_python(name: str, options: Options, target: float, measure: Measure) -> list[Row]:
    """Runs engine, plain Python and PySpark in turn and compares the rates and the counts."""
    pyspark = options.pyspark
    reference = pyspark.name if pyspark else None
    ours: list[float] = []
    plain: list[float] = []
    theirs: list[float] = []
    for number in range(1, options.runs + 1):
        result, speed = measure(options, options.engine)
        ours.append(speed)
        expected = plain_python(options)
        plain.append(expected.rate())
        _check_counts(options.engine, result, expected)
        report = f"{speed:.2f} Mwords/s, plain Python {plain[-1]:.2f}"
        if pyspark is not None:
            result, speed = measure(options, pyspark)
            theirs.append(speed)
            _check_counts(pyspark, result, expected)
            report += f", {pyspark.name} {speed:.2f}"
        say(f"{name}: run {number} of {options.runs}: {report}")
    return [
        rate(name, ours, "Mwords/s", "plain Python", plain, target),
        rate(f"{name}.pyspark", ours, "Mwords/s", reference, theirs, None),
    ]


def _check_counts(engine: Engine, result: Counted, expected: Counted) -> None:
    if (result.words, result.digest) != (expected.words, expected.digest):
        raise BenchmarkError(
            f"{engine.name} counted {result.words} words ({result.distinct} distinct), "
            f"plain Python {expected.words} ({expected.distinct}): the counts differ"
        )


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
