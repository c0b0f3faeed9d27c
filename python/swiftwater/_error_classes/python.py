"""PySpark's errors that are one of Python's own, too."""

from __future__ import annotations

# From where pickle has it: pickle itself loads more than the name of an error is worth.
from _pickle import PicklingError

from swiftwater._error_classes.base import PySparkException

__all__ = [
    "PySparkAssertionError",
    "PySparkAttributeError",
    "PySparkImportError",
    "PySparkIndexError",
    "PySparkKeyError",
    "PySparkNotImplementedError",
    "PySparkPicklingError",
    "PySparkRuntimeError",
    "PySparkTypeError",
    "PySparkValueError",
]


class PySparkValueError(PySparkException, ValueError):
    """A ``ValueError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkValueError, ValueError)
        True
    """


class PySparkTypeError(PySparkException, TypeError):
    """A ``TypeError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkTypeError, TypeError)
        True
    """


class PySparkIndexError(PySparkException, IndexError):
    """An ``IndexError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkIndexError, IndexError)
        True
    """


class PySparkAttributeError(PySparkException, AttributeError):
    """An ``AttributeError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkAttributeError, AttributeError)
        True
    """


class PySparkRuntimeError(PySparkException, RuntimeError):
    """A ``RuntimeError`` of PySpark's own.

    Example::

        >>> total = sc.accumulator(0)
        >>> try:
        ...     sc.parallelize([1]).foreach(lambda n: total.value)
        ... except PySparkRuntimeError as error:
        ...     print(error.getCondition())
        VALUE_NOT_ACCESSIBLE
    """


class PySparkAssertionError(PySparkException, AssertionError):
    """An ``AssertionError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkAssertionError, AssertionError)
        True
    """


class PySparkNotImplementedError(PySparkException, NotImplementedError):
    """A ``NotImplementedError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkNotImplementedError, NotImplementedError)
        True
    """


class PySparkPicklingError(PySparkException, PicklingError):
    """A ``pickle.PicklingError`` of PySpark's own.

    Example::

        >>> import pickle
        >>> issubclass(PySparkPicklingError, pickle.PicklingError)
        True
    """


class PySparkKeyError(PySparkException, KeyError):
    """A ``KeyError`` of PySpark's own.

    Example::

        >>> str(PySparkKeyError("no such field"))
        'no such field'
    """


class PySparkImportError(PySparkException, ImportError):
    """An ``ImportError`` of PySpark's own.

    Example::

        >>> issubclass(PySparkImportError, ImportError)
        True
    """
