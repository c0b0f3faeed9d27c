"""wordcount-lowered-socket: the text comes from a socket, the functions are run natively."""

from __future__ import annotations

from dataclasses import replace

from counting import PLAIN, UNIT, in_turn, plain, socket_job
from harness import Benchmark, Options
from rows import Row, rate

NAME = "wordcount-lowered-socket"
# Each batch's counts go to Python and are added up there, so fewer batches are less work; but
# nothing is counted before the first batch's time.
INTERVAL = "0.1"


def run(options: Options) -> list[Row]:
    engine = replace(options.engine, interval=INTERVAL)
    ours, plainly = in_turn(
        NAME, options, [socket_job(options, engine), plain(options, options.text)]
    )
    return [rate(NAME, ours, UNIT, PLAIN, plainly, 8.0)]


BENCHMARK = Benchmark(NAME, "the same over a socket, the sender on the same machine", run)
