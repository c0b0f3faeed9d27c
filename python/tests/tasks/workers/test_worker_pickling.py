"""Functions and records that cannot be pickled stay in the driver."""

import os
import socket
import sys
import threading

import pytest

from tests.tasks.workers.worker_contexts import context, pids, spread
from tests.tasks.workers.worker_records import TwoArguments

HERE = os.path.basename(__file__)


class Unpicklable:
    def __reduce__(self):
        raise TypeError("not this one")


@pytest.mark.parametrize(
    "make",
    [
        threading.Lock,
        socket.socket,
        lambda: (n for n in range(3)),
        Unpicklable,
        lambda: [{"deep": (threading.Lock(),)}],
    ],
    ids=["lock", "socket", "generator", "class", "deep"],
)
def test_functions_that_cannot_be_pickled_stay(always, capfd, make):
    captured = make()
    rdd = spread(always, range(4)).map(lambda n: (n, captured is not None, os.getpid()))
    line = sys._getframe().f_lineno - 1
    for _ in range(2):
        assert rdd.collect() == [(n, True, os.getpid()) for n in range(4)]
    log = capfd.readouterr().err
    assert f"map at {HERE}:{line} runs in the driver, on one core: a function cannot" in log
    assert log.count("runs in the driver") == 1
    assert os.getpid() not in pids(spread(always, range(4)))
    if isinstance(captured, socket.socket):
        captured.close()


@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize(
    "use",
    [
        lambda r: r.map(lambda n: [n, threading.Lock()]).map(lambda x: x).collect(),
        lambda r: r.map(lambda n: (x for x in (n,))).collect(),
        lambda r: r.map(lambda n: (n % 2, threading.Lock())).groupByKey().collect(),
        lambda r: r.map(lambda n: n if n < 5 else Unpicklable()).collect(),
        lambda r: r.map(lambda n: threading.Lock()).coalesce(1).map(lambda x: [x]).collect(),
    ],
    ids=["results", "generators", "shuffled", "the last one", "coalesced"],
)
def test_records_that_cannot_be_pickled_stay(always, capfd, use, slices):
    found = use(spread(always, range(6), slices))
    assert len(found) == (2 if isinstance(found[0], tuple) else 6)
    assert f"map at {HERE}:" in capfd.readouterr().err


def test_records_of_the_driver_that_cannot_be_pickled_stay(always, capfd):
    rdd = spread(always, [threading.Lock(), 1, threading.Lock()], 3)
    found = rdd.map(lambda lock: (type(lock).__name__, os.getpid())).collect()
    assert [name for name, _ in found] == ["lock", "int", "lock"]
    assert (found[0][1], found[2][1]) == (os.getpid(), os.getpid())
    assert "its records cannot be pickled" in capfd.readouterr().err


@pytest.mark.parametrize("lowering", ["true", "false"])
def test_records_that_do_not_come_out_of_pickling(lowering):
    """Some can be pickled, and then not be made again."""
    found = []
    for workers in ("never", "always"):
        with context(workers, lowering=lowering) as sc:
            errors = spread(sc, range(3)).map(lambda n: TwoArguments(n, "x"))
            found.append([str(error) for error in errors.collect()])
            given = spread(sc, [TwoArguments(1, 2), TwoArguments(3, 4)])
            found[-1] += given.map(str).collect()
    assert found[1] == found[0]
