"""SparkConf: settings that a script gives in its code."""

from __future__ import annotations

from collections.abc import Iterable

from swiftwater._settings import is_secret
from swiftwater._typing import overload

__all__ = ["SparkConf"]

# Spark's text in place of a secret.
_REDACTED = "*********(redacted)"

# What SparkContext.setSystemProperty has set.
system_properties: dict[str, str] = {}


class SparkConf:
    """Settings by name, for ``SparkContext(conf=...)``.

    Names and values are strings: whatever else is given is turned into one with ``str``. Setters
    return the object itself, so calls chain. A context takes a copy: what is set afterwards has no
    effect on it. A properties file, ``SWIFTWATER_*`` variables and command-line flags win over
    what is set here.

    Example::

        >>> conf = SparkConf().setMaster("local[2]").setAppName("words").set("spark.ui.port", 4040)
        >>> print(conf.toDebugString())
        spark.app.name=words
        spark.master=local[2]
        spark.ui.port=4040
    """

    def __init__(
        self, loadDefaults: bool = True, _jvm: object = None, _jconf: object = None
    ) -> None:
        """Make settings; with ``loadDefaults`` what ``SparkContext.setSystemProperty`` has set."""
        self._values: dict[str, str] = {}
        if loadDefaults:
            for key, value in system_properties.items():
                if key.startswith("spark."):
                    self._values[key] = value

    def set(self, key: str, value: object) -> SparkConf:
        """Set ``key`` to ``str(value)``. Raises ``TypeError`` where either is no setting.

        Example::

            >>> SparkConf().set("spark.ui.enabled", False).get("spark.ui.enabled")
            'False'
        """
        if not isinstance(key, str) or not key:
            raise TypeError(f"a setting's name is a text that is not empty, not {key!r}")
        if value is None:
            raise TypeError(f"the value of {key} is None: leave the setting out instead")
        self._values[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: object) -> SparkConf:
        """Set ``key`` where it has no value yet.

        Example::

            >>> SparkConf().set("a", 1).setIfMissing("a", 2).get("a")
            '1'
        """
        return self if key in self._values else self.set(key, value)

    def setMaster(self, value: str) -> SparkConf:
        """Set the master: ``"local"``, ``"local[4]"``, ``"local[*]"``.

        Example::

            >>> SparkConf().setMaster("local[4]").get("spark.master")
            'local[4]'
        """
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:
        """Set the name that logs show.

        Example::

            >>> SparkConf().setAppName("words").get("spark.app.name")
            'words'
        """
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> SparkConf:
        """Set Spark's folder; accepted, without effect.

        Example::

            >>> SparkConf().setSparkHome("/opt/spark").get("spark.home")
            '/opt/spark'
        """
        return self.set("spark.home", value)

    def setExecutorEnv(
        self,
        key: str | None = None,
        value: object = None,
        pairs: Iterable[tuple[str, object]] | None = None,
    ) -> SparkConf:
        """Set environment variables for executors: one by ``key`` and ``value``, or ``pairs``.

        Accepted, without effect: tasks run in this process. Raises ``PySparkRuntimeError`` unless
        exactly one of ``key`` and ``pairs`` is given.

        Example::

            >>> SparkConf().setExecutorEnv("LEVEL", 3).get("spark.executorEnv.LEVEL")
            '3'
        """
        if (key is None) == (pairs is None):
            from swiftwater.errors import PySparkRuntimeError

            raise PySparkRuntimeError(
                "Key-value pair or a list of pairs is required.",
                errorClass="KEY_VALUE_PAIR_REQUIRED",
                messageParameters={},
            )
        for name, text in pairs if pairs is not None else [(key, value)]:
            self.set(f"spark.executorEnv.{name}", text)
        return self

    def setAll(self, pairs: Iterable[tuple[str, object]]) -> SparkConf:
        """Set several settings.

        Example::

            >>> SparkConf().setAll([("a", 1), ("b", 2)]).getAll()
            [('a', '1'), ('b', '2')]
        """
        for key, value in pairs:
            self.set(key, value)
        return self

    @overload
    def get(self, key: str, defaultValue: None = None) -> str | None: ...
    @overload
    def get(self, key: str, defaultValue: str) -> str: ...
    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """Return the value of ``key``, or ``defaultValue``.

        Example::

            >>> SparkConf().get("spark.master", "local[*]")
            'local[*]'
        """
        return self._values.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """Return all settings as ``(name, value)`` pairs.

        Example::

            >>> SparkConf().setMaster("local").getAll()
            [('spark.master', 'local')]
        """
        return list(self._values.items())

    def contains(self, key: str) -> bool:
        """Return whether ``key`` has a value.

        Example::

            >>> SparkConf().contains("spark.master")
            False
        """
        return key in self._values

    def toDebugString(self) -> str:
        r"""Return all settings by name, one ``name=value`` a line; secrets are hidden, as in Spark.

        Example::

            >>> SparkConf().set("b", 1).set("a", 2).toDebugString()
            'a=2\nb=1'
            >>> SparkConf().set("spark.redis.auth", "open sesame").toDebugString()
            'spark.redis.auth=*********(redacted)'
        """
        return "\n".join(
            f"{key}={_REDACTED if is_secret(key, value) else value}"
            for key, value in sorted(self._values.items())
        )
