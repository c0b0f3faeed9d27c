"""Rows in SQLite: what is written, what is refused, and batches that run again."""

import sqlite3
from contextlib import closing
from functools import partial

import pytest

from swiftwater.streaming import BatchIdentity
from swiftwater.streaming._dstream import sqlite_tables
from swiftwater.streaming._dstream.sqlite_tables import BATCHES, SQLiteTable
from swiftwater.testing import StreamingTest

FIRST_MS = 1_893_456_001_000
COLUMNS = ["word", "n"]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "out.db")


def asked(path, query, *values):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        return database.execute(query, values).fetchall()


def rows(path, table="counts"):
    return asked(path, f"SELECT * FROM {table} ORDER BY rowid")


def written(path, batches, *arguments, **named):
    """Run batches of rows through an output."""
    with StreamingTest() as test:
        test.ssc.queueStream(batches).saveToSQLite(path, "counts", *arguments, **named)
        test.advance(len(batches))


# --- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "named", "batches", "expected"),
    [
        (COLUMNS, {}, [[("a", 1), ("b", 2)], [], [("a", 3)]], [("a", 1), ("b", 2), ("a", 3)]),
        (COLUMNS, {}, [[["a", 1], ("b", None)]], [("a", 1), ("b", None)]),
        (COLUMNS, {}, [[(b"a", 1.5), ("é", -(2**63))]], [(b"a", 1.5), ("é", -(2**63))]),
        (["line"], {}, [["a", ("b",), 3, None]], [("a",), ("b",), (3,), (None,)]),
        (['a "b"', "select"], {}, [[(1, 2)]], [(1, 2)]),
        (COLUMNS, {"time": "at"}, [[("a", 1)]], [("a", 1, FIRST_MS)]),
        (
            COLUMNS,
            {"key": ["word"]},
            [[("a", 1), ("b", 2), ("a", 3)], [("b", 4)]],
            [("a", 3, FIRST_MS), ("b", 4, FIRST_MS + 1000)],
        ),
        (COLUMNS, {"key": COLUMNS}, [[("a", 1), ("a", 1)]], [("a", 1, FIRST_MS)]),
    ],
)
def test_rows(path, columns, named, batches, expected):
    written(path, batches, columns, **named)
    assert rows(path) == expected


def test_a_table_that_is_there_is_taken_as_it_is(path):
    asked(path, "CREATE TABLE counts (id INTEGER PRIMARY KEY, N INTEGER, word TEXT DEFAULT 'x')")
    written(path, [[(1,), (2,)]], ["n"])
    assert rows(path) == [(1, 1, "x"), (2, 2, "x")]


def test_rows_of_streams_with_functions_in_workers(path):
    settings = {"swiftwater.workers": "always"}
    with StreamingTest(settings=settings) as test:
        lines = test.text_source()
        pairs = lines.stream.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
        pairs.saveToSQLite(path, "counts", COLUMNS)
        lines.send("a", "b", "a")
        test.advance()
    assert sorted(rows(path)) == [("a", 2), ("b", 1)]


def test_the_journal_s_mode_is_left_alone(path):
    asked(path, "PRAGMA journal_mode = WAL")
    written(path, [[("a", 1)]], COLUMNS)
    assert asked(path, "PRAGMA journal_mode") == [("wal",)]
    assert rows(path) == [("a", 1)]


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named", "error", "message"),
    [
        (("counts", "word"), {}, TypeError, "columns is a list of names, not a text: ['word']"),
        (("counts", []), {}, ValueError, "needs the names of the columns"),
        (("counts", ["a", "A"]), {}, ValueError, "a name is twice in columns: a, A"),
        (("counts", [1]), {}, TypeError, "the name of a column is a text, not int: 1"),
        (("", ["a"]), {}, ValueError, "'' cannot be the name of a table"),
        (("counts", ["a"]), {"key": ["b"]}, ValueError, "'b' is in the key, and is none of"),
        (("counts", ["a"]), {"time": "a"}, ValueError, "no record gives it"),
        ((BATCHES, ["a"]), {}, ValueError, "choose another one"),
    ],
)
def test_names_that_cannot_be(streaming, path, arguments, named, error, message):
    stream = streaming.ssc.queueStream([[1]])
    with pytest.raises(error) as raised:
        stream.saveToSQLite(path, *arguments, **named)
    assert message in str(raised.value)


@pytest.mark.parametrize("place", [":memory:", "", "s3://bucket/out.db"])
def test_places_that_cannot_be(streaming, place):
    stream = streaming.ssc.queueStream([[1]])
    with pytest.raises(ValueError, match="saveToSQLite"):
        stream.saveToSQLite(place, "counts", COLUMNS)


@pytest.mark.parametrize(
    ("made", "named", "message"),
    [
        ("TABLE counts (word, m)", {}, "has no column n; it has word, m"),
        ("TABLE counts (word, n)", {"time": "at"}, 'ADD COLUMN "at" INTEGER'),
        ("TABLE counts (word PRIMARY KEY, n)", {"key": ["word"]}, "no column batch_ms"),
        (
            "TABLE counts (word, n, batch_ms)",
            {"key": ["word"]},
            "no primary key and no unique index of exactly word: CREATE UNIQUE INDEX",
        ),
        ("VIEW counts AS SELECT 1 AS word, 2 AS n", {}, "rows cannot go into the columns word, n"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_at_the_start(path, made, named, message):
    asked(path, f"CREATE {made}")
    with StreamingTest() as test:
        test.ssc.queueStream([[("a", 1)]]).saveToSQLite(path, "counts", COLUMNS, **named)
        with pytest.raises(ValueError, match="counts") as raised:
            test.start()
    assert message in str(raised.value)
    assert raised.value.__notes__[0].startswith("in operator: saveToSQLite at ")


@pytest.mark.parametrize(
    ("record", "found"), [(("a",), "tuple of 1"), ("ab", "str"), (("a", 1, 2), "tuple of 3")]
)
def test_a_record_that_is_no_row_is_shown(path, record, found):
    with pytest.raises(
        ValueError, match="needs tuples of 2 values for the columns word, n"
    ) as error:
        written(path, [[("a", 1), record]], COLUMNS)
    assert str(error.value).endswith(f"out.db, not {found}")
    assert f"record: {record!r}" in error.value.__notes__


@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_sqlite_takes_for_another_key_each_time_is_refused(path, value):
    with pytest.raises(ValueError, match="cannot be in the key of the columns word, n") as error:
        written(path, [[("a", None), (value, 1)]], COLUMNS, key=["word"])
    assert str(error.value).startswith(f"{value!r} cannot be")
    assert f"record: ({value!r}, 1)" in error.value.__notes__


BAD = [
    ((object, 1), sqlite3.Error, "row: (<class 'object'>, 1)"),
    (("big", 2**64), OverflowError, "row: ('big', 18446744073709551616)"),
    (("\ud800", 1), UnicodeError, "row: ('\\ud800', 1)"),
    (("b", 1), sqlite3.IntegrityError, "row: ('b', 1)"),
    (("long" * 100, None), sqlite3.IntegrityError, f"row: ('{'long' * 100}'"[:205] + "..."),
]


@pytest.mark.parametrize(("bad", "error", "note"), BAD)
def test_a_row_that_cannot_be_written_is_shown_and_nothing_is_there(path, bad, error, note):
    asked(path, "CREATE TABLE counts (word UNIQUE, n NOT NULL)")
    with pytest.raises(error) as raised:
        written(path, [[("a", 1), ("b", 2), bad]], COLUMNS)
    notes = raised.value.__notes__
    assert note in notes
    assert (
        f"into the columns word, n of the table counts in {path}: nothing of the batch is in it"
        in notes
    )
    assert ("to have rows of the same key replaced, say key=[...]" in notes) == (
        error is sqlite3.IntegrityError
    )
    assert any(text.startswith("in operator: saveToSQLite at ") for text in notes)
    assert rows(path) == []
    assert asked(path, "SELECT 1 FROM sqlite_master WHERE name = ?", BATCHES) == []


def test_a_lock_that_does_not_go_away_is_named(path, monkeypatch):
    monkeypatch.setattr(sqlite_tables, "_MOST_STEPS", 2)
    monkeypatch.setattr(sqlite_tables, "_STEP_SECONDS", 0.001)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        message = f"another connection has had a lock on {path} for 0 s: end its transaction"
        with pytest.raises(sqlite3.OperationalError, match=message):
            written(path, [[("a", 1)]], COLUMNS)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(sqlite3.OperationalError, match="unable to open") as raised:
        written(str(tmp_path / "no" / "out.db"), [[("a", 1)]], COLUMNS)
    assert f"database: {tmp_path}/no/out.db" in raised.value.__notes__


# --- batches that run again -----------------------------------------------------------------------


def note(job="job", output="output"):
    """Something that notes batches, and tells which are there."""
    table = partial(BatchIdentity, job, output)

    def add(target, *times):
        for time in times:
            target.add(table(time), 1, [(time,)])

    return table, add


def ranges(path):
    return asked(path, f"SELECT first_ms, last_ms FROM {BATCHES} ORDER BY job, output, first_ms")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([1], [(1, 1)]),
        ([1, 2, 3], [(1, 3)]),
        ([1, 2, 4, 5], [(1, 2), (4, 5)]),
        ([1, 2, 4, 5, 3], [(1, 5)]),
        ([1, 3, 2], [(1, 3)]),
        ([5, 1, 2], [(1, 2), (5, 5)]),
        ([5, 4], [(4, 5)]),
        ([1, 1, 2, 1], [(1, 2)]),
        ([7, 9, 5, 8], [(5, 5), (7, 9)]),
    ],
)
def test_batches_in_a_row_are_one_row_of_names(path, times, expected):
    target = SQLiteTable(path, "counts", ["at"], [], None)
    name, add = note()
    add(target, *times)
    assert ranges(path) == expected
    assert sorted(at for (at,) in rows(path)) == sorted(set(times))
    assert [at for at in range(12) if target.has(name(at))] == sorted(set(times))


def test_an_empty_batch_behind_another_costs_no_transaction(path, monkeypatch):
    target = SQLiteTable(path, "counts", ["at"], [], None)
    name, _ = note()
    transactions = []
    add = SQLiteTable._add
    monkeypatch.setattr(
        SQLiteTable, "_add", lambda *given: (transactions.append(given[1].time_ms), add(*given))
    )
    for time, records in [(1, []), (2, []), (3, [(3,)]), (4, []), (5, []), (6, [(6,)]), (8, [])]:
        target.add(name(time), 1, records)
    assert transactions == [1, 3, 6, 8]
    assert ranges(path) == [(1, 6), (8, 8)]
    assert rows(path) == [(3,), (6,)]


def test_of_many_gaps_the_newest_are_kept(path, monkeypatch):
    monkeypatch.setattr(sqlite_tables, "_MOST_RANGES", 3)
    target = SQLiteTable(path, "counts", ["at"], [], None)
    note("other")[1](target, 1, 3)
    note()[1](target, *range(10, 30, 2))
    assert ranges(path) == [(24, 24), (26, 26), (28, 28), (1, 1), (3, 3)]


def test_names_are_apart_by_job_and_output(path):
    target = SQLiteTable(path, "counts", ["at"], [], None)
    note()[1](target, 1)
    for job, output, is_there in (
        ("job", "output", True),
        ("job", "other", False),
        ("other", "output", False),
    ):
        assert target.has(BatchIdentity(job, output, 1)) is is_there


def test_an_older_batch_changes_no_newer_row(path):
    target = SQLiteTable(path, "counts", COLUMNS, ["word"], "batch_ms")
    name, _ = note()
    target.add(name(1), 1, [("a", 1), ("b", 1)])
    target.add(name(3), 1, [("a", 3)])
    target.add(name(2), 1, [("a", 2), ("b", 2), ("c", 2)])
    assert rows(path) == [("a", 3, 3), ("b", 2, 2), ("c", 2, 2)]


def test_two_outputs_of_a_job_into_one_table(path):
    with StreamingTest() as test:
        for numbers in (1, 2):
            test.ssc.queueStream([[("a", numbers)]]).saveToSQLite(path, "counts", COLUMNS)
        test.ssc.queueStream([[("b", 3)]]).saveToSQLite(path, "others", COLUMNS)
        stream = test.ssc.queueStream([[("c", 4)]])
        stream.saveToSQLite(path, "others", COLUMNS, name="mine")
        test.advance()
    assert rows(path) == [("a", 1), ("a", 2)]
    assert rows(path, "others") == [("b", 3), ("c", 4)]
    names = asked(path, f"SELECT job, output FROM {BATCHES}")
    assert names == [
        ("test", "mine"),
        ("test", "saveToSQLite-counts-1"),
        ("test", "saveToSQLite-counts-2"),
        ("test", "saveToSQLite-others-1"),
    ]


def test_two_outputs_of_one_name_are_refused(streaming, path):
    stream = streaming.ssc.queueStream([[("a", 1)]])
    stream.saveToSQLite(path, "counts", COLUMNS, name="mine")
    with pytest.raises(Exception, match="two outputs have the name 'mine'"):
        stream.saveToSQLite(path, "others", COLUMNS, name="mine")


def test_another_job_of_the_same_name_is_noticed(path):
    written(path, [[("a", 1)]], COLUMNS)
    with pytest.raises(ValueError, match="another job of the same name writes there"):
        written(path, [[("b", 1)]], COLUMNS)
    assert rows(path) == [("a", 1)]


def lines_of(test, path):
    lines = test.text_source()
    lines.stream.saveToSQLite(path, "lines", ["line"])
    return lines


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_batch_that_failed_is_there_once_after_the_recovery(tmp_path, path, monkeypatch, fails):
    add = SQLiteTable.add

    def failing(self, *given):
        if fails == "after":
            add(self, *given)
        raise sqlite3.OperationalError("the disk has gone")

    folder = str(tmp_path / "checkpoint")
    with StreamingTest() as test:
        test.ssc.checkpoint(folder)
        lines = lines_of(test, path)
        lines.send("first")
        test.advance()
        monkeypatch.setattr(SQLiteTable, "add", failing)
        lines.send("second")
        with pytest.raises(sqlite3.OperationalError, match="the disk has gone"):
            test.advance()
        monkeypatch.undo()
        lines.send("third")
        test.advance()
    for _ in range(2):
        with StreamingTest.recovered(folder) as test:
            test.start()
        assert sorted(rows(path, "lines")) == [("first",), ("second",), ("third",)]
        assert ranges(path) == [(FIRST_MS, FIRST_MS + 2000)]


def test_a_full_disk_leaves_nothing_of_the_batch(path, monkeypatch):
    written(path, [[("a", 1)]], COLUMNS)
    make = SQLiteTable._make

    def in_few_pages(self, connection):
        make(self, connection)
        connection.execute("PRAGMA max_page_count = 4")

    monkeypatch.setattr(SQLiteTable, "_make", in_few_pages)
    target = SQLiteTable(path, "counts", COLUMNS, [], None)
    name, _ = note()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        target.add(name(1), 1, [("x" * 1000, n) for n in range(100)])
    assert rows(path) == [("a", 1)]
    assert not target.has(name(1))


def test_a_recovered_job_checks_its_tables_at_the_start(tmp_path, path):
    folder = str(tmp_path / "checkpoint")
    with StreamingTest() as test:
        test.ssc.checkpoint(folder)
        lines_of(test, path)
        test.advance()
    asked(path, "ALTER TABLE lines RENAME COLUMN line TO text")
    message = "has no column line; it has text"
    with StreamingTest.recovered(folder) as test, pytest.raises(ValueError, match=message):
        test.start()
