"""Some of the records, drawn by chance."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence

from swiftwater._numbers import whole
from swiftwater._rdd.core import K, RDDCore, T, T_co, V
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["Samples"]


class Samples(RDDCore[T_co]):
    """Samples of an RDD."""

    def sample(
        self: Samples[T], withReplacement: bool, fraction: float, seed: int | None = None
    ) -> RDD[T]:
        """Return an RDD of records that are drawn by chance.

        Each record is there with the chance ``fraction``, or ``fraction`` times on average where
        ``withReplacement`` is set. One ``seed`` gives the same records again, and in PySpark.

        Example::

            >>> sc.parallelize(range(20), 2).sample(False, 0.3, seed=42).collect()
            [0, 1, 3, 4, 7, 16, 17, 18, 19]
        """
        from swiftwater._rdd.sampling import given_seed, of_fraction, require_finite

        if not fraction >= 0:
            raise ValueError("Fraction must be nonnegative.")
        require_finite(fraction)
        drawn = of_fraction(bool(withReplacement), fraction, given_seed(seed))
        return self._piped("mapPartitionsWithIndex", drawn, "sample", keeps=True)

    def sampleByKey(
        self: Samples[tuple[K, V]],
        withReplacement: bool,
        fractions: Mapping[K, float],
        seed: int | None = None,
    ) -> RDD[tuple[K, V]]:
        """Do what ``sample`` does, with a fraction for each key. Every key needs one.

        Example::

            >>> pairs = sc.parallelize([("a", n) for n in range(9)] + [("b", 0)], 1)
            >>> pairs.sampleByKey(False, {"a": 0.2, "b": 1.0}, seed=3).collect()
            [('a', 5), ('b', 0)]
        """
        from swiftwater._rdd.sampling import by_key, given_seed, require_finite

        for fraction in fractions.values():
            if not fraction >= 0:
                raise AssertionError(f"Negative fraction value: {fraction}")
            require_finite(fraction)
        drawn = by_key(bool(withReplacement), dict(fractions), given_seed(seed))
        return self._piped("mapPartitionsWithIndex", drawn, "sampleByKey", keeps=True)

    def randomSplit(
        self: Samples[T], weights: Sequence[float], seed: int | None = None
    ) -> list[RDD[T]]:
        """Return an RDD for each weight; each record is in one of them, by chance.

        Example::

            >>> small, large = sc.parallelize(range(10), 1).randomSplit([2, 3], seed=17)
            >>> small.collect(), large.collect()
            ([7, 9], [0, 1, 2, 3, 4, 5, 6, 8])
        """
        from swiftwater._rdd.sampling import given_seed, in_range, require_finite

        if not all(weight >= 0 for weight in weights):
            raise ValueError("Weights must be nonnegative")
        total = float(sum(weights))
        if not total > 0:
            raise ValueError("Sum of weights must be positive")
        require_finite(total)
        chosen = given_seed(seed, 2**32 - 1)
        bounds = list(itertools.accumulate((weight / total for weight in weights), initial=0.0))
        return [
            self._piped(
                "mapPartitionsWithIndex", in_range(lower, upper, chosen), "randomSplit", keeps=True
            )
            for lower, upper in itertools.pairwise(bounds)
        ]

    def takeSample(
        self: Samples[T], withReplacement: bool, num: int, seed: int | None = None
    ) -> list[T]:
        """Return ``num`` records drawn by chance, or all in a random order where there are fewer.

        With ``withReplacement`` a record may come several times.

        Example::

            >>> sc.parallelize(range(30), 3).takeSample(False, 5, seed=1)
            [25, 28, 11, 10, 24]
        """
        num = whole(num, "the sample size")
        if num < 0:
            raise ValueError("Sample size cannot be negative.")
        largest = sys.maxsize - int(10.0 * sys.maxsize**0.5)
        if num > largest:
            raise ValueError(f"Sample size cannot be greater than {largest}.")
        total = self._itself.count() if num > 0 else 0
        if total == 0:
            return []
        import random

        from swiftwater._rdd.sampling import fraction_for

        chance = random.Random(seed)  # noqa: S311
        if not withReplacement and num >= total:
            records = self._itself.collect()
            chance.shuffle(records)
            return records
        fraction = fraction_for(num, total, withReplacement)
        records = self.sample(withReplacement, fraction, seed).collect()
        while len(records) < num:
            # Seldom: the fraction is large enough for all but one in ten thousand samples.
            again = chance.randint(0, sys.maxsize)
            records = self.sample(withReplacement, fraction, again).collect()
        chance.shuffle(records)
        return records[:num]
