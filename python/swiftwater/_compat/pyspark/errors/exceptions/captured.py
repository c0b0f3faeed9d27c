"""PySpark's name for ``swiftwater.errors``."""

from swiftwater.errors import (
    AnalysisException,
    ArithmeticException,
    IllegalArgumentException,
    ParseException,
    PythonException,
    QueryExecutionException,
    SparkRuntimeException,
    StreamingQueryException,
    UnknownException,
    UnsupportedOperationException,
)

__all__ = [
    "AnalysisException",
    "ArithmeticException",
    "IllegalArgumentException",
    "ParseException",
    "PythonException",
    "QueryExecutionException",
    "SparkRuntimeException",
    "StreamingQueryException",
    "UnknownException",
    "UnsupportedOperationException",
]
