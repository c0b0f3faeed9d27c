"""Builds and runs programs on whichever ``pyspark`` can be imported, and writes what came out.

    PYTHON execute.py PROGRAMS RESULTS [--virtual]

PROGRAMS has one program a line, as JSON (``generate.py`` makes them); RESULTS gets one line for
each. The same code runs on real PySpark (``python execute.py``) and on Swiftwater (``swiftwater run
execute.py``, where ``pyspark`` is Swiftwater). ``--virtual`` moves the stream's clock by hand
instead of waiting, which Swiftwater's test kit can do.

A program of the family ``stream``::

    {"family": "stream", "seed": 1, "batches": 3,
     "inputs": [{"batches": [[1, 2], [3]], "slices": 2}],
     "steps": [{"on": 0, "call": "map", "args": [{"fn": ["add", 1]}]}],
     "outputs": [1]}

The inputs are the streams 0, 1, ..., and each step makes the next one. Of each stream that
``outputs`` names, the result has for each batch the list of its partitions, each a list of records;
``{"error": type}`` where the batch failed; None where the stream had no RDD. ``family`` ``rdd`` is
the same without time: ``sources``, ``steps``, and ``actions`` at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import monotonic, sleep
from typing import Any, Protocol

from catalogue import OTHER, called, made
from values import decoded, encoded, error_form

Program = dict[str, Any]
Result = dict[str, Any]
INTERVAL_MS = 100
PATIENCE = 120.0  # seconds for one program's batches on a real clock


class Clock(Protocol):
    """Where a program's streaming context comes from, and how its batches are made to run."""

    ssc: Any

    def run(self, batches: int, done: Callable[[], bool]) -> None:
        """Run at least that many batches, and end the context."""


class RealClock:
    """A streaming context of ``pyspark`` that waits for its batches."""

    def __init__(self, sc: Any) -> None:
        from pyspark.streaming import StreamingContext

        self.ssc: Any = StreamingContext(sc, INTERVAL_MS / 1000)

    def run(self, batches: int, done: Callable[[], bool]) -> None:
        """Wait until ``done``."""
        try:
            self.ssc.start()
            end = monotonic() + PATIENCE
            while not done():
                if monotonic() > end:
                    raise TimeoutError("the batches did not come")
                sleep(0.01)
        finally:
            self.ssc.stop(False, False)


class VirtualClock:
    """A streaming context of Swiftwater's test kit, whose clock is moved by hand."""

    def __init__(self, sc: Any) -> None:
        from swiftwater.testing import StreamingTest

        self._test: Any = StreamingTest(INTERVAL_MS / 1000, spark_context=sc)
        self.ssc: Any = self._test.ssc

    def run(self, batches: int, done: Callable[[], bool]) -> None:
        """Move the clock by so many intervals."""
        try:
            self._test.start()
            for _ in range(batches):
                # The error of a batch is seen by its outputs; here it would only be seen again.
                with contextlib.suppress(Exception):
                    self._test.advance()
        finally:
            self._test.stop()


class Builder:
    """Turns a program's arguments into values, functions, streams and RDDs."""

    def __init__(self, sc: Any, results: list[Any], context: Any = None) -> None:
        self.sc = sc
        self.results = results
        self.context = context

    def value(self, form: Any) -> Any:
        """What an argument stands for."""
        if not isinstance(form, dict):
            return form
        match form:
            case {"fn": name, "part": part}:
                return made(name)[part]
            case {"fn": name}:
                return made(name)
            case {"ref": number}:
                return self.results[number]
            case {"refs": numbers}:
                return [self.results[number] for number in numbers]
            case {"time": intervals}:
                return intervals * INTERVAL_MS / 1000
            case {"value": content}:
                return decoded(content)
            case {"rdd": records, "slices": slices}:
                return self.sc.parallelize(decoded(records), slices)
            case {"chain": calls}:
                ready = self.calls(calls)
                return lambda rdd: called(rdd, ready)
            case {"timed_chain": calls}:
                ready = self.calls(calls)
                return lambda time, rdd: called(rdd, ready)
            case {"with": calls}:
                ready = self.calls(calls)
                return lambda rdd, other: called(rdd, ready, other)
            case {"all": calls}:
                ready = self.calls(calls)
                return lambda rdds: called(rdds[0], ready, rdds[-1])
            case {"other": _}:
                return OTHER
        raise ValueError(f"no argument has the form {form!r}")

    def calls(self, calls: list[Any]) -> list[Any]:
        """The calls of a chain with what their arguments stand for.

        Functions of the driver hold these and not the context: some of them are pickled.
        """
        return [[name, *map(self.value, arguments)] for name, *arguments in calls]

    def step(self, step: dict[str, Any]) -> Any:
        """The stream or RDD that a step makes, or an action's value."""
        arguments = [self.value(argument) for argument in step["args"]]
        on = self.context if step["on"] == "context" else self.results[step["on"]]
        return getattr(on, step["call"])(*arguments)


def refusal(step: int, error: Exception) -> Result:
    """The result of a program that could not be built."""
    form = error_form(error)
    if "java" not in form["error"] and not hasattr(error, "java_exception"):
        form["message"] = str(error)
    return {"refused": form, "step": step}


# --- streams --------------------------------------------------------------------------------------


class Batches:
    """Numbers a stream's batches, and knows which of them are over.

    The first output of a program notes that a batch begins to be made, the last one that its RDDs
    are all there. A batch for which a function of the driver raises comes never so far: it is
    dropped.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.begun: list[datetime] = []
        self.made: set[int] = set()
        self.finished: set[int] = set()

    def begin(self, moment: datetime, rdd: Any) -> Any:
        """A function of ``transform``, the first that is called for a batch."""
        self.begun.append(moment)
        return rdd

    def make(self, moment: datetime, rdd: Any) -> Any:
        """A function of ``transform``, the last that is called for a batch."""
        self.made.add(self.number(moment))
        return rdd

    def finish(self, moment: datetime) -> None:
        """The last output of a batch."""
        self.finished.add(self.number(moment))

    def number(self, moment: datetime) -> int:
        """The number of the batch of this time; the first is 0."""
        return round((moment - self.begun[0]).total_seconds() * 1000 / INTERVAL_MS)

    def done(self) -> bool:
        """All batches that count have run, or were dropped."""
        if len(self.begun) <= self.count:
            return False
        return {number for number in self.made if number < self.count} <= self.finished


def run_stream(program: Program, sc: Any, make_clock: Callable[[Any], Clock]) -> Result:
    """Build and run a program of the family ``stream``."""
    clock = make_clock(sc)
    ssc = clock.ssc
    batches = Batches(program["batches"])
    streams: list[Any] = []
    builder = Builder(sc, streams, ssc)
    collected: dict[str, list[Any]] = {}
    started = False
    try:
        step = -1
        try:
            for given in program["inputs"]:
                streams.append(queue(given, sc, ssc))
            # PySpark counts the arguments of plain functions only.
            first = streams[0].transform(lambda time, rdd: batches.begin(time, rdd))
            first.foreachRDD(lambda rdd: None)
            for form in program["steps"]:
                step += 1
                streams.append(builder.step(form))
            for number in program["outputs"]:
                collected[str(number)] = results = [None] * program["batches"]
                streams[number].foreachRDD(collector(batches, results))
            last = streams[0].transform(lambda time, rdd: batches.make(time, rdd))
            last.foreachRDD(lambda time, rdd: batches.finish(time))
        except Exception as error:
            return refusal(step, error)
        started = True
        try:
            clock.run(batches.count, batches.done)
        except TimeoutError:
            raise
        except Exception as error:
            return refusal(len(program["steps"]), error)
    finally:
        if not started:
            ssc.stop(False)
    return {"outputs": collected}


def queue(given: dict[str, Any], sc: Any, ssc: Any) -> Any:
    """The queue stream of an input."""
    slices = given.get("slices")
    lists = [decoded(records) for records in given["batches"]]
    rdds = lists if slices is None else [sc.parallelize(records, slices) for records in lists]
    default = given.get("default")
    if default is not None:
        default = decoded(default)
    return ssc.queueStream(rdds, given.get("one_at_a_time", True), default)


def collector(batches: Batches, results: list[Any]) -> Callable[[datetime, Any], None]:
    """A function of ``foreachRDD`` that keeps each batch's partitions."""

    def collect(time: datetime, rdd: Any) -> None:
        number = batches.number(time)
        if number >= len(results):
            return
        try:
            results[number] = encoded(rdd.glom().collect())
        except Exception as error:
            results[number] = error_form(error)

    return collect


# --- RDDs -----------------------------------------------------------------------------------------


def run_rdd(program: Program, sc: Any, folder: str) -> Result:
    """Build and run a program of the family ``rdd``."""
    rdds: list[Any] = []
    builder = Builder(sc, rdds, sc)
    for number, given in enumerate(program["sources"]):
        rdds.append(source(given, sc, os.path.join(folder, f"source-{number}.txt")))
    for number, form in enumerate(program["steps"]):
        try:
            rdds.append(builder.step(form))
        except Exception as error:
            return refusal(number, error)
    return {
        "outputs": {
            str(number): attempted(partial(glommed, rdds[number])) for number in program["outputs"]
        },
        "actions": [attempted(partial(builder.step, action)) for action in program["actions"]],
    }


def source(given: dict[str, Any], sc: Any, path: str) -> Any:
    """The RDD of a source."""
    match given:
        case {"values": values, "slices": slices}:
            return sc.parallelize(decoded(values), slices)
        case {"text": text, "minimum": minimum}:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            return sc.textFile(path, minimum)
        case {"range": arguments}:
            return sc.range(*arguments)
        case {"empty": _}:
            return sc.emptyRDD()
    raise ValueError(f"no source has the form {given!r}")


def glommed(rdd: Any) -> list[list[Any]]:
    """An RDD's partitions."""
    partitions: list[list[Any]] = rdd.glom().collect()
    return partitions


def attempted(action: Callable[[], Any]) -> Any:
    """An action's value, or its error."""
    try:
        return encoded(action())
    except Exception as error:
        return error_form(error)


# --- the run --------------------------------------------------------------------------------------


def run(program: Program, sc: Any, make_clock: Callable[[Any], Clock], folder: str) -> Result:
    """A program's result."""
    if program["family"] == "stream":
        return run_stream(program, sc, make_clock)
    return run_rdd(program, sc, folder)


def main() -> None:
    """Run the programs of a file."""
    from pyspark import SparkConf, SparkContext

    programs_path, results_path, *options = sys.argv[1:]
    virtual = "--virtual" in options
    folder = tempfile.mkdtemp()
    conf = SparkConf().setMaster("local[2]").setAppName("Differential")
    sc = SparkContext(conf=conf)
    sc.setLogLevel("OFF")
    sc.setCheckpointDir(os.path.join(folder, "checkpoints"))
    try:
        with open(programs_path, encoding="utf-8") as programs, open(results_path, "w") as results:
            for line in programs:
                program = json.loads(line)
                try:
                    result = run(program, sc, VirtualClock if virtual else RealClock, folder)
                except Exception as error:
                    result = {"broken": f"{type(error).__name__}: {error}"[:2000]}
                results.write(json.dumps(result, ensure_ascii=False) + "\n")
                results.flush()
    finally:
        sc.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
