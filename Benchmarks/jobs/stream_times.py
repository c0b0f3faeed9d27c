"""How long the batches of a stream take, in virtual time or by the clock.

A job gives `define`, which makes its streams and hands `output` to `foreachRDD`, and `act`, which
is what the output does with a batch. Until the stream is filled the output does nothing.
"""

import json
import time
from array import array
from pathlib import Path

from pyspark import SparkContext
from pyspark.streaming import StreamingContext


class Batches:
    """The outputs of a stream: which batch it is, what came out, and how long that took."""

    def __init__(self, act, last):
        self.act = act
        self.last = last
        self.number = 0  # of the latest batch; the first is 1
        self.acting = False
        self.ending = False
        self.results = []  # (number of the batch, what `act` gave), those checked afterwards
        self.seconds = array("d")  # of `act` alone
        self.final = None

    def output(self, rdd):
        self.number += 1
        if self.final is not None:
            return
        if self.ending:
            self.final = (self.number, self.last(rdd))
        elif self.acting:
            started = time.perf_counter()
            result = self.act(rdd)
            self.seconds.append(time.perf_counter() - started)
            self.results.append((self.number, result))


def virtual(define, batches, fill, warm_up, measured, seconds):
    """Each batch with all that the engine does for it; no batch waits for the clock.

    There are so many seconds for filling the stream, and again for the measured batches, of which
    there is one at least. Returns the number of batches before the warm-up, and the times.
    """
    from swiftwater.testing import StreamingTest

    took = array("d")
    with StreamingTest(master="local[2]") as test:
        define(test.sc, test.ssc, lambda rdd: batches.output(rdd))
        deadline = time.monotonic() + seconds
        while batches.number < fill and time.monotonic() < deadline:
            test.advance()
        filled = batches.number
        batches.acting = True
        for _ in range(warm_up):
            test.advance()
        deadline = time.monotonic() + seconds
        while len(took) < measured and (time.monotonic() < deadline or not took):
            started = time.perf_counter()
            test.advance()
            took.append(time.perf_counter() - started)
        batches.ending = True
        test.advance()
    return filled, took


def by_the_clock(define, batches, fill, warm_up, measured, seconds, interval, folder):
    """The output alone, as the driver waits for it: what PySpark does before it is left out."""
    sc = SparkContext("local[2]", "stream-times")
    sc.setLogLevel("ERROR")
    sc.setCheckpointDir(folder)  # Spark does not run a state without it
    ssc = StreamingContext(sc, interval)
    define(sc, ssc, lambda rdd: batches.output(rdd))
    ssc.start()

    def wait(done):
        while not done():
            ssc.awaitTerminationOrTimeout(0.02)  # raises what went wrong in a batch

    wait(lambda: batches.number >= fill)
    filled = batches.number
    batches.acting = True
    wait(lambda: len(batches.seconds) > warm_up)
    deadline = time.monotonic() + seconds
    enough = warm_up + measured
    wait(lambda: len(batches.seconds) >= enough or time.monotonic() >= deadline)
    batches.ending = True
    wait(lambda: batches.final is not None)
    ssc.stop(True, False)
    return filled, batches.seconds[warm_up:]


def report(result, filled, took):
    """What the benchmark reads."""
    outcome = {"filled": filled, "seconds": list(took)}
    Path(result).write_text(json.dumps(outcome))


def same(what, found, expected):
    """Ends the job where it gave something else than plain Python gives."""
    if found != expected:
        raise SystemExit(f"{what}: {str(found)[:200]} instead of {str(expected)[:200]}")
