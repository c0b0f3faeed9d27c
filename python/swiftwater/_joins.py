"""Records of several RDDs brought together by key.

Each RDD is divided by the hash of its keys (one that is divided so already is taken as it is), and
partition ``i`` of the result is made of partition ``i`` of each. Order is Spark's: keys as they are
first seen in the first RDD, then in the second, ...; the values of a key as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from swiftwater.resultiterable import ResultIterable

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = [
    "cogrouped",
    "common_keys",
    "crossed",
    "full_outer",
    "inner",
    "left_outer",
    "right_outer",
    "subtracted",
    "subtracted_keys",
    "together",
    "zipped",
]

Parts = list[Iterator[Any]]
Merger = Callable[[int, Parts], Iterable[Any]]

_NOTHING: tuple[Any, ...] = ()
_NONE_ONLY = (None,)


def together(
    rdds: Sequence[RDD[Any]], partitions: int | None, merge: Merger, name: str
) -> RDD[Any]:
    """Return what ``merge(i, [records of each RDD])`` gives for each partition of the keys."""
    from swiftwater.rdd import Partitioner, _require_rdd, partition_number, portable_hash

    first = rdds[0]
    for rdd in rdds[1:]:
        _require_rdd(name, rdd)
    given = partition_number(name, partitions, lambda: _default_partitions(rdds))
    partitioner = Partitioner(given, portable_hash)
    if given == 0:
        return first._empty(name, rdds)
    if _shares_another_partitioner(rdds, partitioner):
        return _interleaved(rdds, partitioner, merge, name)
    parts = [rdd._partitioned(partitioner, name) for rdd in rdds]
    plan = [[(number, index) for number in range(len(parts))] for index in range(given)]
    joined = first._gathered(parts, plan, merge, name)
    joined.partitioner = partitioner
    return joined


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


def _grouped(records: Iterator[Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    get = groups.get
    for key, value in records:
        values = get(key)
        if values is None:
            groups[key] = [value]
        else:
            values.append(value)
    return groups


def inner(_: int, parts: Parts) -> Iterable[Any]:
    """Give ``(key, (a, b))`` for each pair of values of one key."""
    left, right = _grouped(parts[0]), _grouped(parts[1])
    get = right.get
    return ((key, (a, b)) for key, ours in left.items() for a in ours for b in get(key, _NOTHING))


def left_outer(_: int, parts: Parts) -> Iterable[Any]:
    """Give those of ``inner`` and ``(key, (a, None))`` where the right side has no such key."""
    left, right = _grouped(parts[0]), _grouped(parts[1])
    get = right.get
    return ((key, (a, b)) for key, ours in left.items() for a in ours for b in get(key, _NONE_ONLY))


def right_outer(_: int, parts: Parts) -> Iterable[Any]:
    """Give those of ``inner`` and ``(key, (None, b))`` where the left side has no such key."""
    left, right = _grouped(parts[0]), _grouped(parts[1])
    for key, ours in left.items():
        if key in right:
            theirs = right[key]
            for a in ours:
                for b in theirs:
                    yield key, (a, b)
    for key, theirs in right.items():
        if key not in left:
            for b in theirs:
                yield key, (None, b)


def full_outer(_: int, parts: Parts) -> Iterable[Any]:
    """Give those of both outer joins."""
    left, right = _grouped(parts[0]), _grouped(parts[1])
    for key, ours in left.items():
        theirs: Sequence[Any] = right.get(key, _NONE_ONLY)
        for a in ours:
            for b in theirs:
                yield key, (a, b)
    for key, theirs in right.items():
        if key not in left:
            for b in theirs:
                yield key, (None, b)


def cogrouped(_: int, parts: Parts) -> Iterable[Any]:
    """Give ``(key, (values in the first, values in the second, ...))``."""
    groups: dict[Any, tuple[list[Any], ...]] = {}
    get = groups.get
    count = range(len(parts))
    for number, records in enumerate(parts):
        for key, value in records:
            lists = get(key)
            if lists is None:
                groups[key] = lists = tuple([[] for _ in count])
            lists[number].append(value)
    if len(parts) == 2:
        return (
            (key, (ResultIterable(lists[0]), ResultIterable(lists[1])))
            for key, lists in groups.items()
        )
    return ((key, tuple(map(ResultIterable, lists))) for key, lists in groups.items())


def subtracted(_: int, parts: Parts) -> Iterable[Any]:
    """Give the pairs of the first whose key the second has not, the pairs of a key together."""
    left = _grouped(parts[0])
    for pair in parts[1]:
        left.pop(pair[0], None)
    return ((key, value) for key, values in left.items() for value in values)


def subtracted_keys(_: int, parts: Parts) -> Iterable[Any]:
    """Give the keys of the first that the second has not, as often as they come."""
    left = _grouped(parts[0])
    for pair in parts[1]:
        left.pop(pair[0], None)
    return (key for key, values in left.items() for _ in values)


def common_keys(_: int, parts: Parts) -> Iterable[Any]:
    """Give each key that both have."""
    keys = dict(parts[0])
    others = dict(parts[1])
    return (key for key in keys if key in others)


def crossed(_: int, parts: Parts) -> Iterable[Any]:
    """Give each record of the first with each of the second."""
    others = list(parts[1])
    return ((record, other) for record in parts[0] for other in others)


def zipped(_: int, parts: Parts) -> Iterable[Any]:
    """Give the records of the first with those of the second, one with one."""
    ended = object()
    others = parts[1]
    for record in parts[0]:
        other = next(others, ended)
        if other is ended:
            raise _not_alike()
        yield record, other
    if next(others, ended) is not ended:
        raise _not_alike()


def _not_alike() -> Exception:
    from swiftwater.errors import SparkException

    return SparkException("Can only zip RDDs with same number of elements in each partition")
