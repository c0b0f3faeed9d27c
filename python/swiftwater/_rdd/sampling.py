"""Samples by PySpark's own draws: one seed gives the same records here and there.

Each partition has a generator of its own, from the seed and the partition's number.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping

from swiftwater._numbers import whole
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

__all__ = [
    "PartitionFunction",
    "by_key",
    "fraction_for",
    "generator",
    "given_seed",
    "in_range",
    "of_fraction",
    "require_finite",
]

PartitionFunction = Callable[[int, Iterator[Any]], Iterator[Any]]


def given_seed(seed: int | None, largest: int = sys.maxsize) -> int:
    """Return ``seed``, or a number by chance where it is ``None``."""
    if seed is not None:
        return whole(seed, "the seed")
    import random

    return random.randint(0, largest)  # noqa: S311


def require_finite(number: float) -> None:
    """Raise ``ValueError`` for infinity, which no drawing comes to an end with."""
    if math.isinf(number):
        raise ValueError(f"a fraction or weight must be finite, not {number}")


def generator(seed: int, partition: int) -> Random:
    """Return the generator of random numbers of one partition."""
    import random

    drawn = random.Random(seed ^ partition)  # noqa: S311
    # Spark: seeds that are close together begin alike, so the first numbers are thrown away.
    for _ in range(10):
        drawn.randint(0, 1)
    return drawn


def of_fraction(with_replacement: bool, fraction: float, seed: int) -> PartitionFunction:
    """Return what draws each record with a chance, or ``fraction`` times on average."""

    def drawn(partition: int, records: Iterator[Any]) -> Iterator[Any]:
        chance = generator(seed, partition)
        if with_replacement:
            for record in records:
                for _ in range(_poisson(chance, fraction)):
                    yield record
        else:
            uniform = chance.random
            for record in records:
                if uniform() < fraction:
                    yield record

    return drawn


def in_range(lower: float, upper: float, seed: int) -> PartitionFunction:
    """Return what keeps the records whose number is in ``[lower, upper)``."""

    def drawn(partition: int, records: Iterator[Any]) -> Iterator[Any]:
        uniform = generator(seed, partition).random
        for record in records:
            if lower <= uniform() < upper:
                yield record

    return drawn


def by_key(with_replacement: bool, fractions: Mapping[Any, float], seed: int) -> PartitionFunction:
    """Return what draws pairs, with a fraction for each key. ``KeyError`` for any other key."""

    def drawn(partition: int, records: Iterator[Any]) -> Iterator[Any]:
        chance = generator(seed, partition)
        for pair in records:
            fraction = fractions[pair[0]]
            if with_replacement:
                for _ in range(_poisson(chance, fraction)):
                    yield pair
            elif chance.random() < fraction:
                yield pair

    return drawn


def _poisson(chance: Random, mean: float) -> int:
    """Return how often something happens that happens ``mean`` times on average (Knuth)."""
    times = 0
    if mean < 20.0:
        bound = math.exp(-mean)
        product = chance.random()
        while product > bound:
            times += 1
            product *= chance.random()
        return times
    # The bound above would be too small a number: the same with sums of waiting times.
    waited = chance.expovariate(mean)
    while waited < 1.0:
        times += 1
        waited += chance.expovariate(mean)
    return times


def fraction_for(size: int, total: int, with_replacement: bool) -> float:
    """Return the fraction of ``total`` records that gives at least ``size`` (99.99 percent)."""
    share = size / total
    if with_replacement:
        deviations = 9 if size < 12 else 5
        return share + deviations * math.sqrt(share / total)
    gamma = -math.log(0.00005) / total
    return min(1.0, share + gamma + math.sqrt(gamma * gamma + 2 * gamma * share))
