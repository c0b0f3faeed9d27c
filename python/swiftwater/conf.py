"""SparkConf: settings that a script gives in its code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload

__all__ = ["SparkConf"]


class SparkConf:
    """Settings by name, for ``SparkContext(conf=...)``.

    Names and values are strings: whatever else is given is turned into one with ``str``. Setters
    return the object itself, so calls chain. A context takes a copy: what is set afterwards has no
    effect on it. A properties file, ``SWIFTWATER_*`` variables and command-line flags win over
    what is set here.

    Example::

        conf = SparkConf().setMaster("local[2]").setAppName("words").set("spark.ui.enabled", False)
        sc = SparkContext(conf=conf)
    """

    def __init__(self, loadDefaults: bool = True) -> None:
        """Make an empty set of settings. ``loadDefaults`` is accepted for PySpark's sake."""
        self._values: dict[str, str] = {}

    def set(self, key: str, value: object) -> SparkConf:
        """Set ``key`` to ``str(value)``."""
        if not isinstance(key, str) or not key:
            raise TypeError(f"a setting's name is a text that is not empty, not {key!r}")
        if value is None:
            raise TypeError(f"the value of {key} is None: leave the setting out instead")
        self._values[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: object) -> SparkConf:
        """Set ``key`` unless it has a value."""
        return self if key in self._values else self.set(key, value)

    def setMaster(self, value: str) -> SparkConf:
        """Set where the job runs (``spark.master``): ``local``, ``local[4]``, ``local[*]``."""
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:
        """Set the name that logs and pages show (``spark.app.name``)."""
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> SparkConf:
        """Set ``spark.home``. Accepted for PySpark's sake; it has no effect."""
        return self.set("spark.home", value)

    @overload
    def setExecutorEnv(self, key: str, value: str) -> SparkConf: ...
    @overload
    def setExecutorEnv(self, *, pairs: Iterable[tuple[str, str]]) -> SparkConf: ...
    def setExecutorEnv(
        self,
        key: str | None = None,
        value: str | None = None,
        pairs: Iterable[tuple[str, str]] | None = None,
    ) -> SparkConf:
        """Set one environment variable (``key``, ``value``) or several (``pairs``).

        Recorded as ``spark.executorEnv.<key>``. Raises ``ValueError`` unless exactly one of
        ``key`` and ``pairs`` is given.
        """
        if (key is None) == (pairs is None):
            raise ValueError("Key-value pair or a list of pairs is required.")
        for name, text in pairs if pairs is not None else [(key, value)]:
            self.set(f"spark.executorEnv.{name}", text)
        return self

    def setAll(self, pairs: Iterable[tuple[str, object]]) -> SparkConf:
        """Set several settings: ``setAll([("a", "1"), ("b", "2")])``."""
        for key, value in pairs:
            self.set(key, value)
        return self

    @overload
    def get(self, key: str, defaultValue: None = None) -> str | None: ...
    @overload
    def get(self, key: str, defaultValue: str) -> str: ...
    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """Return the value of ``key``, or ``defaultValue``."""
        return self._values.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """Return all settings as ``(name, value)`` pairs."""
        return list(self._values.items())

    def contains(self, key: str) -> bool:
        """Return whether ``key`` has a value."""
        return key in self._values

    def toDebugString(self) -> str:
        """Return all settings, one ``name=value`` a line."""
        return "\n".join(f"{key}={value}" for key, value in self._values.items())
