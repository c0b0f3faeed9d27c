"""How the functions of windows and states are called, in tasks.

A worker process that is sent one of these functions loads no more than this.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator

from swiftwater._typing import Any

__all__ = ["Deferred", "deferring", "of_pairs", "of_records"]


def of_pairs(function: Callable[[Any, Any], Any]) -> Callable[[int, list[Iterator[Any]]], Any]:
    """Return what applies a function to the records of two partitions, one of each."""

    def applied(index: int, parts: list[Iterator[Any]]) -> Iterable[Any]:
        return map(function, *parts)

    return applied


def of_records(function: Callable[[Any], Any]) -> Callable[[int, list[Iterator[Any]]], Any]:
    """Return what finds of which records of a partition a function is true."""

    def applied(index: int, parts: list[Iterator[Any]]) -> Iterable[bool]:
        return map(bool, map(function, parts[0]))

    return applied


class Deferred:
    """Values of one key that a function could not combine, in their order."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        """Keep them."""
        self.values = values

    def __reduce__(self) -> tuple[type[Deferred], tuple[tuple[Any, ...]]]:
        """Say how to make it again in another process."""
        return (Deferred, (self.values,))


def deferring(
    function: Callable[[Any, Any], Any],
) -> list[tuple[Callable[..., Any], Callable[[int, list[Iterator[Any]]], Any]]]:
    """Return what combines values, what finds the deferred ones, and what they come to.

    The first does as ``function``, but for values that it raises for: these stay side by side, and
    what they come to is tried again when it is asked for. So a key that nothing can be made of does
    not hold up the others, nor itself once the record that was to blame is out of the window.
    """

    def result(value: Any) -> Any:
        if type(value) is not Deferred:
            return value
        # The function may change what it is given.
        first, *others = copy.deepcopy(value.values)
        for other in others:
            first = function(first, other)
        return first

    def combined(a: Any, b: Any) -> Any:
        values = (
            *(a.values if type(a) is Deferred else (a,)),
            *(b.values if type(b) is Deferred else (b,)),
        )
        together = Deferred(values)
        try:
            return result(together)
        except Exception:  # noqa: BLE001 - whatever a user's function raises
            return together

    def is_deferred(value: Any) -> bool:
        return type(value) is Deferred

    def results(index: int, parts: list[Iterator[Any]]) -> Iterable[Any]:
        return map(result, parts[0])

    return [
        (combined, of_pairs(combined)),
        (is_deferred, of_records(is_deferred)),
        (result, results),
    ]
