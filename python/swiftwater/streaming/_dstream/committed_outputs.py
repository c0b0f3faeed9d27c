"""Outputs whose batches take effect once, however often they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from swiftwater._operator_calls import require_callable
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming._batch_identity import BatchIdentity
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, T, T_co

if TYPE_CHECKING:
    from swiftwater._rdd.prepared_folders import PreparedFolder
    from swiftwater.rdd import RDD

__all__ = ["CommittedOutputs"]


class CommittedOutputs(DStreamCore[T_co]):
    """Outputs that can tell whether they have done a batch before."""

    @defines
    def saveAsTextFiles(self, prefix: str, suffix: str | None = None) -> None:
        """Write each batch as text files into a folder ``prefix-<time in ms>[.suffix]``.

        A folder that is there already is left as it is. It appears when all records are computed;
        what a process that was killed has left of one is removed by the next that starts. For file
        systems that cannot rename a folder see the setting ``swiftwater.files.commit``.

        Example::

            >>> import os
            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([["a", "b"]]).saveAsTextFiles(f"{tmp}/out", "txt")
            ...     test.advance()
            >>> sorted(os.listdir(f"{tmp}/out-1893456001000.txt"))
            ['_SUCCESS', 'part-00000', 'part-00001']
        """
        from swiftwater._paths import output_path
        from swiftwater._rdd.part_files import prepared_text
        from swiftwater._rdd.prepared_folders import commit_way, is_complete, remove_unfinished
        from swiftwater.streaming.util import rddToFileName

        way = commit_way(self._sc._settings)

        def was_saved(time_ms: int) -> bool:
            # Spark: a batch that runs again keeps what its first run wrote.
            folder = rddToFileName(prefix, suffix, time_ms)
            return is_complete(output_path(folder, "saveAsTextFile"), way)

        def saved(time_ms: int, rdd: RDD[Any]) -> PreparedFolder:
            batch = BatchIdentity(self._sc.appName, known, time_ms)
            # A checkpoint that says that the batch is done may outlive the machine's memory.
            is_durable = self._ssc._checkpoint_folder is not None
            folder = rddToFileName(prefix, suffix, time_ms)
            return prepared_text(rdd, folder, batch=str(batch), is_durable=is_durable)

        known = self._output(
            saved,
            "saveAsTextFiles",
            lambda folder: folder.publish(),
            begin=was_saved,
            abandon=lambda folder: folder.abandon(),
        )
        place = output_path(prefix, "saveAsTextFile")
        self._ssc._before_start.append(lambda: remove_unfinished(place, suffix))

    @defines
    def saveToSQLite(
        self,
        path: str,
        table: str,
        columns: Sequence[str],
        *,
        key: Sequence[str] = (),
        time: str | None = None,
        name: str | None = None,
    ) -> None:
        """Write each batch's records as rows of a table in an SQLite database, in one transaction.

        Records are tuples or lists of as many values as there are ``columns`` (names); with one
        column, values too. Values are what Python's ``sqlite3`` takes: None, integers of 64 bits,
        floats, text, bytes. A table that is not there is made, and so is the file.

        Rows are added. With ``key``, names of some of the columns, a row takes the place of the
        one that has the same values there: the last one of a batch counts. The column ``time``
        (with a key ``batch_ms`` where nothing is said) gets the batch time in milliseconds since
        1970; with a key a row of an older batch, which runs again late, changes nothing.

        The names of the batches are kept in the table ``swiftwater_batches`` of the same database,
        under the job's name (``spark.app.name``) and the output's: ``name``, or ``saveToSQLite``,
        the table and a number. So a batch is in it once, however often it runs. Not part of
        PySpark.

        Raises ``ValueError`` and ``TypeError`` for names that cannot be. ``start`` raises
        ``ValueError`` for a table that is there and lacks a column, or has no unique index of
        the key. What cannot be written fails the batch, of which nothing is in the table then.

        Example::

            >>> import sqlite3
            >>> with StreamingTest() as test:
            ...     counts = test.ssc.queueStream([[("a", 1), ("b", 2)], [("a", 3)]])
            ...     counts.saveToSQLite(f"{tmp}/out.db", "counts", ["word", "n"], key=["word"])
            ...     test.advance(2)
            >>> sqlite3.connect(f"{tmp}/out.db").execute("SELECT * FROM counts").fetchall()
            [('a', 3, 1893456002000), ('b', 2, 1893456001000)]
        """
        from functools import partial

        from swiftwater.streaming._dstream.sqlite_tables import SQLiteTable, row_of

        if key and time is None:
            time = "batch_ms"
        target = SQLiteTable(path, table, columns, key, time)
        ssc, site = self._ssc, self._definitions.site
        places = [target.columns.index(column) for column in target.key]
        to_row = partial(row_of, len(target.columns), places, target.where)
        slide_ms = self._slide_ms
        started_ms = 0

        def before_start() -> None:
            nonlocal started_ms
            started_ms = ssc._now_ms()
            try:
                target.check()
            except ValueError as error:
                error.add_note(f"in operator: saveToSQLite at {site}")
                raise

        def is_done(time_ms: int) -> bool:
            batch = BatchIdentity(self._sc.appName, known, time_ms)
            is_there = target.has(batch)
            if is_there and time_ms > started_ms:
                raise ValueError(
                    f"the batch {batch} is in {target.path} already, and this job has come to it "
                    "just now: another job of the same name writes there. Give one of them another "
                    "name (SparkConf.setAppName), or its output (name=)"
                )
            return is_there

        def rows(time_ms: int, rdd: RDD[Any]) -> tuple[int, list[Any]]:
            return time_ms, rdd._piped("map", to_row, "saveToSQLite").collect()

        def add(written: tuple[int, list[Any]]) -> None:
            time_ms, records = written
            target.add(BatchIdentity(self._sc.appName, known, time_ms), slide_ms, records)

        kind = f"saveToSQLite-{target.table}"
        number = ssc._sqlite_outputs[kind] = ssc._sqlite_outputs.get(kind, 0) + 1
        known = self._output(
            rows, "saveToSQLite", add, begin=is_done, named=name or f"{kind}-{number}"
        )
        ssc._before_start.append(before_start)

    @defines
    def foreachRDDOnce(
        self: CommittedOutputs[T],
        write: Callable[[BatchIdentity, RDD[T]], object],
        is_done: Callable[[BatchIdentity], object],
        *,
        name: str | None = None,
    ) -> None:
        """Call ``write(batch, rdd)`` for each batch of which ``is_done(batch)`` is not true.

        For an output of your own that can keep the batch's name: ``write`` puts ``str(batch)``
        beside what it writes, in the same transaction, and ``is_done`` looks for it. Then a batch
        that runs again, because the process was killed or the output had failed, takes effect once.
        Both are called in the driver, one after the other; what ``write`` returns is dropped.

        ``batch`` is a ``BatchIdentity``: the job's name, the output's (``name``, or
        ``foreachRDDOnce`` and a number) and the batch time. Not part of PySpark.

        Example::

            >>> done = {}
            >>> def is_done(batch):
            ...     return str(batch) in done
            >>> def write(batch, rdd):
            ...     done[str(batch)] = rdd.collect()
            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([[1, 2]]).foreachRDDOnce(write, is_done)
            ...     test.advance()
            >>> done
            {'test/foreachRDDOnce-1/1893456001000': [1, 2]}
        """
        for function in (write, is_done):
            require_callable("foreachRDDOnce", function)

        def asked(time_ms: int) -> bool:
            return bool(is_done(BatchIdentity(self._sc.appName, known, time_ms)))

        def written(time_ms: int, rdd: RDD[T]) -> None:
            write(BatchIdentity(self._sc.appName, known, time_ms), rdd)

        known = self._output(written, "foreachRDDOnce", begin=asked, named=name)
