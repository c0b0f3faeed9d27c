"""PySpark's classes behind shuffles that a program may name: combining, sorting, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from swiftwater._tasks.spill import external_sorted, resident_bytes
from swiftwater._typing import Any

__all__ = ["Aggregator", "ExternalSorter", "SimpleAggregator", "get_used_memory"]


def get_used_memory() -> int:
    """Return the memory that the process has now, in MB."""
    return resident_bytes() >> 20


class Aggregator:
    """Three functions: what ``combineByKey`` takes."""

    def __init__(
        self,
        createCombiner: Callable[[Any], Any],
        mergeValue: Callable[[Any, Any], Any],
        mergeCombiners: Callable[[Any, Any], Any],
    ) -> None:
        """Hold the functions."""
        self.createCombiner = createCombiner
        self.mergeValue = mergeValue
        self.mergeCombiners = mergeCombiners


class SimpleAggregator(Aggregator):
    """One function for values and combiners alike: what ``reduceByKey`` takes."""

    def __init__(self, combiner: Callable[[Any, Any], Any]) -> None:
        """Hold the function."""
        super().__init__(lambda value: value, combiner, combiner)


class ExternalSorter:
    """Sorts records that need not fit in memory.

    ``memory_limit`` and ``serializer`` are accepted; the limit is ``swiftwater.spill.memory``.
    """

    def __init__(self, memory_limit: float, serializer: object = None) -> None:
        """Make a sorter."""
        self.memory_limit = memory_limit
        self.serializer = serializer

    def sorted(
        self,
        iterator: Iterable[Any],
        key: Callable[[Any], Any] | None = None,
        reverse: bool = False,
    ) -> Iterable[Any]:
        """Return the records in order."""
        return external_sorted(iterator, key, reverse)
