"""join-static: the time of a batch of 1,000 records that is joined with a table, by its size."""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engines import Engine
from harness import Benchmark, Options, say
from processes import BenchmarkError, Child
from rows import Row, limit

NAME = "join-static"
SIZES = (10_000, 100_000, 1_000_000)
RECORDS = 1000
MOST_RATIO = 2
# A table is divided and indexed in the first batches.
WARM_UP = 20
MEASURED = 200
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    """What the job reports (jobs/join_static.py writes it)."""

    seconds: list[float]  # of the measured batches
    counts: list[int]

    @property
    def milliseconds(self) -> float:
        return statistics.median(self.seconds) * 1000


def measure(engine: Engine, size: int) -> float:
    """Runs the job; how long a table takes to be made is not measured."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = engine.run("join_static.py", size, RECORDS, WARM_UP, MEASURED, result)
        with Child(command, engine.environment) as child:
            child.wait(PATIENCE_SECONDS)
            try:
                outcome = Outcome(**json.loads(result.read_text()))
            except (OSError, ValueError, TypeError):
                raise BenchmarkError(child.failure("left no result")) from None
    if outcome.counts != [RECORDS] * MEASURED:
        raise BenchmarkError(f"not every record of a batch has met one of {size}")
    return outcome.milliseconds


def run(options: Options) -> list[Row]:
    best = dict.fromkeys(SIZES, float("inf"))
    for number in range(1, options.runs + 1):
        # In turn: what else the machine does hits all alike.
        for size in SIZES:
            best[size] = min(best[size], measure(options.engine, size))
        report = ", ".join(f"{size} {value:.2f} ms" for size, value in best.items())
        say(f"{NAME}: run {number} of {options.runs}, best so far: {report}")
    ratio = max(best.values()) / min(best.values())
    return [limit(f"{NAME}.flat", ratio, "worst/best", MOST_RATIO)]


BENCHMARK = Benchmark(NAME, "a batch joined with a table of up to a million records", run)
