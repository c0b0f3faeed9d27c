"""A sender that is faster than the job: memory stays bounded, and nothing is lost."""

import os
import socket
import threading
import time

import pytest
from jobs import Job, environment

SLOW = """
import sys, time
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext("local[2]", "slow")
ssc = StreamingContext(sc, 0.1)
lines = ssc.socketTextStream("127.0.0.1", int(sys.argv[1]))
seen = 0


def slow(rdd):
    global seen
    numbers = rdd.map(lambda line: int(line[:10]))
    count = numbers.count()
    if count == 0:
        return
    # None is missing, and none is there twice.
    expected = range(seen, seen + count)
    assert (numbers.min(), numbers.max()) == (expected[0], expected[-1]), "a gap"
    assert numbers.sum() == sum(expected), "others"
    # Some 20 MB a second.
    time.sleep(count / 20_000)
    seen += count
    print("seen", seen, flush=True)


lines.foreachRDD(slow)
ssc.start()
ssc.awaitTermination()
"""


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


class Sender(threading.Thread):
    """Sends numbered lines of 1000 bytes as fast as they are taken, for some seconds."""

    def __init__(self, server, seconds):
        super().__init__()
        self.server, self.seconds, self.sent = server, seconds, 0

    def run(self):
        connection, _ = self.server.accept()
        end = time.monotonic() + self.seconds
        with connection:
            while time.monotonic() < end:
                chunk = b"".join(b"%010d %s\n" % (self.sent + n, b"x" * 988) for n in range(500))
                connection.sendall(chunk)
                self.sent += 500


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.long)])
def test_memory_is_bounded_behind_a_slow_output(door, tmp_path, seconds, monkeypatch):
    monkeypatch.setattr("jobs.PATIENCE_SECONDS", 60 + 2 * seconds)
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    flags = ["--conf", "swiftwater.receiver.maxBuffered=16m"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = Sender(server, seconds)
        sender.start()
        port = str(server.getsockname()[1])
        job = Job([*door, "run", *flags, str(script), port], tmp_path, environment())
        try:
            job.until_err("connected")
            before = most = resident_bytes(job.process.pid)

            def all_seen():
                nonlocal most
                most = max(most, resident_bytes(job.process.pid))
                return not sender.is_alive() and f"seen {sender.sent}\n" in job.out

            job.until(all_seen, "end of all lines")
        finally:
            job.close()
            sender.join()
    assert "the buffer is full" in job.err
    assert sender.sent > 20_000 * seconds / 2
    # What waits, the reads beyond it, and what a batch takes to be worked on.
    assert most - before < 48 << 20, f"{(most - before) >> 20} MB more"


FILES = """
import sys, time
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext("local[2]", "files")
ssc = StreamingContext(sc, 0.2)
seen = 0


def count(rdd):
    global seen
    seen += rdd.count()
    print("seen", seen, flush=True)


ssc.textFileStream("in").foreachRDD(count)
ssc.start()
ssc.awaitTermination()
"""


def test_a_giant_first_batch_of_files_takes_no_memory(door, tmp_path):
    """Files wait where they are, however many come at once."""
    script = tmp_path / "files.py"
    script.write_text(FILES)
    (tmp_path / "in").mkdir()
    large = tmp_path / "large.txt"
    large.write_bytes(b"one line of the many that there are\n" * 58_000)
    job = Job([*door, "run", str(script)], tmp_path, environment())
    try:
        job.until_out("seen 0\n")
        before = most = resident_bytes(job.process.pid)
        for number in range(200):
            os.link(large, tmp_path / "in" / f".{number}")
        os.utime(large)
        for number in range(200):
            (tmp_path / "in" / f".{number}").rename(tmp_path / "in" / f"{number}")

        def all_seen():
            nonlocal most
            most = max(most, resident_bytes(job.process.pid))
            return f"seen {200 * 58_000}\n" in job.out

        job.until(all_seen, "end of all files")
    finally:
        job.close()
    # There are 400 MB of them.
    assert most - before < 32 << 20, f"{(most - before) >> 20} MB more"
