"""Where a key is: the hash of keys, and what places records by it."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from swiftwater._native import engine
from swiftwater._typing import Any

__all__ = ["Partitioner", "portable_hash"]


def portable_hash(x: Hashable) -> int:
    """Return the hash that decides in which partition a key is.

    It is the same in every process and the same as Spark's: ``None`` gives 0, a tuple mixes the
    hashes of its items, everything else is what ``hash`` gives under ``PYTHONHASHSEED=0``,
    with names and fixed numbers for what has an address as its hash (classes, functions, None in an
    object). Raises ``ValueError`` for a key that has another hash in another process all the same.

    Example::

        >>> portable_hash((None, 1)) & 0xFFFFFFFF
        219750521
    """
    return engine.portable_hash(x)


# Programs have both from there, and what is pickled says so.
portable_hash.__module__ = "swiftwater.rdd"


class Partitioner:
    """Where a key is: in partition ``partitionFunc(key) % numPartitions``.

    An RDD whose records are placed so has one as its ``partitioner``; two RDDs with equal ones can
    be joined without moving records.

    Example::

        >>> where = Partitioner(4, lambda key: key + 1)
        >>> where(5)
        2
    """

    __module__ = "swiftwater.rdd"
    __slots__ = ("numPartitions", "partitionFunc")

    def __init__(self, numPartitions: int, partitionFunc: Callable[[Any], int]) -> None:
        """Hold number and function."""
        self.numPartitions = numPartitions
        self.partitionFunc = partitionFunc

    def __call__(self, k: Any) -> int:
        """Return the partition of a key."""
        return self.partitionFunc(k) % self.numPartitions

    def __eq__(self, other: object) -> bool:
        """Return whether two place every key alike: same number, same function."""
        return (
            isinstance(other, Partitioner)
            and self.numPartitions == other.numPartitions
            and self.partitionFunc == other.partitionFunc
        )

    def __hash__(self) -> int:
        """Return a hash of number and function."""
        return hash((self.numPartitions, self.partitionFunc))
