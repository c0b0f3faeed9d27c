"""dispatch: what a task of 1,000 records costs more in a worker process than in the driver."""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import text
from engines import Engine
from harness import Benchmark, Options, say
from processes import BenchmarkError, Child
from rows import Row, limit

NAME = "dispatch"
LIMIT_MS = 0.5
RECORDS = 1000
WARM_UP = 100
MEASURED = 500
# Smaller differences cannot be told apart, and a limit is compared with a number above 0.
LEAST_MS = 0.01
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What the job reports (jobs/dispatch.py writes it)."""

    seconds: list[float]  # of the measured tasks
    partitions: int
    results: list[int]
    in_driver: bool

    @property
    def milliseconds(self) -> float:
        return statistics.median(self.seconds) * 1000


def measure(engine: Engine, file: Path) -> Outcome:
    """Runs the job; that a worker has to be started first is not measured."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = engine.run("dispatch.py", file, WARM_UP, MEASURED, result)
        with Child(command, engine.environment) as child:
            child.wait(PATIENCE_SECONDS)
            try:
                return Outcome(**json.loads(result.read_text()))
            except (OSError, ValueError, TypeError):
                raise BenchmarkError(child.failure("left no result")) from None


def checked(use: str, outcome: Outcome) -> float:
    """The milliseconds of a run that has done what it was to do."""
    if outcome.partitions != 1 or outcome.results != list(range(RECORDS)):
        raise BenchmarkError(f"workers {use}: not the results of one task of {RECORDS} lines")
    if outcome.in_driver != (use == "never"):
        place = "the driver" if outcome.in_driver else "a worker"
        raise BenchmarkError(f"workers {use}: the tasks ran in {place}")
    return outcome.milliseconds


def run(options: Options) -> list[Row]:
    lines = (f"{number} {line}\n" for number, line in enumerate(text.lines(RECORDS)))
    best = {"never": float("inf"), "always": float("inf")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "lines.txt")
        file.write_text("".join(lines))
        for number in range(1, options.runs + 1):
            # In turn: what else the machine does hits both alike.
            for use in best:
                outcome = measure(options.engine.with_workers(use), file)
                best[use] = min(best[use], checked(use, outcome))
            report = f"driver {best['never']:.3f} ms, worker {best['always']:.3f} ms"
            say(f"{NAME}: run {number} of {options.runs}, best so far: {report}")
    return [limit(NAME, max(best["always"] - best["never"], LEAST_MS), "ms", LIMIT_MS)]


BENCHMARK = Benchmark(NAME, "what a task of 1,000 lines costs more in a worker process", run)
