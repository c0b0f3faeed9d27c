"""Streams of functions on records and on partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from swiftwater._record_functions import listed_partition
from swiftwater._typing import TYPE_CHECKING
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, K, T, T_co, U, V

if TYPE_CHECKING:
    from swiftwater.streaming.dstream import DStream

__all__ = ["Records"]


class Records(DStreamCore[T_co]):
    """One record, or one partition, at a time."""

    @defines
    def map(
        self: Records[T], f: Callable[[T], U], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Return a stream of ``f(record)`` for each record.

        ``preservesPartitioning`` says that keys stay what they are.

        Example::

            >>> run_batches(lambda numbers: numbers.map(lambda n: n * n), [[1, 2], [3]])
            [[1, 4], [9]]
        """
        return self._piped("map", f, "map", preservesPartitioning)

    @defines
    def flatMap(
        self: Records[T], f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Return a stream of all items of the iterables ``f(record)``.

        Example::

            >>> run_batches(lambda lines: lines.flatMap(str.split), [["a b", "c"]])
            [['a', 'b', 'c']]
        """
        return self._piped("flatMap", f, "flatMap", preservesPartitioning)

    @defines
    def filter(self: Records[T], f: Callable[[T], bool]) -> DStream[T]:
        """Return a stream of the records for which ``f(record)`` is true.

        Example::

            >>> run_batches(lambda numbers: numbers.filter(lambda n: n > 1), [[1, 2], [3]])
            [[2], [3]]
        """
        return self._piped("filter", f, "filter", True)

    @defines
    def mapValues(self: Records[tuple[K, V]], f: Callable[[V], U]) -> DStream[tuple[K, U]]:
        """Return a stream of ``(key, f(value))`` for each ``(key, value)``.

        Example::

            >>> run_batches(lambda pairs: pairs.mapValues(str.upper), [[(1, "a"), (2, "b")]])
            [[(1, 'A'), (2, 'B')]]
        """
        return self._piped("mapValues", f, "mapValues", True)

    @defines
    def flatMapValues(
        self: Records[tuple[K, V]], f: Callable[[V], Iterable[U]]
    ) -> DStream[tuple[K, U]]:
        """Return a stream of ``(key, item)`` for each item of the iterables ``f(value)``.

        Example::

            >>> run_batches(lambda pairs: pairs.flatMapValues(range), [[("a", 2), ("b", 1)]])
            [[('a', 0), ('a', 1), ('b', 0)]]
        """
        return self._piped("flatMapValues", f, "flatMapValues", True)

    @defines
    def mapPartitions(
        self: Records[T],
        f: Callable[[Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> DStream[U]:
        """Return a stream of what ``f(iterator over the records)`` gives for each partition.

        Example::

            >>> run_batches(lambda numbers: numbers.mapPartitions(lambda all: [sum(all)]), [[1, 2]])
            [[1, 2]]
        """
        return self._piped("mapPartitions", f, "mapPartitions", preservesPartitioning)

    @defines
    def mapPartitionsWithIndex(
        self: Records[T],
        f: Callable[[int, Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> DStream[U]:
        """Return a stream of what ``f(partition number, iterator)`` gives for each partition.

        Example::

            >>> def numbered(number, records):
            ...     return [(number, list(records))]
            >>> run_batches(lambda s: s.mapPartitionsWithIndex(numbered), [["a", "b", "c"]])
            [[(0, ['a']), (1, ['b', 'c'])]]
        """
        name = "mapPartitionsWithIndex"
        return self._piped(name, f, name, preservesPartitioning)

    @defines
    def glom(self: Records[T]) -> DStream[list[T]]:
        """Return a stream with one record a partition: the list of its records.

        Example::

            >>> run_batches(lambda numbers: numbers.glom(), [[1, 2, 3]])
            [[[1], [2, 3]]]
        """
        return self._piped("mapPartitions", listed_partition, "glom")
