"""How the records of windows are combined, in tasks.

A worker process that is sent one of these functions loads no more than this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from swiftwater._typing import Any

__all__ = ["Reduce", "reducing", "subtracting"]

Reduce = Callable[[Any, Any], Any]


def _sums(func: Reduce, parts: Iterable[Iterable[tuple[Any, Any]]]) -> dict[Any, Any]:
    sums: dict[Any, Any] = {}
    for part in parts:
        for key, value in part:
            sums[key] = func(sums[key], value) if key in sums else value
    return sums


def reducing(func: Reduce, keep: Callable[[Any], Any] | None) -> Any:
    """Return what makes a partition of a window from those of its batches."""

    def reduced(index: int, parts: list[Iterator[Any]]) -> Iterable[Any]:
        sums = _sums(func, parts).items()
        return sums if keep is None else filter(keep, sums)

    return reduced


def subtracting(
    func: Reduce, inverse: Reduce, old_count: int, keep: Callable[[Any], Any] | None
) -> Any:
    """Return what makes a partition of a window from the one before and what has come and gone.

    The order is Spark's: the keys of the window before, then new ones as they first appear.
    """

    def subtracted(index: int, parts: list[Iterator[Any]]) -> Iterable[Any]:
        before, *rest = parts
        gone = _sums(func, rest[:old_count])
        come = _sums(func, rest[old_count:])
        return (
            pairs(before, gone, come) if keep is None else filter(keep, pairs(before, gone, come))
        )

    def pairs(before: Iterator[Any], gone: dict[Any, Any], come: dict[Any, Any]) -> Iterator[Any]:
        for key, value in before:
            if gone:
                left = gone.get(key)
                if left is not None:
                    value = inverse(value, left)  # noqa: PLW2901 - the same value, less what left
            if key in come:
                value = func(value, come.pop(key))  # noqa: PLW2901
            yield key, value
        yield from come.items()

    return subtracted
