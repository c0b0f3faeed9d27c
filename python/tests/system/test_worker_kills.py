"""Worker processes killed at random in a running stream: nothing is lost, and nothing counts twice."""

import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from jobs import Job, environment, require_host

JOB = """
import json
import sys
import time

from pyspark import SparkConf, SparkContext
from pyspark.streaming import StreamingContext

conf = SparkConf().set("spark.streaming.blockInterval", "20ms")
sc = SparkContext("local[2]", "kills", conf=conf)
ssc = StreamingContext(sc, 0.1)
seen, wrong = sc.accumulator(0), sc.accumulator(0)
sums, last, batches = {}, {}, 0


def parse(line):
    seen.add(1)
    try:
        number, word = line.split(" ")
        if int(number) % 10 == 0:
            time.sleep(0.0002)
        return word, int(number)
    except ValueError:
        wrong.add(1)
        return "wrong", 1


def step(values, total):
    try:
        return sum(values, total)
    except TypeError:
        return sum(values)


def add(rdd):
    global batches
    batches += 1
    for word, total in rdd.collect():
        sums[word] = sums.get(word, 0) + total


def keep(rdd):
    last.update(rdd.collect())
    if "end" in last:
        found = {"sums": sums, "last": last, "seen": seen.value, "wrong": wrong.value}
        print(json.dumps(found), flush=True)


pairs = ssc.socketTextStream("127.0.0.1", int(sys.argv[1])).map(parse)
pairs.reduceByKey(lambda a, b: a + b).foreachRDD(add)
pairs.updateStateByKey(step).foreachRDD(keep)
ssc.start()
while True:
    try:
        ssc.awaitTermination()
        break
    except Exception as error:
        print("failed:", error, flush=True)
"""


class Sender(threading.Thread):
    """Sends random lines, some of them wrong, to an end; keeps what they add up to."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self._server = server
        self._random = random.Random(seed)
        self._over = threading.Event()
        self.sums, self.lines, self.wrong = Counter(), 0, 0

    def run(self):
        connection, _ = self._server.accept()
        with connection:
            while not self._over.wait(0.01):
                connection.sendall("".join(self._line() for _ in range(40)).encode())
            connection.sendall(b"1 end\n")
            self._took("end", 1)
            connection.recv(1)  # until the job ends

    def _line(self):
        if self._random.random() < 0.02:
            self.wrong += 1
            self._took("wrong", 1)
            return "no number\n"
        word, number = f"w{self._random.randrange(50)}", self._random.randrange(1000)
        self._took(word, number)
        return f"{number} {word}\n"

    def _took(self, word, number):
        self.sums[word] += number
        self.lines += 1

    def end(self):
        self._over.set()


def workers_of(driver):
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == driver and b"--worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def kill_at_random(job, count, chance):
    """Kill ``count`` workers, one after the other, whatever they are doing."""
    killed = 0
    deadline = time.monotonic() + 2 * count
    while killed < count:
        assert time.monotonic() < deadline, f"{killed} kills:\n{job.out}\n{job.err[-5000:]}"
        assert job.process.poll() is None, f"the job ended:\n{job.out}\n{job.err[-5000:]}"
        time.sleep(chance.uniform(0.02, 0.12))
        workers = workers_of(job.process.pid)
        if workers:
            worker = chance.choice(workers)
            os.kill(worker, signal.SIGKILL)
            job.until(lambda gone=worker: gone not in workers_of(job.process.pid), "its end")
            killed += 1


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_results_are_exact_however_many_workers_are_killed(tmp_path, count, monkeypatch):
    seed = int(os.environ.get("SWIFTWATER_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"SWIFTWATER_TEST_SEED={seed}")
    chance = random.Random(seed)
    monkeypatch.setattr("jobs.PATIENCE_SECONDS", 30)
    script = tmp_path / "kills.py"
    script.write_text(JOB)
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = Sender(server, seed)
        sender.start()
        command = [require_host(), "run", str(script), str(server.getsockname()[1])]
        job = Job(command, tmp_path, environment(SWIFTWATER_WORKERS="always"))
        try:
            job.until(lambda: workers_of(job.process.pid), "worker")
            kill_at_random(job, count, chance)
            sender.end()
            job.until_out('"last"')
        finally:
            job.close()
        sender.join(30)
    assert "failed:" not in job.out, f"{job.out}\n{job.err[-5000:]}"
    tries = job.err.count("its task is tried again")
    print(f"{count} kills, {tries} tasks tried again, {sender.lines} lines")
    found = json.loads(job.out.splitlines()[-1])
    assert found["sums"] == dict(sender.sums)
    assert found["last"] == dict(sender.sums)
    # Both outputs compute the lines.
    assert found["seen"] == 2 * sender.lines
    assert found["wrong"] == 2 * sender.wrong
    assert tries > 0
