"""interval: batches of 5 ms at 1,000 lines a second, the delay from a line to its counts."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from harness import Benchmark, Options, Sender, say
from processes import BenchmarkError, Child
from rows import Row, limit

NAME = "interval"
LIMIT_MS = 15
INTERVAL = "0.005"
LINES_PER_SECOND = 1000
# How long the last lines may take; who needs longer has fallen behind.
PATIENCE_SECONDS = 30


def delays_ms(options: Options) -> list[float]:
    """One delay a line, in the order in which the lines came out."""
    expected = round(options.seconds * LINES_PER_SECOND)
    sending = ("stamp", 1, 1 / LINES_PER_SECOND, expected)
    with tempfile.TemporaryDirectory() as folder, Sender(*sending) as sender:
        result = Path(folder, "result.json")
        place = ("127.0.0.1", sender.port)
        command = options.engine.run("latency.py", *place, INTERVAL, expected, result)
        with Child(command, options.engine.environment) as child:
            child.wait(options.seconds + PATIENCE_SECONDS)
            delays: list[int] = json.loads(result.read_text())["delays_ns"]
    if len(delays) != expected:
        raise BenchmarkError(f"{expected} lines were sent, {len(delays)} came out")
    return [delay / 1e6 for delay in delays]


def run(options: Options) -> list[Row]:
    found: list[float] = []
    for number in range(1, options.runs + 1):
        delays = delays_ms(options)
        percentiles = statistics.quantiles(delays, n=100, method="inclusive")
        found.append(percentiles[98])
        say(
            f"{NAME}: run {number} of {options.runs}: {options.seconds:g} s, "
            f"median {percentiles[49]:.1f} ms, 99th percentile {percentiles[98]:.1f} ms, "
            f"longest {max(delays):.1f} ms"
        )
    return [limit(NAME, min(found), "ms", LIMIT_MS)]


BENCHMARK = Benchmark(NAME, "batches of 5 ms: 99th percentile from a line to its counts", run)
