"""operators: the time of a batch through one operator, for small, middle and large batches."""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from engines import Engine
from harness import Benchmark, Options, say
from processes import BenchmarkError, Child
from rows import Row, beside, failed

NAME = "operators"
OPERATORS = ("map", "filter", "flatMap", "reduceByKey", "groupByKey", "join", "updateStateByKey")
# With this much text to count the batches have the sizes below; with less they shrink too.
FULL_MEGABYTES = 200
FEWEST = 10
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Pace:
    """How often there is a batch, and how many are left out and measured."""

    interval: float
    warm_up: int
    measured: int

    def arguments(self) -> tuple[float, int, int]:
        return self.interval, self.warm_up, self.measured


@dataclass(frozen=True)
class Size:
    """Batches of so many records."""

    records: int
    target: float | None  # how many times as fast as PySpark
    ours: Pace
    pyspark: Pace

    def scaled(self, factor: float) -> Size:
        """Smaller and fewer batches, which have no target."""
        if factor >= 1:
            return self
        ours = replace(self.ours, measured=max(FEWEST, int(self.ours.measured * factor)))
        return Size(max(FEWEST, int(self.records * factor)), None, ours, self.pyspark)


# An interval is about as long as a batch takes: in a shorter one PySpark prepares batches while
# others are measured. The JVM needs some batches to get warm, above all with short ones.
SIZES = (
    Size(10, 20.0, Pace(0.005, 50, 300), Pace(0.25, 12, 30)),
    Size(10_000, 1.0, Pace(0.02, 10, 50), Pace(0.5, 8, 15)),
    Size(1_000_000, 2.0, Pace(0.05, 1, 5), Pace(2, 2, 5)),
)


@dataclass(frozen=True)
class Outcome:
    """What the job reports (jobs/operators.py writes it)."""

    seconds: list[float]  # of the measured batches
    counts: list[int]  # of the warm-up batches too
    digests: list[int]

    @property
    def milliseconds(self) -> float:
        return statistics.median(self.seconds) * 1000


def measure(engine: Engine, operator: str, records: int, pace: Pace) -> Outcome:
    """Runs the job; what happens before its first batch and after its last is not measured."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = engine.run(
            "operators.py", operator, records, *pace.arguments(), Path(folder, "state"), result
        )
        with Child(command, engine.environment) as child:
            child.wait(PATIENCE_SECONDS)
            try:
                return Outcome(**json.loads(result.read_text()))
            except (OSError, ValueError, TypeError):
                raise BenchmarkError(child.failure("left no result")) from None


def same(a: Outcome, b: Outcome) -> bool:
    """Whether both made the same records, as far as both have gone."""
    common = min(len(a.counts), len(b.counts))
    return a.digests == b.digests and a.counts[:common] == b.counts[:common]


def compared(title: str, options: Options, operator: str, size: Size) -> Row:
    """Swiftwater's runs and one of PySpark, which has to give the same records."""
    outcomes = [
        measure(options.engine, operator, size.records, size.ours) for _ in range(options.runs)
    ]
    spark = options.pyspark
    other = measure(spark, operator, size.records, size.pyspark) if spark else None
    if not all(same(outcome, other or outcomes[0]) for outcome in outcomes):
        raise BenchmarkError("the runs differ in their results")
    value = statistics.median(outcome.milliseconds for outcome in outcomes)
    report = f"{title}: {value:.3f} ms"
    if spark is None or other is None:
        say(report)
        return beside(title, value, "ms", None, None)
    say(f"{report}, {spark.name} {other.milliseconds:.3f}")
    return beside(title, value, "ms", spark.name, other.milliseconds, size.target)


def run(options: Options) -> list[Row]:
    rows = []
    for operator in OPERATORS:
        for size in SIZES:
            scaled = size.scaled(options.megabytes / FULL_MEGABYTES)
            title = f"{NAME}.{operator}.{scaled.records}"
            try:
                rows.append(compared(title, options, operator, scaled))
            except BenchmarkError as error:
                say(f"{title}: {error}")
                rows.append(failed(title))
    return rows


BENCHMARK = Benchmark(NAME, "batches of 10 to 1,000,000 records, operator by operator", run)
