"""How many records are in which bucket: what ``RDD.histogram`` does."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["histogram"]

_MOST_BUCKETS = 10_000_000


def histogram(rdd: RDD[Any], buckets: Any) -> tuple[Any, list[int]]:
    """Return the bounds of buckets and the number of records in each."""
    if isinstance(buckets, int):
        if buckets < 1:
            raise ValueError("number of buckets must be >= 1")
        if buckets > _MOST_BUCKETS:
            raise ValueError(f"number of buckets must be <= {_MOST_BUCKETS}, not {buckets}")
        counted = rdd._piped("filter", _is_comparable, "histogram")
        smallest, largest = _ends(counted)
        if smallest == largest or buckets == 1:
            return [smallest, largest], [counted.count()]
        bounds: Sequence[Any]
        width, bounds = _even(smallest, largest, buckets)
    elif isinstance(buckets, (list, tuple)):
        _check(buckets)
        bounds = buckets
        width = _common_width(buckets)
    else:
        raise TypeError("buckets should be a list or tuple or number(int or long)")
    return bounds, _counts(rdd, tuple(bounds), width)


def _is_comparable(record: Any) -> bool:
    return record is not None and not (type(record) is float and math.isnan(record))


def _ends(rdd: RDD[Any]) -> tuple[Any, Any]:
    """Return the smallest and the largest record."""

    def wider(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
        return min(a[0], b[0]), max(a[1], b[1])

    both = rdd._piped("map", lambda record: (record, record), "histogram")
    ends: tuple[Any, Any] = both._reduced(wider, "histogram")
    return ends


def _even(smallest: Any, largest: Any, buckets: int) -> tuple[Any, list[Any]]:
    """Return width and bounds of ``buckets`` buckets of one width, integers where they can be."""
    try:
        width = (largest - smallest) / buckets
    except TypeError:
        raise TypeError("Can not generate buckets with non-number in RDD") from None
    if math.isinf(width):
        raise ValueError("Can not generate buckets with infinite value")
    width = int(width)
    if width * buckets != largest - smallest:
        width = (largest - smallest) * 1.0 / buckets
    # The last bound is the largest record itself, whatever the sum of the widths is.
    return width, [*(number * width + smallest for number in range(buckets)), largest]


def _check(buckets: Sequence[Any]) -> None:
    if len(buckets) < 2:
        raise ValueError("buckets should have more than one value")
    if any(each is None or (isinstance(each, float) and math.isnan(each)) for each in buckets):
        raise ValueError("can not have None or NaN in buckets")
    if sorted(buckets) != list(buckets):
        raise ValueError("buckets should be sorted")
    if len(set(buckets)) != len(buckets):
        raise ValueError("buckets should not contain duplicated values")


def _common_width(buckets: Sequence[Any]) -> Any:
    """Return the width that all buckets have; ``None`` where they differ or have none."""
    try:
        widths = [upper - lower for lower, upper in pairwise(buckets)]
    except TypeError:
        return None
    if max(widths) - min(widths) < 1e-10:
        return (buckets[-1] - buckets[0]) / (len(buckets) - 1)
    return None


def _counts(rdd: RDD[Any], bounds: tuple[Any, ...], width: Any) -> list[int]:
    smallest, largest = bounds[0], bounds[-1]

    def counted(records: Iterator[Any]) -> list[list[int]]:
        numbers = [0] * len(bounds)
        for record in records:
            if record is None or (isinstance(record, float) and math.isnan(record)):
                continue
            if record > largest or record < smallest:
                continue
            if width is None:
                numbers[bisect_right(bounds, record) - 1] += 1
            else:
                numbers[int((record - smallest) / width)] += 1
        # The last bound belongs to the last bucket.
        last = numbers.pop()
        numbers[-1] += last
        return [numbers]

    def added(a: list[int], b: list[int]) -> list[int]:
        return [one + other for one, other in zip(a, b, strict=True)]

    counts: list[int] = rdd._piped("mapPartitions", counted, "histogram")._reduced(
        added, "histogram"
    )
    return counts
