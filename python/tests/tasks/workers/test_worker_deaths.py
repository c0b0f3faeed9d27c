"""Workers that die, and functions that are cancelled in them."""

import contextlib
import ctypes
import os
import pathlib
import re
import signal
import threading
import time

import pytest

from swiftwater.errors import JobCancelledException, SparkException
from swiftwater.testing import StreamingTest
from tests.tasks.workers.worker_contexts import children, dies_once, spread, wait_until

HERE = os.path.basename(__file__)


def line_of(function):
    return function.__code__.co_firstlineno


ENDS = {
    "killed": (
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        r"was killed by signal 9 \(SIGKILL.*?\)",
    ),
    "exit": (lambda: os._exit(7), r"exited with status 7"),
    "exit with 0": (lambda: os._exit(0), r"exited with status 0"),
    "a fault": (lambda: ctypes.string_at(0), r"was killed by signal 11 \(SIGSEGV\)"),
    "abort": (os.abort, r"was killed by signal 6 \(SIGABRT\)"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_worker_that_dies_once_costs_nothing(always, tmp_path, capfd, end):
    marker, how = str(tmp_path / "marker"), ENDS[end][0]
    rdd = spread(always, range(20), 4).map(lambda n: (n == 7 and dies_once(marker, how), n)[1])
    assert rdd.collect() == list(range(20))
    assert os.path.exists(marker)
    assert "its task is tried again" in capfd.readouterr().err
    assert rdd.map(lambda n: n).collect() == list(range(20))


@pytest.mark.parametrize("end", ENDS)
def test_a_worker_that_always_dies_is_an_error(always, end):
    how, text = ENDS[end]
    rdd = spread(always, range(20), 4).map(lambda n: how() if n == 7 else n)
    with pytest.raises(SparkException) as caught:
        rdd.collect()
    assert re.match(
        rf"a worker process {text}.* in map at {HERE}:\d+, at about record 2 "
        r"\(records 0 to 4 of partition 1\)",
        str(caught.value),
    )
    assert f"in operator: map at {HERE}:" in caught.value.__notes__[0]
    assert spread(always, range(4), 4).map(lambda n: n + 1).collect() == [1, 2, 3, 4]


def die(*_):
    os._exit(9)


@pytest.mark.parametrize(
    ("operation", "place"),
    [
        (lambda r: r.map(die).collect(), "map"),
        (lambda r: r.map(die).count(), "map"),
        (lambda r: r.filter(die).collect(), "filter"),
        (lambda r: r.flatMap(die).collect(), "flatMap"),
        (lambda r: r.map(lambda n: n).mapPartitions(die).collect(), "mapPartitions"),
        (lambda r: r.mapPartitionsWithIndex(die).collect(), "mapPartitionsWithIndex"),
        (lambda r: r.foreach(die), "foreach"),
        (lambda r: r.foreachPartition(die), "foreachPartition"),
        (lambda r: r.map(lambda n: (0, n)).mapValues(die).collect(), "mapValues"),
        (lambda r: r.map(lambda n: (0, n)).reduceByKey(die).collect(), "reduceByKey"),
        (lambda r: r.map(lambda n: (0, n)).partitionBy(2, die).collect(), "partitionBy"),
        (lambda r: r.reduce(die), "reduce"),
        (lambda r: r.sortBy(die).collect(), "sortBy"),
        (lambda r: r.map(str).map(die).map(str).collect(), "map"),
    ],
)
def test_the_error_names_the_function(always, operation, place):
    with pytest.raises(SparkException) as caught:
        operation(spread(always, range(6)))
    assert f"exited with status 9 in {place} at {HERE}:{line_of(operation)}" in str(caught.value)
    assert always.parallelize([1, 2], 2).map(lambda n: n).collect() == [1, 2]


def test_a_worker_that_is_killed_between_two_jobs(always):
    rdd = spread(always, range(8), 4).map(lambda n: n * 2)
    for _ in range(3):
        assert rdd.collect() == [n * 2 for n in range(8)]
        for child in children():
            os.kill(child, signal.SIGKILL)
        wait_until(lambda: all(is_over(child) for child in children()))
    assert rdd.collect() == [n * 2 for n in range(8)]


def is_over(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_child_of_a_worker_does_not_hide_its_death(always, tmp_path):
    marker, number, outlived = (str(tmp_path / name) for name in ("marker", "number", "outlived"))

    def fork_and_die(n):
        if n == 1 and not os.path.exists(marker):
            child = os.fork()
            if child == 0:
                # It holds the worker's connections open, for longer than any job here takes.
                time.sleep(60)
                open(outlived, "w").close()
                os._exit(0)
            pathlib.Path(number).write_text(str(child))
            dies_once(marker)
        return n

    assert spread(always, range(4)).map(fork_and_die).collect() == [0, 1, 2, 3]
    # The death was seen while the child was alive, which was ended with the worker.
    wait_until(lambda: is_over(int(pathlib.Path(number).read_text())))
    assert not os.path.exists(outlived)


def test_a_batch_fails_and_the_next_ones_go_on():
    with StreamingTest(settings={"swiftwater.workers": "always"}) as test:
        numbers = test.ssc.queueStream([[1, 2], [3, 4], [5, 6], [7]])
        out = test.collect(numbers.map(lambda n: os._exit(5) if n == 3 else n * 10))
        test.advance()
        with pytest.raises(SparkException, match="exited with status 5 in map at"):
            test.advance()
        with contextlib.suppress(SparkException):  # each wait tells of it again
            test.advance()
        with contextlib.suppress(SparkException):
            test.advance()
        assert out.batches[0] == [10, 20]
        assert out.batches[-2:] == [[50, 60], [70]]


def test_cancelling_interrupts_a_worker(always, tmp_path):
    begun, errors = str(tmp_path / "begun"), []

    def endless(n):
        open(begun, "w").close()
        while True:
            time.sleep(0.01)

    def run():
        try:
            spread(always, range(2)).map(endless).collect()
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: os.path.exists(begun))
    always.cancelAllJobs()
    thread.join(5)
    assert [isinstance(error, JobCancelledException) for error in errors] == [True]
    assert spread(always, range(4)).map(lambda n: n).collect() == [0, 1, 2, 3]
