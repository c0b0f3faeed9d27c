"""What ends with the process writes its last checkpoint: nothing runs again after it."""

import signal

import pytest

JOB = """
import sys, time
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

folder, inbox, ending = sys.argv[1:]

def count(new, old):
    return (old or 0) + 1

def show(when, rdd):
    print("batch", when.timestamp(), *rdd.values().collect(), flush=True)

def setup():
    # The data of the state is written every ten seconds, and at the stop.
    ssc = StreamingContext(SparkContext("local[2]", "counts"), 0.1)
    counts = ssc.textFileStream(inbox).map(lambda line: (line, 1))
    first = ssc.sparkContext.parallelize([("batches", 0)])
    counts.updateStateByKey(count, initialRDD=first).foreachRDD(show)
    return ssc

ssc = StreamingContext.getOrCreate(folder, setup)
ssc.start()
if ending == "signal":
    ssc.awaitTermination()
ssc.awaitTerminationOrTimeout(0.5)
if ending == "exit":
    sys.exit(0)
if ending == "error":
    raise SystemError("the script fails")
"""


@pytest.mark.parametrize("ending", ["end", "exit", "error", "signal"])
def test_a_process_that_ends_leaves_all_in_its_checkpoint(runner, start, script, tmp_path, ending):
    path = script(JOB)
    inbox = tmp_path / "in"
    inbox.mkdir()
    batches = []
    for _ in range(2):
        job = start([*runner, path, tmp_path / "checkpoints", inbox, ending], PYTHONHASHSEED="0")
        if ending == "signal":
            job.until_out("batch")
            job.send(signal.SIGTERM)
        job.end()
        assert "could not write the checkpoint" not in job.err
        batches += [line.split()[1:] for line in job.out.splitlines() if line.startswith("batch")]
    # None of them runs twice, and each finds what the one before has left.
    assert [int(count) for _, count in batches] == list(range(1, len(batches) + 1))
    times = [float(when) for when, _ in batches]
    assert times == sorted(set(times))
