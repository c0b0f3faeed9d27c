"""PySpark's functions behind the joins; programs seldom call them themselves."""

from __future__ import annotations

from collections.abc import Sequence

from swiftwater._rdd.joined_records import cogrouped
from swiftwater._rdd.joining import together
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = [
    "python_cogroup",
    "python_full_outer_join",
    "python_join",
    "python_left_outer_join",
    "python_right_outer_join",
]


def python_join(rdd: RDD[Any], other: RDD[Any], numPartitions: int | None) -> RDD[Any]:
    """Return ``rdd.join(other, numPartitions)``."""
    return rdd.join(other, numPartitions)


def python_left_outer_join(rdd: RDD[Any], other: RDD[Any], numPartitions: int | None) -> RDD[Any]:
    """Return ``rdd.leftOuterJoin(other, numPartitions)``."""
    return rdd.leftOuterJoin(other, numPartitions)


def python_right_outer_join(rdd: RDD[Any], other: RDD[Any], numPartitions: int | None) -> RDD[Any]:
    """Return ``rdd.rightOuterJoin(other, numPartitions)``."""
    return rdd.rightOuterJoin(other, numPartitions)


def python_full_outer_join(rdd: RDD[Any], other: RDD[Any], numPartitions: int | None) -> RDD[Any]:
    """Return ``rdd.fullOuterJoin(other, numPartitions)``."""
    return rdd.fullOuterJoin(other, numPartitions)


def python_cogroup(rdds: Sequence[RDD[Any]], numPartitions: int | None) -> RDD[Any]:
    """Return what ``cogroup`` gives, of any number of RDDs."""
    return together(rdds, numPartitions, cogrouped, "cogroup")
