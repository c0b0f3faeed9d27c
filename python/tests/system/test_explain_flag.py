"""``swiftwater run --explain``: the plan of a job's streams, through both doors."""

import json
import socket

import pytest

JOB = """
import json
import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext("local[2]", "words")
print(sc.parallelize([1, 2, 3]).map(lambda n: n + 1).collect())
ssc = StreamingContext(sc, 0.1)
lines = ssc.socketTextStream("127.0.0.1", int(sys.argv[1]))
lines.flatMap(lambda line: line.split(" ")).pprint()
lines.map(lambda line: json.loads(line)).pprint()
try:
    ssc.start()
    print("started")
    ssc.awaitTermination(10)
finally:
    ssc.stop()
    print("stopped")
"""
EXPECTED = """\
[2, 3, 4]
stage 1
  socketTextStream     engine  -> str
  flatMap at job.py:12  native  -> str
  pprint at job.py:12  driver  -> str
  map at job.py:13     Python  it calls json.loads, which has no native form (job.py:13, CALL)
  pprint at job.py:13  driver
stopped
"""

NOTHING_PUT_OUT = """
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

StreamingContext(SparkContext(), 1).start()
"""


def words_of(text):
    return [line.split() for line in text.splitlines()]


def test_the_plan_is_printed_and_nothing_is_received(door, run, script):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        job = run([*door, "run", "--explain", script(JOB), server.getsockname()[1]])
        with pytest.raises(BlockingIOError):
            server.accept()
    assert job.status == 0, job.err
    assert words_of(job.out) == words_of(EXPECTED)
    assert "has started no stream" not in job.err
    assert "Traceback" not in job.err


def test_no_checkpoint_is_written(door, run, script, tmp_path):
    path = script("""
        from swiftwater import SparkContext
        from swiftwater.streaming import StreamingContext

        def setup():
            ssc = StreamingContext(SparkContext("local[1]", "files"), 1)
            ssc.textFileStream("in").count().pprint()
            return ssc

        StreamingContext.getOrCreate("checkpoints", setup).start()
        print("started")
        """)
    job = run([*door, "run", "--explain", path])
    assert job.status == 0, job.err
    assert job.out.startswith("stage 1\n  textFileStream ")
    assert "started" not in job.out
    assert [path for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()] == []


def test_the_setting_counts(door, run, script):
    job = run([*door, "run", "--explain", "--conf", "swiftwater.lowering=no", script(JOB), "9999"])
    assert job.status == 0, job.err
    assert job.out.count("Python  swiftwater.lowering is false\n") == 2


@pytest.mark.parametrize("end", ["", "raise SystemExit(0)"])
def test_a_job_without_streams(door, run, script, end):
    path = script(
        f"from swiftwater import SparkContext\nprint(SparkContext().range(3).sum())\n{end}"
    )
    job = run([*door, "run", "--explain", path])
    assert job.status == 0, job.err
    assert job.out == "3\n"
    assert job.err.splitlines()[-1] == f"swiftwater: --explain: {path} has started no stream"


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("raise SystemExit(7)", 7, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        (NOTHING_PUT_OUT, 1, "No output operations registered"),
    ],
)
def test_a_job_that_fails(door, run, script, text, status, told):
    job = run([*door, "run", "--explain", script(text)])
    assert job.status == status
    assert told in job.err
    assert "has started no stream" not in job.err
    assert job.out == ""


def test_without_a_script(door, run):
    job = run([*door, "run", "--explain"])
    assert job.status == 2
    assert "which script?" in job.err


def test_help(door, run):
    job = run([*door, "run", "--help"])
    assert "--explain" in job.out
    assert max(map(len, job.out.splitlines())) <= 100


def test_without_the_flag_the_job_runs(door, run, script):
    with socket.create_server(("127.0.0.1", 0)) as server:
        path = script(JOB.replace("awaitTermination(10)", "awaitTermination(0.5)"))
        job = run([*door, "run", path, server.getsockname()[1]])
    assert job.status == 0, job.err
    assert "stage 1" not in job.out
    assert "started\n" in job.out
    assert json.loads(job.out.splitlines()[0]) == [2, 3, 4]
