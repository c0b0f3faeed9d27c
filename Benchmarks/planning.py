"""planning: what it costs to find out that a function can be run natively."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

import text
from counting import counted
from engines import Engine
from harness import Benchmark, Options, say
from processes import BenchmarkError, Child
from rows import Row, limit

NAME = "planning"
FUNCTION_LIMIT_MS = 1
START_LIMIT_MS = 5
# A start is short, and what it adds is a small part of it: so there are some for each run, and the
# batch interval, for which the first batch waits, is short.
STARTS_PER_RUN = 6
INTERVAL = "0.002"
MEGABYTES = 0.01
# Smaller differences cannot be told apart, and a limit is compared with a number above 0.
LEAST_MS = 0.01
PATIENCE_SECONDS = 60


def milliseconds_a_function(options: Options) -> float:
    """The mean over functions that a fresh interpreter has not seen."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        with Child(options.engine.run("lower.py", result), options.engine.environment) as child:
            child.wait(PATIENCE_SECONDS)
            try:
                times: list[float] = json.loads(result.read_text())
                return statistics.mean(times)
            except (OSError, ValueError):
                raise BenchmarkError(child.failure("left no result")) from None


def start(engine: Engine, file: Path) -> float:
    """Milliseconds from the start of the process to the counts of a small file."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = engine.run("count_file.py", "local[1]", INTERVAL, file, result)
        with Child(command, engine.environment) as child:
            return (counted(child, result, PATIENCE_SECONDS).ended - child.started) * 1000


def run(options: Options) -> list[Row]:
    times = [milliseconds_a_function(options) for _ in range(options.runs)]
    file = text.text_file(MEGABYTES, options.data, say)
    lowering, plain = options.engine, options.engine.without_lowering()
    starts = [
        (start(lowering, file), start(plain, file)) for _ in range(STARTS_PER_RUN * options.runs)
    ]
    best, best_plain = map(min, zip(*starts, strict=True))
    say(
        f"{NAME}: {statistics.median(times):.3f} ms a function; "
        f"start {best:.1f} ms, without lowering {best_plain:.1f} ms"
    )
    return [
        limit(NAME, statistics.median(times), "ms", FUNCTION_LIMIT_MS),
        limit(f"{NAME}.start", max(best - best_plain, LEAST_MS), "ms", START_LIMIT_MS),
    ]


BENCHMARK = Benchmark(NAME, "reading a function, and what that adds to a start", run)
