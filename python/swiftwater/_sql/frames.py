"""Members of PySpark's data frames that DuckDB's lack, made of those that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from duckdb import ConstantExpression
from duckdb.experimental.spark.sql import functions
from duckdb.experimental.spark.sql.catalog import Catalog
from duckdb.experimental.spark.sql.column import Column
from duckdb.experimental.spark.sql.dataframe import DataFrame
from duckdb.experimental.spark.sql.group import GroupedData

from swiftwater._sql import missing
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.context import SparkContext
    from swiftwater.rdd import RDD

__all__ = ["complete", "json_lines"]

_FILLED = (bool, int, float, str)


def _context(frame: Any) -> SparkContext:
    context: SparkContext = frame.session.sparkContext
    return context


def _records(frame: Any) -> RDD[Any]:
    return _context(frame).parallelize(frame.collect())


def _itself(frame: Any, *arguments: object, **named: object) -> Any:
    return frame


def json_lines(frame: Any) -> Iterator[str]:
    """Yield a text in JSON for each row, without what is None, as Spark writes it."""
    relation = frame.relation.query(
        "sw_rows", "select json_merge_patch('{}', to_json(sw_rows)) from sw_rows"
    )
    for (text,) in relation.fetchall():
        yield text


def _to_json(frame: Any, use_unicode: bool = True) -> RDD[str]:
    return _context(frame).parallelize(list(json_lines(frame)))


def _agg(frame: Any, *exprs: Any) -> Any:
    return frame.groupBy().agg(*exprs)


def _select_expr(frame: Any, *expr: Any) -> Any:
    texts = expr[0] if len(expr) == 1 and isinstance(expr[0], (list, tuple)) else expr
    return frame.select(*[functions.expr(text) for text in texts])


def _create_temp_view(frame: Any, name: str) -> None:
    if frame.session.catalog.tableExists(name):
        from swiftwater.errors import AnalysisException

        raise AnalysisException(
            f"[TEMP_TABLE_OR_VIEW_ALREADY_EXISTS] Cannot create the temporary view `{name}` "
            "because it already exists."
        )
    frame.createOrReplaceTempView(name)


def _chosen(frame: Any, subset: Any) -> list[str]:
    if subset is None:
        return list(frame.columns)
    return [subset] if isinstance(subset, str) else list(subset)


def _dropna(frame: Any, how: str = "any", thresh: int | None = None, subset: Any = None) -> Any:
    """Leave out rows that have None, or NaN, in the columns of ``subset``."""
    if how not in ("any", "all"):
        raise ValueError(f"how must be 'any' or 'all', not {how!r}")
    names = _chosen(frame, subset)
    least = thresh if thresh is not None else len(names) if how == "any" else 1
    there = [f"({_is_there(frame, name)})::int" for name in names]
    return frame.filter(f"{' + '.join(there)} >= {int(least)}") if there else frame


def _is_there(frame: Any, name: str) -> str:
    quoted = _quoted(name)
    kind = frame.schema[name].dataType.typeName()
    is_there = f"{quoted} is not null"
    return f"{is_there} and not isnan({quoted})" if kind in ("double", "float") else is_there


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _fillna(frame: Any, value: Any, subset: Any = None) -> Any:
    """Put a value in the place of None, in columns of its type; or values, by their columns."""
    if isinstance(value, Mapping):
        values = dict(value)
    else:
        if not isinstance(value, _FILLED):
            raise TypeError(f"fill needs a number, a text, a bool or a dict, not {value!r}")
        values = dict.fromkeys(_chosen(frame, subset), value)
    columns = {}
    for name in frame.columns:
        if name in values and _fits(values[name], frame.schema[name].dataType.typeName()):
            kind = frame.schema[name].dataType.duckdb_type
            filling = Column(ConstantExpression(values[name]).cast(kind))
            columns[name] = functions.coalesce(functions.col(name), filling)
    return frame.withColumns(columns) if columns else frame


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str):
        return kind == "string"
    return kind in {"byte", "short", "integer", "long", "float", "double", "bigint"} or (
        kind.startswith("decimal")
    )


class _MissingValues:
    """What ``DataFrame.na`` gives."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def drop(self, how: str = "any", thresh: int | None = None, subset: Any = None) -> Any:
        return _dropna(self._frame, how, thresh, subset)

    def fill(self, value: Any, subset: Any = None) -> Any:
        return _fillna(self._frame, value, subset)

    def replace(self, *arguments: object, **named: object) -> Any:
        return self._frame.replace(*arguments, **named)


def _explain(frame: Any, *arguments: object, **named: object) -> None:
    print(frame.relation.explain())


def _storage_level(frame: Any) -> Any:
    from swiftwater.storagelevel import StorageLevel

    return StorageLevel.MEMORY_ONLY


def _tail(frame: Any, num: int) -> list[Any]:
    return frame.collect()[-num:] if num > 0 else []


_OF_FRAMES: dict[str, Any] = {
    "agg": _agg,
    "checkpoint": lambda frame, eager=True: frame.cache(),
    "coalesce": _itself,
    "createTempView": _create_temp_view,
    "dropna": _dropna,
    "explain": _explain,
    "fillna": _fillna,
    "foreach": lambda frame, f: _records(frame).foreach(f),
    "foreachPartition": lambda frame, f: _records(frame).foreachPartition(f),
    "hint": _itself,
    "isEmpty": lambda frame: not frame.take(1),
    "isLocal": lambda frame: True,
    "isStreaming": property(lambda frame: False),
    "localCheckpoint": lambda frame, eager=True, storageLevel=None: frame.cache(),
    "na": property(_MissingValues),
    "persist": lambda frame, storageLevel=None: frame.cache(),
    "rdd": property(_records),
    "registerTempTable": lambda frame, name: frame.createOrReplaceTempView(name),
    "repartition": _itself,
    "repartitionByRange": _itself,
    "selectExpr": _select_expr,
    "sortWithinPartitions": lambda frame, *cols, **named: frame.sort(*cols, **named),
    "sparkSession": property(lambda frame: frame.session),
    "storageLevel": property(_storage_level),
    "subtract": lambda frame, other: frame.distinct().exceptAll(other.distinct()),
    "tail": _tail,
    "toJSON": _to_json,
    "toLocalIterator": lambda frame, prefetchPartitions=False: iter(frame.collect()),
    "unpersist": _itself,
}


def _column(value: Any) -> Any:
    return value if isinstance(value, Column) else functions.lit(value)


_OF_COLUMNS: dict[str, Any] = {
    "astype": lambda column, dataType: column.cast(dataType),
    "between": lambda column, low, high: (column >= low) & (column <= high),
    "eqNullSafe": lambda column, other: functions.equal_null(column, _column(other)),
    "getField": lambda column, name: column[name],
    "getItem": lambda column, key: column[key],
    "isNaN": functions.isnan,
    "name": lambda column, *alias: column.alias(*alias),
    "substr": lambda column, startPos, length: functions.substr(
        column, _column(startPos), _column(length)
    ),
}


def _drop_temp_view(catalog: Any, name: str) -> bool:
    found: bool = catalog.tableExists(name)
    catalog._session.conn.execute(f"drop view if exists {_quoted(name)}")
    return found


def _table_exists(catalog: Any, name: str, db: str | None = None) -> bool:
    query = "select 1 from duckdb_views() where view_name = $1 union all "
    query += "select 1 from duckdb_tables() where table_name = $1"
    return bool(catalog._session.conn.execute(query, [name]).fetchall())


_OF_CATALOGS: dict[str, Any] = {
    "cacheTable": lambda catalog, name, storageLevel=None: None,
    "clearCache": lambda catalog: None,
    "currentCatalog": lambda catalog: "spark_catalog",
    "currentDatabase": lambda catalog: "default",
    "databaseExists": lambda catalog, name: name == "default",
    "dropTempView": _drop_temp_view,
    "isCached": lambda catalog, name: False,
    "tableExists": _table_exists,
    "uncacheTable": lambda catalog, name: None,
}


def _with_dictionaries(agg: Any) -> Any:
    def aggregated(grouped: Any, *exprs: Any) -> Any:
        if len(exprs) == 1 and isinstance(exprs[0], Mapping):
            exprs = tuple(
                functions.count("*") if name == "*" else getattr(functions, function)(name)
                for name, function in exprs[0].items()
            )
        return agg(grouped, *exprs)

    aggregated.__doc__ = agg.__doc__
    return aggregated


def _without_columns(method: Any, nothing: Any) -> Any:
    """Return ``method`` with an answer for a frame that has no columns, as of no JSON at all."""

    def called(frame: Any, *arguments: Any) -> Any:
        return method(frame, *arguments) if frame.columns else nothing()

    called.__doc__ = method.__doc__
    return called


def _add(owner: Any, members: Iterable[tuple[str, Any]]) -> None:
    for name, member in members:
        if not hasattr(owner, name):
            setattr(owner, name, member)


def complete(sql_context: Callable[[SparkContext, Any], Any]) -> None:
    """Add to DuckDB's classes what can be made of what they have; the rest says what to use.

    ``sql_context`` makes what a data frame has as ``sql_ctx``, of a context and its session.
    """

    def context_of(frame: Any) -> Any:
        return sql_context(_context(frame), frame.session)

    _add(DataFrame, [*_OF_FRAMES.items(), ("sql_ctx", property(context_of))])
    _add(Column, _OF_COLUMNS.items())
    _add(Catalog, _OF_CATALOGS.items())
    GroupedData.agg = _with_dictionaries(GroupedData.agg)  # type: ignore[method-assign]
    frames: Any = DataFrame
    frames.count = _without_columns(frames.count, int)
    for name in ("collect", "take"):
        setattr(frames, name, _without_columns(getattr(frames, name), list))
    for owner in (DataFrame, GroupedData, Column, Catalog):
        missing.fill(owner, owner.__name__)
