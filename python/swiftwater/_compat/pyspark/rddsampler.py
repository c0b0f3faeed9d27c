"""PySpark's samplers behind ``sample`` and ``randomSplit``, for ``mapPartitionsWithIndex``."""

import sys
from collections.abc import Iterator, Mapping

from swiftwater._rdd import sampling
from swiftwater._typing import Any

__all__ = ["RDDRangeSampler", "RDDSampler", "RDDStratifiedSampler"]


class _Sampler:
    """A function of a partition's number and its records."""

    def __init__(self, drawn: sampling.PartitionFunction) -> None:
        """Take the function."""
        self._drawn = drawn

    def func(self, split: int, iterator: Iterator[Any]) -> Iterator[Any]:
        """Return the records of a partition that are drawn."""
        return self._drawn(split, iterator)


class RDDSampler(_Sampler):
    """Draws each record with a chance, or ``fraction`` times on average."""

    def __init__(self, withReplacement: bool, fraction: float, seed: int | None = None) -> None:
        """Take what ``RDD.sample`` takes."""
        seed = sampling.given_seed(seed, sys.maxsize)
        super().__init__(sampling.of_fraction(withReplacement, fraction, seed))


class RDDRangeSampler(_Sampler):
    """Draws the records whose random number is in a range: parts that do not overlap."""

    def __init__(self, lowerBound: float, upperBound: float, seed: int | None = None) -> None:
        """Take the range, without its upper bound."""
        seed = sampling.given_seed(seed, sys.maxsize)
        super().__init__(sampling.in_range(lowerBound, upperBound, seed))


class RDDStratifiedSampler(_Sampler):
    """Draws pairs, with a fraction for each key."""

    def __init__(
        self, withReplacement: bool, fractions: Mapping[Any, float], seed: int | None = None
    ) -> None:
        """Take what ``RDD.sampleByKey`` takes."""
        seed = sampling.given_seed(seed, sys.maxsize)
        super().__init__(sampling.by_key(withReplacement, fractions, seed))
