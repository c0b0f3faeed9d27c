"""What a task makes of the partitions of several RDDs that hold the same keys.

Order is Spark's: keys as they are first seen in the first RDD, then in the second, ...; the values
of a key as they come. A worker that is sent one of these loads no RDD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

from swiftwater._typing import Any
from swiftwater.resultiterable import ResultIterable

__all__ = [
    "NATIVE_FORMS",
    "cogrouped",
    "common_keys",
    "crossed",
    "full_outer",
    "inner",
    "left_outer",
    "merged_together",
    "right_outer",
    "subtracted",
    "subtracted_keys",
    "zipped",
]

Parts = list[Iterator[Any]]
Merger = Callable[[int, Parts], Iterable[Any]]

_NOTHING: tuple[Any, ...] = ()

# Records between two looks at the memory.
_LOOK_EVERY = 10_000
_NONE_ONLY = (None,)


def _fill(groups: dict[Any, list[Any]], records: Iterator[Any]) -> bool:
    """Put the values of each key into a list; return whether all of them fit in memory."""
    get = groups.get
    while chunk := list(islice(records, _LOOK_EVERY)):
        for key, value in chunk:
            values = get(key)
            if values is None:
                groups[key] = [value]
            else:
                values.append(value)
        if len(chunk) < _LOOK_EVERY:
            break
        if _is_over_limit():
            return False
    return True


def _is_over_limit() -> bool:
    from swiftwater._tasks.spill import MemoryLimit

    return MemoryLimit().is_exceeded()


Groups = Iterable[tuple[Any, tuple[list[Any], ...]]]


def _grouped(parts: Parts) -> tuple[list[dict[Any, list[Any]]], Groups | None]:
    """Return the values by key of each part; instead, where they do not fit, all groups from disk.

    Those come as ``(key, (values in the first, values in the second, ...))``, in the order in
    which keys are first seen.
    """
    found: list[dict[Any, list[Any]]] = [{} for _ in parts]
    if all(_fill(groups, records) for groups, records in zip(found, parts, strict=True)):
        return found, None
    return found, _grouped_on_disk(found, parts)


def _grouped_on_disk(found: list[dict[Any, list[Any]]], parts: Parts) -> Groups:
    from swiftwater._tasks.spill import merged_pairs

    count = len(parts)

    def alone(number: int, values: list[Any]) -> tuple[list[Any], ...]:
        return tuple([values if other == number else [] for other in range(count)])

    def pairs() -> Iterator[tuple[Any, tuple[list[Any], ...]]]:
        for number, records in enumerate(parts):
            groups = found[number]
            while groups:
                # Taken out one by one: what is on disk is not in memory too.
                key = next(iter(groups))
                yield key, alone(number, groups.pop(key))
            for key, value in records:
                yield key, alone(number, [value])

    def joined(a: tuple[list[Any], ...], b: tuple[list[Any], ...]) -> tuple[list[Any], ...]:
        for ours, theirs in zip(a, b, strict=True):
            ours.extend(theirs)
        return a

    return merged_pairs(pairs(), joined)


def inner(_: int, parts: Parts) -> Iterable[Any]:
    """Give ``(key, (a, b))`` for each pair of values of one key."""
    (left, right), groups = _grouped(parts)
    if groups is not None:
        return ((key, (a, b)) for key, (ours, theirs) in groups for a in ours for b in theirs)
    get = right.get
    return ((key, (a, b)) for key, ours in left.items() for a in ours for b in get(key, _NOTHING))


def left_outer(_: int, parts: Parts) -> Iterable[Any]:
    """Give those of ``inner`` and ``(key, (a, None))`` where the right side has no such key."""
    (left, right), groups = _grouped(parts)
    if groups is not None:
        return (
            (key, (a, b))
            for key, (ours, theirs) in groups
            for a in ours
            for b in theirs or _NONE_ONLY
        )
    get = right.get
    return ((key, (a, b)) for key, ours in left.items() for a in ours for b in get(key, _NONE_ONLY))


def right_outer(_: int, parts: Parts) -> Iterable[Any]:
    """Give those of ``inner`` and ``(key, (None, b))`` where the left side has no such key."""
    for key, (ours, theirs) in _all_groups(parts):
        for a in ours or _NONE_ONLY:
            for b in theirs:
                yield key, (a, b)


def full_outer(_: int, parts: Parts) -> Iterable[Any]:
    """Give those of both outer joins."""
    for key, (ours, theirs) in _all_groups(parts):
        for a in ours or _NONE_ONLY:
            for b in theirs or _NONE_ONLY:
                yield key, (a, b)


def cogrouped(_: int, parts: Parts) -> Iterable[Any]:
    """Give ``(key, (values in the first, values in the second, ...))``."""
    for key, lists in _all_groups(parts):
        yield key, tuple([ResultIterable(values) for values in lists])


def _all_groups(parts: Parts) -> Iterator[tuple[Any, Sequence[list[Any]]]]:
    """Give each key with its values in each part, keys in the order in which they are first seen.

    A part that has nothing of a key gives an empty list that belongs to nobody else.
    """
    found, on_disk = _grouped(parts)
    if on_disk is not None:
        yield from on_disk
        return
    for number, groups in enumerate(found):
        before, after = found[:number], found[number + 1 :]
        for key, values in groups.items():
            if any(key in other for other in before):
                continue
            lists: list[list[Any]] = [[] for _ in before]
            lists.append(values)
            lists += [other.get(key) or [] for other in after]
            yield key, lists


def subtracted(_: int, parts: Parts) -> Iterable[Any]:
    """Give the pairs of the first whose key the second has not, the pairs of a key together."""
    return (
        (key, value) for key, (ours, theirs) in _all_groups(parts) if not theirs for value in ours
    )


def subtracted_keys(_: int, parts: Parts) -> Iterable[Any]:
    """Give the keys of the first that the second has not, as often as they come."""
    return (key for key, (ours, theirs) in _all_groups(parts) if not theirs for _ in ours)


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


# --- RDDs that are moved together -----------------------------------------------------------------

# What the engine calls functions that it need not call where pairs are in columns.
NATIVE_FORMS: dict[Merger, str] = {
    inner: "inner",
    left_outer: "leftOuter",
    right_outer: "rightOuter",
    full_outer: "fullOuter",
    # Not native; but of the right side it needs only what the left one has.
    subtracted: "subtracted",
}

Mark = Callable[[Any], Any]
Marked = Callable[[int, Iterator[Any]], Iterable[Any]]


@cache
def merged_together(merge: Merger) -> Callable[[int], tuple[list[Mark], Marked]]:
    """Return what makes the functions for RDDs that are united before they are divided.

    Given their number, it makes those that mark the values of each with where they came from, and
    the one that does the work of ``merge`` on all of them. PySpark's union takes RDDs that are
    divided alike partition by partition, and keys come in the order of that union.
    """

    def functions(count: int) -> tuple[list[Mark], Marked]:
        def merged(index: int, records: Iterator[Any]) -> Iterable[Any]:
            parts: list[list[Any]] = [[] for _ in range(count)]
            order: dict[Any, None] = {}
            for key, (number, value) in records:
                order.setdefault(key)
                parts[number].append((key, value))
            # Keys in the order of the union: an empty first part that has them all.
            found = dict(_by_key(merge(index, [iter(part) for part in parts])))
            return [record for key in order for record in found.get(key, ())]

        return [_mark(number) for number in range(count)], merged

    return functions


def _mark(number: int) -> Mark:
    return lambda value: (number, value)


def _by_key(records: Iterable[Any]) -> Iterable[tuple[Any, list[Any]]]:
    found: dict[Any, list[Any]] = {}
    for record in records:
        found.setdefault(record[0], []).append(record)
    return found.items()
