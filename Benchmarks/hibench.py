"""hibench: the streaming workloads of HiBench, in events for each second of processor time."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engines import Engine
from harness import Benchmark, Options, say
from processes import BenchmarkError, Child, processor_seconds
from rows import Row, failed, rate
from streams import ABSENT, MOST_RUNS
from visits import visit_files
from windows import scale

NAME = "hibench"
UNIT = "Mevents/CPU-s"
TARGET = 20.0
LINES = 100_000  # a batch
FEWEST_LINES = 1000
KEYS = (10_000, 100_000, 1_000_000)
WINDOW, SLIDE = 10, 5  # batches
# PySpark needs about a second for a batch; Swiftwater does not have to wait for it.
OURS_INTERVAL, PYSPARK_INTERVAL = 0.1, 1.0
PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Workload:
    """One of them, on visits from so many addresses."""

    name: str
    kind: str
    keys: int
    warm_up: int  # outputs
    measured: int

    @property
    def batches_an_output(self) -> int:
        return SLIDE if self.kind == "window" else 1


@dataclass(frozen=True)
class Input:
    """The files of the batches."""

    every: Path | None  # the first batch, where it is not one of the files
    files: list[Path]
    lines: int  # of each file

    def batch(self, number: int) -> Path:
        """The first is 0."""
        if number == 0 and self.every is not None:
            return self.every
        return self.files[number % len(self.files)]

    def fields(self, number: int) -> Iterator[tuple[str, int]]:
        """The address and the time of each visit of a batch."""
        with self.batch(number).open() as file:
            for line in file:
                time, address, _ = line.split(",", 2)
                yield address, int(time)


def workloads(options: Options) -> Iterator[Workload]:
    factor = scale(options)
    fewest = max(100, int(KEYS[0] * factor))
    yield Workload(f"{NAME}.identity", "identity", fewest, 8, 10)
    yield Workload(f"{NAME}.repartition", "repartition", fewest, 8, 10)
    for keys in KEYS:
        scaled = max(100, int(keys * factor))
        # The first batch brings all the keys.
        yield Workload(f"{NAME}.state.{scaled}", "state", scaled, 3, 6)
    yield Workload(f"{NAME}.window", "window", fewest, 2, 4)


# --- what comes out -----------------------------------------------------------------------------


def digest(lines: Iterable[str]) -> str:
    """Of the lines in any order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def expected(workload: Workload, given: Input) -> dict[int, str]:
    """The digest of each output that is written, as plain Python makes it."""
    last = workload.warm_up + workload.measured
    if workload.kind == "state":
        counts = Counter(address for n in range(last) for address, _ in given.fields(n))
        return {last: digest(str(pair) for pair in counts.items())}
    if workload.kind == "window":
        return {output: digest(windowed(given, output * SLIDE)) for output in range(1, last + 1)}
    return {
        output: digest(given.batch(output - 1).read_text().splitlines())
        for output in range(1, last + 1)
    }


def windowed(given: Input, end: int) -> Iterator[str]:
    """The window whose last batch is the one before `end`."""
    found: dict[str, tuple[int, int]] = {}
    for number in range(max(0, end - WINDOW), end):
        for address, time in given.fields(number):
            earliest, count = found.get(address, (time, 0))
            found[address] = (min(earliest, time), count + 1)
    return (str(pair) for pair in found.items())


def written(folder: Path, outputs: Iterable[int]) -> dict[int, str]:
    """The digests of what a job has written."""
    return {
        output: digest(
            line
            for part in (folder / f"output-{output}").glob("part-*")
            for line in part.read_text().splitlines()
        )
        for output in outputs
    }


# --- running ------------------------------------------------------------------------------------


def events_a_second(
    workload: Workload, engine: Engine, interval: float, given: Input, digests: dict[int, str]
) -> float:
    """Millions, by the processor time of all processes. Raises BenchmarkError for wrong results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = ":".join(map(str, given.files))
        pace = (workload.warm_up, workload.measured)
        arguments = (workload.kind, interval, given.every or "-", files, *pace, folder)
        command = engine.run("user_visits.py", *arguments)
        with Child(command, engine.environment) as child:
            _expect(child, "warm")
            before = processor_seconds(child.pid)
            _expect(child, "done")
            used = processor_seconds(child.pid) - before
            child.wait(PATIENCE_SECONDS)
        if written(folder, digests) != digests:
            raise BenchmarkError(f"{engine.name} gives other results than Python")
    return given.lines * workload.measured * workload.batches_an_output / used / 1e6


def _expect(child: Child, word: str) -> None:
    while child.line(PATIENCE_SECONDS)[1].strip() != word:
        pass


def compared(workload: Workload, options: Options) -> Row:
    lines = max(FEWEST_LINES, int(LINES * scale(options)))
    every, files = visit_files(workload.keys, lines, options.data, say)
    given = Input(every if workload.kind == "state" else None, files, lines)
    digests = expected(workload, given)
    ours = [
        events_a_second(workload, options.engine, OURS_INTERVAL, given, digests)
        for _ in range(min(options.runs, MOST_RUNS))
    ]
    spark = options.pyspark
    report = f"{workload.name}: {max(ours):.3f} {UNIT}"
    if spark is None:
        say(report)
        return rate(workload.name, ours, UNIT, ABSENT, (), None)
    theirs = events_a_second(workload, spark, PYSPARK_INTERVAL, given, digests)
    say(f"{report}, {spark.name} {theirs:.4f}")
    return rate(workload.name, ours, UNIT, spark.name, [theirs], TARGET)


def run(options: Options) -> list[Row]:
    rows = []
    for workload in workloads(options):
        try:
            rows.append(compared(workload, options))
        except BenchmarkError as error:
            say(f"{workload.name}: {error}")
            rows.append(failed(workload.name))
    return rows


BENCHMARK = Benchmark(NAME, "the four streaming workloads of HiBench, beside PySpark", run)
