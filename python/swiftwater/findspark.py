"""What notebooks begin with: ``import findspark``, and ``findspark.init()``.

Nothing has to be found. Under ``swiftwater run`` and ``python3 -m swiftwater run`` the name
``findspark`` is this module. In a notebook with a stock Python one line in front does it, whether
``findspark`` is installed there or not::

    import swiftwater.findspark

From then on ``import findspark`` gives this module, and ``findspark.init()`` has ``pyspark`` and
``py4j`` be Swiftwater's.
"""

from __future__ import annotations

import os
import sys

from swiftwater import _compat_finder
from swiftwater._native import engine
from swiftwater._typing import Any

__all__ = ["add_jars", "add_packages", "find", "init"]


def find() -> str:
    """Return what ``SPARK_HOME`` says; where it says nothing, the folder of this package.

    Example::

        >>> import os
        >>> os.path.isdir(find())
        True
    """
    return os.environ.get("SPARK_HOME") or os.path.dirname(os.path.abspath(__file__))


def init(
    spark_home: str | None = None,
    python_path: str | None = None,
    edit_rc: bool = False,
    edit_profile: bool = False,
) -> None:
    """Have ``pyspark`` and ``py4j`` be Swiftwater's. Arguments have no effect: no Spark is needed.

    Raises ``ImportError`` where another ``pyspark`` has been imported before.

    Example::

        >>> init("/no/such/spark")
        >>> import pyspark
        >>> pyspark.SparkContext.__module__
        'swiftwater.context'
    """
    loaded = sys.modules.get("pyspark")
    if loaded is not None and not (loaded.__file__ or "").startswith(_compat_finder.FOLDER):
        raise ImportError(
            f"another pyspark has been imported before, from {loaded.__file__}: call "
            "findspark.init() first"
        )
    _compat_finder.offer()


def add_packages(packages: Any) -> None:
    """Say in the log that packages of the JVM have no effect.

    Example::

        >>> add_packages("org.apache.spark:spark-streaming-kafka-0-8_2.11:2.4.8")
    """
    _has_no_effect("add_packages", packages)


def add_jars(jars: Any) -> None:
    """Say in the log that archives of the JVM have no effect.

    Example::

        >>> add_jars("/opt/jars/driver.jar")
    """
    _has_no_effect("add_jars", jars)


def _has_no_effect(call: str, given: Any) -> None:
    names = given if isinstance(given, str) else ", ".join(map(str, given))
    engine.notice("warning", None, f"findspark.{call} has no effect in Swiftwater: {names}")


sys.modules["findspark"] = sys.modules[__name__]
