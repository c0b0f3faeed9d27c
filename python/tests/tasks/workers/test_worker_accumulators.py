"""Accumulators in worker processes: each update counts once."""

import os
import threading
import time

import pytest

from tests.tasks.workers.worker_contexts import dies_once, spread
from tests.tasks.workers.worker_records import Appended


def test_updates_count_once_and_in_the_order_of_the_partitions(always):
    total, order = always.accumulator(0), always.accumulator([], Appended())

    def add(n):
        # The last partition ends first.
        time.sleep(0.02 * (3 - n // 2))
        total.add(n)
        order.add([n])
        return n

    rdd = spread(always, range(8), 4).map(add)
    assert rdd.count() == 8
    assert (total.value, order.value) == (28, list(range(8)))
    assert rdd.count() == 8
    assert (total.value, order.value) == (56, [*range(8), *range(8)])


def test_updates_of_a_worker_that_dies_do_not_count(always, tmp_path):
    marker = str(tmp_path / "marker")
    order = always.accumulator([], Appended())

    def add(n):
        order.add([n])
        if n == 3:
            dies_once(marker)
        return n

    assert spread(always, range(8), 4).map(add).collect() == list(range(8))
    assert os.path.exists(marker)
    assert order.value == list(range(8))


def test_updates_of_tasks_that_fail_do_not_count(always):
    total = always.accumulator(0)

    def add(n):
        total.add(1)
        return 1 // (n - 3)

    with pytest.raises(ZeroDivisionError):
        spread(always, range(4), 1).map(add).collect()
    assert total.value == 0
    assert spread(always, [5, 6], 2).map(add).count() == 2
    assert total.value == 2


def test_updates_of_a_task_that_stays_after_all_count_once(always):
    total = always.accumulator(0)
    locks = spread(always, range(6), 3).map(lambda n: (total.add(1), threading.Lock())[1])
    assert locks.count() == 6
    total.value = 0
    assert len(locks.collect()) == 6
    assert total.value == 6


def test_a_task_cannot_read_an_accumulator(always):
    total = always.accumulator(1)
    with pytest.raises(RuntimeError, match=r"^\[VALUE_NOT_ACCESSIBLE\]"):
        spread(always, [1]).map(lambda n: total.value).collect()


def test_updates_of_both_sides_of_a_shuffle(always):
    total = always.accumulator(0)
    pairs = spread(always, [("a", 1)] * 4 + [("b", 1)])
    added = pairs.reduceByKey(lambda a, b: (total.add(1), a + b)[1], 2)
    assert sorted(added.collect()) == [("a", 4), ("b", 1)]
    assert total.value == 3
