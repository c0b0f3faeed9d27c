"""StatCounter: count, mean, variance, largest and smallest of numbers, in one pass."""

from __future__ import annotations

import builtins
import functools
import importlib
import math
import sys
from collections.abc import Callable, Iterable

from swiftwater._typing import Any

__all__ = ["StatCounter"]


@functools.cache
def _installed_numpy() -> Any:
    """Return NumPy; ``None`` where it is not installed, or cannot be loaded."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


class StatCounter:
    """Statistics of numbers that come one after the other; ``RDD.stats`` gives one.

    Two counters merge into one without the numbers, so each partition has its own. Where NumPy is
    installed it finds the largest and smallest, which are of its types then (``4.0`` for the
    integer 4), and values may be its arrays, all of one shape; the statistics are arrays then.

    Example::

        >>> StatCounter([1.0, 2.0, 3.0, 4.0])
        (count: 4, mean: 2.5, stdev: 1.118033988749895, max: 4.0, min: 1.0)
    """

    def __init__(self, values: Iterable[float] | None = None) -> None:
        """Make a counter of ``values``."""
        # Spark: what is printed does not depend on whether something else has loaded it.
        numpy: Any = sys.modules.get("numpy") or _installed_numpy()
        self._larger: Callable[[Any, Any], Any] = numpy.maximum if numpy else builtins.max
        self._smaller: Callable[[Any, Any], Any] = numpy.minimum if numpy else builtins.min
        self._root: Callable[[Any], Any] = numpy.sqrt if numpy else math.sqrt
        self.n = 0
        self.mu = 0.0
        self.m2 = 0.0  # the sum of the squared distances from the mean
        self.maxValue = float("-inf")
        self.minValue = float("inf")
        for value in values or ():
            self.merge(value)

    def merge(self, value: float) -> StatCounter:
        """Add one value. Returns the counter itself.

        Example::

            >>> StatCounter([1]).merge(3).mean()
            2.0
        """
        # Welford's method: no large sums whose difference loses digits.
        distance = value - self.mu
        self.n += 1
        self.mu += distance / self.n
        self.m2 += distance * (value - self.mu)
        self.maxValue = self._larger(self.maxValue, value)
        self.minValue = self._smaller(self.minValue, value)
        return self

    def mergeStats(self, other: StatCounter) -> StatCounter:
        """Add what another counter has seen. Returns the counter itself.

        Example::

            >>> StatCounter([1, 2]).mergeStats(StatCounter([3])).max()
            3
        """
        if not isinstance(other, StatCounter):
            raise TypeError(f"mergeStats needs a StatCounter, not {type(other).__name__}")
        if other.n == 0:
            return self
        if self.n == 0:
            self.n, self.mu, self.m2 = other.n, other.mu, other.m2
            self.maxValue, self.minValue = other.maxValue, other.minValue
            return self
        mine, theirs = self.n, other.n
        total = mine + theirs
        distance = other.mu - self.mu
        spread = other.m2 + distance * distance * mine * theirs / total
        # Spark: where one side is much the smaller one, its mean only moves that of the other.
        if theirs * 10 < mine:
            mean = self.mu + distance * theirs / total
        elif mine * 10 < theirs:
            mean = other.mu - distance * mine / total
        else:
            mean = (self.mu * mine + other.mu * theirs) / total
        self.maxValue = self._larger(self.maxValue, other.maxValue)
        self.minValue = self._smaller(self.minValue, other.minValue)
        self.n, self.mu = total, mean
        self.m2 += spread
        return self

    def copy(self) -> StatCounter:
        """Return a counter of the same values that goes its own way.

        Example::

            >>> one = StatCounter([1]); two = one.copy().merge(5)
            >>> one.count(), two.count()
            (1, 2)
        """
        return StatCounter().mergeStats(self)

    def count(self) -> int:
        """Return how many values there were.

        Example::

            >>> StatCounter([5, 7]).count()
            2
        """
        return self.n

    def mean(self) -> float:
        """Return the mean; 0.0 without values.

        Example::

            >>> StatCounter([5, 7]).mean()
            6.0
        """
        return self.mu

    def sum(self) -> float:
        """Return the sum, computed from the mean.

        Example::

            >>> StatCounter([5, 7]).sum()
            12.0
        """
        return self.n * self.mu

    def min(self) -> float:
        """Return the smallest value; infinity without values.

        Example::

            >>> StatCounter([5, 7]).min()
            5
        """
        return self.minValue

    def max(self) -> float:
        """Return the largest value; minus infinity without values.

        Example::

            >>> StatCounter([5, 7]).max()
            7
        """
        return self.maxValue

    def variance(self) -> float:
        """Return the variance, divided by the number of values; NaN without values.

        Example::

            >>> StatCounter([1, 2, 3]).variance()
            0.6666666666666666
        """
        return self.m2 / self.n if self.n else float("nan")

    def sampleVariance(self) -> float:
        """Return the variance of a sample, divided by one less; NaN for fewer than two values.

        Example::

            >>> StatCounter([1, 2, 3]).sampleVariance()
            1.0
        """
        return self.m2 / (self.n - 1) if self.n > 1 else float("nan")

    def stdev(self) -> float:
        """Return the standard deviation: the root of ``variance``.

        Example::

            >>> StatCounter([1, 3]).stdev()
            1.0
        """
        root: float = self._root(self.variance())
        return root

    def sampleStdev(self) -> float:
        """Return the standard deviation of a sample: the root of ``sampleVariance``.

        Example::

            >>> StatCounter([1, 2, 3]).sampleStdev()
            1.0
        """
        root: float = self._root(self.sampleVariance())
        return root

    def asDict(self, sample: bool = False) -> dict[str, float]:
        """Return all statistics by name.

        As in Spark, deviation and variance are those of a sample where ``sample`` is *not* set.

        Example::

            >>> StatCounter([1, 2, 3]).asDict()["variance"]
            1.0
        """
        return {
            "count": self.count(),
            "mean": self.mean(),
            "sum": self.sum(),
            "min": self.min(),
            "max": self.max(),
            "stdev": self.stdev() if sample else self.sampleStdev(),
            "variance": self.variance() if sample else self.sampleVariance(),
        }

    def __repr__(self) -> str:
        """Return the statistics in Spark's form."""
        return (
            f"(count: {self.count()}, mean: {self.mean()}, stdev: {self.stdev()}, "
            f"max: {self.max()}, min: {self.min()})"
        )
