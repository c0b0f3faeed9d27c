"""Where functions run: in the driver, in workers, or in both."""

import os
import threading
import time

import pytest

from swiftwater.testing import StreamingTest
from tests.tasks.workers.worker_contexts import children, context, pids, spread, wait_until


def slow_pid(_):
    time.sleep(0.01)
    return os.getpid()


@pytest.mark.parametrize("master", ["local[1]", "local[2]", "local[3]"])
@pytest.mark.parametrize("slices", [1, 2, 5])
def test_always_is_never_in_the_driver(master, slices):
    with context("always", master) as sc:
        rdd = spread(sc, range(10), slices)
        found = pids(rdd) | pids(rdd)
        assert os.getpid() not in found
        assert 1 <= len(found) <= int(master[6])


@pytest.mark.parametrize("master", ["local[1]", "local[2]"])
def test_never_is_only_in_the_driver(master):
    with context("never", master) as sc:
        slow = spread(sc, range(8), 4).map(lambda n: time.sleep(0.01))
        assert pids(slow) == pids(slow) == {os.getpid()}
        assert children() == set()


def test_small_jobs_stay_in_the_driver():
    with context("auto") as sc:
        rdd = spread(sc, range(100), 4)
        for _ in range(20):
            assert pids(rdd) == {os.getpid()}


def test_without_cloudpickle_all_stays_in_the_driver_which_is_said_once(monkeypatch, capfd):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with context("always") as sc:
        for _ in range(5):
            assert set(spread(sc, range(4)).map(lambda n: os.getpid()).collect()) == {os.getpid()}
    assert capfd.readouterr().err.count("pip install cloudpickle") == 1


def test_a_long_stage_is_shared_with_workers_from_some_time_on_and_at_once_the_next_time(tmp_path):
    driver, folder = os.getpid(), str(tmp_path)

    def seen(name):
        return [int(file.split(" ")[1]) for file in os.listdir(folder) if file.startswith(name)]

    def slow(n):
        """The two processes wait for each other, and not for how long a worker takes to start."""
        time.sleep(0.01)
        in_first_job = not os.path.exists(f"{folder}/second job")
        side, other = ("driver", "worker") if os.getpid() == driver else ("worker", "driver")
        open(f"{folder}/{side}{in_first_job} {n}", "w").close()
        others, own = f"{other}{in_first_job}", f"{side}{in_first_job}"
        if in_first_job:
            if side == "worker" or n >= 42:
                wait_until(lambda: max(seen(others), default=0) >= 42, seconds=60)
        elif side == "worker":
            wait_until(lambda: len(seen(others)) >= 7, seconds=60)
        elif len(seen(own)) > 7:
            wait_until(lambda: len(seen(others)) >= 20, seconds=60)
        return os.getpid()

    with context("auto") as sc:
        rdd = spread(sc, range(48), 48).map(slow)
        first = rdd.collect()
        assert first[0] == os.getpid()
        assert set(first[-6:]) - {os.getpid()}, "no worker took part"
        (tmp_path / "second job").touch()
        second = rdd.collect()
        assert first.count(os.getpid()) > second.count(os.getpid()) > 6
        # The driver and one worker are two processes.
        assert len(set(first + second)) == 2


def slow_function():
    return lambda n: (time.sleep(0.01), os.getpid())[1]


def test_a_function_made_anew_is_known_from_the_one_before():
    with context("auto") as sc:

        def places(count):
            return spread(sc, range(count), count).map(slow_function()).collect()

        first, second = places(24), places(24)
        assert first.count(os.getpid()) > second.count(os.getpid())
        # Few records took little time; for many that says nothing.
        assert places(1) == [os.getpid()]
        assert set(places(2)) == set(places(2)) == {os.getpid()}
        assert places(24).count(os.getpid()) < first.count(os.getpid())


def test_what_a_shuffle_combines_is_known_too():
    def slow_sum(a, b):
        time.sleep(0.01)
        return a + b

    with context("auto") as sc:

        def places():
            # No function in front of the shuffle: the stage's only one is the one that combines.
            pairs = sc.parallelize([(n // 2 % 3, [os.getpid()]) for n in range(96)], 16)
            merged = pairs.reduceByKey(lambda a, b: slow_sum(a, [*b, os.getpid()]), 1)
            return [pid for _, pids in merged.collect() for pid in pids]

        assert len(set(places())) == 2
        again = places()
        assert len(set(again)) == 2


@pytest.mark.parametrize(("master", "slices"), [("local[1]", 8), ("local[2]", 1)])
def test_without_a_second_core_or_partition_nothing_moves(master, slices):
    with context("auto", master) as sc:
        slow = spread(sc, range(8), slices).map(lambda n: (time.sleep(0.01), os.getpid())[1])
        assert set(slow.collect()) == set(slow.collect()) == {os.getpid()}
        assert children() == set()


@pytest.mark.parametrize(
    "action",
    [
        lambda rdd: rdd.take(3),
        lambda rdd: [rdd.first()],
    ],
    ids=["take", "first"],
)
def test_actions_that_stay_in_the_driver(always, action):
    assert set(action(spread(always, range(6)).map(lambda n: os.getpid()))) == {os.getpid()}


def test_functions_of_streams_that_stay_in_the_driver(capfd):
    with StreamingTest(settings={"swiftwater.workers": "always"}) as test:
        seen = []
        numbers = test.ssc.queueStream([[1, 2]])
        numbers.foreachRDD(lambda rdd: seen.append((os.getpid(), pids(rdd))))
        numbers.transform(lambda rdd: (seen.append((os.getpid(), None)), rdd)[1]).foreachRDD(
            lambda rdd: rdd.count()
        )
        numbers.map(lambda n: f"pid {os.getpid()}").pprint()
        test.run_until_idle()
    assert {pid for pid, _ in seen} == {os.getpid()}
    assert len(seen) == 2
    assert os.getpid() not in next(workers for _, workers in seen if workers)
    assert f"pid {os.getpid()}\npid {os.getpid()}" in capfd.readouterr().out


@pytest.mark.parametrize("master", ["local[1]", "local[2]"])
@pytest.mark.parametrize(
    "combined",
    [
        lambda a, b: a.union(b),
        lambda a, b: a.zip(b),
        lambda a, b: a.zip(b.zip(a).map(lambda pair: pair)),
        lambda a, b: a.cartesian(b),
        lambda a, b: a.coalesce(2),
        lambda a, b: a.join(b),
    ],
    ids=["union", "zip", "zip of a zip", "cartesian", "coalesce", "join"],
)
def test_there_are_no_more_workers_than_cores(master, combined):
    with context("always", master) as sc:
        a, b = (spread(sc, range(8), 4).map(lambda n: (n, str(n))) for _ in range(2))
        assert combined(a, b).map(lambda record: [record]).count() > 0
        assert 1 <= len(children()) <= int(master[6])


def test_jobs_of_several_threads_share_the_workers(always):
    found = {}

    def run(number):
        rdd = spread(always, range(20), 5).map(lambda n: (time.sleep(0.002), n + number)[1])
        found[number] = rdd.collect()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: list(range(number, number + 20)) for number in range(5)}
    assert len(children()) <= 2
