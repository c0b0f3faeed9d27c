"""state, ...: what a batch costs by the number of keys that have a state, and what a key takes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from engines import Engine
from harness import Benchmark, Options, say
from processes import BenchmarkError, Child
from rows import Row, at_most
from streams import (
    Measured,
    Run,
    attempt,
    curve,
    flat_row,
    point_row,
    slowest_rows,
    spark_row,
)
from windows import SLOWEST_PATIENCE, scale, up_to

NAME = "state"
KEYS = (10_000, 100_000, 1_000_000, 10_000_000)
FEWEST_MOST = 100_000
TOUCHED = 1000
WARM_UP, MEASURED = 10, 60
TIMES = 2.0
MAPPED = "map-with-state"

COMPARED_KEYS = 100_000
# About as long as a batch takes: in a shorter one PySpark prepares batches while others are
# measured.
PYSPARK_INTERVALS = {10_000: 0.5, 100_000: 2.0, 1_000_000: 10.0}
PYSPARK_WARM_UP, PYSPARK_MEASURED = 3, 20
PYSPARK_TARGETS = {"sum": 100.0, "opaque": 8.0}

SLOWEST_TIMES = 5.0
SLOWEST_KEYS = 100_000
SLOWEST_BATCHES = 10_000

MEMORY_KEYS = 1_000_000
MEMORY_PART = 0.5
LEAST_BYTES = 0.1
PATIENCE_SECONDS = 300


def sizes(options: Options) -> tuple[int, ...]:
    """Those that the options allow, the smallest ones in any case."""
    return up_to(max(FEWEST_MOST, int(options.most_keys * scale(options))), KEYS)


def virtual(title: str, function: str, action: str, keys: int, options: Options) -> Run:
    subject = (function, action, keys, TOUCHED)
    return Run(title, "state.py", subject, 1, WARM_UP, MEASURED, options.seconds)


def by_the_clock(title: str, function: str, keys: int, options: Options) -> Run:
    pace = (PYSPARK_WARM_UP, PYSPARK_MEASURED, options.seconds, PYSPARK_INTERVALS[keys])
    return Run(title, "state.py", (function, "count", keys, TOUCHED), 1, *pace)


def is_there(function: str, options: Options) -> bool:
    """Whether the engine has the operator: a job that lacks it reports nothing."""
    run = Run(function, "state.py", (function, "take", 10, 1), 0, 0, 1, 1.0)
    return bool(run.outcome(options.engine).seconds)


def run_flat(options: Options) -> list[Row]:
    """The curves, each with its target, and that of PySpark."""
    spark = options.pyspark
    points = measured(NAME, "sum", options)
    rows = [flat_row(f"{NAME}.flat", points, "keys", TIMES)]
    for keys, point in points.items():
        name = f"{NAME}.{keys}"
        theirs = None
        if spark is not None and keys in PYSPARK_INTERVALS:
            theirs = attempt(by_the_clock(name, "sum", keys, options), spark, 1)
        rows.append(spark_row(name, point, options, theirs))
    name = f"{NAME}.{MAPPED}"
    if not is_there(MAPPED, options):
        say(f"{name} is left out: DStream has no such method")
        return rows
    points = measured(name, MAPPED, options)
    rows.append(flat_row(f"{name}.flat", points, "keys", TIMES))
    return rows + [point_row(f"{name}.{keys}", point) for keys, point in points.items()]


def measured(name: str, function: str, options: Options) -> dict[int, Measured | None]:
    """The curve of Swiftwater."""
    return curve(
        sizes(options),
        lambda keys: virtual(f"{name}.{keys}", function, "take", keys, options),
        options.engine,
        options.runs,
    )


def run_pyspark(options: Options) -> list[Row]:
    """The same output on both sides, one that needs all keys: a count."""
    rows: list[Row] = []
    for function, target in PYSPARK_TARGETS.items():
        name = f"{NAME}.pyspark" + ("" if function == "sum" else f".{function}")
        run = virtual(name, function, "count", COMPARED_KEYS, options)
        ours = attempt(run, options.engine, options.runs)
        theirs: Measured | None = None
        if options.pyspark is not None:
            clock = by_the_clock(name, function, COMPARED_KEYS, options)
            theirs = attempt(clock, options.pyspark, 1)
        rows.append(spark_row(name, ours, options, theirs, target))
    return rows


def run(options: Options) -> list[Row]:
    return run_flat(options) + run_pyspark(options)


def run_slowest(options: Options) -> list[Row]:
    name = f"{NAME}-slowest"
    batches = max(100, int(SLOWEST_BATCHES * scale(options)))
    subject = ("sum", "take", SLOWEST_KEYS, TOUCHED)
    seconds = SLOWEST_PATIENCE * options.seconds
    run = Run(name, "state.py", subject, 1, WARM_UP, batches, seconds)
    return slowest_rows(name, options, run, SLOWEST_TIMES)


def bytes_a_key(subject: str, engine: Engine, keys: int) -> float:
    """Of a state or a dictionary, each in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = engine.run("state_memory.py", subject, keys, result)
        with Child(command, engine.environment) as child:
            child.wait(PATIENCE_SECONDS)
            try:
                report: dict[str, float] = json.loads(result.read_text())
            except (OSError, ValueError):
                raise BenchmarkError(child.failure("left no result")) from None
    if subject == "dict" and report["keys"] != keys:
        raise BenchmarkError(f"the dictionary has {report['keys']} keys instead of {keys}")
    if report["keys"] != keys:
        raise BenchmarkError(f"there are {report['keys']} states instead of {keys}")
    return max(report["bytes"], LEAST_BYTES)


def run_memory(options: Options) -> list[Row]:
    name = f"{NAME}-memory"
    keys = max(10_000, int(MEMORY_KEYS * scale(options)))
    ours = bytes_a_key("state", options.engine, keys)
    other = bytes_a_key("dict", options.engine, keys)
    say(f"{name}: {ours:.1f} bytes a key, a dictionary {other:.1f}")
    return [at_most(name, ours, "bytes/key", "a Python dict", other, MEMORY_PART)]


def run_disk(options: Options) -> list[Row]:
    """The same states where none fits in memory: they are read from disk and written to it."""
    name = f"{NAME}-disk"
    keys = max(10_000, int(MEMORY_KEYS * scale(options)))
    engine = options.engine.with_setting("swiftwater.spill.memory", "1m")
    run = virtual(f"{name}.{keys}", "sum", "take", keys, options)
    return [point_row(f"{name}.{keys}", attempt(run, engine, options.runs))]


BENCHMARKS = (
    Benchmark(NAME, "states of 10,000 to 10,000,000 keys: the time of a batch", run),
    Benchmark(f"{NAME}-slowest", "the slowest of 10,000 batches beside the median", run_slowest),
    Benchmark(f"{NAME}-memory", "what a key takes, beside a Python dictionary", run_memory),
    Benchmark(f"{NAME}-disk", "states that do not fit in memory", run_disk),
)
