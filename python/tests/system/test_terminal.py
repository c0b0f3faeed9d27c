"""What reaches the terminal, and what is written where there is none."""

import json
import os
import socket
import subprocess
import threading

import pytest
from jobs import PATIENCE_SECONDS, environment, require_host

# What terminals obey: an escape, C1 controls, separators of lines, directions of text.
OBEYED = "\x1b[2J\x9b31m\x9d0;title\x9c\x07\u2028\u2029\x85\u202e\u2066\u200f"
FORGED = "2026-11-30 00:00:00.000 INFO stopped"

JOB = """
import json, sys
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

def parse(line):
    kind = json.loads(line)["kind"]
    raise ValueError("unknown kind: " + kind)

ssc = StreamingContext(SparkContext("local[2]", "terminal"), 0.1)
lines = ssc.socketTextStream("127.0.0.1", int(sys.argv[1]))
lines.filter(lambda line: line.startswith("{")).map(parse).pprint()
ssc.start()
try:
    ssc.awaitTermination()
finally:
    ssc.stop()
"""


@pytest.fixture
def sender():
    """A server that sends some lines to who connects; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        end = threading.Event()

        def serve(lines):
            connection, _ = server.accept()
            with connection:
                connection.sendall("".join(f"{line}\n" for line in lines).encode())
                end.wait(PATIENCE_SECONDS)

        def begin(*lines):
            threading.Thread(target=serve, args=(lines,), daemon=True).start()
            return server.getsockname()[1]

        yield begin
        end.set()


@pytest.mark.parametrize("full", ["false", "true"])
def test_records_and_errors_are_shown_and_not_obeyed(runner, run, script, sender, full):
    kind = f"{OBEYED}\n{FORGED}"
    port = sender(OBEYED + "x" * 300, json.dumps({"kind": kind}))
    job = run(
        [*runner, script(JOB), port],
        SWIFTWATER_RECEIVER_MAXLINELENGTH="250",
        SWIFTWATER_ERRORS_FULL=full,
        # Standard error of an older locale would show some of them anyway.
        PYTHONIOENCODING="utf-8",
    )
    assert job.status == 1
    assert all(part.isprintable() for part in job.err.split("\n")), ascii(job.err)
    log = [line for line in job.err.split("\n") if line.startswith("20")]
    [dropped] = [line for line in log if "dropped a line" in line]
    [failed] = [line for line in log if "pprint failed" in line]
    for line in (dropped, failed):
        assert r"\x1b[2J\x9b31m\x9d0;title\x9c\x07\u2028\u2029\x85\u202e\u2066\u200f" in line
    shown = job.err[job.err.index("Traceback") :]
    assert r"unknown kind: \x1b[2J\x9b31m" in shown


def test_an_error_without_a_stream_is_shown_and_not_obeyed(runner, run, script):
    text = """
        from swiftwater import SparkContext

        def fail(record):
            raise ValueError("unknown kind: " + record)

        SparkContext("local", "terminal").parallelize([RECORD]).map(fail).collect()
    """
    job = run([*runner, script(text.replace("RECORD", ascii(OBEYED)))])
    assert job.status == 1
    assert all(part.isprintable() for part in job.err.split("\n")), ascii(job.err)
    assert r"ValueError: unknown kind: \x1b[2J\x9b31m" in job.err


CLOSED = """
import sys
written = open(sys.argv[1], "w", buffering=1)
more = [open(sys.argv[1] + str(n), "w", buffering=1) for n in range(4)]
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

def fail(rdd):
    written.write("result\\n")
    raise ValueError("this batch fails")

ssc = StreamingContext(SparkContext("local[2]", "closed"), 0.1)
ssc.queueStream([[1, 2]]).map(lambda x: x + 1).foreachRDD(fail)
ssc.start()
ssc.awaitTermination()
"""


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
@pytest.mark.parametrize("workers", ["never", "always"])
def test_closed_standard_streams_are_nobody_else_s(runner, script, tmp_path, closed, workers):
    if "-m" in runner:
        runner = [runner[0], "-P", *runner[1:]]
    results = tmp_path / "results"
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *runner, script(CLOSED), results],
        cwd=tmp_path,
        env=environment(SWIFTWATER_WORKERS=workers),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert results.read_text() == "result\n"
    assert [path.read_text() for path in sorted(tmp_path.glob("results?"))] == [""] * 4
    assert ("this batch fails" in done.stderr) == ("2" not in closed)
    assert done.stdout == ""


def test_the_host_s_own_words_go_nowhere_without_standard_error(tmp_path):
    command = f"exec {require_host()} run 2>&-"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert not os.listdir(tmp_path)
