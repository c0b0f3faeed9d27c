"""What the benchmarks of windows and states share: runs of jobs/window.py and jobs/state.py."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engines import Engine
from harness import Options, say
from processes import BenchmarkError, Child
from rows import Row, at_most, beside, failed

# Work that is put off to every tenth batch, as Spark puts off its checkpoints, has to count: the
# time of a batch is the mean of ten in a row, and the median of such means.
GROUP = 10
# A value of a curve is the best of so many runs, as far as the time for one allows them.
MOST_RUNS = 3
# What a job may need beyond the time for filling and for measuring: its start, the last batch that
# had begun, the look at the end.
BEYOND_SECONDS = 240
ABSENT = "PySpark (not installed)"


@dataclass(frozen=True)
class Outcome:
    """What a job reports (jobs/stream_times.py writes it)."""

    filled: int  # batches before the first that was measured
    seconds: list[float]  # of the measured batches

    @property
    def typical_ms(self) -> float:
        groups = [
            statistics.mean(self.seconds[start : start + GROUP])
            for start in range(0, max(1, len(self.seconds) - GROUP + 1), GROUP)
        ]
        return statistics.median(groups) * 1000


@dataclass(frozen=True)
class Measured:
    """A point of a curve."""

    milliseconds: float
    complete: bool  # False where the time was too short to fill the stream, or to measure it


@dataclass(frozen=True)
class Run:
    """A call of a job: what it is given before the pace and after it."""

    title: str
    script: str
    subject: tuple[object, ...]
    fill: int
    warm_up: int
    measured: int
    seconds: float  # for filling, and again for measuring
    interval: float = 0.0  # 0: virtual time

    def outcome(self, engine: Engine) -> Outcome:
        """Runs the job. Raises BenchmarkError where it fails or gives a wrong result."""
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder, "result.json")
            pace = (self.warm_up, self.measured, self.seconds, self.interval)
            command = engine.run(self.script, *self.subject, *pace, Path(folder, "state"), result)
            patience = 2 * self.seconds + BEYOND_SECONDS + self.fill * self.interval
            with Child(command, engine.environment) as child:
                child.wait(patience)
                try:
                    return Outcome(**json.loads(result.read_text()))
                except (OSError, ValueError, TypeError):
                    raise BenchmarkError(child.failure("left no result")) from None

    def point(self, engine: Engine) -> Measured:
        """One run, and a word about what it lacks. Raises what `outcome` raises."""
        outcome = self.outcome(engine)
        complete = outcome.filled >= self.fill
        complete = complete and len(outcome.seconds) >= min(self.measured, GROUP)
        if not complete:
            say(
                f"{self.title}: {self.seconds:g} s were enough for {outcome.filled} of "
                f"{self.fill} batches before, and {len(outcome.seconds)} measured ones"
            )
        return Measured(outcome.typical_ms, complete)


def curve(
    sizes: tuple[int, ...], make: Callable[[int], Run], engine: Engine, rounds: int
) -> dict[int, Measured | None]:
    """The best of the rounds, in each of which the sizes are run in turn.

    What else the machine does hits all sizes alike then. A size that takes long has one run, and
    one whose job fails has no point.
    """
    runs = {size: make(size) for size in sizes}
    found: dict[int, list[Measured]] = {size: [] for size in sizes}
    spent = dict.fromkeys(sizes, 0.0)
    broken: set[int] = set()
    for _ in range(min(rounds, MOST_RUNS)):
        for size, run in runs.items():
            if size in broken or spent[size] > run.seconds / 2:
                continue
            started = time.monotonic()
            try:
                found[size].append(run.point(engine))
            except BenchmarkError as error:
                say(f"{run.title}: {error}")
                broken.add(size)
            spent[size] += time.monotonic() - started
    points: dict[int, Measured | None] = {}
    for size, run in runs.items():
        # In full is better than fast.
        best = min(
            found[size], key=lambda each: (not each.complete, each.milliseconds), default=None
        )
        points[size] = None if size in broken else best
        if best is not None:
            say(f"{run.title}: {engine.name} {best.milliseconds:.3f} ms, {len(found[size])} runs")
    return points


def attempt(run: Run, engine: Engine, rounds: int) -> Measured | None:
    """A single point, None (after a word about it) where the job fails."""
    return curve((1,), lambda _: run, engine, rounds)[1]


def point_row(name: str, point: Measured | None) -> Row:
    """A point of a curve, without a reference; not met where it was not measured in full."""
    if point is None:
        return failed(name)
    row = beside(name, point.milliseconds, "ms", None, None)
    return row if point.complete else replace(row, met=False)


def spark_row(
    name: str,
    ours: Measured | None,
    options: Options,
    theirs: Measured | None,
    target: float | None = None,
) -> Row:
    """A point beside PySpark's, where that is installed and was measured."""
    spark = options.pyspark
    if ours is None or spark is None:
        return replace(point_row(name, ours), reference=ABSENT if spark is None else None)
    if theirs is None and target is None:
        return point_row(name, ours)
    other = None if theirs is None else theirs.milliseconds
    row = beside(name, ours.milliseconds, "ms", spark.name, other, target)
    return row if ours.complete else replace(row, met=False)


def flat_row(name: str, points: Mapping[int, Measured | None], what: str, times: float) -> Row:
    """The slowest point beside the fastest; not met where a point was not measured in full."""
    found = {size: point for size, point in points.items() if point is not None}
    if len(found) < len(points):
        return failed(name)
    fastest = min(found, key=lambda size: found[size].milliseconds)
    slowest = max(found, key=lambda size: found[size].milliseconds)
    row = at_most(
        name,
        found[slowest].milliseconds,
        "ms",
        f"{fastest:,} {what} (value: {slowest:,})",
        found[fastest].milliseconds,
        times,
    )
    return row if all(each.complete for each in found.values()) else replace(row, met=False)


def slowest_rows(name: str, options: Options, run: Run, times: float) -> list[Row]:
    """The slowest batch beside the median one, in the best run; and the 99.9th percentile."""
    found: list[tuple[bool, float, list[float]]] = []
    for number in range(1, min(options.runs, MOST_RUNS) + 1):
        milliseconds = sorted(each * 1000 for each in run.outcome(options.engine).seconds)
        short = len(milliseconds) < run.measured
        found.append((short, milliseconds[-1] / statistics.median(milliseconds), milliseconds))
        say(
            f"{name}: run {number}: {len(milliseconds)} of {run.measured} batches, median "
            f"{statistics.median(milliseconds):.3f} ms, 99.9th percentile "
            f"{late(milliseconds):.3f} ms, slowest {milliseconds[-1]:.3f} ms"
        )
    # In full is better than even.
    short, _, milliseconds = min(found)
    median = statistics.median(milliseconds)
    row = at_most(f"{name}.flat", milliseconds[-1], "ms", "the median", median, times)
    return [
        replace(row, met=False) if short else row,
        beside(f"{name}.p999", late(milliseconds), "ms", "the median", median),
    ]


def late(milliseconds: list[float]) -> float:
    """The 99.9th percentile of sorted times: the slowest where there are not a thousand."""
    return milliseconds[min(len(milliseconds) - 1, int(len(milliseconds) * 0.999))]
