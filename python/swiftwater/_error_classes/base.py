"""The base of PySpark's errors, and what it says of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = [
    "PySparkException",
    "QueryContext",
    "QueryContextType",
]


class PySparkException(Exception):
    """The base of ``pyspark.errors``: a message, or an error class with its parameters.

    Example::

        >>> error = PySparkException("no such column")
        >>> str(error), error.getCondition()
        ('no such column', None)
        >>> str(PySparkValueError(errorClass="NOT_INT", messageParameters={"arg_name": "n"}))
        '[NOT_INT] arg_name: n'
    """

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: Mapping[str, str] | None = None,
        contexts: Sequence[QueryContext] | None = None,
        error_class: str | None = None,
        message_parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Take a message, or class and parameters (also in the spelling of Spark 3)."""
        self._errorClass = errorClass if errorClass is not None else error_class
        parameters = messageParameters if messageParameters is not None else message_parameters
        self._messageParameters = dict(parameters) if parameters is not None else None
        self._contexts = list(contexts or ())
        if message is None:
            message = ", ".join(f"{name}: {text}" for name, text in (parameters or {}).items())
        self._message = str(message)
        super().__init__(self._message)

    def getCondition(self) -> str | None:
        """Return the error class, such as ``"NOT_INT"``; ``None`` where there is none.

        Example::

            >>> PySparkException("text", errorClass="NOT_INT").getCondition()
            'NOT_INT'
        """
        return self._errorClass

    def getErrorClass(self) -> str | None:
        """Return what ``getCondition`` returns: its name before Spark 4.

        Example::

            >>> PySparkException("text", errorClass="NOT_INT").getErrorClass()
            'NOT_INT'
        """
        return self._errorClass

    def getMessageParameters(self) -> dict[str, str] | None:
        """Return the parameters of the error class.

        Example::

            >>> error = PySparkException(errorClass="A", messageParameters={"b": "c"})
            >>> error.getMessageParameters()
            {'b': 'c'}
        """
        return self._messageParameters

    def getSqlState(self) -> str | None:
        """Return ``None``: errors have no SQLSTATE here.

        Example::

            >>> PySparkException("text").getSqlState() is None
            True
        """
        return None

    def getMessage(self) -> str:
        """Return the message, with the error class in front where there is one.

        Example::

            >>> PySparkException("text", errorClass="NOT_INT").getMessage()
            '[NOT_INT] text'
        """
        prefix = "" if self._errorClass is None else f"[{self._errorClass}] "
        return f"{prefix}{self._message}"

    def getQueryContext(self) -> list[QueryContext]:
        """Return the places in a query that the error is about; none are known here.

        Example::

            >>> PySparkException("text").getQueryContext()
            []
        """
        return self._contexts

    def __str__(self) -> str:
        return self.getMessage()


class QueryContextType:
    """The kinds of a ``QueryContext``.

    Example::

        >>> QueryContextType.SQL, QueryContextType.DataFrame
        (0, 1)
    """

    SQL = 0
    DataFrame = 1


class QueryContext:
    """A place in a query; a name for programs that import it.

    Example::

        >>> PySparkException("text", contexts=[QueryContext()]).getQueryContext() == []
        False
    """
