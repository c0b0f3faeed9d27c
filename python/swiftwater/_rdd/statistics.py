"""What numbers are like."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from swiftwater._rdd.core import EMPTY, RDDCore, T, T_co
from swiftwater._typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from swiftwater.statcounter import StatCounter

__all__ = ["Statistics"]


class Statistics(RDDCore[T_co]):
    """Numbers, described."""

    def stats(self: Statistics[float]) -> StatCounter:
        """Return count, mean, deviation, largest and smallest of numbers.

        Example::

            >>> sc.parallelize([1, 2, 3]).stats()
            (count: 3, mean: 2.0, stdev: 0.816496580927726, max: 3, min: 1)
        """
        from swiftwater.statcounter import StatCounter

        def counted(records: Iterator[float]) -> list[StatCounter]:
            return [StatCounter(records)]

        parts: list[StatCounter] = self._piped("mapPartitions", counted, "stats").collect()
        if not parts:
            raise ValueError(EMPTY)
        return functools.reduce(StatCounter.mergeStats, parts)

    def mean(self: Statistics[float]) -> float:
        """Return the mean of numbers; 0.0 where there are none.

        Example::

            >>> sc.parallelize([1, 2, 6]).mean()
            3.0
        """
        return self.stats().mean()

    def variance(self: Statistics[float]) -> float:
        """Return the variance of numbers, divided by how many they are.

        Example::

            >>> sc.parallelize([1, 2, 3]).variance()
            0.6666666666666666
        """
        return self.stats().variance()

    def stdev(self: Statistics[float]) -> float:
        """Return the standard deviation of numbers: the root of ``variance``.

        Example::

            >>> sc.parallelize([1, 3]).stdev()
            1.0
        """
        return self.stats().stdev()

    def sampleVariance(self: Statistics[float]) -> float:
        """Return the variance of a sample of numbers, divided by one less.

        Example::

            >>> sc.parallelize([1, 2, 3]).sampleVariance()
            1.0
        """
        return self.stats().sampleVariance()

    def sampleStdev(self: Statistics[float]) -> float:
        """Return the standard deviation of a sample: the root of ``sampleVariance``.

        Example::

            >>> sc.parallelize([1, 2, 3]).sampleStdev()
            1.0
        """
        return self.stats().sampleStdev()

    @overload
    def histogram(self: Statistics[T], buckets: int) -> tuple[list[T], list[int]]: ...

    @overload
    def histogram(self: Statistics[T], buckets: list[T]) -> tuple[list[T], list[int]]: ...

    @overload
    def histogram(
        self: Statistics[T], buckets: tuple[T, ...]
    ) -> tuple[tuple[T, ...], list[int]]: ...

    def histogram(self: Statistics[Any], buckets: Any) -> tuple[Any, list[int]]:
        """Return bounds of buckets and how many records are in each of them.

        ``buckets`` is their number, for buckets of equal width from the smallest to the largest
        record, or the sorted bounds themselves. A bucket holds its lower bound and not its upper
        one; the last holds both. ``None`` and NaN are not counted.

        Example::

            >>> sc.parallelize(range(51)).histogram(2)
            ([0, 25, 50], [25, 26])
            >>> sc.parallelize(range(51)).histogram([0, 5, 25, 50])
            ([0, 5, 25, 50], [5, 20, 26])
        """
        from swiftwater._rdd.histogram import histogram

        return histogram(self._itself, buckets)
