"""The classes of errors that programs catch by name: PySpark's, Py4J's, and the engine's states.

An error of the engine's own is an instance of all the classes under which a program may expect it:
``IllegalStateException`` is a ``RuntimeError``, as everywhere in Python, and a ``Py4JJavaError``,
as in PySpark. ``pyspark.errors`` and ``py4j.protocol`` hold the same classes.

An exception of a user's function keeps its type. Where the program has imported ``py4j.protocol``,
it is also a ``Py4JJavaError`` when it leaves an action.
"""

from __future__ import annotations

# From where pickle has it: pickle itself loads more than the name of an error is worth.
from _pickle import PicklingError
from collections.abc import Mapping, Sequence

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


class Py4JError(Exception):
    """What Py4J raises where a call into the JVM goes wrong.

    Example::

        >>> issubclass(Py4JJavaError, Py4JError)
        True
    """

    def __init__(self, args: object = None, cause: BaseException | None = None) -> None:
        """Take a message, and the error that led to this one."""
        super().__init__(args)
        self.cause = cause


class Py4JNetworkError(Py4JError):
    """What Py4J raises where the JVM cannot be reached. Programs catch it; nothing raises it here.

    Example::

        >>> str(Py4JNetworkError("no answer"))
        'no answer'
    """

    def __init__(
        self, args: object = None, cause: BaseException | None = None, when: str | None = None
    ) -> None:
        """Take a message, the error that led to this one, and when it happened."""
        super().__init__(args, cause)
        self.when = when


class Py4JAuthenticationError(Py4JError):
    """What Py4J raises where the JVM refuses the caller. Nothing raises it here.

    Example::

        >>> issubclass(Py4JAuthenticationError, Py4JError)
        True
    """


class JavaThrowable:
    """What stands in ``Py4JJavaError.java_exception``: the methods of a Java exception.

    Example::

        >>> thrown = JavaThrowable("java.lang.IllegalStateException", "already stopped")
        >>> thrown.getMessage(), thrown.toString()
        ('already stopped', 'java.lang.IllegalStateException: already stopped')
    """

    def __init__(self, name: str, message: str) -> None:
        """Take the Java class's name and the message."""
        self._name = name
        self._message = message

    def getMessage(self) -> str:
        """Return the message.

        Example::

            >>> JavaThrowable("java.lang.Exception", "no").getMessage()
            'no'
        """
        return self._message

    def getLocalizedMessage(self) -> str:
        """Return the message.

        Example::

            >>> JavaThrowable("java.lang.Exception", "no").getLocalizedMessage()
            'no'
        """
        return self._message

    def toString(self) -> str:
        """Return class and message.

        Example::

            >>> JavaThrowable("java.lang.Exception", "no").toString()
            'java.lang.Exception: no'
        """
        return f"{self._name}: {self._message}" if self._message else self._name

    def getCause(self) -> None:
        """Return nothing: the cause of the Python exception is its ``__cause__``.

        Example::

            >>> JavaThrowable("java.lang.Exception", "no").getCause() is None
            True
        """

    def getStackTrace(self) -> list[str]:
        """Return no frames: there is no JVM. Python's are in ``__traceback__``.

        Example::

            >>> JavaThrowable("java.lang.Exception", "no").getStackTrace()
            []
        """
        return []

    def getClass(self) -> JavaClass:
        """Return what answers ``getName`` and ``getSimpleName``.

        Example::

            >>> JavaThrowable("java.lang.Exception", "no").getClass().getSimpleName()
            'Exception'
        """
        return JavaClass(self._name)

    def __str__(self) -> str:
        return self.toString()


class JavaClass:
    """The name of a Java class.

    Example::

        >>> JavaClass("java.lang.Exception").getName()
        'java.lang.Exception'
    """

    def __init__(self, name: str) -> None:
        """Take the full name."""
        self._name = name

    def getName(self) -> str:
        """Return the name with its package.

        Example::

            >>> JavaClass("java.lang.Exception").getName()
            'java.lang.Exception'
        """
        return self._name

    def getSimpleName(self) -> str:
        """Return the name without its package.

        Example::

            >>> JavaClass("java.lang.Exception").getSimpleName()
            'Exception'
        """
        return self._name.rpartition(".")[2]


class Py4JJavaError(Py4JError):
    """What PySpark raises for an error of the engine, and of a user's function in a job.

    ``java_exception`` answers ``toString()``, ``getMessage()`` and ``getClass().getName()``.

    Example::

        >>> try:
        ...     sc.setLogLevel("LOUD")
        ... except Py4JJavaError as error:
        ...     print(error.java_exception.getClass().getName())
        java.lang.IllegalArgumentException
    """

    _java_class = "org.apache.spark.SparkException"

    def __init__(self, msg: object = None, java_exception: JavaThrowable | None = None) -> None:
        """Take a message and what stands for the Java exception; by default one is made."""
        Exception.__init__(self, msg)
        self.cause = None
        self.errmsg = msg
        self.java_exception = java_exception or JavaThrowable(
            self._java_class, "" if msg is None else str(msg)
        )

    def __str__(self) -> str:
        return "" if self.errmsg is None else str(self.errmsg)


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


class ArithmeticException(PySparkException):
    """A query divides by zero, or a number becomes too large.

    Example::

        >>> issubclass(ArithmeticException, PySparkException)
        True
    """


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


class NoJVMError(Py4JError, NotImplementedError):
    """A program has called into the JVM, and there is none.

    Example::

        >>> try:
        ...     sc._jvm.java.util.ArrayList()
        ... except NoJVMError as error:
        ...     print(str(error).partition(":")[0])
        sc._jvm.java.util.ArrayList() needs a JVM, and Swiftwater has none
    """
