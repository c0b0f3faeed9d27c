"""PySpark's errors of queries: names that programs catch."""

from __future__ import annotations

from swiftwater._error_classes.base import PySparkException

__all__ = [
    "AnalysisException",
    "ArithmeticException",
    "ArrayIndexOutOfBoundsException",
    "DateTimeException",
    "ParseException",
    "PickleException",
    "PythonException",
    "QueryExecutionException",
    "SessionNotSameException",
    "SparkNoSuchElementException",
    "SparkRuntimeException",
    "SparkUpgradeException",
    "StreamingPythonRunnerInitializationException",
    "StreamingQueryException",
    "TempTableAlreadyExistsException",
    "UnknownException",
]


class AnalysisException(PySparkException):
    """A query names something that is not there.

    Example::

        >>> issubclass(AnalysisException, PySparkException)
        True
    """


class SessionNotSameException(PySparkException):
    """Two data frames are of different sessions.

    Example::

        >>> issubclass(SessionNotSameException, PySparkException)
        True
    """


class TempTableAlreadyExistsException(AnalysisException):
    """A temporary view of this name is there already.

    Example::

        >>> issubclass(TempTableAlreadyExistsException, AnalysisException)
        True
    """


class ParseException(AnalysisException):
    """A query is not SQL.

    Example::

        >>> issubclass(ParseException, AnalysisException)
        True
    """


class ArithmeticException(PySparkException):
    """A query divides by zero, or a number becomes too large.

    Example::

        >>> issubclass(ArithmeticException, PySparkException)
        True
    """


class ArrayIndexOutOfBoundsException(PySparkException):
    """A query's index is outside of an array.

    Example::

        >>> issubclass(ArrayIndexOutOfBoundsException, PySparkException)
        True
    """


class DateTimeException(PySparkException):
    """A text in a query is no date or time.

    Example::

        >>> issubclass(DateTimeException, PySparkException)
        True
    """


class StreamingQueryException(PySparkException):
    """A structured streaming query failed; a name for programs that catch it.

    Example::

        >>> issubclass(StreamingQueryException, PySparkException)
        True
    """


class StreamingPythonRunnerInitializationException(PySparkException):
    """A worker of a streaming query did not start; a name for programs that catch it.

    Example::

        >>> issubclass(StreamingPythonRunnerInitializationException, PySparkException)
        True
    """


class QueryExecutionException(PySparkException):
    """A query failed while it ran.

    Example::

        >>> issubclass(QueryExecutionException, PySparkException)
        True
    """


class PythonException(PySparkException):
    """A Python function in a query failed.

    Example::

        >>> issubclass(PythonException, PySparkException)
        True
    """


class SparkRuntimeException(PySparkException):
    """A query failed on a value.

    Example::

        >>> issubclass(SparkRuntimeException, PySparkException)
        True
    """


class SparkUpgradeException(PySparkException):
    """Two releases of Spark would give different results; a name for programs that catch it.

    Example::

        >>> issubclass(SparkUpgradeException, PySparkException)
        True
    """


class SparkNoSuchElementException(PySparkException):
    """Something that was asked for by name is not there.

    Example::

        >>> issubclass(SparkNoSuchElementException, PySparkException)
        True
    """


class UnknownException(PySparkException):
    """Any other error of a query.

    Example::

        >>> issubclass(UnknownException, PySparkException)
        True
    """


class PickleException(PySparkException):
    """A value cannot be pickled, in a query.

    Example::

        >>> issubclass(PickleException, PySparkException)
        True
    """
