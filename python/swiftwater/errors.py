"""The classes of errors that programs catch by name: PySpark's, Py4J's, and the engine's states.

An error of the engine's own is an instance of all the classes under which a program may expect it:
``IllegalStateException`` is a ``RuntimeError``, as everywhere in Python, and a ``Py4JJavaError``,
as in PySpark. ``pyspark.errors`` and ``py4j.protocol`` hold the same classes.

An exception of a user's function keeps its type. Where the program has imported ``py4j.protocol``,
it is also a ``Py4JJavaError`` when it leaves an action.
"""

from __future__ import annotations

from types import FunctionType

from swiftwater._error_classes.base import (
    PySparkException,
    QueryContext,
    QueryContextType,
)
from swiftwater._error_classes.engine import (
    FileAlreadyExistsException,
    IllegalArgumentException,
    IllegalStateException,
    JobCancelledException,
    NumberFormatException,
    SparkException,
    UnsupportedOperationException,
)
from swiftwater._error_classes.py4j import (
    JavaClass,
    JavaThrowable,
    NoJVMError,
    Py4JAuthenticationError,
    Py4JError,
    Py4JJavaError,
    Py4JNetworkError,
)
from swiftwater._error_classes.python import (
    PySparkAssertionError,
    PySparkAttributeError,
    PySparkImportError,
    PySparkIndexError,
    PySparkKeyError,
    PySparkNotImplementedError,
    PySparkPicklingError,
    PySparkRuntimeError,
    PySparkTypeError,
    PySparkValueError,
)
from swiftwater._error_classes.queries import (
    AnalysisException,
    ArithmeticException,
    ArrayIndexOutOfBoundsException,
    DateTimeException,
    ParseException,
    PickleException,
    PythonException,
    QueryExecutionException,
    SessionNotSameException,
    SparkNoSuchElementException,
    SparkRuntimeException,
    SparkUpgradeException,
    StreamingPythonRunnerInitializationException,
    StreamingQueryException,
    TempTableAlreadyExistsException,
    UnknownException,
)

__all__ = [
    "AnalysisException",
    "ArithmeticException",
    "ArrayIndexOutOfBoundsException",
    "DateTimeException",
    "FileAlreadyExistsException",
    "IllegalArgumentException",
    "IllegalStateException",
    "JavaClass",
    "JavaThrowable",
    "JobCancelledException",
    "NoJVMError",
    "NumberFormatException",
    "ParseException",
    "PickleException",
    "Py4JAuthenticationError",
    "Py4JError",
    "Py4JJavaError",
    "Py4JNetworkError",
    "PySparkAssertionError",
    "PySparkAttributeError",
    "PySparkException",
    "PySparkImportError",
    "PySparkIndexError",
    "PySparkKeyError",
    "PySparkNotImplementedError",
    "PySparkPicklingError",
    "PySparkRuntimeError",
    "PySparkTypeError",
    "PySparkValueError",
    "PythonException",
    "QueryContext",
    "QueryContextType",
    "QueryExecutionException",
    "SessionNotSameException",
    "SparkException",
    "SparkNoSuchElementException",
    "SparkRuntimeException",
    "SparkUpgradeException",
    "StreamingPythonRunnerInitializationException",
    "StreamingQueryException",
    "TempTableAlreadyExistsException",
    "UnknownException",
    "UnsupportedOperationException",
]


def _belongs_here(kind: type) -> None:
    """Have a class and its methods say that they come from this module."""
    kind.__module__ = __name__
    for member in vars(kind).values():
        if isinstance(member, FunctionType):
            member.__module__ = __name__


for _name in __all__:
    _belongs_here(globals()[_name])
