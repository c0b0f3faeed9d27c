"""The engine's errors: arguments, states, jobs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swiftwater._error_classes.base import PySparkException, QueryContext
from swiftwater._error_classes.py4j import JavaThrowable, Py4JJavaError

__all__ = [
    "FileAlreadyExistsException",
    "IllegalArgumentException",
    "IllegalStateException",
    "JobCancelledException",
    "NumberFormatException",
    "SparkException",
    "UnsupportedOperationException",
]


class IllegalArgumentException(PySparkException, Py4JJavaError, ValueError, RuntimeError):
    """An argument or a program does not fulfil what is required of it.

    It is a ``ValueError`` and a ``RuntimeError`` too, and a ``Py4JJavaError`` as in PySpark.

    Example::

        >>> ssc = StreamingContext(sc, 1)
        >>> try:
        ...     ssc.start()
        ... except IllegalArgumentException as error:
        ...     print(error)
        requirement failed: No output operations registered, so nothing to execute
    """

    _java_class = "java.lang.IllegalArgumentException"

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: Mapping[str, str] | None = None,
        contexts: Sequence[QueryContext] | None = None,
    ) -> None:
        """Take what ``PySparkException`` takes."""
        PySparkException.__init__(self, message, errorClass, messageParameters, contexts)
        Py4JJavaError.__init__(self, self._message)


class NumberFormatException(IllegalArgumentException):
    """A text is not a number.

    Example::

        >>> issubclass(NumberFormatException, IllegalArgumentException)
        True
    """

    _java_class = "java.lang.NumberFormatException"


class UnsupportedOperationException(PySparkException, Py4JJavaError, RuntimeError):
    """A call that is not possible in this state, such as changing a stream that has started.

    Example::

        >>> issubclass(UnsupportedOperationException, Py4JJavaError)
        True
    """

    _java_class = "java.lang.UnsupportedOperationException"

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: Mapping[str, str] | None = None,
        contexts: Sequence[QueryContext] | None = None,
    ) -> None:
        """Take what ``PySparkException`` takes."""
        PySparkException.__init__(self, message, errorClass, messageParameters, contexts)
        Py4JJavaError.__init__(self, self._message)


class SparkException(Py4JJavaError, RuntimeError):
    """An error of the engine that is neither an argument nor a state.

    Example::

        >>> shared = sc.broadcast([1])
        >>> shared.destroy()
        >>> try:
        ...     shared.value
        ... except SparkException as error:
        ...     print(error)
        Attempted to use Broadcast(...) after it was destroyed (destroy at ...)
    """


class IllegalStateException(Py4JJavaError, RuntimeError):
    """A call that comes too early or too late.

    It is a ``RuntimeError`` too, and a ``Py4JJavaError`` as in PySpark.

    Example::

        >>> ssc = StreamingContext(sc, 1)
        >>> ssc.stop(stopSparkContext=False)
        >>> try:
        ...     ssc.start()
        ... except IllegalStateException as error:
        ...     print(error)
        StreamingContext has already been stopped
    """

    _java_class = "java.lang.IllegalStateException"


class JobCancelledException(SparkException):
    """A job was ended by ``cancelJobGroup``, ``cancelJobsWithTag`` or ``cancelAllJobs``.

    Example::

        >>> str(JobCancelledException())
        'the job was cancelled'
    """

    def __init__(
        self, msg: object = "the job was cancelled", java_exception: JavaThrowable | None = None
    ) -> None:
        """Take what says why; the message is needed where only the class is given."""
        super().__init__(msg, java_exception)


class FileAlreadyExistsException(SparkException):
    """An output folder is there already.

    Example::

        >>> issubclass(FileAlreadyExistsException, Py4JJavaError)
        True
    """

    _java_class = "org.apache.hadoop.mapred.FileAlreadyExistsException"
