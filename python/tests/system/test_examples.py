"""Every example does what its head says, with a sender, files and a database that are real."""

import ast
import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from jobs import environment, require_host

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
RULE = "-" * 43


@pytest.fixture
def example(start, tmp_path):
    """Start an example with the command of its head, with a port and a folder of the test's."""

    def started(name, port=0):
        head = ast.get_docstring(ast.parse((EXAMPLES / name).read_text(encoding="utf-8")))
        command = re.search(rf"^ *swiftwater run (examples/{name}.*)$", head, re.MULTILINE)
        assert command is not None, f"the head of {name} does not say how to run it"
        words = shlex.split(command[1])
        places = {"examples/": EXAMPLES, "/tmp/": tmp_path}

        def placed(word):
            # By what a word begins with: the clone itself may be in /tmp.
            for beginning, folder in places.items():
                if word.startswith(beginning):
                    return f"{folder}{os.sep}{word.removeprefix(beginning)}"
            return str(port) if word == "9999" else word

        return start([require_host(), "run", *map(placed, words)])

    return started


class Sender:
    """What ``nc -lk`` does: a server that sends a test's lines to who connects."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(20)
        self.port = self.server.getsockname()[1]
        self.connection = None

    def send(self, *lines):
        if self.connection is None:
            self.connection, _ = self.server.accept()
        self.connection.sendall("".join(f"{line}\n" for line in lines).encode())

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def close(self):
        self.hang_up()
        self.server.close()


@pytest.fixture
def sender():
    made = Sender()
    yield made
    made.close()


def blocks(job):
    """What ``pprint`` has written, as one list of lines a batch; complete batches only."""
    found = job.out.split(f"{RULE}\nTime: ")[1:]
    return [block.removesuffix("\n").split("\n")[2:-1] for block in found if block.endswith("\n\n")]


def counts(job):
    """The batches of a job that prints pairs of a word and its number."""
    return [dict(map(ast.literal_eval, lines)) for lines in blocks(job)]


def until_counts(job, expected):
    job.until(lambda: expected in counts(job), f"a batch with {expected}")


def interrupt(job):
    job.send(signal.SIGINT)
    assert job.end() == 130
    assert "Traceback" not in job.err


def move_into(folder, name, text):
    """Let a file appear whole, as the heads of the examples say."""
    written = folder.parent / name
    written.write_text(text)
    written.rename(folder / name)


def test_every_example_is_listed():
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in EXAMPLES.iterdir()
        if path.name != "README.md" and not path.name.startswith((".", "__"))
    }
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[`([^`]*)`\]", text, re.MULTILINE)) == there
    assert set(re.findall(r"^\| \[`[^`]*`\]\(([^)]*)\)", text, re.MULTILINE)) == there


def test_network_wordcount(example, sender):
    job = example("network_wordcount.py", sender.port)
    sender.send("to be or not to be", "that")
    until_counts(job, {"to": 2, "be": 2, "or": 1, "not": 1, "that": 1})
    sender.send("be")
    until_counts(job, {"be": 1})
    interrupt(job)


def test_windowed_wordcount(example, sender):
    job = example("windowed_wordcount.py", sender.port)
    sender.send("to be or not to be")
    first = {"to": 2, "be": 2, "or": 1, "not": 1}
    until_counts(job, first)
    sender.send("be here")
    until_counts(job, {"to": 2, "be": 3, "or": 1, "not": 1, "here": 1})
    # The window has moved on, and words that are down to 0 are left out.
    until_counts(job, {"be": 1, "here": 1})
    windows = counts(job)
    begin = windows.index(first)
    assert not any(windows[:begin])
    assert ["to" in window for window in windows[begin : begin + 6]] == [True] * 5 + [False]
    interrupt(job)


def test_stateful_wordcount(example, sender):
    job = example("stateful_wordcount.py", sender.port)
    sender.send("hello you")
    until_counts(job, {"hello": 2, "world": 1, "you": 1})
    sender.send("you")
    until_counts(job, {"hello": 2, "world": 1, "you": 2})
    interrupt(job)


def test_file_wordcount(example, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "old.txt").write_text("old\n")
    os.utime(folder / "old.txt", (0, 0))
    job = example("file_wordcount.py")
    job.until_out("Time: ")
    move_into(folder, "words.txt", "to be or not to be\n")
    until_counts(job, {"to": 2, "be": 2, "or": 1, "not": 1})
    move_into(folder, "more.txt", "to be\ncontinued\n")
    until_counts(job, {"to": 1, "be": 1, "continued": 1})
    interrupt(job)
    assert [len(batch) for batch in counts(job) if batch] == [4, 3]


def test_queue_stream(example):
    job = example("queue_stream.py")
    assert job.end() == 0, job.err
    tens = dict.fromkeys(range(10), 10)
    assert [batch for batch in counts(job) if batch] == [tens] * 3


def test_join_with_table(example, sender):
    job = example("join_with_table.py", sender.port)
    sender.send("plum 3", "kiwi 1", "not an order", "plum 1")
    lines = ["1 x kiwi: not sold here", "1 x plum: 0.15", "3 x plum: 0.45"]
    job.until(lambda: lines in map(sorted, blocks(job)), "the first orders")
    sender.send("melon 2")
    job.until(lambda: ["2 x melon: 5.00"] in blocks(job), "the next order")
    interrupt(job)


def test_broadcast_and_accumulator(example, sender):
    job = example("broadcast_and_accumulator.py", sender.port)
    sender.send("to be or not to be")
    job.until_out(" [('be', 2), ('not', 1)], 3 words left out so far\n")
    sender.send("in the pan")
    job.until_out(" [('pan', 1)], 5 words left out so far\n")
    interrupt(job)


def test_listener(example, sender):
    job = example("listener.py", sender.port)
    sender.send("1", "2.5")
    job.until_out("sum 3.5\n")
    job.until_out("2 lines: waited ")
    sender.send("pear")
    job.until_out("failed: ")
    job.until_out("1 lines: waited ")
    # It goes on.
    sender.send("4")
    job.until_out("sum 4.0\n")
    assert job.out.startswith("receiver SocketReceiver-0 runs\n")
    assert "could not convert string to float: 'pear'" in job.out
    interrupt(job)


def totals(database):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        words = dict(connection.execute("select word, total from words"))
        return words, connection.execute("select count(*) from batches").fetchone()[0]
    finally:
        connection.close()


def test_sqlite_sink(example, tmp_path):
    folder, checkpoints = tmp_path / "in", tmp_path / "checkpoints"
    folder.mkdir()
    job = example("sqlite_sink.py")
    job.until_out("had 0 words")
    move_into(folder, "words.txt", "to be or not to be\n")
    job.until_out("had 4 words")
    job.send(signal.SIGKILL)
    job.end()
    batch = re.search(r"the batch of (\S+) had 4 words", job.out)[1]

    # As if it had been killed between the database's commit and the note that follows it: the
    # checkpoints from that batch on are not there, nor the log.
    written = sorted(checkpoints.glob("checkpoint-*"))
    seconds = [int(path.name.partition("-")[2]) / 1000 for path in written]
    times = [f"{datetime.fromtimestamp(second):%H:%M:%S}" for second in seconds]
    gone = written[times.index(batch) :] if batch in times else []
    assert len(gone) < len(written)
    for path in [*gone, *checkpoints.glob("batches-*")]:
        path.unlink()

    again = example("sqlite_sink.py")
    again.until_out(f"the batch of {batch} is in the database already")
    move_into(folder, "more.txt", "to be continued\n")
    again.until_out("had 3 words")
    interrupt(again)
    expected = {"to": 3, "be": 3, "or": 1, "not": 1, "continued": 1}
    words, batches = totals(tmp_path / "words.db")
    assert words == expected
    assert batches == (job.out + again.out).count(" had ")


def test_recoverable_wordcount(example, sender):
    job = example("recoverable_wordcount.py", sender.port)
    sender.send("to be or not to be")
    until_counts(job, {"to": 2, "be": 2, "or": 1, "not": 1})
    interrupt(job)
    sender.hang_up()
    again = example("recoverable_wordcount.py", sender.port)
    sender.send("to be continued")
    until_counts(again, {"to": 3, "be": 3, "or": 1, "not": 1, "continued": 1})
    interrupt(again)
    assert job.out.startswith("a new beginning\n")
    assert "a new beginning" not in again.out


def test_sql_wordcount(example, sender):
    pytest.importorskip("duckdb")
    job = example("sql_wordcount.py", sender.port)
    sender.send("to be or not to be")
    job.until_out(
        """
+----+-----+
|word|total|
+----+-----+
|  be|    2|
|  to|    2|
| not|    1|
|  or|    1|
+----+-----+
"""
    )
    interrupt(job)


def test_the_unit_tests():
    env = environment()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_wordcount.py"],
        cwd=EXAMPLES,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
