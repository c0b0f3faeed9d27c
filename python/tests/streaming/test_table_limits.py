"""States and windows that may have so many keys, or so many bytes, and no more."""

import pytest

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest


def total(new, old):
    return (sum(new) + (old or 0)) or None


def opaque_total(new, old):
    try:
        return (sum(new) + (old or 0)) or None
    finally:
        pass


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def mapped(key, value, state):
    if value == 0:
        state.remove()
    else:
        state.update((state.getOption() or 0) + value)


def not_zero(pair):
    return pair[1] != 0


STREAMS = {
    "updateStateByKey": lambda pairs: pairs.updateStateByKey(total, 1),
    "updateStateByKey, opaque": lambda pairs: pairs.updateStateByKey(opaque_total, 1),
    "reduceByKeyAndWindow": lambda pairs: pairs.reduceByKeyAndWindow(
        add, subtract, 5, 1, 1, not_zero
    ),
    "mapWithState": lambda pairs: pairs.mapWithState(
        StateSpec.function(mapped).numPartitions(1)
    ).stateSnapshots(),
}
# The operator that the error names: the method that the script called.
OPERATORS = {name: name.partition(",")[0] for name in STREAMS}


def run(stream, batches, **limits):
    """What each batch had, or the words of its error, and how many keys there were then."""
    found = []

    def note(rdd):
        try:
            found.append(sorted(rdd.collect()))
        except Exception as error:  # noqa: BLE001 - its words are looked at
            found.append(str(error))

    settings = {f"swiftwater.state.{name}": value for name, value in limits.items()}
    with StreamingTest(settings=settings) as test:
        stream(test.ssc.queueStream(batches)).foreachRDD(note)
        keys = []
        for _ in batches:
            test.advance()
            keys.append(test.ssc.stateOperators()[0].keys)
    return found, keys


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_batch_that_would_make_too_many_keys_fails_and_changes_nothing(
    name, workers, monkeypatch
):
    monkeypatch.setenv("SWIFTWATER_WORKERS", workers)
    batches = [[("a", 1), ("b", 1)], [("a", 1)], [("c", 1), ("a", 5)], []]
    found, keys = run(STREAMS[name], batches, maxKeys="2")
    assert found[:2] == [[("a", 1), ("b", 1)], [("a", 2), ("b", 1)]]
    assert keys == [2] * 4
    # The batch is tried again with the next one.
    for words in found[2:]:
        assert f"in {OPERATORS[name]} at test_table_limits.py:" in words
        assert "a batch would make 3 keys of it, and swiftwater.state.maxKeys allows 2" in words
        assert "timeToLive" in words


@pytest.mark.parametrize("name", STREAMS)
def test_keys_that_go_in_the_same_batch_make_room(name):
    leaving = 0 if name == "mapWithState" else -1
    batches = [[("a", 1), ("b", 1)], [("a", leaving), ("c", 1)], [("b", leaving), ("d", 2)]]
    found, keys = run(STREAMS[name], batches, maxKeys="2")
    assert found == [
        [("a", 1), ("b", 1)],
        [("b", 1), ("c", 1)],
        [("c", 1), ("d", 2)],
    ]
    assert keys == [2] * 3


def test_keys_whose_time_is_out_make_room():
    batches = [[("a", 1), ("b", 1)], [], [("c", 1), ("d", 1)]]
    for name in ("updateStateByKey", "updateStateByKey, opaque", "mapWithState"):
        found, keys = run(STREAMS[name], batches, maxKeys="2", timeToLive="1s")
        assert found[2] == [("c", 1), ("d", 1)]
        assert keys[2] == 2


def test_over_several_partitions_the_bound_is_one():
    batches = [[(f"key {n}", 1)] for n in range(20)]
    found, keys = run(lambda pairs: pairs.updateStateByKey(total, 4), batches, maxKeys="7")
    assert [len(each) for each in found[:7]] == list(range(1, 8))
    assert all("would make 8 keys" in words for words in found[7:])
    assert keys[6:] == [7] * 14


@pytest.mark.parametrize("name", STREAMS)
def test_batches_fail_while_there_are_too_many_bytes(name):
    batches = [[(f"key {n}", 1) for n in range(1000)], [("a", 1)]]
    found, keys = run(STREAMS[name], batches, maxBytes="1k")
    assert len(found[0]) == 1000
    assert "swiftwater.state.maxBytes allows 1024" in found[1]
    assert keys == [1000, 1000]
    found, keys = run(STREAMS[name], batches, maxBytes="10m")
    assert len(found[1]) == 1001


@pytest.mark.parametrize("name", ["maxKeys", "maxBytes"])
def test_a_bound_that_cannot_be_meant_is_an_error_at_the_start(name):
    with pytest.raises(ValueError, match=f"swiftwater.state.{name}"):
        StreamingTest(settings={f"swiftwater.state.{name}": "many"})
