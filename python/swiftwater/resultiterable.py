"""ResultIterable: the values of one key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

__all__ = ["ResultIterable"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Values(Sized, Iterable[T_co], Protocol[T_co]):
    """What has a length and can be gone through, again and again."""


class ResultIterable(Iterable[T]):
    """The values of one key, as ``groupByKey`` and ``cogroup`` give them.

    It can be gone through any number of times and has a length; it is no list, so ``list(values)``
    makes one. ``data`` is what it was made of.

    Example::

        >>> values = ResultIterable([3, 1])
        >>> len(values), sorted(values), values.data
        (2, [1, 3], [3, 1])
    """

    __slots__ = ("data",)

    def __init__(self, data: _Values[T]) -> None:
        """Hold ``data``."""
        self.data = data

    def __iter__(self) -> Iterator[T]:
        """Go through the values in the order in which they came."""
        return iter(self.data)

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self.data)
