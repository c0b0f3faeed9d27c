"""Streams of lowered functions give what they give in Python."""

import pytest

from swiftwater._native import engine
from swiftwater.testing import StreamingTest
from tests.lowering.lowering_jobs import NATIVE, add, outcome

factor = 2

BATCHES = [
    ["a b a", "Ä b"],
    [],
    ["c", "", "a  c"],
    ["9223372036854775807 1", "9223372036854775807 a"],
    ["a"],
    [],
]


def counted(lines):
    return lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))


STREAMS = {
    "words": counted,
    "reduceByKey": lambda lines: counted(lines).reduceByKey(add),
    "filter": lambda lines: lines.filter(lambda line: "a" in line).map(lambda s: s.lower()),
    "window": lambda lines: counted(lines.window(3)).reduceByKey(add),
    "window of words": lambda lines: counted(lines).window(2, 2),
    "reduceByKeyAndWindow": lambda lines: counted(lines).reduceByKeyAndWindow(add, None, 3, 1),
    "with the inverse": lambda lines: counted(lines).reduceByKeyAndWindow(
        add, lambda a, b: a - b, 3, 1
    ),
    "countByValue": lambda lines: lines.map(len).countByValue(),
    "countByWindow": lambda lines: lines.map(len).countByWindow(2, 1),
    "reduce": lambda lines: lines.map(len).reduce(add),
    "state": lambda lines: counted(lines).updateStateByKey(lambda new, old: sum(new, old or 0)),
    "join": lambda lines: counted(lines).join(counted(lines).reduceByKey(max)),
    "transform": lambda lines: lines.transform(lambda rdd: rdd.map(len).sortBy(lambda n: n)),
    "union": lambda lines: lines.union(lines.map(lambda s: s.upper())).map(lambda s: (s, s)),
    "glom": lambda lines: lines.map(len).glom(),
    "cache": lambda lines: lines.map(lambda s: s.split()).cache().map(lambda words: len(words)),  # noqa: PLW0108
    "repartition": lambda lines: counted(lines).repartition(3),
}


def batches_of(lowering, job, batches, between=lambda number: None):
    settings = {"swiftwater.lowering": lowering}
    with StreamingTest(settings=settings) as test:
        source = test.text_source()
        out = test.collect(job(source.stream))
        told = {line[3] for line in engine.stream_explain(test.ssc._handle)}
        # The functions in a transform are seen in each batch only.
        assert bool(told & NATIVE) == (lowering == "true") or job is STREAMS["transform"]
        test.start()
        errors = []
        for number, lines in enumerate(batches):
            between(number)
            source.send(*lines)
            errors.append(outcome(test.advance))
        return repr(out.batches), errors


@pytest.fixture
def both_streams():
    def compared(job, batches, between=lambda number: None):
        lowered, plain = (
            batches_of(lowering, job, batches, between) for lowering in ("true", "false")
        )
        assert lowered == plain
        return plain

    return compared


@pytest.mark.parametrize("name", STREAMS)
def test_streams(both_streams, name):
    found, errors = both_streams(STREAMS[name], BATCHES)
    assert errors == ["None"] * len(BATCHES)
    assert "a" in found or "1" in found


def test_a_batch_that_fails(both_streams):
    found, errors = both_streams(
        lambda lines: lines.map(lambda line: 10 // int(line)), [["1"], ["2", "0"], ["x"], ["5"]]
    )
    assert [error if isinstance(error, str) else error[0] for error in errors][1:3] == [
        "ZeroDivisionError",
        "ValueError",
    ]
    assert any("record: '0'" in note for note in errors[1][2])
    assert found.endswith("[2]]")


def test_a_global_that_changes_between_batches(both_streams):
    def between(number):
        global factor
        factor = [2, 3, 1.5, "ab"][number]

    found, _ = both_streams(
        lambda lines: lines.map(lambda line: len(line) * factor), [["a", "bc"]] * 4, between
    )
    assert found == "[[2, 4], [3, 6], [1.5, 3.0], ['ab', 'abab']]"


def test_a_function_and_a_method_of_one_code_are_told_apart(sc):
    class Adder:
        def add(self, number=10):
            return (self, number)

    numbers = sc.parallelize([1, 2], 1)
    for _ in range(2):
        assert numbers.map(Adder.add).collect() == [(1, 10), (2, 10)]
        rows = numbers.map(Adder().add).collect()
        assert [(type(owner), number) for owner, number in rows] == [(Adder, 1), (Adder, 2)]
