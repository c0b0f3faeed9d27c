"""Checkpoints of older versions, which placed keys among the partitions otherwise."""

import os

import pytest

from swiftwater.streaming._checkpoints import format as checkpoint_format
from swiftwater.streaming._checkpoints import recovery
from swiftwater.testing import StreamingTest

BATCHES = [[f"{letter} {number}" for letter in "abcdef"[number:]] for number in range(5)]


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def total(new, old):
    return sum(new) + (old or 0)


def with_none(line):
    letter, number = line.split()
    return (letter, None), int(number)


# Operators whose RDDs are partitioned by key, those that they look back on among them.
KEYED = {
    "updateStateByKey": lambda s: s.updateStateByKey(total, 4),
    "with inverse": lambda s: s.reduceByKeyAndWindow(add, subtract, 6, 1, 4),
    "with inverse, slower": lambda s: s.reduceByKeyAndWindow(add, subtract, 10, 2, 4),
    "reduceByKeyAndWindow": lambda s: s.reduceByKeyAndWindow(add, None, 3, 1, 4),
    "window of sums": lambda s: s.reduceByKey(add, 4).window(3),
}
OTHERS = {
    "window": lambda s: s.window(3),
    "window of pairs with a partitioner of their own": lambda s: s.partitionBy(
        4, lambda key: ord(key[0])
    ).window(3),
}
KINDS = KEYED | OTHERS


def define(test, kind):
    stream = KINDS[kind](test.text_source().stream.map(with_none))
    test.collect(stream.glom())


def feed(test, batches):
    for batch in batches:
        test.sources[-1].send(*batch)
        test.advance()


def begun(folder, kind):
    with StreamingTest() as test:
        test.ssc.checkpoint(folder)
        define(test, kind)
        feed(test, BATCHES[:2])


def gone_on(folder, batches):
    with StreamingTest.recovered(folder) as test:
        feed(test, batches)
        return test.outputs[0].batches


def make_older(folder, moves):
    """Rewrite the newest checkpoint as an older version wrote it; with keys in other partitions."""
    time_ms = max(int(name[11:]) for name in os.listdir(folder) if name.startswith("checkpoint-"))
    facts, functions = checkpoint_format.read_checkpoint(folder, time_ms)
    content = {
        name: checkpoint_format.read_data(folder, name)
        for name in checkpoint_format.named_in(facts["data"])
    }
    for row in facts["data"]:
        assert row.pop("placement") == 1
        first, behind = row["first"], row["first"] + row["count"]
        if moves and row["file"] is not None:
            parts = content[row["file"]][first:behind]
            content[row["file"]][first:behind] = [*parts[1:], parts[0]]
    for name, sections in content.items():
        checkpoint_format.write_data(folder, name, sections)
    checkpoint_format.write_checkpoint(folder, time_ms, facts, functions)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_are_placed_anew(tmp_path, kind):
    found = []
    for name in ("now", "older"):
        folder = str(tmp_path / name)
        begun(folder, kind)
        if name == "older":
            make_older(folder, moves=kind in KEYED)
        # The second time all is read from what this version has written.
        found.append(gone_on(folder, BATCHES[2:3]) + gone_on(folder, BATCHES[3:]))
    now, older = found
    assert [list(map(sorted, batch)) for batch in older] == [
        list(map(sorted, batch)) for batch in now
    ]


def test_a_checkpoint_of_this_version_is_read_as_it_is(tmp_path, monkeypatch):
    monkeypatch.delattr(recovery, "_placed_anew")
    begun(str(tmp_path), "updateStateByKey")
    assert gone_on(str(tmp_path), BATCHES[2:3]) != []
