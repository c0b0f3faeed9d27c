"""How the functions of windows and states are called, in tasks.

A worker process that is sent one of these functions loads no more than this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from swiftwater._typing import Any

__all__ = ["of_pairs", "of_records"]


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
