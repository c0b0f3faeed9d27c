"""``pyspark.sql`` on DuckDB: SparkSession, Row, data frames and SQL for the records of an RDD.

DuckDB brings a Spark API of its own, which computes on one connection in this process. This module
puts it beside a SparkContext: one session for it, settings that are kept, RDDs as a source, and
PySpark's errors. Queries are DuckDB's SQL. Structured streaming is not part of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from swiftwater import _active_contexts, _process_end, errors
from swiftwater._typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from swiftwater.conf import SparkConf
from swiftwater.context import SPARK_VERSION, SparkContext
from swiftwater.rdd import RDD

try:
    import duckdb
    from duckdb.experimental.spark import errors as duckdb_errors
    from duckdb.experimental.spark import exception as duckdb_exception
    from duckdb.experimental.spark.sql import session as duckdb_session
    from duckdb.experimental.spark.sql.catalog import Catalog
    from duckdb.experimental.spark.sql.column import Column
    from duckdb.experimental.spark.sql.dataframe import DataFrame
    from duckdb.experimental.spark.sql.group import GroupedData
    from duckdb.experimental.spark.sql.types import DataType, Row
except ImportError as absent:
    raise ImportError(
        "pyspark.sql needs DuckDB, which is not installed in this Python environment: "
        f"pip install 'swiftwater[sql]' (or: pip install duckdb). The reason: {absent}"
    ) from absent

from swiftwater._sql import frames, missing
from swiftwater._sql.files import Reader as DataFrameReader
from swiftwater._sql.files import Writer as DataFrameWriter

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "Catalog",
    "Column",
    "DataFrame",
    "DataFrameReader",
    "DataFrameWriter",
    "GroupedData",
    "Row",
    "RuntimeConfig",
    "SQLContext",
    "SparkSession",
    "create_data_frame",
]

# As Spark orders nulls.
_NULL_ORDER = "set default_null_order='nulls_first_on_asc_last_on_desc'"

_DUCKDB = ("duckdb", "_duckdb")

_DEFAULTS = {"spark.sql.shuffle.partitions": "200", "spark.sql.caseSensitive": "false"}


class _Connected:
    """What DuckDB's session asks of its context."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection

    def stop(self) -> None:
        self.connection.close()


class RuntimeConfig:
    """The settings of a session. They can be set and read; none changes what DuckDB does."""

    def __init__(self, context: SparkContext) -> None:
        """Begin with the settings of the context."""
        self._values = dict(_DEFAULTS) | dict(context.getConf().getAll())

    def set(self, key: str, value: object) -> None:
        """Set ``key`` to ``value`` as text, true and false in lower case as Spark writes them."""
        self._values[key] = str(value).lower() if isinstance(value, bool) else str(value)

    def get(self, key: str, *default: str | None) -> str | None:
        """Return the value of ``key``, or ``default``; raises where there is neither."""
        if key in self._values:
            return self._values[key]
        if default:
            return default[0]
        raise errors.SparkNoSuchElementException(
            f"the SQL setting {key} is not set", errorClass="SQL_CONF_NOT_FOUND"
        )

    def unset(self, key: str) -> None:
        """Take a setting away, or back to its default."""
        self._values.pop(key, None)
        if key in _DEFAULTS:
            self._values[key] = _DEFAULTS[key]

    def isModifiable(self, key: str) -> bool:
        """Return whether setting ``key`` could have an effect in Spark: SQL's own settings."""
        return key.startswith("spark.sql.")

    @property
    def getAll(self) -> dict[str, str]:
        """All settings."""
        return dict(self._values)


class _BuilderOf:
    """``SparkSession.builder``: a new one at each use, so that options do not stay behind."""

    def __get__(self, instance: object, owner: type[SparkSession]) -> SparkSession.Builder:
        return owner.Builder()


# Without its types: what is different here is different by intention.
_Base: Any = duckdb_session.SparkSession


class SparkSession(_Base):  # type: ignore[misc]
    """Data frames and SQL on the records of a SparkContext's RDDs.

    There is one session for a context: ``builder.getOrCreate()`` gives it, and makes both where
    they are not there.
    """

    _lock: ClassVar[RLock] = RLock()
    _instantiatedSession: ClassVar[SparkSession | None] = None

    class Builder:
        """Collects options for ``getOrCreate``."""

        def __init__(self) -> None:
            """Begin without options."""
            self._options: dict[str, str] = {}

        def config(
            self,
            key: str | None = None,
            value: object = None,
            conf: SparkConf | None = None,
            *,
            map: Mapping[str, object] | None = None,
        ) -> SparkSession.Builder:
            """Set one option, or all of a ``SparkConf`` or of a dictionary."""
            if conf is not None:
                self._options.update(conf.getAll())
            for name, given in (map or {}).items():
                self._options[name] = _setting(given)
            if key is not None:
                self._options[key] = _setting(value)
            return self

        def master(self, master: str) -> SparkSession.Builder:
            """Set the master, for the case that a context has to be made."""
            return self.config("spark.master", master)

        def appName(self, name: str) -> SparkSession.Builder:
            """Set the name of the application, for the case that a context has to be made."""
            return self.config("spark.app.name", name)

        def enableHiveSupport(self) -> SparkSession.Builder:
            """Do nothing: there is no Hive."""
            return self

        def remote(self, url: str) -> NoReturn:
            """Raise ``NotImplementedError``: there is no Spark Connect."""
            raise NotImplementedError("Spark Connect is not part of Swiftwater: use master()")

        def getOrCreate(self) -> SparkSession:
            """Return the session; options become settings of it, and of a context made now."""
            with SparkSession._lock:
                session = SparkSession.getActiveSession()
                if session is None:
                    conf = SparkConf().setAll(self._options.items())
                    session = SparkSession(SparkContext.getOrCreate(conf))
                for key, value in self._options.items():
                    session.conf.set(key, value)
                return session

        create = getOrCreate

    builder = _BuilderOf()

    def __init__(
        self,
        sparkContext: SparkContext,
        jsparkSession: object = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        """Make a session for a context, which is the active one from now on."""
        connection = duckdb.connect(":memory:")
        connection.execute(_NULL_ORDER)
        super().__init__(_Connected(connection))
        self._sc = sparkContext
        self._settings = RuntimeConfig(sparkContext)
        for key, value in (options or {}).items():
            self._settings.set(key, value)
        SparkSession._instantiatedSession = self

    @classmethod
    def getActiveSession(cls) -> SparkSession | None:
        """Return the session whose context is still open; ``None`` where there is none."""
        session = SparkSession._instantiatedSession
        return session if session is not None and session._sc._handle is not None else None

    @classmethod
    def active(cls) -> SparkSession:
        """Return the session. Raises ``PySparkRuntimeError`` where there is none."""
        session = cls.getActiveSession()
        if session is None:
            raise errors.PySparkRuntimeError(
                "no session is active: call SparkSession.builder.getOrCreate()",
                errorClass="NO_ACTIVE_OR_DEFAULT_SESSION",
            )
        return session

    @property
    def sparkContext(self) -> SparkContext:
        """The context of the session."""
        return self._sc

    @property
    def conf(self) -> RuntimeConfig:
        """The settings of the session."""
        return self._settings

    @property
    def version(self) -> str:
        """The version of Spark whose API this is."""
        return SPARK_VERSION

    @property
    def _jsparkSession(self) -> Any:
        from swiftwater._jvm import JavaName

        return JavaName("spark._jsparkSession")

    @property
    def _jvm(self) -> Any:
        return self._sc._jvm

    @property
    def read(self) -> DataFrameReader:
        """What reads files, and RDDs of texts in JSON."""
        return DataFrameReader(self)

    @property
    def readStream(self) -> NoReturn:
        """Raise ``NotImplementedError``: there is no structured streaming."""
        raise NotImplementedError(_NO_STRUCTURED)

    @property
    def streams(self) -> NoReturn:
        """Raise ``NotImplementedError``: there is no structured streaming."""
        raise NotImplementedError(_NO_STRUCTURED)

    def newSession(self) -> SparkSession:
        """Return a session of the same context with temporary views of its own."""
        active = SparkSession._instantiatedSession
        made = SparkSession(self._sc)
        SparkSession._instantiatedSession = active
        return made

    def createDataFrame(
        self,
        data: Any,
        schema: Any = None,
        samplingRatio: float | None = None,
        verifySchema: bool = True,
    ) -> DataFrame:
        """Make a data frame of an RDD's records, of any iterable, or of a pandas data frame.

        A record is a ``Row``, a tuple, a dictionary, or with an atomic type as ``schema`` a value.
        All records are looked at for their types. Raises ``ValueError`` for an RDD without records
        whose types ``schema`` does not tell.
        """
        if isinstance(data, RDD):
            data = data.collect()
            if not data and not isinstance(schema, (DataType, str)):
                raise ValueError("RDD is empty")
        elif isinstance(data, Iterable) and not hasattr(data, "dtypes"):
            data = list(data)
        with _translated():
            frame: DataFrame = super().createDataFrame(data, schema, None, verifySchema)
        return frame

    def sql(self, sqlQuery: str, **named: Any) -> DataFrame:
        """Run a query in DuckDB's SQL, over temporary views. Raises ``AnalysisException``."""
        with _translated():
            frame: DataFrame = super().sql(sqlQuery, **named)
        return frame

    def table(self, tableName: str) -> DataFrame:
        """Return a view or a table as a data frame. Raises ``AnalysisException``."""
        with _translated():
            frame: DataFrame = super().table(tableName)
        return frame

    def stop(self) -> None:
        """Stop the context, and forget all views."""
        self._sc.stop()

    def __enter__(self) -> SparkSession:
        """Return the session itself; leaving the ``with`` block stops it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self.stop()


_NO_STRUCTURED = (
    "structured streaming is not part of Swiftwater: use pyspark.streaming.StreamingContext, and "
    "createDataFrame inside of foreachRDD"
)


class SQLContext:
    """What programs used before ``SparkSession``: the session of a context, by its old names."""

    def __init__(
        self,
        sparkContext: SparkContext,
        sparkSession: SparkSession | None = None,
        jsqlContext: object = None,
    ) -> None:
        """Take the context; its session is made where it is not there."""
        self.sparkSession = sparkSession or _session_of(sparkContext)

    @classmethod
    def getOrCreate(cls, sc: SparkContext) -> SQLContext:
        """Return one for the context."""
        return cls(sc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sparkSession, name)

    def registerDataFrameAsTable(self, df: DataFrame, tableName: str) -> None:
        """Give a data frame a name for queries."""
        df.createOrReplaceTempView(tableName)

    def dropTempTable(self, tableName: str) -> None:
        """Take the name away."""
        self.sparkSession.conn.execute(f'drop view if exists "{tableName}"')


def create_data_frame(
    rdd: RDD[Any], schema: Any = None, sample_ratio: float | None = None
) -> DataFrame:
    """Return the records of ``rdd`` as a data frame of its context's session."""
    return _session_of(rdd.ctx).createDataFrame(rdd, schema, sample_ratio)


def close_session_of(context: SparkContext) -> None:
    """Forget the session of a context that stops."""
    with SparkSession._lock:
        session = SparkSession._instantiatedSession
        if session is not None and session._sc is context:
            SparkSession._instantiatedSession = None
            session.conn.close()


_active_contexts.at_close.append(close_session_of)


def _session_of(context: SparkContext) -> SparkSession:
    with SparkSession._lock:
        session = SparkSession.getActiveSession()
        return session if session is not None and session._sc is context else SparkSession(context)


def _setting(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise DuckDB's errors under PySpark's names."""
    try:
        yield
    except duckdb.ParserException as error:
        raise errors.ParseException(str(error)) from error
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise errors.AnalysisException(str(error)) from error
    except duckdb.Error as error:
        raise errors.QueryExecutionException(str(error)) from error


def _join_errors() -> None:
    """Let ``except pyspark.errors...`` catch what DuckDB's Spark API raises."""
    for name in duckdb_errors.__all__:
        theirs, ours = getattr(duckdb_errors, name), getattr(errors, name, None)
        if ours is not None and not issubclass(theirs, ours):
            kept = [base for base in theirs.__bases__ if not issubclass(ours, base)]
            try:
                theirs.__bases__ = (*kept, ours)
            except TypeError:
                continue  # AttributeError: its objects have a form that no other class shares


_join_errors()
missing.restate(duckdb_exception.ContributionsAcceptedError)
frames.complete(SQLContext)
missing.fill(DataFrameReader, "DataFrameReader")
missing.fill(DataFrameWriter, "DataFrameWriter")
missing.fill(SparkSession, "SparkSession")
_frames: Any = DataFrame
_frames.write = property(DataFrameWriter)
# DuckDB complains on standard error about each of its objects that is alive at the end.
_process_end.clear_at_exit(*(name for name in sys.modules if name.split(".")[0] in _DUCKDB))
