"""States and windows as tables of Arrow, while a stream runs."""

import sys
import threading

import pytest

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest

pyarrow = pytest.importorskip("pyarrow")


def total(new, old):
    return sum(new) + (old or 0)


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def mapped(key, value, state):
    state.update((state.getOption() or 0) + value)


STREAMS = {
    "updateStateByKey": lambda pairs: pairs.updateStateByKey(total),
    "its snapshots": lambda pairs: pairs.updateStateByKey(total).stateSnapshots(),
    "mapWithState": lambda pairs: pairs.mapWithState(StateSpec.function(mapped)),
    "a window": lambda pairs: pairs.reduceByKeyAndWindow(add, None, 3, 1),
    "a running window": lambda pairs: pairs.reduceByKeyAndWindow(add, subtract, 5, 1),
}


def rows(table):
    assert table.column_names == ["key", "value"]
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


@pytest.mark.parametrize("memory", ["1000g", "1m"])
@pytest.mark.parametrize("name", STREAMS)
def test_the_table_is_what_the_latest_batch_has(name, memory):
    with StreamingTest(settings={"swiftwater.spill.memory": memory}) as test:
        pairs = test.ssc.queueStream([[("a", 1), ("b", 2)], [("a", 5), ("c", 1)], []])
        stream = STREAMS[name](pairs)
        test.collect(stream)
        assert rows(stream.toArrow()) == []
        expected = [[("a", 1), ("b", 2)], [("a", 6), ("b", 2), ("c", 1)]]
        for pairs in expected:
            test.advance()
            table = stream.toArrow()
            assert rows(table) == pairs
            assert table.schema.types == [pyarrow.string(), pyarrow.int64()]


VALUES = {
    "tuples": ([(1, "x"), (2, "y")], [{"_1": 1, "_2": "x"}, {"_1": 2, "_2": "y"}]),
    "lists": ([[1, 2], []], [[1, 2], []]),
    "dicts": ([{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 2}]),
    "floats": ([1.5, float("inf")], [1.5, float("inf")]),
    "bytes": ([b"a", b""], [b"a", b""]),
    "pairs in lists": ([[(1, 2)], []], [[{"_1": 1, "_2": 2}], []]),
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_many_types(kind):
    given, expected = VALUES[kind]
    with StreamingTest() as test:
        pairs = test.ssc.queueStream([list(zip("ab", given, strict=True))])
        stream = pairs.updateStateByKey(lambda new, old: new[-1] if new else old)
        test.collect(stream)
        test.advance()
        assert rows(stream.toArrow()) == list(zip("ab", expected, strict=True))


@pytest.mark.parametrize("values", [[1, "x"], [2**70, 1], [object(), object()]])
def test_values_without_a_common_type_are_an_error(values):
    with StreamingTest() as test:
        pairs = test.ssc.queueStream([list(zip("ab", values, strict=True))])
        stream = pairs.updateStateByKey(lambda new, old: new[-1] if new else old)
        stream.foreachRDD(lambda rdd: rdd.count())
        test.advance()
        with pytest.raises(TypeError, match="the values of updateStateByKey-1 have no common type"):
            stream.toArrow()


def test_a_stream_without_a_table_and_a_place_without_pyarrow(monkeypatch):
    with StreamingTest() as test:
        source = test.ssc.queueStream([[("a", 1)]])
        for stream in (source, source.window(2)):
            with pytest.raises(ValueError, match="this stream has no table"):
                stream.toArrow()
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(ImportError, match=r"pip install 'swiftwater\[arrow\]'"):
            source.updateStateByKey(total).toArrow()


def test_what_is_read_is_a_copy():
    def appended(new, old):
        old = old or []
        old.extend(new)
        return old

    with StreamingTest() as test:
        stream = test.ssc.queueStream([[("a", 1)], [("a", 2)]]).updateStateByKey(appended)
        out = test.collect(stream)
        test.advance()
        first = stream.toArrow()
        test.advance()
        assert rows(first) == [("a", [1])]
        assert rows(stream.toArrow()) == [("a", [1, 2])]
        assert out.batches == [[("a", [1])], [("a", [1, 2])]]


def test_a_table_is_whole_while_batches_run():
    with StreamingTest() as test:
        batches = [[(n, 1) for n in range(500)] for _ in range(60)]
        stream = test.ssc.queueStream(batches).updateStateByKey(total, 4)
        stream.foreachRDD(lambda rdd: rdd.take(1))
        test.advance()
        seen = []
        over = threading.Event()

        def look():
            while not over.is_set():
                seen.append(set(stream.toArrow()["value"].to_pylist()))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            test.advance(59)
        finally:
            over.set()
            thread.join()
    assert seen
    assert all(len(values) == 1 for values in seen)
