"""Names of ``pyspark.streaming.util`` that programs use.

Example::

    >>> rddToFileName("spark", None, 12345678910)
    'spark-12345678910'
"""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["TransformFunction", "TransformFunctionSerializer", "rddToFileName"]


def rddToFileName(prefix: str, suffix: str | None, timestamp: datetime | float) -> str:
    """Return the name under which a batch is saved: ``prefix-<time in ms>[.suffix]``.

    A ``datetime`` is local time; a number is taken as it is.

    Example::

        >>> rddToFileName("spark", "tmp", 12345678910)
        'spark-12345678910.tmp'
    """
    if not isinstance(timestamp, (int, float)):
        import time

        seconds = int(time.mktime(timestamp.timetuple()))
        timestamp = seconds * 1000 + timestamp.microsecond // 1000
    name = f"{prefix}-{timestamp}"
    return name if suffix is None else f"{name}.{suffix}"


class TransformFunction:
    """A function from RDDs to an RDD, as PySpark hands it to the JVM; here it is only a name.

    Example::

        >>> double = TransformFunction(sc, lambda time, rdd: rdd.map(lambda n: 2 * n))
        >>> double.call(0, [sc.parallelize([1, 2])]).collect()
        [2, 4]
    """

    def __init__(self, ctx: object, func: Callable[..., Any], *deserializers: object) -> None:
        """Hold ``func(time, *rdds)``; the other arguments have no effect."""
        self.ctx = ctx
        self.func = func
        self.deserializers = deserializers

    def call(self, milliseconds: int, jrdds: list[Any]) -> Any:
        """Return ``func(time, *jrdds)``.

        Example::

            >>> TransformFunction(sc, lambda time, rdd: rdd).call(0, [None]) is None
            True
        """
        from datetime import datetime

        return self.func(datetime.fromtimestamp(milliseconds / 1000.0), *jrdds)

    def __repr__(self) -> str:
        return f"TransformFunction({self.func})"


class TransformFunctionSerializer:
    """Pickles functions for a checkpoint in PySpark; here it is only a name.

    Example::

        >>> TransformFunctionSerializer(sc, "cloudpickle")
        TransformFunctionSerializer(cloudpickle)
    """

    def __init__(self, ctx: object, serializer: object, gateway: object = None) -> None:
        """Hold the arguments."""
        self.ctx = ctx
        self.serializer = serializer
        self.gateway = gateway

    def __repr__(self) -> str:
        return f"TransformFunctionSerializer({self.serializer})"
