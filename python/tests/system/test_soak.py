"""Long runs: what must not grow does not grow."""

import socket
import threading

import pytest
from jobs import Job, environment

BATCHES = 10_000

JOB = """
import sys
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext("local[2]", "soak")
ssc = StreamingContext(sc, 0.005)
lines = ssc.socketTextStream("127.0.0.1", int(sys.argv[1]))
counts = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
counts = counts.reduceByKey(lambda a, b: a + b)
batches = 0


def output(rdd):
    global batches
    rdd.collect()
    batches += 1
    if batches % 1000 == 0:
        print("batches", batches, flush=True)


def failing(rdd):
    rdd.map(lambda record: 1 / 0).collect()


counts.foreachRDD(output)
counts.union(counts).count().foreachRDD(lambda rdd: rdd.take(1))
if sys.argv[2] == "failing":
    counts.foreachRDD(failing)
ssc.start()
while True:
    try:
        ssc.awaitTermination()
        break
    except ZeroDivisionError:
        pass
"""


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


def send_for_ever(server, stopped):
    connection, _ = server.accept()
    with connection:
        while not stopped.wait(0.005):
            try:
                connection.sendall(b"the quick brown fox jumps over the lazy dog\n" * 5)
            except OSError:
                return


@pytest.mark.long
@pytest.mark.parametrize("kind", ["quiet", "failing"])
def test_memory_is_flat_over_many_batches(door, tmp_path, kind, monkeypatch):
    script = tmp_path / "soak.py"
    script.write_text(JOB)
    monkeypatch.setattr("jobs.PATIENCE_SECONDS", 120)
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = threading.Thread(target=send_for_ever, args=(server, stopped))
        sender.start()
        port = str(server.getsockname()[1])
        flags = ["--conf", "swiftwater.log.level=off"]
        job = Job([*door, "run", *flags, str(script), port, kind], tmp_path, environment())
        try:
            job.until_out("batches 2000\n")
            before = resident_bytes(job.process.pid)
            job.until_out(f"batches {BATCHES}\n")
            after = resident_bytes(job.process.pid)
        finally:
            job.close()
            stopped.set()
            sender.join()
    # The allocator's own noise; a leak of 500 bytes a batch would be 4 MB.
    assert after - before < 3 << 20, f"{(after - before) >> 10} KB more"
