"""A job in virtual time with much in its checkpoint folder, and what its outputs get.

Of both sources windows and states are kept. One output fails at one time, so what it needs is in
the folder, too.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from random import Random

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest

# The folder is that of a process that had come so far, and the job goes on until the end.
LAST_BATCH = 11
END = 15
FAILING_BATCH = 6
BEGIN_SECONDS = 1_893_456_000

# Of each output and time, what it got.
got: dict[tuple[str, int], list[object]] = {}
# Whether the output fails in its time, or has the result that it would have had.
is_failing = False


def into(name):
    """Return an output that notes what it gets."""

    def note(time, rdd):
        # By its name: a checkpoint has functions with what they refer to.
        job = sys.modules["tests.durability.mutation_job"]
        number = round(time.timestamp()) - job.BEGIN_SECONDS
        records = rdd.collect()
        if job.is_failing and (name, number) == ("pushed state", job.FAILING_BATCH):
            raise OSError("the disk of the output is full")
        job.got[name, number] = sorted(records)

    return note


def total(new, old):
    return sum(new) + (old or 0)


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def running(key, value, state):
    state.update((state.getOption() or 0) + value)
    return key, state.get()


def pair(line):
    key, value = line.split()
    return key, int(value)


def define(test, inbox):
    sources = {"pushed": test.text_source().stream, "files": test.ssc.textFileStream(str(inbox))}
    for source, lines in sources.items():
        pairs = lines.map(pair)
        streams = {
            "lines": lines,
            "window": pairs.window(3),
            "sums": pairs.reduceByKeyAndWindow(add, None, 4, 1),
            "inverse": pairs.reduceByKeyAndWindow(add, subtract, 5, 1),
            "state": pairs.updateStateByKey(total),
        }
        streams["state"].checkpoint(3)
        for name, stream in streams.items():
            stream.foreachRDD(into(f"{source} {name}"))
        mapped = pairs.mapWithState(StateSpec.function(running).numPartitions(3))
        mapped.stateSnapshots().foreachRDD(into(f"{source} mapped"))


def lines_of(source, number):
    """Return what a source gives to a batch."""
    chance = Random(f"{source} {number}")
    return [f"{chance.choice('abcdefg')} {chance.randint(1, 9)}" for _ in range(6)]


def files_into(inbox: Path):
    """Put all files there, each changed within the time of its batch."""
    inbox.mkdir()
    for number in range(1, END + 1):
        path = inbox / f"file-{number}"
        path.write_text("".join(f"{line}\n" for line in lines_of("files", number)))
        changed = BEGIN_SECONDS + number - 0.5
        os.utime(path, (changed, changed))


def advance(test, end):
    """Feed and advance until a batch, as if what failed had not."""
    while (number := round(test.now) + 1) <= end:
        if number > LAST_BATCH or not test.is_recovered:
            test.sources[0].send(*lines_of("pushed", number))
        try:
            test.advance()
        except OSError:
            if number != FAILING_BATCH:
                raise


def undisturbed(inbox):
    """Return what the outputs get of a job that nothing happens to."""
    got.clear()
    with StreamingTest() as test:
        test.is_recovered = False
        define(test, inbox)
        advance(test, END)
    return dict(got)


def stopped(inbox, folder: Path):
    """Leave the folder of a job that was stopped, and beside it that of one that was killed."""
    global is_failing
    is_failing = True
    got.clear()
    killed = folder.with_name(f"{folder.name}-killed")
    with StreamingTest() as test:
        test.is_recovered = False
        test.ssc.checkpoint(str(folder))
        define(test, inbox)
        advance(test, LAST_BATCH)
        shutil.copytree(folder, killed)
    is_failing = False
    return folder, killed


def went_on(folder):
    """Return what the outputs get of a job that goes on from a folder."""
    got.clear()
    with StreamingTest.recovered(str(folder)) as test:
        test.is_recovered = True
        advance(test, END)
    return dict(got)
