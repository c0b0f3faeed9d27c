"""log-analysis: split, filter, count and average by key, natively and on two cores."""

from __future__ import annotations

from counting import PLAIN, in_turn, job, plain
from harness import Benchmark, Options
from rows import Row, rate

NAME = "log-analysis"
UNIT = "Mlines/s"


def run(options: Options) -> list[Row]:
    log = options.log
    contestants = [
        job(options, options.engine, log, "local[2]", script="log_file.py"),
        plain(options, log, "log_loop.py"),
    ]
    ours, plainly = in_turn(
        NAME, options, contestants, unit=UNIT, records=log.read_bytes().count(b"\n")
    )
    return [rate(NAME, ours, UNIT, PLAIN, plainly, 10.0)]


BENCHMARK = Benchmark(NAME, "analysis of a log file, the functions run natively", run)
