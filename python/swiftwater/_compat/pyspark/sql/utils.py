"""Where PySpark 3 kept the errors of queries."""

from swiftwater.errors import (
    AnalysisException,
    IllegalArgumentException,
    ParseException,
    PythonException,
    QueryExecutionException,
    StreamingQueryException,
    UnknownException,
)

__all__ = [
    "AnalysisException",
    "IllegalArgumentException",
    "ParseException",
    "PythonException",
    "QueryExecutionException",
    "StreamingQueryException",
    "UnknownException",
]
