"""Windows and states behind and beside each other, read in all ways, against a plain model."""

import os
import random

import pytest

from swiftwater.testing import StreamingTest
from tests.streaming.table_programs import KEYS, KINDS, Program, batches
from tests.streaming.table_values import Named, copied

SEED = int(os.environ.get("TABLES_SEED", random.randrange(1 << 32)))
IS_SLOW = os.environ.get("SWIFTWATER_WORKERS") == "always"
BATCHES = 12 if IS_SLOW else 30
COUNT = int(os.environ.get("TABLES_PROGRAMS", "4" if IS_SLOW else "30"))
ROOTS = [kind for kind in KINDS if kind != "lists of records"]


ONE_OF_EQUAL = {key: repr(key) for keys in KEYS.values() for key in keys}


def shown(records):
    """With types: some values are equal and not the same. Of equal keys any one may stand there."""
    return [(ONE_OF_EQUAL.get(key, repr(key)), repr(value)) for key, value in records]


def changed(value):
    """Changes what it can of a value."""
    if isinstance(value, list):
        for item in value:
            changed(item)
        value.append("changed by a reader")
    elif isinstance(value, tuple):
        for item in value:
            changed(item)


def is_portable(key):
    """Whether the key's partition is the same in all processes."""
    if isinstance(key, tuple):
        return all(map(is_portable, key))
    return not isinstance(key, frozenset | Named)


class Reader:
    """Reads the RDDs of a stream in one of several ways, and compares them with the model."""

    WAYS = ("collect", "parts", "changing", "late", "twice", "iterator", "never")

    def __init__(self, step, chance, is_ordered):
        self.step = step
        self.way = chance.choice(self.WAYS)
        self.lag = chance.randint(1, 6)
        self.is_ordered = is_ordered
        self.held = []
        self.time = 0
        self.mistakes = []
        self.read_count = 0

    def __call__(self, rdd):
        self.time += self.step.model.slide
        if self.way == "parts":
            self.read_parts(self.time, rdd)
        if self.way == "changing":
            for record in rdd.collect():
                changed(record)
        if self.way == "iterator":
            self.compare(self.time, [*rdd.map(lambda pair: pair).toLocalIterator()])
        elif self.way == "late":
            self.held.append((self.time, rdd))
            if len(self.held) > self.lag:
                time, earlier = self.held.pop(0)
                self.compare(time, earlier.collect())
        elif self.way != "never":
            self.compare(self.time, rdd.collect())
        if self.way == "twice":
            self.compare(self.time, rdd.collect())

    def read_parts(self, time, rdd):
        expected = shown(self.step.model.at(time) or [])
        for count in (1, 3):
            some = shown(rdd.take(count))
            if self.is_ordered and some != expected[:count]:
                self.mistakes.append((time, f"take({count})", some, expected[:count]))
        if rdd.isEmpty() != (not expected):
            self.mistakes.append((time, "isEmpty"))
        if rdd.count() != len(expected):
            self.mistakes.append((time, "count", rdd.count(), len(expected)))

    def compare(self, time, found):
        expected = self.step.model.at(time) or []
        self.read_count += 1
        found, expected = shown(found), shown(expected)
        if not self.is_ordered:
            found, expected = sorted(found), sorted(expected)
        if found != expected:
            self.mistakes.append((time, self.way, found, expected))

    def end(self):
        for time, rdd in self.held:
            self.compare(time, rdd.collect())


def is_small(program):
    """Windows of windows can have very many records."""
    for step in program.steps:
        for time in range(1, BATCHES + 1):
            records = step.model.at(time)
            if records is not None and len(repr(records)) > 60_000:
                return False
    return True


def made(chance, test, partitions):
    keys = chance.choice([*KEYS])
    kind = chance.choice(ROOTS)
    some = KEYS[keys] if partitions == (1,) else [*filter(is_portable, KEYS[keys])]
    input_batches = batches(chance, some, kind, BATCHES)
    source = test.ssc.queueStream([copied(batch) for batch in input_batches])
    # A window that is shorter than its slide would leave batches in the queue.
    test.collect(source)
    program = Program(
        chance, source, input_batches, kind=kind, partitions=partitions, length=BATCHES * 2 // 3
    )
    program.grow(chance.randint(1, 7))
    program.steps[0].words = f"source of {kind}, {keys}"
    return program


def run(chance, settings, folder, partitions):
    with StreamingTest(batch_interval=1.0, settings=settings) as test:
        if folder is not None:
            test.ssc.checkpoint(str(folder))
        program = made(chance, test, partitions)
        if not is_small(program):
            return
        readers = []
        for step in program.steps[1:]:
            for _ in range(chance.choice([0, 1, 1, 2])):
                readers.append(Reader(step, chance, partitions == (1,)))
                step.stream.foreachRDD(readers[-1])
        last = Reader(program.steps[-1], chance, partitions == (1,))
        last.way = "collect"
        program.steps[-1].stream.foreachRDD(last)
        readers.append(last)
        if chance.random() < 0.3:
            test.ssc.remember(chance.randint(1, 9))
        test.advance(BATCHES)
        for reader in readers:
            reader.end()
            assert not reader.mistakes, f"{program}\n{reader.step.words}: {reader.mistakes[0]}"
        assert last.read_count == BATCHES // program.steps[-1].model.slide, str(program)


@pytest.mark.parametrize("number", range(COUNT))
def test_programs_give_what_the_model_gives(number, tmp_path):
    name = f"{SEED} {number}"
    print(f"TABLES_SEED={SEED}")
    chance = random.Random(name)
    settings = {"swiftwater.spill.memory": "64k"} if chance.random() < 0.3 else {}
    folder = tmp_path if chance.random() < 0.4 else None
    partitions = (1,) if chance.random() < 0.7 else (1, 2, 3)
    run(chance, settings, folder, partitions)
