"""docs/windows-and-states.md, held against the code: its functions run, its words are given."""

import functools
import re
import time

import pytest

from swiftwater._native import engine
from swiftwater.testing import StreamingTest, run_batches
from tests.docs.pages import page, python_blocks, section

WINDOWS = "docs/windows-and-states.md"


@pytest.fixture(scope="module")
def given():
    """What the blocks of the page define."""
    space = {"__name__": "page"}
    for block in python_blocks(WINDOWS):
        exec(compile(block, WINDOWS, "exec"), space)
    return space


def one_key(values):
    return [[("a", value)] for value in values]


def values_of(batches):
    return [value for batch in batches for _, value in batch]


def test_sums_and_means(given):
    assert values_of(run_batches(given["sums_of_an_hour"], one_key([1, 2, 3]))) == [1, 3, 6]
    assert values_of(run_batches(given["means"], one_key([1, 2, 6, 7]))) == [1.0, 1.5, 3.0, 5.0]


def test_a_function_that_is_not_associative():
    row = re.search(r"^\| 1, 2, 3, 4 \|.*$", section(WINDOWS, "Windows"), re.MULTILINE)[0]
    spark, ours = re.findall(r"`([^`]+)`, which is -?\d+", row)
    told = [int(number) for number in re.findall(r"which is (-?\d+)", row)]
    assert [eval(spark), eval(ours)] == told
    assert functools.reduce(lambda a, b: a - b, [1, 2, 3, 4]) == told[0]
    window = run_batches(
        lambda pairs: pairs.reduceByKeyAndWindow(lambda a, b: a - b, None, 4, 1),
        one_key([1, 2, 3, 4]),
    )
    assert values_of(window)[-1] == told[1]


def test_sums_of_floats():
    windows = run_batches(
        lambda pairs: pairs.reduceByKeyAndWindow(lambda a, b: a + b, None, 3, 1),
        one_key([0.1, 0.2, 0.3, 0.4]),
    )
    assert values_of(windows)[-1] == 0.2 + (0.3 + 0.4) == 0.8999999999999999


def test_states(given):
    batches = [[("a", 1)], [], [("b", 1)], [], [], []]
    totals = run_batches(given["totals"], batches)
    assert [dict(batch) for batch in totals][-1] == {"a": 1, "b": 1}
    sessions = run_batches(lambda pairs: pairs.updateStateByKey(given["sessions"]), batches)
    keys = [sorted(dict(batch)) for batch in sessions]
    assert keys == [["a"], ["a"], ["a", "b"], ["b"], ["b"], []]


def stamped(new, old):
    return time.time(), len(new)


def kept(new, old):
    if not new:
        return old
    print(new)
    return len(new)


WORDS = [
    re.sub(r"\\", "", words)
    for words in re.findall(r"^\| `((?:keys|all keys).*?)` \|", page(WINDOWS), re.MULTILINE)
]


@pytest.mark.parametrize(
    ("function", "words"), [(kept, WORDS[0]), ("total", WORDS[1]), (stamped, WORDS[2])]
)
def test_the_words_of_explain(given, function, words):
    with StreamingTest() as test:
        pairs = test.ssc.queueStream([[("a", 1)]])
        states = pairs.updateStateByKey(given.get(function, function))
        test.collect(states)
        notes = [line[5] for line in engine.stream_explain(test.ssc._handle)]
        assert any(words in note.split("; ") for note in notes), notes


def test_prices(given):
    with StreamingTest() as test:
        prices = test.sc.parallelize([("apple", 2), ("pear", 3)], 2)
        sales = test.ssc.queueStream([[("apple", 5)], [("pear", 1)], [("plum", 1)]])
        joined = test.collect(given["priced"](sales, prices))
        test.advance(3)
    assert joined.batches == [[("apple", (5, 2))], [("pear", (1, 3))], []]
