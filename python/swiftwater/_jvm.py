"""What stands where PySpark has the JVM: says what is not there, and does the little that is cheap.

Programs reach into the JVM for logging, for Hadoop's settings, to have memory freed, and to ask
whether a context runs. Those calls work. Every other call raises an error that names it and says
what to use instead.
"""

from __future__ import annotations

from swiftwater._active_contexts import active_context, active_streams
from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any, NoReturn
from swiftwater.errors import NoJVMError

if TYPE_CHECKING:
    from swiftwater.context import SparkContext

__all__ = ["JavaContext", "JavaGateway", "JavaName", "jvm"]

# By the beginning of a name below the JVM: what to use instead.
_INSTEAD = (
    ("org.apache.hadoop.fs", "os, shutil and pathlib for files"),
    ("org.apache.hadoop", "Python's own file functions"),
    ("org.apache.spark.sql", "pyspark.sql"),
    ("org.apache.spark.streaming", "pyspark.streaming"),
    ("org.apache.spark", "the methods of SparkContext, RDD and DStream"),
    ("org.apache.kafka", "a Kafka client written for Python"),
    ("java.lang.System", "os.environ and time"),
    ("java.lang.Thread", "threading"),
    ("java.lang.Runtime", "os and psutil"),
    ("java.util", "Python's lists, dictionaries and sets"),
    ("System", "os.environ and time"),
)


class JavaName:
    """A name in the JVM, such as ``sc._jvm.java.util.ArrayList``: only calling it is an error."""

    def __init__(self, root: str, path: str = "") -> None:
        """Take what the name begins at, and its parts below with dots between them."""
        self.__dict__.update(_root=root, _path=path)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self._path}.{name}" if self._path else name
        return _WORKING[path] if path in _WORKING else JavaName(self._root, path)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        self._refuse(f".{name} = {value!r}")

    def __call__(self, *arguments: object) -> NoReturn:
        self._refuse("()")

    def _refuse(self, use: str) -> NoReturn:
        instead = "Swiftwater's Python functions"
        for beginning, words in _INSTEAD:
            if self._path.startswith(beginning):
                instead = words
                break
        name = f"{self._root}.{self._path}" if self._path else self._root
        raise NoJVMError(f"{name}{use} needs a JVM, and Swiftwater has none: use {instead}")

    def __repr__(self) -> str:
        return f"<no JVM: {self._root}{'.' if self._path else ''}{self._path}>"


class Logger:
    """Log4j's logger, writing into Swiftwater's log."""

    def __init__(self, name: str) -> None:
        """Take the name that stands before each message."""
        self._name = name

    def _log(self, level: str, message: object, *rest: object) -> None:
        text = str(message)
        engine.log(level, f"{self._name}: {text}" if self._name else text)

    def trace(self, message: object, *rest: object) -> None:
        """Log at level debug."""
        self._log("debug", message)

    def debug(self, message: object, *rest: object) -> None:
        """Log at level debug."""
        self._log("debug", message)

    def info(self, message: object, *rest: object) -> None:
        """Log at level info."""
        self._log("info", message)

    def warn(self, message: object, *rest: object) -> None:
        """Log at level warning."""
        self._log("warning", message)

    def error(self, message: object, *rest: object) -> None:
        """Log at level error."""
        self._log("error", message)

    def fatal(self, message: object, *rest: object) -> None:
        """Log at level error."""
        self._log("error", message)

    def getLevel(self) -> str:
        """Return the level of the whole log, which is every logger's."""
        active = active_context()
        return "INFO" if active is None else active._log_level

    def setLevel(self, level: object) -> None:
        """Set the level of the whole log for the loggers above all; others have none of their own.

        Spark's own loggers ("org", "org.apache.spark", "akka") write nothing here, so programs that
        silence them have what they want.
        """
        if not self._name:
            engine.set_log_level(str(level))
            active = active_context()
            if active is not None:
                active._log_level = str(level)

    def getName(self) -> str:
        """Return the logger's name."""
        return self._name

    def isDebugEnabled(self) -> bool:
        """Return True: what is below the level is dropped by the log."""
        return True

    isInfoEnabled = isDebugEnabled


class LogManager:
    """Log4j's ``LogManager`` and ``Logger`` classes."""

    @staticmethod
    def getLogger(name: object = "") -> Logger:
        """Return the logger of this name."""
        return Logger(str(name))

    @staticmethod
    def getRootLogger() -> Logger:
        """Return the logger whose level is that of the whole log."""
        return Logger("")


class Level:
    """Log4j's levels: their names."""

    ALL, TRACE, DEBUG, INFO = "ALL", "TRACE", "DEBUG", "INFO"
    WARN, ERROR, FATAL, OFF = "WARN", "ERROR", "FATAL", "OFF"


class Option:
    """Scala's ``Option``: a value or none."""

    def __init__(self, value: object) -> None:
        """Take the value; ``None``: there is none."""
        self._value = value

    def isEmpty(self) -> bool:
        """Return whether there is none."""
        return self._value is None

    def isDefined(self) -> bool:
        """Return whether there is one."""
        return self._value is not None

    nonEmpty = isDefined

    def get(self) -> object:
        """Return the value. Raises ``LookupError`` where there is none."""
        if self._value is None:
            raise LookupError("None.get: there is no value")
        return self._value


class StreamingContexts:
    """The class ``StreamingContext``: tests ask it for what an earlier one has left running."""

    @staticmethod
    def getActive() -> Option:
        """Return what stands for the context that runs, if one does."""
        active = active_streams()
        return Option(None if active is None else active._jssc)


def collect_garbage() -> None:
    """Do what ``System.gc()`` asks for, as far as there is something like it: collect cycles."""
    import gc

    gc.collect()


_WORKING: dict[str, Any] = {
    "System.gc": collect_garbage,
    "java.lang.System.gc": collect_garbage,
    "org.apache.log4j.LogManager": LogManager,
    "org.apache.log4j.Logger": LogManager,
    "org.apache.log4j.Level": Level,
    "org.apache.logging.log4j.LogManager": LogManager,
    "org.apache.logging.log4j.Level": Level,
    "org.apache.spark.streaming.StreamingContext": StreamingContexts,
}

jvm = JavaName("sc._jvm")


class JavaGateway(JavaName):
    """What stands in ``sc._gateway``: its ``jvm`` is the one of ``sc._jvm``."""

    def __init__(self) -> None:
        """Make one."""
        super().__init__("sc._gateway")
        self.__dict__["jvm"] = jvm


class JavaContext(JavaName):
    """What stands in ``sc._jsc``: the few calls that make sense without a JVM."""

    def __init__(self, context: SparkContext, root: str = "sc._jsc") -> None:
        """Answer for ``context``."""
        super().__init__(root)
        self.__dict__["_context"] = context

    def sc(self) -> JavaContext:
        """Return the Scala context, which answers the same calls."""
        context: SparkContext = self.__dict__["_context"]
        return JavaContext(context, "sc._jsc.sc()")

    def isStopped(self) -> bool:
        """Return whether the context has stopped."""
        context: SparkContext = self.__dict__["_context"]
        return context._handle is None

    def stop(self) -> None:
        """Stop the context."""
        self.__dict__["_context"].stop()

    def version(self) -> str:
        """Return the context's version."""
        return str(self.__dict__["_context"].version)

    def applicationId(self) -> str:
        """Return the application's id."""
        return str(self.__dict__["_context"].applicationId)

    def defaultParallelism(self) -> int:
        """Return the context's default parallelism."""
        return int(self.__dict__["_context"].defaultParallelism)

    def setLogLevel(self, level: str) -> None:
        """Set the level of the log."""
        self.__dict__["_context"].setLogLevel(level)

    def setLocalProperty(self, key: str, value: str | None) -> None:
        """Set a local property."""
        self.__dict__["_context"].setLocalProperty(key, value)

    def hadoopConfiguration(self) -> HadoopConfiguration:
        """Return Hadoop's settings, which have no effect."""
        settings: dict[str, str] = self.__dict__["_context"]._hadoop_settings
        return HadoopConfiguration(settings)


class HadoopConfiguration:
    """Hadoop's settings: they can be set and read, and have no effect."""

    def __init__(self, settings: dict[str, str]) -> None:
        """Take where they are kept."""
        self._settings = settings

    def set(self, name: str, value: object) -> None:
        """Set one; the log says that it has no effect."""
        self._settings[name] = str(value)
        engine.notice("warning", None, f"the Hadoop setting {name} has no effect in Swiftwater")

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return what was set."""
        return self._settings.get(name, default)
