"""Workers that cannot be had, that are too small for what they are sent, and signals of others."""

import os
import signal
import time

import pytest

HEAD = """
import os, sys, time
from swiftwater import SparkContext
"""

ALWAYS = {"SWIFTWATER_WORKERS": "always"}
NO_WORKER = "swiftwater.workers is always, and no worker process can be started"


@pytest.mark.parametrize(
    "ends", ["os._exit(3)", "bytearray(600 << 20)", "sys.exit(3)", "time.sleep(0)"]
)
def test_functions_never_run_in_the_driver_where_workers_cannot_start(runner, run, script, ends):
    path = script(
        HEAD + f"sc = SparkContext('local[2]', 'x')\n"
        f"rdd = sc.parallelize(range(2), 2).map(lambda x: [{ends}])\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        rdd.collect()\n"
        "    except Exception as error:\n"
        "        print(error)\n"
        "print('the driver lives')\n"
    )
    job = run([*runner, path], SWIFTWATER_WORKER_MEMORY="1m", **ALWAYS)
    lines = job.out.splitlines()
    assert (job.status, lines[-1]) == (0, "the driver lives"), job.err
    assert len(lines) == 3
    for line in lines[:2]:
        assert line.startswith(NO_WORKER)
        assert line.endswith("swiftwater.worker.memory is 1m: too little?")


def test_a_stream_without_workers_fails_and_goes_on(runner, run, script):
    path = script(
        HEAD + "from swiftwater.streaming import StreamingContext\n"
        "ssc = StreamingContext(SparkContext('local[2]', 'x'), 0.1)\n"
        "ssc.queueStream([[1], [2]]).map(lambda x: os._exit(3)).foreachRDD(lambda r: r.count())\n"
        "ssc.start()\n"
        "ssc.awaitTermination()\n"
    )
    job = run([*runner, path], SWIFTWATER_WORKER_MEMORY="1m", **ALWAYS)
    assert job.status == 1
    assert f"SparkException: {NO_WORKER}" in job.err


def test_auto_goes_on_without_workers(runner, run, script):
    path = script(
        HEAD + "sc = SparkContext('local[2]', 'x')\n"
        "print(sc.parallelize(range(200000), 4).map(lambda x: [x]).count())\n"
    )
    job = run([*runner, path], SWIFTWATER_WORKER_MEMORY="1m")
    assert (job.status, job.out) == (0, "200000\n"), job.err
    assert "functions run in the driver, on one core: " in job.err


# Not understood, so that the records are sent.
LARGE_HEAD = """
def size(x):
    try:
        return [len(x)]
    finally:
        pass

sc = SparkContext("local[2]", "x")
captured = ["x" * (100 << 20)] if "captured" in sys.argv else [""]
value = sc.broadcast(["x" * (100 << 20)]) if "broadcast" in sys.argv else None
"""

LARGE = {
    # Pickled, and as columns.
    "pickled": "sc.parallelize([['x' * (100 << 20)]], 1).map(size)",
    "columns": "sc.parallelize(['x' * (100 << 20)], 1).map(size)",
    "broadcast": "sc.parallelize([0], 1).map(lambda x: size(value.value))",
    "captured": "sc.parallelize([0], 1).map(lambda x: size(captured))",
}


@pytest.mark.parametrize("records", LARGE.values(), ids=LARGE.keys())
@pytest.mark.parametrize("workers", ["always", "auto"])
def test_what_does_not_fit_into_a_worker_is_said_at_once(runner, run, script, records, workers):
    path = script(HEAD + LARGE_HEAD + f"print({records}.collect())\n")
    name = next(name for name, code in LARGE.items() if code == records)
    job = run(
        [*runner, path, name],
        SWIFTWATER_WORKERS=workers,
        SWIFTWATER_WORKER_MEMORY="120m",
    )
    assert "tried again" not in job.err
    if workers == "auto":
        assert job.status == 0, job.err
        return
    assert job.status == 1
    assert "partition 0 needs more memory than a worker process has: " in job.err
    assert "swiftwater.worker.memory is 120m: too little?" in job.err


def test_a_signal_of_somebody_else_does_not_interrupt_a_function(runner, start, script, tmp_path):
    path = script(
        HEAD + "sc = SparkContext('local[2]', 'x')\n"
        "def wait(x):\n"
        "    with open('pid.new', 'w') as file:\n"
        "        file.write(str(os.getpid()))\n"
        "    os.rename('pid.new', 'pid')\n"
        "    while not os.path.exists('go'):\n"
        "        time.sleep(0.01)\n"
        "    return [x, os.getpid()]\n"
        "print(sc.parallelize([1], 1).map(wait).collect())\n"
        "print(sc.parallelize([1], 1).map(lambda x: [x, os.getpid()]).collect())\n"
    )
    job = start([*runner, path], **ALWAYS)
    job.until((tmp_path / "pid").exists, "worker")
    worker = int((tmp_path / "pid").read_text())
    for _ in range(3):
        os.kill(worker, signal.SIGINT)
        # Each is handled before the next: they would be one otherwise.
        end = time.monotonic() + 5
        while _pending(worker) and time.monotonic() < end:
            os.sched_yield()
    (tmp_path / "go").touch()
    assert job.end() == 0, job.err
    assert job.out == f"[[1, {worker}]]\n" * 2


def _pending(process):
    with open(f"/proc/{process}/status") as file:
        [line] = [line for line in file if line.startswith("ShdPnd:")]
    return int(line.split()[1], 16) != 0
