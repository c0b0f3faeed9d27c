"""Contexts with workers for the tests beside this file, and a look at the processes."""

import contextlib
import os
import pathlib
import signal
import time

from swiftwater import SparkConf, SparkContext


def context(workers, master="local[2]", **settings):
    conf = SparkConf().set("swiftwater.workers", workers)
    for name, value in settings.items():
        conf.set("swiftwater." + name.replace("_", "."), value)
    return SparkContext(master, "test", conf=conf)


def spread(sc, records, slices=2):
    """An RDD whose functions are worth nothing natively: the records as they are."""
    return sc.parallelize(list(records), slices)


def pids(rdd):
    return set(rdd.map(lambda _: os.getpid()).collect())


def children():
    found = []
    for task in pathlib.Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += (task / "children").read_text().split()
    return set(map(int, found))


def wait_until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def dies_once(marker, how=lambda: os.kill(os.getpid(), signal.SIGKILL)):
    """End this process, the first time of all."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    how()


def asked(sc, function):
    """What a function gives in workers; never the driver."""
    found = spread(sc, range(4), 4).map(lambda n: (function(), os.getpid())).collect()
    assert os.getpid() not in {pid for _, pid in found}
    (first, *others) = [value for value, _ in found]
    assert all(other == first for other in others)
    return first
