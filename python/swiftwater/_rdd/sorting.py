"""Sorting across partitions: bounds from a sample, then each partition on its own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["by_key", "sorter"]

# Spark: so many keys of the sample for each partition.
_SAMPLE = 20

PartitionSorter = Callable[[Iterator[Any]], Iterable[Any]]


def sorter(key: Callable[[Any], Any] | None, ascending: bool) -> PartitionSorter:
    """Return what sorts the pairs of one partition by their keys."""
    first = itemgetter(0)
    order: Callable[[Any], Any] = first if key is None else lambda pair: key(pair[0])

    def sort(records: Iterator[Any]) -> Iterable[Any]:
        from swiftwater._tasks.spill import external_sorted

        return external_sorted(records, order, reverse=not ascending)

    return sort


def by_key(
    rdd: RDD[Any],
    ascending: bool,
    partitions: int,
    key: Callable[[Any], Any] | None,
    name: str,
) -> RDD[Any]:
    """Return the pairs of ``rdd`` sorted across ``partitions`` partitions."""
    if partitions == 1:
        whole = rdd.coalesce(1) if rdd.getNumPartitions() > 1 else rdd
        return _each_sorted(whole, key, ascending, name)
    total, sample = _sampled(rdd, partitions * _SAMPLE, name)
    if total == 0:
        return rdd
    sample.sort(key=key)
    bounds = tuple(
        sample[len(sample) * number // partitions] for number in range(1, partitions) if sample
    )
    last = partitions - 1

    def place(each: Any) -> int:
        found = bisect_left(bounds, each if key is None else key(each))
        return found if ascending else last - found

    known = list(bounds) if key is None else None
    divided = rdd._partitioned(partitions, place, name, known, ascending)
    return _each_sorted(divided, key, ascending, name)


def _each_sorted(
    rdd: RDD[Any], key: Callable[[Any], Any] | None, ascending: bool, name: str
) -> RDD[Any]:
    """Return the pairs of ``rdd``, those of each partition sorted by their keys."""
    sort = sorter(key, ascending)
    if key is not None:
        return rdd._piped("mapPartitions", sort, name, keeps=True)
    form = "ascending" if ascending else "descending"
    return rdd._zipped([rdd], lambda _, parts: sort(parts[0]), name, form, keeps=True)


def _sampled(rdd: RDD[Any], size: int, name: str) -> tuple[int, list[Any]]:
    """Return the number of pairs, and of each 1 in (number / ``size``) its key.

    The records are read once: a partition keeps what could be in the sample whatever the others
    hold, and what is in it is known when all are counted. The draws are those of ``sample``.
    """

    def drawn(partition: int, records: Iterator[Any]) -> list[Any]:
        from swiftwater._rdd.sampling import generator

        uniform = generator(1, partition).random
        kept: list[tuple[float, Any]] = []
        count = 0
        for count, pair in enumerate(records, 1):
            number = uniform()
            if number < size / count:
                kept.append((number, pair[0]))
        return [(count, kept)]

    parts = rdd._piped("mapPartitionsWithIndex", drawn, name).collect()
    total = sum(count for count, _ in parts)
    fraction = min(size / max(total, 1), 1.0)
    return total, [key for _, kept in parts for number, key in kept if number < fraction]
