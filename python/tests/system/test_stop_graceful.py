"""Stops with work left: a graceful one loses nothing."""

import socket
import time

import pytest
from jobs import PATIENCE_SECONDS


def test_gracefully_with_batches_that_wait(ends):
    job = ends(
        """
done, begun = [], threading.Event()

def slow(rdd):
    begun.set()
    time.sleep(0.1)
    done.extend(rdd.collect())

ssc.queueStream([[number] for number in range(12)]).foreachRDD(slow)
ssc.start()
assert begun.wait(10)
time.sleep(0.3)
ssc.stop(True, True)
# Batches are made every 10 ms and take 100: most of them waited when the stop came.
print(done == list(range(12)), ssc._phase())
""",
        0.01,
    )
    assert job.out == "True stopped\n"
    assert "given up" not in job.err


def test_plainly_with_batches_that_wait(ends):
    job = ends(
        """
done, begun = [], threading.Event()

def slow(rdd):
    begun.set()
    time.sleep(0.3)
    done.append(rdd.collect())

ssc.queueStream([[number] for number in range(100)]).foreachRDD(slow)
ssc.start()
assert begun.wait(10)
time.sleep(0.2)
ssc.stop()
# The batch that runs may end, and no other begins.
print(done)
""",
        0.01,
    )
    assert job.out == "[[0]]\n"
    assert "batches that had not run are given up" in job.err


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE_SECONDS)
        yield made


RECEIVED = """
import os

def slow(rdd):
    for line in rdd.collect():
        print(line, flush=True)
        time.sleep(0.02)

ssc.socketTextStream("127.0.0.1", int(sys.argv[1])).foreachRDD(slow)
ssc.start()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
ssc.stop(True, True)
print("stopped", ssc._phase())
"""


def is_read(connection):
    """Whether the other side, in this machine, has read all that was sent."""
    wanted = f"{connection.getpeername()[1]:04X}", f"{connection.getsockname()[1]:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    for _, local, remote, _, queues, *_ in rows:
        ports = local.partition(":")[2], remote.partition(":")[2]
        # Not sent yet, on our side; not read yet, on theirs.
        if (ports == wanted[::-1] and int(queues.partition(":")[0], 16) > 0) or (
            ports == wanted and int(queues.partition(":")[2], 16) > 0
        ):
            return False
    return True


def test_gracefully_with_lines_that_wait(begins, server, tmp_path):
    count = 60
    job = begins(RECEIVED, 0.05, server.getsockname()[1], tmp_path / "stop")
    connection, _ = server.accept()
    with connection:
        # A batch's worth every 50 ms, which takes 240 ms to print: most of it has to wait.
        for number in range(count):
            connection.sendall(f"line {number}\n".encode())
            if number % 12 == 11:
                time.sleep(0.05)
        job.until(lambda: is_read(connection), "reading of all lines")
        assert f"line {count - 1}\n" not in job.out
        (tmp_path / "stop").touch()
        assert job.end() == 0, job.err
    assert job.out.splitlines() == [
        *(f"line {number}" for number in range(count)),
        "stopped stopped",
    ]
    assert "given up" not in job.err


def test_gracefully_while_more_comes_in(begins, server, tmp_path):
    job = begins(RECEIVED, 0.05, server.getsockname()[1], tmp_path / "stop")
    connection, _ = server.accept()
    sent, most = 0, 100_000
    with connection:
        # Until the receiver hangs up.
        try:
            while sent < most:
                connection.sendall(f"line {sent}\n".encode())
                sent += 1
                if sent == 40:
                    (tmp_path / "stop").touch()
                time.sleep(0.01)
        except OSError:
            pass
        assert job.end() == 0, job.err
    lines = job.out.splitlines()
    assert lines.pop() == "stopped stopped"
    # All that was taken in came out: once, in order and without a gap.
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert 1 < len(lines) <= sent < most
    assert "given up" not in job.err


def test_gracefully_after_an_output_that_fails(ends):
    # Spark waits for ten intervals then.
    job = ends(
        """
failed = threading.Event()

def fail(rdd):
    failed.set()
    raise ValueError("told of in the log")

ssc.queueStream([[0]], default=[1]).foreachRDD(fail)
ssc.start()
assert failed.wait(10)
begin = time.monotonic()
ssc.stop(True, True)
print(time.monotonic() - begin < 3)
""",
        0.5,
    )
    assert job.out == "True\n"
