"""RDDs brought together by key: how each of them is divided, and what is made of the parts.

Each RDD is divided by the hash of its keys (one that is divided so already is taken as it is), and
partition ``i`` of the result is made of partition ``i`` of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from swiftwater._rdd.core import require_rdd
from swiftwater._rdd.joined_records import Merger, full_outer, inner, left_outer, right_outer
from swiftwater._rdd.partitioners import Partitioner, partition_number, portable_hash

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["together"]


def together(
    rdds: Sequence[RDD[Any]], partitions: int | None, merge: Merger, name: str
) -> RDD[Any]:
    """Return what ``merge(i, [records of each RDD])`` gives for each partition of the keys."""
    first = rdds[0]
    for rdd in rdds[1:]:
        require_rdd(name, rdd)
    given = partition_number(name, partitions, lambda: _default_partitions(rdds))
    partitioner = Partitioner(given, portable_hash)
    if given == 0:
        return first._empty(name, rdds)
    if _shares_another_partitioner(rdds, partitioner):
        return _interleaved(rdds, partitioner, merge, name)
    parts = [rdd._partitioned(partitioner, name) for rdd in rdds]
    plan = [[(number, index) for number in range(len(parts))] for index in range(given)]
    joined = first._zipped(parts, plan, merge, name, _native_forms().get(merge, ""))
    joined.partitioner = partitioner
    return joined


def _native_forms() -> dict[Merger, str]:
    """Return the engine's names of functions that it need not call for columns."""
    return {
        inner: "inner",
        left_outer: "leftOuter",
        right_outer: "rightOuter",
        full_outer: "fullOuter",
    }


def _default_partitions(rdds: Sequence[RDD[Any]]) -> int:
    """Return Spark's default: as many as the union of the RDDs has, unless there is a setting."""
    context = rdds[0].ctx
    if context._settings.get("spark.default.parallelism"):
        return context.defaultParallelism
    union = 0
    partitioner = None
    for rdd in rdds:
        number = rdd.getNumPartitions()
        if number == 0:
            continue
        if union == 0:
            partitioner = rdd.partitioner
        elif partitioner is not None and partitioner == rdd.partitioner:
            continue
        else:
            partitioner = None
        union += number
    return union


def _shares_another_partitioner(rdds: Sequence[RDD[Any]], wanted: object) -> bool:
    shared = rdds[0].partitioner
    return shared is not None and shared != wanted and shared == rdds[1].partitioner


def _interleaved(rdds: Sequence[RDD[Any]], partitioner: Any, merge: Merger, name: str) -> RDD[Any]:
    """Do the same where RDDs are divided alike, but in another way than is asked for.

    Spark's union takes them partition by partition, and keys come in the order of that union.
    """

    def marked(number: int) -> Callable[[Any], Any]:
        return lambda value: (number, value)

    union = rdds[0].mapValues(marked(0))
    for number, rdd in enumerate(rdds[1:], 1):
        union = union.union(rdd.mapValues(marked(number)))
    count = len(rdds)

    def merged(index: int, records: Iterator[Any]) -> Iterable[Any]:
        parts: list[list[Any]] = [[] for _ in range(count)]
        order: dict[Any, None] = {}
        for key, (number, value) in records:
            order.setdefault(key)
            parts[number].append((key, value))
        # Keys in the order of the union: an empty first part that has them all.
        found = dict(_by_key(merge(index, [iter(part) for part in parts])))
        return [record for key in order for record in found.get(key, ())]

    return union._partitioned(partitioner, name)._piped(
        "mapPartitionsWithIndex", merged, name, keeps=True
    )


def _by_key(records: Iterable[Any]) -> Iterable[tuple[Any, list[Any]]]:
    found: dict[Any, list[Any]] = {}
    for record in records:
        found.setdefault(record[0], []).append(record)
    return found.items()
