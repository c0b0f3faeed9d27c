"""Broadcast values in worker processes."""

import os
import pathlib
import re
import threading

import pytest

from swiftwater.errors import SparkException
from tests.tasks.workers.worker_contexts import context, spread


def test_a_broadcast_is_sent_once_to_each_worker(always, tmp_path):
    log, times = str(tmp_path / "log"), []

    def restored(value):
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\n")
        return value

    class Noted:
        def __reduce__(self):
            times.append(1)
            return restored, ("value",)

        def __deepcopy__(self, memo):
            return self

    shared = always.broadcast(Noted())
    # The copy that a broadcast is has nothing to do with what is sent.
    times.clear()
    found = set()
    for number in range(4):
        rdd = spread(always, range(8), 4).map(lambda n, i=number: (shared.value, os.getpid(), i))
        records = rdd.collect()
        assert {record[0] for record in records} == {"value"}
        found |= {record[1] for record in records}
    told = pathlib.Path(log).read_text().split()
    assert len(set(told)) == len(told) == len(times)
    assert found <= set(map(int, told))


def test_a_broadcast_that_is_gone_fails_as_in_the_driver():
    found = []
    for workers in ("never", "always"):
        with context(workers) as sc:
            shared, other = sc.broadcast([1, 2]), sc.broadcast("kept")
            rdd = spread(sc, range(4)).map(lambda n: (shared.value[n % 2], other.value))  # noqa: B023
            assert rdd.collect() == [(1, "kept"), (2, "kept")] * 2
            shared.unpersist()
            assert rdd.count() == 4
            shared.destroy()
            with pytest.raises(SparkException) as caught:
                rdd.collect()
            found.append(re.sub(r"Broadcast\(\d+\)", "Broadcast()", str(caught.value)))
            assert spread(sc, [1]).map(lambda n: other.value).collect() == ["kept"]  # noqa: B023
    assert found[0] == found[1]
    assert "after it was destroyed" in found[1]


@pytest.mark.parametrize("method", ["unpersist", "destroy"])
def test_a_task_cannot_drop_a_broadcast(always, method):
    shared = always.broadcast(1)
    with pytest.raises(RuntimeError, match="in driver"):
        spread(always, [1]).map(lambda n: getattr(shared, method)()).collect()
    assert spread(always, [1]).map(lambda n: shared.value).collect() == [1]


def broadcast_in_a_broadcast(sc):
    inner = sc.broadcast(3)
    outer = sc.broadcast({"inner": inner})
    return spread(sc, range(2)).map(lambda n: outer.value["inner"].value)


def broadcast_in_records(sc):
    return spread(sc, [sc.broadcast(3), sc.broadcast(3)]).map(lambda shared: shared.value)


def broadcast_in_shuffled_records(sc):
    shared = sc.broadcast(3)
    pairs = spread(sc, range(2), 1).map(lambda n: (n, shared)).groupByKey(2)
    return pairs.map(lambda pair: next(iter(pair[1])).value)


def broadcast_that_cannot_be_pickled(sc):
    shared = sc.broadcast([3, threading.Lock()])
    return spread(sc, range(2)).map(lambda n: shared.value[0])


def broadcast_in_a_default(sc):
    broadcast = sc.broadcast(3)
    return spread(sc, range(2)).map(lambda n, shared=broadcast: shared.value)


def broadcast_in_a_method(sc):
    class Reader:
        shared = sc.broadcast(3)

        def __init__(self):
            self.own = sc.broadcast(0)

        def read(self, n):
            return self.shared.value + self.own.value

    return spread(sc, range(2)).map(Reader().read)


@pytest.mark.parametrize(
    "make",
    [value for name, value in list(globals().items()) if name.startswith("broadcast_")],
    ids=lambda make: make.__name__,
)
@pytest.mark.parametrize("workers", ["never", "always"])
def test_broadcasts_wherever_they_are(workers, make):
    with context(workers) as sc:
        rdd = make(sc)
        assert rdd.collect() == [3, 3]
        assert rdd.collect() == [3, 3]
