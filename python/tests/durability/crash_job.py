"""The job that is killed: two sources, and windows and states of each, into SQLite and folders.

Run as a program: ``crash_job.py FOLDER PORT OPTIONS``, with the options as JSON. What is written
has the time of its batch, and each output notes a batch in one transaction with its records.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
from pathlib import Path

from swiftwater import SparkConf, SparkContext
from swiftwater._native import engine
from swiftwater.streaming import StateSpec, StreamingContext

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (output TEXT, time INTEGER, PRIMARY KEY (output, time));
CREATE TABLE IF NOT EXISTS records (output TEXT, time INTEGER, record TEXT);
CREATE INDEX IF NOT EXISTS by_batch ON records (output, time);
CREATE TABLE IF NOT EXISTS again (output TEXT, time INTEGER, first TEXT, now TEXT);
"""


def opened(path):
    """Open the database of the outputs."""
    database = sqlite3.connect(path, timeout=10, isolation_level=None)
    # A process that is killed loses nothing of what the system has taken.
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(SCHEMA)
    return database


class Database:
    """The connection of this process, opened where it is first used."""

    connection = None

    @classmethod
    def of(cls, path):
        if cls.connection is None:
            cls.connection = opened(path)
        return cls.connection


def into_database(path, output):
    """Return what writes each batch of a stream, unless it is there; then it is compared."""

    def write(time, rdd):
        records = sorted(json.dumps(record) for record in rdd.collect())
        at_ms = round(time.timestamp() * 1000)
        database = Database.of(path)
        database.execute("BEGIN IMMEDIATE")
        new = database.execute(
            "INSERT OR IGNORE INTO batches VALUES (?, ?)", (output, at_ms)
        ).rowcount
        if new:
            database.executemany(
                "INSERT INTO records VALUES (?, ?, ?)",
                [(output, at_ms, record) for record in records],
            )
        else:
            first = database.execute(
                "SELECT record FROM records WHERE output = ? AND time = ? ORDER BY record",
                (output, at_ms),
            ).fetchall()
            database.execute(
                "INSERT INTO again VALUES (?, ?, ?, ?)",
                (output, at_ms, json.dumps([row[0] for row in first]), json.dumps(records)),
            )
        engine.pass_kill_point("job.written")
        database.execute("COMMIT")
        engine.pass_kill_point("job.committed")

    return write


def failing_at_times(path, write, every):
    """Return what fails for some batches, once each: those run again when the job does."""

    def fail_or_write(time, rdd):
        at_ms = round(time.timestamp() * 1000)
        mark = Path(f"{path}-{at_ms}")
        # The same in each life, but for the last one.
        if at_ms // 10 % every == 0 and not mark.exists() and not mark.with_name("calm").exists():
            mark.touch()
            raise ConnectionError("the other side is not there")
        write(time, rdd)

    return fail_or_write


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def total(new, old):
    return sum(new) + (old or 0)


def running(key, value, state):
    """Return how the state of a key goes on: each record sees those before it."""
    before = state.getOption() or 0
    state.update(before + value)
    return [key, value, before + value]


def pair(line):
    """Return key and value of a line: what it is called, a key, a number."""
    _, key, value = line.split()
    return key, int(value)


def define(ssc, lines, source, folder, options):
    """Define what is made of a source."""
    interval = options["interval_ms"] / 1000
    window = options["window"] * interval
    slide = options["slide"] * interval
    data = options["data_every"] * interval
    database = f"{folder}/out.db"
    lines.foreachRDD(into_database(database, f"{source} lines"))
    lines.saveAsTextFiles(f"{folder}/text/{source}")
    lines.saveToSQLite(f"{folder}/rows.db", source, ["line"], time="batch_ms")
    if options["fails_every"]:
        write = into_database(database, f"{source} failing")
        mark = f"{folder}/failed/{source}"
        lines.foreachRDD(failing_at_times(mark, write, options["fails_every"]))
    pairs = lines.map(pair)
    streams = {
        "window": pairs.reduceByKeyAndWindow(add, None, window, slide),
        "inverse": pairs.reduceByKeyAndWindow(
            add, subtract, window, slide, filterFunc=lambda entry: entry[1] != 0
        ),
        "state": pairs.updateStateByKey(total),
        "mapped": pairs.mapWithState(StateSpec.function(running)),
    }
    for name, stream in streams.items():
        if name != "mapped":
            stream.checkpoint(data if name == "state" else max(data, slide))
        stream.foreachRDD(into_database(database, f"{source} {name}"))


def main(folder, port, options):
    def set_up():
        conf = SparkConf().setAll(options["settings"].items())
        sc = SparkContext("local[2]", "crashes", conf=conf)
        ssc = StreamingContext(sc, options["interval_ms"] / 1000)
        ssc.checkpoint(f"{folder}/checkpoint")
        define(ssc, ssc.textFileStream(f"{folder}/in"), "files", folder, options)
        define(ssc, ssc.socketTextStream("127.0.0.1", port), "socket", folder, options)
        return ssc

    ssc = StreamingContext.getOrCreate(f"{folder}/checkpoint", set_up)
    ssc.start()
    Path(f"{folder}/started-{os.getpid()}").touch()
    if options["fails_every"]:
        # Waiting would raise what an output has raised.
        threading.Event().wait()
    ssc.awaitTermination()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
