"""The settings of worker processes, and how long workers live."""

import os
import sys
import time
import types

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.testing import StreamingTest
from tests.tasks.workers.worker_contexts import children, context, pids, spread, wait_until


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("swiftwater.workers", "sometimes"),
        ("swiftwater.workers", ""),
        ("swiftwater.workers", "Always"),
        ("swiftwater.worker.memory", "lots"),
        ("swiftwater.worker.memory", "-1"),
    ],
)
@pytest.mark.parametrize("where", ["code", "environment"])
def test_wrong_settings_are_refused(monkeypatch, name, value, where):
    conf = SparkConf()
    if where == "code":
        conf.set(name, value)
    else:
        monkeypatch.setenv(name.upper().replace(".", "_"), value)
    with pytest.raises(ValueError, match=f"{name}.*'?{value}'?"):
        SparkContext("local[2]", "test", conf=conf)


def test_the_memory_of_a_worker_is_bounded():
    with context("always", worker_memory="400m") as sc:
        with pytest.raises(MemoryError):
            spread(sc, range(4)).map(lambda n: len(bytearray(2_000_000_000))).collect()
        rdd = spread(sc, range(4)).map(lambda n: len(bytearray(1000)))
        assert rdd.collect() == [1000] * 4
        assert os.getpid() not in pids(rdd)


def test_the_environment_chooses(monkeypatch):
    monkeypatch.setenv("SWIFTWATER_WORKERS", "always")
    with SparkContext("local[2]", "test") as sc:
        assert os.getpid() not in pids(spread(sc, range(2)))


def test_a_worker_keeps_its_modules_as_long_as_the_context():
    def count(_):
        import module_kept_by_a_worker as kept  # noqa: PLC0415 - not there before

        kept.calls += 1
        return os.getpid(), kept.calls

    found = []
    for _ in range(2):
        module = types.ModuleType("module_kept_by_a_worker")
        with context("always", "local[1]") as sc:

            def begin(_):
                sys.modules["module_kept_by_a_worker"] = module = types.ModuleType("kept")
                module.calls = 0

            spread(sc, [1], 1).foreach(begin)
            for _ in range(3):
                found += spread(sc, range(2), 2).map(count).collect()
    assert "module_kept_by_a_worker" not in sys.modules
    assert [calls for _, calls in found] == [1, 2, 3, 4, 5, 6] * 2
    assert len({pid for pid, _ in found[:6]}) == len({pid for pid, _ in found[6:]}) == 1
    assert found[0][0] != found[6][0]
    del module


@pytest.mark.parametrize("workers", ["always", "auto"])
def test_no_worker_is_left(workers):
    before = children()
    with context(workers) as sc:
        spread(sc, range(16), 16).map(lambda n: time.sleep(0.01)).count()
        assert children() > before
    wait_until(lambda: children() <= before, 1.0)


def test_no_worker_is_left_of_a_job_that_fails_or_a_stream():
    before = children()
    with context("always") as sc, pytest.raises(ZeroDivisionError):
        spread(sc, range(4)).map(lambda n: 1 // n).count()
    with StreamingTest(settings={"swiftwater.workers": "always"}) as test:
        test.collect(test.ssc.queueStream([[1, 2]]).map(str))
        test.advance(2)
    wait_until(lambda: children() <= before, 1.0)
