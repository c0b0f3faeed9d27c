"""window, ...: what a batch costs by the length of the window that it ends, and what that keeps."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from harness import Benchmark, Options, say
from processes import BenchmarkError, Child
from rows import Row, limit
from streams import Measured, Run, curve, flat_row, point_row, slowest_rows, spark_row

NAME = "window"
FULL_MEGABYTES = 200
# Batches, one of which is what the window slides by.
LENGTHS = (10, 60, 300, 3600)
SHORTEST_LONGEST = 60
IDLE_LENGTHS = (60, 86_400)
RECORDS = 10_000
WARM_UP, MEASURED = 5, 100
TIMES = 1.5

PYSPARK_TARGET = 100.0
PYSPARK_LENGTH = 60
# Of PySpark longer ones take minutes to fill and to leave.
PYSPARK_LENGTHS = (10, 60, 300)
# About as long as a batch takes: in a shorter one PySpark prepares batches while others are
# measured.
PYSPARK_INTERVALS = {10: 0.5, 60: 0.5, 300: 1.0}
PYSPARK_WARM_UP, PYSPARK_MEASURED = 5, 20

SLOWEST_TIMES = 5.0
# As long as the work of a whole window, done in one batch, is seen in that one.
SLOWEST_LENGTH = 300
SLOWEST_BATCHES = 10_000
# So many batches may take longer than a point of a curve.
SLOWEST_PATIENCE = 2

MEMORY_LIMIT_MB = 40
MEMORY_MEGABYTES = 600
MEMORY_LENGTH = 60
MEMORY_BATCHES = 300
LINE_BYTES = 84
# Smaller growth cannot be told from none, and a limit is compared with a number above 0.
LEAST_MB = 0.1
PATIENCE_SECONDS = 300


def scale(options: Options) -> float:
    return min(1.0, options.megabytes / FULL_MEGABYTES)


def most(options: Options) -> int:
    """The longest window that the options allow."""
    return max(SHORTEST_LONGEST, int(options.longest_window * scale(options)))


def up_to(most: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Larger sizes are cut to the largest that is allowed, so that there is always a curve."""
    return tuple(sorted({min(size, most) for size in sizes}))


def virtual(name: str, kind: str, length: int, options: Options) -> Run:
    subject = (kind, length, RECORDS)
    title = f"{name}.{length}"
    return Run(title, "window.py", subject, length, WARM_UP, MEASURED, options.seconds)


def by_the_clock(name: str, length: int, options: Options) -> Run:
    pace = (PYSPARK_WARM_UP, PYSPARK_MEASURED, options.seconds, PYSPARK_INTERVALS[length])
    subject = ("plain", length, RECORDS)
    return Run(f"{name}.{length}", "window.py", subject, length, *pace)


def run_plain(options: Options) -> list[Row]:
    """The curve beside PySpark's, and the rows that have targets."""
    lengths = up_to(most(options), LENGTHS)
    points = measured(NAME, "plain", lengths, options)
    theirs: dict[int, Measured | None] = {}
    if options.pyspark is not None:
        theirs = curve(
            tuple(length for length in PYSPARK_LENGTHS if length in lengths),
            lambda length: by_the_clock(NAME, length, options),
            options.pyspark,
            1,
        )
    middle = PYSPARK_LENGTH
    return [
        flat_row(f"{NAME}.flat", points, "batches", TIMES),
        spark_row(f"{NAME}.pyspark", points[middle], options, theirs.get(middle), PYSPARK_TARGET),
        *(
            spark_row(f"{NAME}.{length}", point, options, theirs.get(length))
            for length, point in points.items()
        ),
    ]


def measured(
    name: str, kind: str, lengths: tuple[int, ...], options: Options
) -> dict[int, Measured | None]:
    """The curve of Swiftwater."""
    return curve(
        lengths,
        lambda length: virtual(name, kind, length, options),
        options.engine,
        options.runs,
    )


def alone(name: str, kind: str, lengths: tuple[int, ...], options: Options) -> list[Row]:
    """The rows of a curve that PySpark has no part in."""
    points = measured(name, kind, lengths, options)
    return [
        flat_row(f"{name}.flat", points, "batches", TIMES),
        *(point_row(f"{name}.{length}", point) for length, point in points.items()),
    ]


def run_inverse(options: Options) -> list[Row]:
    return alone(f"{NAME}-inverse", "inverse", up_to(most(options), LENGTHS), options)


def run_idle(options: Options) -> list[Row]:
    lengths = up_to(IDLE_LENGTHS[-1] // LENGTHS[-1] * most(options), IDLE_LENGTHS)
    return alone(f"{NAME}-idle", "idle", lengths, options)


def run_slowest(options: Options) -> list[Row]:
    name = f"{NAME}-slowest"
    length = min(SLOWEST_LENGTH, most(options))
    batches = max(100, int(SLOWEST_BATCHES * scale(options)))
    subject = ("plain", length, RECORDS)
    seconds = SLOWEST_PATIENCE * options.seconds
    run = Run(name, "window.py", subject, length, WARM_UP, batches, seconds)
    return slowest_rows(name, options, run, SLOWEST_TIMES)


def run_memory(options: Options) -> list[Row]:
    name = f"{NAME}-memory"
    lines = max(1, int(MEMORY_MEGABYTES * 1e6 * scale(options) / MEMORY_BATCHES / LINE_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        arguments = (MEMORY_BATCHES, lines, MEMORY_LENGTH, result)
        command = options.engine.run("window_memory.py", *arguments)
        with Child(command, options.engine.environment) as child:
            child.wait(PATIENCE_SECONDS)
            try:
                report: dict[str, float] = json.loads(result.read_text())
            except (OSError, ValueError):
                raise BenchmarkError(child.failure("left no result")) from None
    say(f"{name}: {report['growth']:.1f} MB more after {report['sent']:.0f} MB of text")
    return [limit(name, max(report["growth"], LEAST_MB), "MB", MEMORY_LIMIT_MB)]


BENCHMARKS = (
    Benchmark(NAME, "windows of 10 to 3,600 batches: the time of a batch", run_plain),
    Benchmark(f"{NAME}-inverse", "the same with an inverse function", run_inverse),
    Benchmark(f"{NAME}-idle", "windows of 60 and 86,400 batches without data", run_idle),
    Benchmark(f"{NAME}-slowest", "the slowest of 10,000 slides beside the median", run_slowest),
    Benchmark(f"{NAME}-memory", "growth while 600 MB go through a window", run_memory),
)
