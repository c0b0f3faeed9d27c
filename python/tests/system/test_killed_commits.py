"""Jobs that are killed while an output writes: each record takes effect once."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest
from jobs import require_host

HEAD = """
import os
import signal
import sqlite3
import sys
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

folder, where = sys.argv[1], sys.argv[2]


def kill_once(at, is_full=True):
    if where == at and is_full and not os.path.exists(folder + "/killed"):
        open(folder + "/killed", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)


def run(define, settings=()):
    def made():
        sc = SparkContext("local[2]", "killed", conf=SparkConf().setAll(settings))
        ssc = StreamingContext(sc, 0.1)
        if where != "without":
            ssc.checkpoint(folder + "/checkpoint")
        define(ssc.textFileStream(folder + "/in"))
        return ssc

    if where == "without":
        ssc = made()
    else:
        ssc = StreamingContext.getOrCreate(folder + "/checkpoint", made)
    ssc.start()
    print("started", flush=True)
    ssc.awaitTerminationOrTimeout(60)
"""

FILES = (
    HEAD
    + """
from swiftwater._rdd import part_files

write_lines = part_files._write_lines


def written(records, file):
    file.write(b"half a ")
    file.flush()
    if next(records, None) is not None:
        kill_once("middle")
        kill_once("without")
    file.seek(0)
    file.truncate()
    write_lines(records, file)


part_files._write_lines = written if not os.path.exists(folder + "/killed") else write_lines
way = sys.argv[3]
run(lambda lines: lines.saveAsTextFiles(folder + "/out"), [("swiftwater.files.commit", way)])
"""
)

TABLE = (
    HEAD
    + """
from swiftwater.streaming._dstream.sqlite_tables import SQLiteTable

add_rows, add = SQLiteTable._add_rows, SQLiteTable.add


def some_added(self, connection, batch, rows):
    rows = list(rows)
    if rows and not os.path.exists(folder + "/killed"):
        # More than SQLite keeps in memory: some of it is in the file.
        connection.execute("PRAGMA cache_size = 1")
        add_rows(self, connection, batch, rows * 500)
        kill_once("middle")
        connection.execute(f"DELETE FROM {self.table}")
    add_rows(self, connection, batch, rows)


def added(self, batch, slide_ms, rows):
    if rows:
        print("adds rows", flush=True)
    add(self, batch, slide_ms, rows)
    kill_once("after", bool(rows))


SQLiteTable._add_rows, SQLiteTable.add = some_added, added
run(lambda lines: lines.saveToSQLite(folder + "/out.db", "lines", ["line"]))
"""
)

ONCE = (
    HEAD
    + """
from contextlib import closing

DATABASE = folder + "/out.db"


def is_done(batch):
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS lines (line TEXT)")
        database.execute("CREATE TABLE IF NOT EXISTS done (batch TEXT PRIMARY KEY)")
        return database.execute("SELECT 1 FROM done WHERE batch = ?", [str(batch)]).fetchone()


def write(batch, rdd):
    rows = [(line,) for line in rdd.collect()]
    with closing(sqlite3.connect(DATABASE)) as database:
        with database:
            database.executemany("INSERT INTO lines VALUES (?)", rows)
            kill_once("middle", bool(rows))
            database.execute("INSERT INTO done VALUES (?)", [str(batch)])
        kill_once("after", bool(rows))


run(lambda lines: lines.foreachRDDOnce(write, is_done))
"""
)


def put(folder, name, text):
    """A file for the stream, which appears whole."""
    (folder / "in" / f".{name}").write_text(text)
    os.rename(folder / "in" / f".{name}", folder / "in" / name)


def killed(start, command, folder):
    """Run a job that is killed by its first records."""
    (folder / "in").mkdir()
    job = start(command)
    job.until_out("started")
    put(folder, "new", "a line\n")
    assert job.process.wait(60) in (-signal.SIGKILL, 128 + signal.SIGKILL)


def lines_in(database):
    if not os.path.exists(database):
        return []
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        there = "SELECT count(*) FROM sqlite_master WHERE name = 'lines'"
        if connection.execute(there).fetchone() == (0,):
            return []
        return [line for (line,) in connection.execute("SELECT line FROM lines ORDER BY rowid")]


@pytest.mark.parametrize("where", ["middle", "after"])
@pytest.mark.parametrize("text", [TABLE, ONCE], ids=["table", "once"])
def test_each_record_is_in_the_database_once(start, script, tmp_path, text, where):
    command = [require_host(), "run", script(text), str(tmp_path), where]
    killed(start, command, tmp_path)
    assert (lines_in(tmp_path / "out.db") == ["a line"]) == (where == "after")
    again = start(command)
    again.until_out("started")
    put(tmp_path, "next", "another\n")
    again.until(lambda: "another" in lines_in(tmp_path / "out.db"), "row of the other file")
    again.process.send_signal(signal.SIGTERM)
    again.process.wait(60)
    assert lines_in(tmp_path / "out.db") == ["a line", "another"]


def test_a_stop_ends_the_wait_for_somebody_s_lock(start, script, tmp_path):
    (tmp_path / "in").mkdir()
    command = [require_host(), "run", script(TABLE), str(tmp_path), "never"]
    job = start(command, SWIFTWATER_STOP_TIMEOUT="200ms")
    job.until_out("started")
    job.until(lambda: os.path.exists(tmp_path / "out.db"), "database")
    with closing(sqlite3.connect(tmp_path / "out.db", timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        put(tmp_path, "new", "a line\n")
        job.until_out("adds rows")
        job.process.send_signal(signal.SIGTERM)
        # Half a minute would be too long for this.
        assert job.end() == 143
    again = start(command)
    again.until(lambda: lines_in(tmp_path / "out.db") == ["a line"], "row of the file")
    again.process.send_signal(signal.SIGTERM)
    again.process.wait(60)
    assert lines_in(tmp_path / "out.db") == ["a line"]


def hidden(folder):
    return [name for name in os.listdir(folder) if name.startswith(".")]


def texts(folder):
    """What the folders hold that are complete, in the order of their times."""
    found = []
    for path in sorted(folder.glob("out-*")):
        if (path / "_SUCCESS").exists():
            found += [part.read_text() for part in sorted(path.glob("part-*"))]
    return [text for text in found if text]


@pytest.mark.parametrize("where", ["middle", "without"])
@pytest.mark.parametrize("way", ["rename", "manifest"])
def test_nothing_is_left_of_a_folder_that_was_not_complete(start, script, tmp_path, way, where):
    command = [require_host(), "run", script(FILES), str(tmp_path), where, way]
    killed(start, command, tmp_path)
    assert texts(tmp_path) == []
    assert (len(hidden(tmp_path)) == 1) == (way == "rename")
    again = start(command)
    again.until_out("started")
    assert where == "middle" or hidden(tmp_path) == []
    put(tmp_path, "next", "another\n")
    again.until(lambda: "another\n" in texts(tmp_path), "folder of the other file")
    again.process.send_signal(signal.SIGTERM)
    again.process.wait(60)
    # Without a checkpoint the batch is not there again.
    first = ["a line\n"] if where == "middle" else []
    assert texts(tmp_path) == [*first, "another\n"]
    assert hidden(tmp_path) == []
