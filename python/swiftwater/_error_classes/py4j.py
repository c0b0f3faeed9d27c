"""Py4J's errors, and what stands for a Java exception in them."""

from __future__ import annotations

__all__ = [
    "JavaClass",
    "JavaThrowable",
    "NoJVMError",
    "Py4JAuthenticationError",
    "Py4JError",
    "Py4JJavaError",
    "Py4JNetworkError",
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


class NoJVMError(Py4JError, NotImplementedError):
    """A program has called into the JVM, and there is none.

    Example::

        >>> try:
        ...     sc._jvm.java.util.ArrayList()
        ... except NoJVMError as error:
        ...     print(str(error).partition(":")[0])
        sc._jvm.java.util.ArrayList() needs a JVM, and Swiftwater has none
    """
