"""Rows of a stream in a table of an SQLite database, each batch in one transaction.

A table of ours in the same database says which batches are in it. It is written in the batch's
own transaction: either both are there or none is.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from urllib.parse import quote

from swiftwater._native import engine
from swiftwater._paths import output_path
from swiftwater._typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from swiftwater.streaming._batch_identity import BatchIdentity

__all__ = ["SQLiteTable", "row_of"]

T = TypeVar("T")

BATCHES = "swiftwater_batches"
# Batches without a gap between them are one row.
_MAKE_BATCHES = f"""
CREATE TABLE IF NOT EXISTS {BATCHES} (
  job TEXT NOT NULL, output TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
  PRIMARY KEY (job, output, first_ms)
) WITHOUT ROWID"""
# So many rows an output has at most; the oldest ones go.
_MOST_RANGES = 10_000
# A lock of somebody else's is waited for in steps, so that an interrupt is heard between them.
_STEP_SECONDS = 0.1
_MOST_STEPS = 300
_SHOWN_LENGTH = 200


def row_of(width: int, key: Sequence[int], where: str, record: Any) -> Sequence[Any]:
    """Return a record as the values of a row; ``key`` has the places of the key's values.

    Raises ``ValueError`` that says what is wrong.
    """
    if isinstance(record, (tuple, list)):
        if len(record) != width:
            raise _no_row(width, where, f"{type(record).__name__} of {len(record)}")
        row: Sequence[Any] = record
    elif width == 1:
        row = (record,)
    else:
        raise _no_row(width, where, type(record).__name__)
    for place in key:
        value = row[place]
        # SQLite keeps a NaN as NULL, and takes each NULL for another key: rows would pile up.
        if value is None or value != value:
            raise ValueError(f"{value!r} cannot be in the key of {where}")
    return row


def _no_row(width: int, where: str, found: str) -> ValueError:
    return ValueError(f"saveToSQLite needs tuples of {width} values for {where}, not {found}")


class SQLiteTable:
    """Where the rows of one output go; see ``DStream.saveToSQLite``."""

    def __init__(
        self, path: object, table: str, columns: Sequence[str], key: Sequence[str], time: str | None
    ) -> None:
        """Check the arguments; nothing is opened."""
        self.path = _file(path)
        self.table = _name(table, "table")
        if self.table.lower() == BATCHES:
            raise ValueError(f"the table {BATCHES} holds the names of batches: choose another one")
        self.columns = _names(columns, "columns")
        self.key = _names(key, "key") if key else []
        self.time = None if time is None else _name(time, "column for the batch time")
        if not self.columns:
            raise ValueError("saveToSQLite needs the names of the columns")
        for name in self.key:
            if name not in self.columns:
                raise ValueError(f"{name!r} is in the key, and is none of the columns")
        # The batch that this process has noted last, and the last one of those behind it that were
        # empty, without a gap. These are noted with the next one that is not.
        self._noted_ms: int | None = None
        self._quiet_ms = 0
        if self.time in self.columns:
            raise ValueError(f"{self.time!r} is the column of the batch time: no record gives it")

    @property
    def where(self) -> str:
        """The columns and the table, for messages."""
        return f"the columns {', '.join(self.columns)} of the table {self.table} in {self.path}"

    # --- before the first batch ---------------------------------------------------------------

    def check(self) -> None:
        """Raise ``ValueError`` where there is such a table and rows cannot go into it."""
        if not os.path.exists(self.path):
            return
        with self._opened("rw") as connection:
            known = _patiently(
                lambda: connection.execute(
                    f"SELECT name FROM pragma_table_xinfo({_quoted(self.table)})"
                ).fetchall(),
                self.path,
            )
            there = {str(name).lower() for (name,) in known}
            if not there:
                return
            for name in self.columns:
                if name.lower() not in there:
                    names = ", ".join(str(name) for (name,) in known)
                    raise ValueError(
                        f"the table {self.table} in {self.path} has no column {name}; it has "
                        f"{names}"
                    )
            self._check_time(there)
            try:
                # Not run, but all names and the key are looked up for it.
                connection.execute(f"EXPLAIN {self._insert(0)}", [None] * len(self.columns))
            except sqlite3.OperationalError as error:
                if self.key and "ON CONFLICT" in str(error):
                    raise ValueError(
                        f"the table {self.table} in {self.path} has no primary key and no unique "
                        f"index of exactly {', '.join(self.key)}: CREATE UNIQUE INDEX ... ON "
                        f"{_quoted(self.table)} ({_listed(self.key)})"
                    ) from None
                raise ValueError(f"rows cannot go into {self.where}: {error}") from error

    def _check_time(self, there: set[str]) -> None:
        if self.time is None or self.time.lower() in there:
            return
        reason = (
            ": it keeps a batch that runs again late from replacing what newer ones have written"
            if self.key
            else ""
        )
        raise ValueError(
            f"the table {self.table} in {self.path} has no column {self.time} for the batch "
            f"time{reason}. ALTER TABLE {_quoted(self.table)} ADD COLUMN {_quoted(self.time)} "
            "INTEGER, or name another one with time="
        )

    # --- batches ------------------------------------------------------------------------------

    def has(self, batch: BatchIdentity) -> bool:
        """Return whether a batch is in the database."""
        if not os.path.exists(self.path):
            return False
        with self._opened("rw") as connection:
            return _patiently(lambda: _is_noted(connection, batch), self.path)

    def add(self, batch: BatchIdentity, slide_ms: int, rows: Sequence[Sequence[Any]]) -> None:
        """Put a batch's rows into the table, with its name, or nothing where that fails.

        A batch without rows that follows one of this process is not written: that would force a
        disk for nothing.
        """
        follows = self._noted_ms is not None and self._quiet_ms == batch.time_ms - slide_ms
        if rows or not follows:
            before_ms = self._noted_ms if follows else batch.time_ms - slide_ms
            self._add(batch, before_ms, slide_ms, rows)
            self._noted_ms = batch.time_ms
        self._quiet_ms = batch.time_ms

    def _add(
        self,
        batch: BatchIdentity,
        before_ms: int | None,
        slide_ms: int,
        rows: Iterable[Sequence[Any]],
    ) -> None:
        with self._opened("rwc") as connection:
            _patiently(lambda: connection.execute("BEGIN IMMEDIATE"), self.path)
            try:
                if not _is_noted(connection, batch):
                    self._make(connection)
                    self._add_rows(connection, batch, rows)
                    _note(connection, batch, before_ms, slide_ms)
                engine.pass_kill_point("rows.written")
                _patiently(lambda: connection.execute("COMMIT"), self.path)
                engine.pass_kill_point("rows.committed")
            except BaseException:
                # Of some errors, such as a full disk, SQLite ends the transaction itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute(_MAKE_BATCHES)
        columns = [_quoted(name) for name in self.columns]
        if self.time is not None:
            columns.append(f"{_quoted(self.time)} INTEGER")
        if self.key:
            columns.append(f"PRIMARY KEY ({_listed(self.key)})")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_quoted(self.table)} ({', '.join(columns)})"
        )

    def _add_rows(
        self, connection: sqlite3.Connection, batch: BatchIdentity, rows: Iterable[Sequence[Any]]
    ) -> None:
        at: Sequence[Any] | None = None

        def watched() -> Iterator[Sequence[Any]]:
            nonlocal at
            for row in rows:
                at = row
                yield row
            at = None

        try:
            connection.executemany(self._insert(batch.time_ms), watched())
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            if at is not None:
                text = repr(tuple(at))
                shown = text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}..."
                error.add_note(f"row: {shown}")
            error.add_note(f"into {self.where}: nothing of the batch is in it")
            if isinstance(error, sqlite3.IntegrityError) and not self.key:
                error.add_note("to have rows of the same key replaced, say key=[...]")
            raise

    def _insert(self, time_ms: int) -> str:
        names = [_quoted(name) for name in self.columns]
        values = ["?"] * len(names)
        if self.time is not None:
            names.append(_quoted(self.time))
            values.append(str(time_ms))
        table = _quoted(self.table)
        text = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)})"
        if not self.key:
            return text
        keys = {_quoted(name) for name in self.key}
        set_to = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
        text += f" ON CONFLICT ({_listed(self.key)}) DO "
        if self.time is None:
            return text + (f"UPDATE SET {set_to}" if set_to else "NOTHING")
        stamp = f"{table}.{_quoted(self.time)}"
        return f"{text}UPDATE SET {set_to} WHERE {stamp} IS NULL OR {stamp} <= {time_ms}"

    # --- the database -------------------------------------------------------------------------

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        """Give a connection, for this batch alone. ``mode`` is ``rw``, or ``rwc`` to make the file.

        So a file that somebody replaces between two batches is seen, and nobody's fork has it. It
        is not read-only: what a killed process has left must be rolled back before it is read.
        """
        try:
            connection = sqlite3.connect(
                f"file:{quote(self.path)}?mode={mode}",
                uri=True,
                timeout=_STEP_SECONDS,
                isolation_level=None,
            )
        except sqlite3.Error as error:
            error.add_note(f"database: {self.path}")
            raise
        with closing(connection):
            try:
                # A batch that is noted as done must be there when the machine has lost its power.
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
            except sqlite3.Error as error:
                error.add_note(f"database: {self.path}")
                raise


def _file(path: object) -> str:
    text = output_path(path, "saveToSQLite")
    if os.path.basename(text) == ":memory:" or not path:
        raise ValueError("saveToSQLite needs a file: a database in memory ends with each batch")
    return text


def _name(given: object, what: str) -> str:
    if not isinstance(given, str):
        raise TypeError(f"the name of a {what} is a text, not {type(given).__name__}: {given!r}")
    if not given or "\0" in given:
        raise ValueError(f"{given!r} cannot be the name of a {what}")
    return given


def _names(given: Sequence[str], what: str) -> list[str]:
    if isinstance(given, str):
        raise TypeError(f"{what} is a list of names, not a text: [{given!r}]")
    names = [_name(name, "column") for name in given]
    if len({name.lower() for name in names}) < len(names):
        raise ValueError(f"a name is twice in {what}: {', '.join(names)}")
    return names


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _patiently(action: Callable[[], T], path: str) -> T:
    """Do what may meet a lock of another connection's, again and again for half a minute."""
    for step in range(1, _MOST_STEPS + 1):
        try:
            return action()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if step == _MOST_STEPS:
                raise sqlite3.OperationalError(
                    f"another connection has had a lock on {path} for "
                    f"{_MOST_STEPS * _STEP_SECONDS:.0f} s: end its transaction"
                ) from error
    raise AssertionError("there is at least one step")


# --- which batches are in it ----------------------------------------------------------------------


def _is_noted(connection: sqlite3.Connection, batch: BatchIdentity) -> bool:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [BATCHES]).fetchone()
    if there is None:
        return False
    found = _range_at(connection, batch, batch.time_ms)
    return found is not None and found[1] >= batch.time_ms


def _range_at(
    connection: sqlite3.Connection, batch: BatchIdentity, time_ms: int
) -> tuple[int, int] | None:
    """Return the first and the last time of the batches that begin at a time or before it."""
    found: tuple[int, int] | None = connection.execute(
        f"SELECT first_ms, last_ms FROM {BATCHES} WHERE job = ? AND output = ? AND first_ms <= ? "
        "ORDER BY first_ms DESC LIMIT 1",
        [batch.job, batch.output, time_ms],
    ).fetchone()
    return found


def _note(
    connection: sqlite3.Connection, batch: BatchIdentity, before_ms: int | None, slide_ms: int
) -> None:
    """Note a batch as done, together with those right before and right behind it.

    ``before_ms`` is the time of the noted one that is right before it, but for empty ones.
    """
    time_ms = batch.time_ms
    first_ms = last_ms = time_ms
    before = _range_at(connection, batch, time_ms)
    if before is not None and before[1] == before_ms:
        first_ms = before[0]
    behind = _range_at(connection, batch, time_ms + slide_ms)
    if behind is not None and behind[0] == time_ms + slide_ms:
        last_ms = behind[1]
    name = [batch.job, batch.output]
    connection.execute(
        f"DELETE FROM {BATCHES} WHERE job = ? AND output = ? AND first_ms > ? AND first_ms <= ?",
        [*name, time_ms, last_ms],
    )
    connection.execute(
        f"INSERT OR REPLACE INTO {BATCHES} VALUES (?, ?, ?, ?)", [*name, first_ms, last_ms]
    )
    if first_ms == time_ms:
        connection.execute(
            f"DELETE FROM {BATCHES} WHERE job = ? AND output = ? AND first_ms <= (SELECT first_ms "
            f"FROM {BATCHES} WHERE job = ? AND output = ? ORDER BY first_ms DESC LIMIT 1 OFFSET ?)",
            [*name, *name, _MOST_RANGES],
        )
