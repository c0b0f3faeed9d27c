"""Runs the benchmarks: each value beside its reference, a table on the screen, JSON on request."""

from __future__ import annotations

import argparse
import contextlib
import platform
import signal
import sys
from pathlib import Path

import dispatch
import durability
import empty_batch
import hibench
import interval
import join_static
import log_analysis
import memory
import opaque
import operators
import peers
import planning
import start
import states
import windows
import wordcount_lowered
import wordcount_lowered_socket
import wordcount_python
import wordcount_socket
import wordcount_swift
import wordcount_unicode
from engines import swiftwater
from harness import FOLDER, Benchmark, Options, say
from processes import BenchmarkError
from rows import Row, failed, json_text, table

BENCHMARKS: tuple[Benchmark, ...] = (
    wordcount_python.BENCHMARK,
    wordcount_socket.BENCHMARK,
    wordcount_lowered.BENCHMARK,
    wordcount_lowered_socket.BENCHMARK,
    wordcount_swift.BENCHMARK,
    wordcount_unicode.BENCHMARK,
    log_analysis.BENCHMARK,
    opaque.BENCHMARK,
    dispatch.BENCHMARK,
    planning.BENCHMARK,
    start.BENCHMARK,
    memory.BENCHMARK,
    empty_batch.BENCHMARK,
    interval.BENCHMARK,
    operators.BENCHMARK,
    join_static.BENCHMARK,
    peers.BENCHMARK,
    *windows.BENCHMARKS,
    *states.BENCHMARKS,
    durability.BENCHMARK,
    hibench.BENCHMARK,
)
ROOT = FOLDER.parent


def parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {each.name:<26}{each.summary}" for each in BENCHMARKS)
    result = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures Swiftwater beside what it is compared with, in the same call.",
        epilog=f"benchmarks:\n{names}\n\n"
        "Rates are medians of the runs, times the best of them. The ratio is better when larger.\n"
        "`operators` gives the median time of a batch, without the start; PySpark runs it once,\n"
        "for about ten minutes. A smaller --size makes its batches smaller too, and the curves\n"
        "of windows and states shorter (docs/benchmarks.md).\n"
        "PySpark takes part where it is installed (with Java); SWIFTWATER_BENCH_PYSPARK names\n"
        "the Python that has it, and for `peers` SWIFTWATER_BENCH_PEERS one that has any of\n"
        "bytewax, pathway and duckdb.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--only", metavar="NAME", action="append", help="only this one (may be repeated)")
    add("--json", metavar="FILE", type=Path, help="write the rows to FILE as JSON")
    add("--size", metavar="MB", type=positive, default=200.0, help="text to count (200)")
    add("--runs", metavar="N", type=count, default=5, help="runs of each (5)")
    add(
        "--seconds",
        metavar="S",
        type=positive,
        default=60.0,
        help="length of `interval`, and most for one measurement of a window or a state (60)",
    )
    add("--window", metavar="N", type=count, default=3600, help="longest window, batches (3600)")
    add("--keys", metavar="N", type=count, default=10_000_000, help="most keys of a state (10 M)")
    add(
        "--engine",
        metavar="FILE",
        type=Path,
        default=ROOT / ".build" / "release" / "swiftwater",
        help="the program to measure (the release build)",
    )
    return result


def positive(value: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(value) < 1e6:
            return float(value)
    raise argparse.ArgumentTypeError(f"{value} is not a number above 0")


def count(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a whole number from 1 on")
    return int(value)


def chosen(names: list[str] | None) -> list[Benchmark]:
    if names is None:
        return list(BENCHMARKS)
    known = {each.name: each for each in BENCHMARKS}
    if unknown := [name for name in names if name not in known]:
        raise BenchmarkError(f"there is no benchmark {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in names]


def data_folder() -> Path:
    """Where the generated text is kept: with the build, which git does not see."""
    return ROOT / ".build" / "bench-data"


def main() -> int:
    arguments = parser().parse_args()
    try:
        benchmarks = chosen(arguments.only)
        if arguments.json is not None and not arguments.json.absolute().parent.is_dir():
            raise BenchmarkError(f"there is no folder {arguments.json.parent}")
        options = Options(
            swiftwater(arguments.engine.absolute()),
            data_folder(),
            arguments.size,
            arguments.runs,
            arguments.seconds,
            arguments.window,
            arguments.keys,
        )
    except BenchmarkError as error:
        say(f"scripts/bench: {error}")
        return 2
    rows: list[Row] = []
    for benchmark in benchmarks:
        try:
            rows += benchmark.run(options)
        except (BenchmarkError, OSError) as error:
            say(f"{benchmark.name}: {error}")
            rows.append(failed(benchmark.name))
    print(table(rows))
    if arguments.json is not None:
        arguments.json.write_text(json_text(rows))
    return 1 if any(row.value is None for row in rows) else 0


if __name__ == "__main__":
    if platform.system() != "Linux":
        sys.exit("scripts/bench: the benchmarks read /proc, so they need Linux")
    # As Ctrl-C does: what was started here is ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("scripts/bench: stopped")
        sys.exit(130)
