"""Functions of ``pyspark.sql.functions`` that DuckDB's interface lacks, made of what DuckDB has."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from weakref import WeakKeyDictionary

from duckdb import (
    CaseExpression,
    CoalesceOperator,
    ConstantExpression,
    FunctionExpression,
    SQLExpression,
)
from duckdb.experimental.spark.sql import functions as theirs
from duckdb.experimental.spark.sql import readwriter, types
from duckdb.experimental.spark.sql.column import Column
from duckdb.experimental.spark.sql.types import DataType, StringType

from swiftwater._sql import missing
from swiftwater._typing import Any

__all__ = ["complete"]

_expression: Any = getattr(theirs, "_to_column_expr")  # noqa: B009 - it is private there
_aggregate: Any = getattr(theirs, "_aggregate_column")  # noqa: B009
_parsed: Any = getattr(types, "_parse_datatype_string")  # noqa: B009
_strftime: Any = getattr(readwriter, "_strftime_format")  # noqa: B009

# Other names of functions that are there.
_SAME = {
    "char_length": "length",
    "character_length": "length",
    "column": "col",
    "current_timestamp": "now",
    "datediff": "date_diff",
    "negate": "negative",
    "power": "pow",
    "rlike": "regexp_like",
    "toDegrees": "degrees",
    "toRadians": "radians",
}

# Functions of columns that DuckDB has under the same name.
_NATIVE = (
    *("acosh", "asinh", "atanh", "bit_count", "cosh", "log10", "map_keys", "map_values", "sinh"),
    *("tanh", "to_json"),
)


def explode(col: Any) -> Column:
    """Return a row for each item of an array; none for an empty one."""
    return Column(FunctionExpression("unnest", _expression(col))).alias("col")


def explode_outer(col: Any) -> Column:
    """Return a row for each item of an array, and one with None for an empty one or None."""
    items = _expression(col)
    none = FunctionExpression("list_value", ConstantExpression(None))
    is_filled = FunctionExpression("len", items) > ConstantExpression(0)
    return Column(
        FunctionExpression("unnest", CaseExpression(is_filled, items).otherwise(none))
    ).alias("col")


def collect_set(col: Any) -> Column:
    """Return the different values of a group that are not None, in no order."""
    values = FunctionExpression("list_distinct", FunctionExpression("list", _expression(col)))
    empty = SQLExpression("[]")
    column: Column = _aggregate(CoalesceOperator(values, empty))
    return column


def count_distinct(col: Any, *cols: Any) -> Column:
    """Return the number of different values of a group, without those that have None in them."""
    inputs = [_expression(each) for each in (col, *cols)]
    value = inputs[0]
    if cols:
        is_none = inputs[0].isnull()
        for each in inputs[1:]:
            is_none = is_none | each.isnull()
        row = FunctionExpression("row", *inputs)
        value = CaseExpression(is_none, ConstantExpression(None)).otherwise(row)
    values = FunctionExpression("list_distinct", FunctionExpression("list", value))
    number = CoalesceOperator(FunctionExpression("len", values), ConstantExpression(0))
    column: Column = _aggregate(number.cast("BIGINT"))
    return column


def date_add(start: Any, days: Any) -> Column:
    """Return the date so many days later."""
    number = ConstantExpression(days) if isinstance(days, int) else _expression(days)
    return Column((_expression(start).cast("DATE") + number.cast("INTEGER")).cast("DATE"))


def date_sub(start: Any, days: Any) -> Column:
    """Return the date so many days earlier."""
    number = ConstantExpression(days) if isinstance(days, int) else _expression(days)
    return Column((_expression(start).cast("DATE") - number.cast("INTEGER")).cast("DATE"))


def date_format(date: Any, format: str) -> Column:
    """Return a date or a timestamp as text; ``format`` is a pattern of Spark's."""
    value = _expression(date).cast("TIMESTAMP")
    return Column(FunctionExpression("strftime", value, ConstantExpression(_strftime(format))))


def from_json(col: Any, schema: Any, options: Any = None) -> Column:
    """Return what a text in JSON holds, as a structure; None where it is no JSON.

    ``schema`` is a type, or a text such as ``"user string, n int"``.
    """
    wanted = _parsed(schema) if isinstance(schema, str) else schema
    if not isinstance(wanted, DataType):
        raise missing.refusal("from_json with a schema that is a column", "")
    target = wanted.duckdb_type
    return Column(SQLExpression(f"TRY_CAST({_json(col)} AS {target})"))


def _json(col: Any) -> Any:
    return SQLExpression(f"TRY_CAST({_expression(col)} AS JSON)")


def get_json_object(col: Any, path: str) -> Column:
    """Return what is at a path (``$.a.b``) of a text in JSON, as text; None where nothing is."""
    where = ConstantExpression(path)
    return Column(FunctionExpression("json_extract_string", _json(col), where))


def log(arg1: Any, arg2: Any = None) -> Column:
    """Return the natural logarithm, or with two arguments that to the base ``arg1``."""
    if arg2 is None:
        return Column(FunctionExpression("ln", _expression(arg1)))
    base = FunctionExpression("ln", ConstantExpression(float(arg1)))
    return Column(FunctionExpression("ln", _expression(arg2)) / base)


def size(col: Any) -> Column:
    """Return the number of items of an array or a map; -1 for None, as Spark has it."""
    length = FunctionExpression("len", _expression(col)).cast("INTEGER")
    return Column(CoalesceOperator(length, ConstantExpression(-1)))


class _Function:
    """A function of the program that works on columns: what ``udf`` gives."""

    def __init__(self, function: Callable[..., Any], return_type: Any) -> None:
        self.func = self._spark_udf_function = function
        self.returnType = return_type
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__ = function.__doc__
        # A connection knows functions by what was registered with it.
        self._registered: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def __call__(self, *cols: Any) -> Column:
        from swiftwater._sql.session import SparkSession

        session = SparkSession.active()
        known = self._registered.get(session)
        if known is None:
            if find_spec("numpy") is None:
                raise ImportError(
                    "DuckDB calls functions of a program (udf) with NumPy, which is not installed "
                    "in this Python environment: pip install numpy"
                )
            known = session.udf.register(self.__name__, self.func, self.returnType)
            self._registered[session] = known
        column: Column = known(*cols)
        return column

    def asNondeterministic(self) -> _Function:
        """Return the function itself."""
        return self


def udf(f: Any = None, returnType: Any = None, *, useArrow: Any = None) -> Any:
    """Return a function of the program as one of columns; also a decorator.

    ``returnType`` is a type or its name, by default text.
    """
    if f is None or isinstance(f, (str, DataType)):
        wanted = returnType if f is None else f
        return lambda function: _Function(function, wanted or StringType())
    return _Function(f, returnType or StringType())


_OWN: dict[str, Callable[..., Any]] = {
    "collect_set": collect_set,
    "countDistinct": count_distinct,
    "count_distinct": count_distinct,
    "date_add": date_add,
    "date_format": date_format,
    "date_sub": date_sub,
    "explode": explode,
    "explode_outer": explode_outer,
    "from_json": from_json,
    "get_json_object": get_json_object,
    "log": log,
    "size": size,
    "udf": udf,
}


def _native(name: str) -> Callable[..., Column]:
    def called(*cols: Any) -> Column:
        return Column(FunctionExpression(name, *map(_expression, cols)))

    called.__name__ = called.__qualname__ = name
    called.__doc__ = "DuckDB's function of this name."
    return called


def complete(space: dict[str, Any]) -> None:
    """Add to the names of a module what PySpark's functions have and DuckDB's have not."""
    for name in missing.FUNCTIONS:
        if name in space:
            continue
        own = _OWN.get(name) or getattr(theirs, _SAME.get(name) or "", None)
        if own is None and name in _NATIVE:
            own = _native(name)
        space[name] = own or missing.function(name)
