"""empty-batch: processor time of a batch of ten lines, all that the process does included."""

from __future__ import annotations

from dataclasses import dataclass

from engines import Engine
from harness import Benchmark, Options, Sender, say
from processes import Child, printed_batches, processor_seconds
from rows import Row, beside, limit

NAME = "empty-batch"
LIMIT_MS = 0.5
LINES = 10
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Pace:
    """How often there is a batch, and how many are left out and measured."""

    interval: float
    warm_up: int
    measured: int


OURS = Pace(0.02, 50, 250)
# PySpark falls behind below 0.1 s, and the JVM takes long to get warm.
PYSPARK = Pace(0.2, 150, 50)


def batch_ms(options: Options, engine: Engine, pace: Pace) -> float:
    """Processor time used between two batch ends, by the number of batches: the best run."""
    found: list[float] = []
    for number in range(1, options.runs + 1):
        with Sender("pace", LINES, pace.interval, 1_000_000) as sender:
            place = ("127.0.0.1", sender.port)
            command = engine.run("network_wordcount.py", *place, pace.interval)
            with Child(command, engine.environment) as child:
                batches = printed_batches(child, PATIENCE_SECONDS)
                for _ in range(pace.warm_up):
                    next(batches)
                before = processor_seconds(child.pid)
                for _ in range(pace.measured):
                    next(batches)
                used = processor_seconds(child.pid) - before
        found.append(used / pace.measured * 1000)
        say(f"{NAME}: {engine.name}, run {number} of {options.runs}: {found[-1]:.3f} ms")
    return min(found)


def run(options: Options) -> list[Row]:
    value = batch_ms(options, options.engine, OURS)
    spark = options.pyspark
    other = batch_ms(options, spark, PYSPARK) if spark else None
    return [
        limit(NAME, value, "ms", LIMIT_MS),
        beside(f"{NAME}.pyspark", value, "ms", spark.name if spark else None, other),
    ]


BENCHMARK = Benchmark(NAME, "processor time of a batch of ten lines", run)
