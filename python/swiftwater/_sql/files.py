"""``DataFrame.write`` and ``SparkSession.read``: folders of part files, as Spark has them.

DuckDB writes and reads the files themselves. It knows single files and no folders, has no modes of
its own, and takes options as arguments of each call.
"""

from __future__ import annotations

import functools
import inspect
import os
import uuid
from collections.abc import Callable, Iterable

from duckdb.experimental.spark.sql import readwriter, types

from swiftwater._native import engine
from swiftwater._paths import input_files, output_path
from swiftwater._rdd.part_files import write_folder
from swiftwater._rdd.prepared_folders import commit_way
from swiftwater._sql import missing
from swiftwater._sql.frames import json_lines
from swiftwater._typing import Any
from swiftwater.rdd import RDD

__all__ = ["Reader", "Writer"]

# Without their types: what is different here is different by intention.
_Reader: Any = readwriter.DataFrameReader
_Writer: Any = readwriter.DataFrameWriter
_parsed: Any = getattr(types, "_parse_datatype_string")  # noqa: B009 - it is private there

_MODES = {
    "append": "append",
    "overwrite": "overwrite",
    "ignore": "ignore",
    "error": "error",
    "errorifexists": "error",
    "default": "error",
}

# So many files are one query.
_TOGETHER = 64

# Other names of options.
_SYNONYMS = {"delimiter": "sep", "codec": "compression"}


def _arguments(function: Callable[..., Any], options: dict[str, Any], call: str) -> dict[str, Any]:
    """Return the options that a function of DuckDB's takes, by its spelling; tell of the others."""
    known = {name.lower(): name for name in inspect.signature(function).parameters}
    found: dict[str, Any] = {}
    for option, value in options.items():
        name = known.get(_SYNONYMS.get(option.lower(), option.lower()))
        if name is None or name in ("self", "path", "paths", "mode", "schema"):
            engine.notice(
                "warning", None, f"the option {option} of {call} has no effect in Swiftwater"
            )
        else:
            found[name] = value
    return found


class _WithOptions:
    """What reading and writing have in common."""

    def __init__(self) -> None:
        self._format: str | None = None
        self._options: dict[str, Any] = {}

    def format(self, source: str) -> Any:
        """Choose ``csv``, ``json``, ``parquet`` or ``text``."""
        self._format = source.lower()
        return self

    def option(self, key: str, value: Any) -> Any:
        """Set an option of the format."""
        self._options[key] = value
        return self

    def options(self, **options: Any) -> Any:
        """Set several options."""
        self._options |= options
        return self


def _unknown_format(name: str, known: Iterable[str]) -> NotImplementedError:
    return missing.refusal(f"the format {name}", f"use {', '.join(known)}")


class Reader(_WithOptions, _Reader):  # type: ignore[misc]
    """What ``SparkSession.read`` gives: files, folders of them, and RDDs of texts in JSON."""

    def __init__(self, session: Any) -> None:
        """Read into data frames of ``session``."""
        _WithOptions.__init__(self)
        _Reader.__init__(self, session)
        self._schema: Any = None

    def schema(self, schema: Any) -> Reader:
        """Say the types of the columns: a structure, or a text such as ``"a int, b string"``."""
        self._schema = schema
        return self

    def load(
        self,
        path: Any = None,
        format: str | None = None,
        schema: Any = None,
        **options: Any,
    ) -> Any:
        """Read files in the chosen format, by default that which their names tell, or parquet."""
        self.options(**options)
        chosen = (format or self._format or _format_of(path)).lower()
        if chosen not in ("csv", "json", "parquet", "text"):
            raise _unknown_format(chosen, ("csv", "json", "parquet", "text"))
        if schema is not None:
            self._schema = schema
        return getattr(self, chosen)(path)

    def csv(self, path: Any, schema: Any = None, **options: Any) -> Any:
        """Read text with separators: columns of text, without a schema or ``inferSchema``."""
        theirs = _Reader.csv
        given = _arguments(theirs, self._options | options, "csv")
        return self._united(path, lambda file: theirs(self, file, self._chosen(schema), **given))

    def json(self, path: Any, schema: Any = None, **options: Any) -> Any:
        """Read lines in JSON: from files, or from an RDD of texts."""
        theirs = _Reader.json
        given = _arguments(theirs, self._options | options, "json")

        def read(file: str) -> Any:
            chosen = self._chosen(schema)
            if chosen is not None:
                return _Reader.load(self, file, "json", chosen)
            return theirs(self, file, **given)

        if not isinstance(path, RDD):
            return self._united(path, read)
        import tempfile

        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            # A text may have line ends between its parts, and none within.
            file.writelines(" ".join(str(text).splitlines()) + "\n" for text in path.collect())
            file.flush()
            # Read now: the file goes.
            return read(file.name).cache()

    def parquet(self, *paths: Any, **options: Any) -> Any:
        """Read columns in Parquet's format."""
        _arguments(_Reader.parquet, self._options | options, "parquet")
        frame = self._united(list(paths), lambda file: _Reader.parquet(self, file))
        return frame if self._schema is None else frame.select(*_names(self._schema))

    def text(self, paths: Any, **options: Any) -> Any:
        """Read lines, as a column ``value``."""
        _arguments(lambda paths: None, self._options | options, "text")
        names = [paths] if isinstance(paths, str) else list(paths)
        lines = self.session.sparkContext.textFile(",".join(names)).map(lambda line: (line,))
        return self.session.createDataFrame(lines, "value string")

    def table(self, tableName: str) -> Any:
        """Return a view or a table as a data frame."""
        return self.session.table(tableName)

    def _chosen(self, schema: Any) -> Any:
        return self._schema if schema is None else schema

    def _united(self, path: Any, read: Callable[[str], Any]) -> Any:
        names = [path] if isinstance(path, (str, os.PathLike)) else list(path)
        files = [file for name in names for file in input_files(name, "SparkSession.read")]
        if not files:
            from swiftwater.errors import AnalysisException

            raise AnalysisException(f"[UNABLE_TO_INFER_SCHEMA] there are no files in {path}")
        frames = [read(file) for file in files]
        # An empty file among them has no columns.
        united = [frame for frame in frames if frame.columns] or frames[:1]
        while len(united) > 1:
            groups = [united[i : i + _TOGETHER] for i in range(0, len(united), _TOGETHER)]
            united = [functools.reduce(_union, group) for group in groups]
            if len(united) > 1:
                # DuckDB has a bound for how deep a query may be: what it has read ends one.
                united = [frame.cache() for frame in united]
        return united[0]


def _union(a: Any, b: Any) -> Any:
    return a.unionByName(b, allowMissingColumns=True)


def _names(schema: Any) -> list[str]:
    names: list[str] = (_parsed(schema) if isinstance(schema, str) else schema).names
    return names


def _format_of(path: Any) -> str:
    name = str(path).removesuffix(".gz")
    for suffix, kind in ((".csv", "csv"), (".json", "json"), (".txt", "text")):
        if name.endswith(suffix):
            return kind
    return "parquet"


class Writer(_WithOptions, _Writer):  # type: ignore[misc]
    """What ``DataFrame.write`` gives: a folder with a part file and ``_SUCCESS``."""

    def __init__(self, frame: Any) -> None:
        """Write the rows of ``frame``."""
        _WithOptions.__init__(self)
        _Writer.__init__(self, frame)
        self._mode: str | None = None

    def mode(self, saveMode: str | None) -> Writer:
        """Say what is done where the folder is there.

        ``append`` adds a part, ``overwrite`` puts the new part in the place of earlier ones,
        ``ignore`` writes nothing, and ``error`` raises ``AnalysisException``.
        """
        if saveMode is not None:
            if saveMode.lower() not in _MODES:
                raise ValueError(f"the mode must be one of {', '.join(_MODES)}, not {saveMode}")
            self._mode = _MODES[saveMode.lower()]
        return self

    def save(
        self,
        path: str | None = None,
        format: str | None = None,
        mode: str | None = None,
        partitionBy: Any = None,
        **options: Any,
    ) -> None:
        """Write in the chosen format, by default Parquet's."""
        self.options(**options).mode(mode)
        if partitionBy:
            self.partitionBy(partitionBy)
        chosen = (format or self._format or "parquet").lower()
        if chosen not in ("csv", "json", "parquet", "text"):
            raise _unknown_format(chosen, ("csv", "json", "parquet", "text"))
        if path is None:
            raise ValueError("save needs a path")
        getattr(self, chosen)(path)

    def csv(self, path: str, mode: str | None = None, **options: Any) -> None:
        """Write text with separators; the option ``header`` puts the names in front."""
        theirs = _Writer.csv
        given = _arguments(theirs, self._options | options, "csv")
        self._written(path, mode, ".csv", lambda file: theirs(self, file, **given))

    def parquet(
        self, path: str, mode: str | None = None, partitionBy: Any = None, **options: Any
    ) -> None:
        """Write columns in Parquet's format."""
        if partitionBy:
            self.partitionBy(partitionBy)
        theirs = _Writer.parquet
        given = _arguments(theirs, self._options | options, "parquet")
        self._written(path, mode, ".parquet", lambda file: theirs(self, file, **given))

    def json(self, path: str, mode: str | None = None, **options: Any) -> None:
        """Write a line in JSON for each row, without what is None."""
        _arguments(lambda path: None, self._options | options, "json")
        self._written(path, mode, ".json", lambda file: _lines(file, json_lines(self.dataframe)))

    def text(self, path: str, **options: Any) -> None:
        """Write the only column, which is text, as lines."""
        _arguments(lambda path: None, self._options | options, "text")
        kinds = [field.dataType.typeName() for field in self.dataframe.schema.fields]
        if kinds != ["string"]:
            from swiftwater.errors import AnalysisException

            raise AnalysisException(f"text writes one column of text, not {', '.join(kinds)}")
        rows = (row[0] or "" for row in self.dataframe.collect())
        self._written(path, None, ".txt", lambda file: _lines(file, rows))

    def saveAsTable(
        self,
        name: str,
        format: str | None = None,
        mode: str | None = None,
        partitionBy: Any = None,
        **options: Any,
    ) -> None:
        """Keep the rows as a table of the session."""
        self.mode(mode)
        session = self.dataframe.session
        if session.catalog.tableExists(name) and self._mode in ("ignore", "append"):
            if self._mode == "append":
                self.dataframe.relation.insert_into(name)
            return
        if self._mode == "overwrite":
            self.dataframe.cache()
            session.conn.execute(f"drop table if exists {name}")
        _Writer.saveAsTable(self, name)

    def _written(
        self, path: str, mode: str | None, suffix: str, write: Callable[[str], None]
    ) -> None:
        self.mode(mode)
        target = output_path(path, "DataFrame.write")
        is_there = os.path.lexists(target)
        if is_there and self._mode == "ignore":
            return
        if is_there and self._mode in (None, "error"):
            from swiftwater.errors import AnalysisException

            raise AnalysisException(
                f"[PATH_ALREADY_EXISTS] Path file:{target} already exists. Set mode as "
                '"overwrite" to overwrite the existing path.'
            )
        if is_there and not os.path.isdir(target):
            os.unlink(target)
        name = f"part-00000-{uuid.uuid4()}-c000{suffix}"
        write_folder(
            target,
            lambda folder: write(os.path.join(folder, name)),
            overwrite=True,
            keep=self._mode == "append",
            way=commit_way(self.dataframe.session.sparkContext._settings),
        )


def _lines(file: str, lines: Iterable[str]) -> None:
    with open(file, "x", encoding="utf-8", newline="\n") as opened:
        opened.writelines(f"{line}\n" for line in lines)
