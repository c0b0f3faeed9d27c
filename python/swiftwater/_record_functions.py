"""Functions on records and partitions that operators of RDDs and of streams are made of.

Functions of a module and not of their operators: so nothing in them has to be copied, and a worker
process that is sent one loads no more than this.
"""

from __future__ import annotations

from collections.abc import Iterator

from swiftwater._typing import Any

__all__ = [
    "appended",
    "counted_partition",
    "earlier",
    "extended",
    "first",
    "is_positive",
    "listed",
    "listed_partition",
    "one_under_one",
    "paired",
    "second",
    "under_none",
    "under_one",
    "with_one",
    "without_first",
]


def first(pair: Any) -> Any:
    """Return the key of a pair."""
    return pair[0]


def second(pair: Any) -> Any:
    """Return the value of a pair."""
    return pair[1]


def paired(record: Any) -> tuple[Any, None]:
    """Return the record as a key without a value."""
    return record, None


def with_one(record: Any) -> tuple[Any, int]:
    """Return the record as a key, to be counted."""
    return record, 1


def under_none(record: Any) -> tuple[None, Any]:
    """Return the record under the key that all of them have."""
    return None, record


def under_one(record: Any) -> tuple[int, Any]:
    """Return the record under a key that all of them have."""
    return 1, record


def one_under_one(record: Any) -> tuple[int, int]:
    """Return 1 for a record, under a key that all of them have."""
    return 1, 1


def is_positive(pair: Any) -> bool:
    """Return whether the value of a pair is more than 0."""
    return bool(pair[1] > 0)


def earlier(value: Any, other: Any) -> Any:
    """Return the first of two values of a key."""
    return value


def later(value: Any, other: Any) -> Any:
    """Return the second of two values of a key."""
    return other


def listed(value: Any) -> list[Any]:
    """Begin the list of a key's values."""
    return [value]


def appended(values: list[Any], value: Any) -> list[Any]:
    """Put one more value into the list of a key."""
    values.append(value)
    return values


def extended(values: list[Any], others: list[Any]) -> list[Any]:
    """Join two lists of a key."""
    values.extend(others)
    return values


def without_first(values: list[Any], gone: list[Any]) -> list[Any]:
    """Take from the list of a key what it begins with."""
    return values[len(gone) :]


def listed_partition(records: Iterator[Any]) -> list[Any]:
    """Return a partition with one record: the list of its records."""
    return [list(records)]


def counted_partition(records: Iterator[Any]) -> list[int]:
    """Return a partition with one record: how many it has."""
    return [sum(1 for _ in records)]
