"""Streams give in worker processes what they give in the driver."""

import os

import pytest

from swiftwater.testing import StreamingTest
from tests.tasks.workers.worker_records import Local, merged, shown

BATCHES = [[("a", 1), ("b", 2)], [("a", 3)], [], [("b", 5), ("c", 1), ("a", 2)], [("a", 1)]]

STREAMS = {
    "map": lambda s: s.map(lambda pair: (pair[1], pair[0].upper())),
    "flatMap, filter": lambda s: s.flatMap(lambda p: [p] * p[1]).filter(lambda p: p[1] != 2),
    "reduceByKey": lambda s: s.reduceByKey(merged),
    "updateStateByKey": lambda s: s.updateStateByKey(
        lambda new, old: None if sum(new) == 5 else sum(new) + (old or 0)
    ),
    "a state of objects": lambda s: s.updateStateByKey(
        lambda new, old: Local([*(old.value if old else []), *new])
    ),
    "window": lambda s: s.window(2.0).map(lambda pair: [pair]),
    "reduceByWindow": lambda s: s.map(lambda p: p[1]).reduceByWindow(
        lambda a, b: a + b, lambda a, b: a - b, 3.0, 1.0
    ),
    "reduceByKeyAndWindow": lambda s: s.reduceByKeyAndWindow(
        lambda a, b: a + b, lambda a, b: a - b, 3.0, 1.0
    ),
    "without inverse": lambda s: s.reduceByKeyAndWindow(merged, None, 2.0, 1.0),
    "countByValueAndWindow": lambda s: s.map(str).countByValueAndWindow(2.0, 1.0),
    "transform": lambda s: s.transform(lambda t, rdd: rdd.map(lambda p: (p, "x")).distinct()),
    "transformWith": lambda s: s.transformWith(
        lambda a, b: a.union(b).map(lambda p: p[0]), s.mapValues(str)
    ),
    "join": lambda s: s.join(s.mapValues(lambda v: -v)),
    "groupByKey": lambda s: s.groupByKey().mapValues(list),
    "mapPartitions": lambda s: s.mapPartitions(lambda ps: [list(ps)]),
    "count": lambda s: s.map(lambda p: p).count(),
    "cache": lambda s: s.map(lambda p: [p]).cache(),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_give_the_same(name, tmp_path):
    found = []
    for workers in ("never", "always"):
        with StreamingTest(settings={"swiftwater.workers": workers}) as test:
            test.ssc.checkpoint(str(tmp_path / workers))
            out = test.collect(STREAMS[name](test.ssc.queueStream(BATCHES)))
            test.advance(len(BATCHES) + 2)
            found.append(shown(out.batches))
    assert found[1] == found[0]
    assert len(out.records) > 3


def test_a_text_stream_gives_the_same():
    found = []
    for workers in ("never", "always"):
        with StreamingTest(settings={"swiftwater.workers": workers}) as test:
            lines = test.text_source()
            out = test.collect(lines.stream.map(lambda line: [line, os.getpid()]))
            lines.send_bytes(b"a b\n\xff\n\xc3\xa9\0\n\nhalf")
            test.advance()
            lines.send(" of a line", "x" * 100_000)
            test.advance()
            found.append([[line for line, _ in batch] for batch in out.batches])
            assert ({pid for _, pid in out.records} == {os.getpid()}) == (workers == "never")
    assert found[1] == found[0]
