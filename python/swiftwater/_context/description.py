"""What a context says of itself, its settings and its log."""

from __future__ import annotations

import os
import sys

from swiftwater._context.core import SparkContextCore
from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.conf import SparkConf, system_properties

if TYPE_CHECKING:
    from swiftwater._jvm import JavaContext, JavaGateway

__all__ = ["SPARK_VERSION", "Description"]

# The release of Spark whose API this package follows. Programs look at it to choose between old
# and new names, so it is Spark's number and not Swiftwater's.
SPARK_VERSION = "4.3.0"

_LOG_LEVELS = ("ALL", "DEBUG", "ERROR", "WARN", "INFO", "OFF", "FATAL", "TRACE")


class Description(SparkContextCore):
    """Version, settings, log and Java's names."""

    @property
    def version(self) -> str:
        """The version of Spark whose API this is; ``swiftwater.__version__`` is the engine's.

        Example::

            >>> sc.version >= "4"
            True
        """
        return SPARK_VERSION

    @property
    def uiWebUrl(self) -> str | None:
        """``None``: there is no web page. The status line and the log say what goes on.

        Example::

            >>> sc.uiWebUrl is None
            True
        """
        return None

    @property
    def resources(self) -> dict[str, Any]:
        """The accelerators of the driver: none.

        Example::

            >>> sc.resources
            {}
        """
        return {}

    def sparkUser(self) -> str:
        """Return the name of the user who runs the program.

        Example::

            >>> sc.sparkUser() != ""
            True
        """
        import getpass

        return os.environ.get("SPARK_USER") or getpass.getuser()

    def getConf(self) -> SparkConf:
        """Return a copy of the settings in effect (of those that somebody set).

        Example::

            >>> sc.getConf().get("spark.master")
            'local[2]'
        """
        conf = SparkConf(loadDefaults=False)
        conf.setAll(self._settings.values().items())
        conf.set("spark.master", self.master).set("spark.app.name", self.appName)
        return conf.set("spark.app.id", self.applicationId)

    def setLogLevel(self, logLevel: str) -> None:
        """Show log lines of this level and above: ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE, WARN.

        Raises ``IllegalArgumentException`` for any other word; the case does not matter.

        Example::

            >>> sc.setLogLevel("warn")
        """
        level = str(logLevel).upper()
        if level not in _LOG_LEVELS:
            from swiftwater.errors import IllegalArgumentException

            raise IllegalArgumentException(
                f"requirement failed: Supplied level {logLevel} did not match one of: "
                f"{','.join(_LOG_LEVELS)}"
            )
        engine.set_log_level(level)
        self._log_level = level

    @classmethod
    def setSystemProperty(cls, key: str, value: str) -> None:
        """Set what a ``SparkConf`` made afterwards begins with, where ``key`` begins with spark.

        Example::

            >>> SparkContext.setSystemProperty("spark.ui.port", "4041")
            >>> SparkConf().get("spark.ui.port")
            '4041'
            >>> SparkContext.setSystemProperty("spark.ui.port", None)
        """
        if value is None:
            system_properties.pop(key, None)
        else:
            system_properties[key] = str(value)

    @classmethod
    def getSystemProperty(cls, key: str) -> str | None:
        """Return what ``setSystemProperty`` has set; ``None`` where nothing is.

        Example::

            >>> SparkContext.getSystemProperty("java.home") is None
            True
        """
        return system_properties.get(key)

    @property
    def pythonVer(self) -> str:
        """The minor version of Python that runs the functions.

        Example::

            >>> sc.pythonVer.split(".")[0]
            '3'
        """
        return f"{sys.version_info[0]}.{sys.version_info[1]}"

    @property
    def pythonExec(self) -> str:
        """The interpreter that runs the functions: this one.

        Example::

            >>> import sys
            >>> sc.pythonExec == sys.executable
            True
        """
        return sys.executable

    def __repr__(self) -> str:
        """Return master and name, as PySpark shows them."""
        return f"<SparkContext master={self.master} appName={self.appName}>"

    def _repr_html_(self) -> str:
        # What a notebook shows.
        rows = (("Version", f"v{self.version}"), ("Master", self.master), ("AppName", self.appName))
        cells = "".join(f"<dt>{name}</dt><dd><code>{text}</code></dd>" for name, text in rows)
        return f"<div><p><b>SparkContext</b></p><dl>{cells}</dl></div>"

    @property
    def _conf(self) -> SparkConf:
        return self.getConf()

    @property
    def _gateway(self) -> JavaGateway:
        from swiftwater._jvm import JavaGateway

        return JavaGateway()

    @property
    def _jsc(self) -> JavaContext | None:
        if self._handle is None:
            return None
        from swiftwater._jvm import JavaContext

        return JavaContext(self._itself)
