"""Streams that combine what is in a batch, and place it in partitions."""

from __future__ import annotations

import operator
from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._numbers import checked_partitions
from swiftwater._operator_calls import require_callable
from swiftwater._record_functions import counted_partition, with_one
from swiftwater._typing import TYPE_CHECKING
from swiftwater.rdd import portable_hash
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, K, T, T_co, U, V

if TYPE_CHECKING:
    from swiftwater.resultiterable import ResultIterable
    from swiftwater.streaming.dstream import DStream

__all__ = ["Batches"]


class Batches(DStreamCore[T_co]):
    """A whole batch at a time."""

    @defines
    def reduceByKey(
        self: Batches[tuple[K, V]], func: Callable[[V, V], V], numPartitions: int | None = None
    ) -> DStream[tuple[K, V]]:
        """Return a stream with one pair a key and batch: its values combined by ``func(a, b)``.

        ``func`` must be associative.

        Example::

            >>> pairs = [("a", 1), ("b", 5), ("a", 2)]
            >>> run_batches(lambda s: s.reduceByKey(lambda a, b: a + b), [pairs])
            [[('b', 5), ('a', 3)]]
        """
        return self._combined(None, func, func, numPartitions, "reduceByKey")

    @defines
    def combineByKey(
        self: Batches[tuple[K, V]],
        createCombiner: Callable[[V], U],
        mergeValue: Callable[[U, V], U],
        mergeCombiners: Callable[[U, U], U],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, U]]:
        """Return a stream with one pair a key and batch: its values, gathered in a combiner.

        ``createCombiner(first value)`` begins one, ``mergeValue(combiner, value)`` adds a value of
        the same partition, ``mergeCombiners(a, b)`` joins two partitions.

        Example::

            >>> def texts(pairs):
            ...     return pairs.combineByKey(str, lambda c, v: c + str(v), lambda a, b: a + b)
            >>> run_batches(texts, [[("a", 1), ("a", 2)]])
            [[('a', '12')]]
        """
        return self._combined(
            createCombiner, mergeValue, mergeCombiners, numPartitions, "combineByKey"
        )

    @defines
    def groupByKey(
        self: Batches[tuple[K, V]], numPartitions: int | None = None
    ) -> DStream[tuple[K, ResultIterable[V]]]:
        """Return a stream with one pair a key and batch: its values, as an iterable.

        Example::

            >>> pairs = [("a", 1), ("b", 5), ("a", 2)]
            >>> run_batches(lambda s: s.groupByKey().mapValues(list), [pairs])
            [[('b', [5]), ('a', [1, 2])]]
        """
        from swiftwater.resultiterable import ResultIterable

        return self._grouped(numPartitions, "groupByKey")._piped(
            "mapValues", ResultIterable, "groupByKey", True
        )

    @defines
    def partitionBy(
        self: Batches[tuple[K, V]],
        numPartitions: int,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> DStream[tuple[K, V]]:
        """Return a stream with each pair in partition ``partitionFunc(key) % numPartitions``.

        Example::

            >>> pairs = [(1, "a"), (2, "b"), (3, "c")]
            >>> run_batches(lambda s: s.partitionBy(2).glom(), [pairs])
            [[[(2, 'b')], [(1, 'a'), (3, 'c')]]]
        """
        name = "partitionBy"
        require_callable(name, partitionFunc, "a function as partitionFunc")
        count = self._partition_number(name, numPartitions)
        function = None if partitionFunc is portable_hash else partitionFunc
        self._ssc._building()
        site = self._definitions.site
        handle = engine.stream_partition_by(self._handle, count, function, name, site)
        return self._stream_class(handle, self._ssc)

    @defines
    def repartition(self: Batches[T], numPartitions: int) -> DStream[T]:
        """Return a stream with the records spread over ``numPartitions`` partitions.

        Example::

            >>> def sizes(numbers):
            ...     return numbers.repartition(4).glom().count()
            >>> run_batches(sizes, [[1, 2, 3]])
            [[4]]
        """
        count = 1 if numPartitions is None else checked_partitions("repartition", numPartitions)
        return self._per_rdd(lambda time_ms, rdd: rdd.repartition(count), "repartition")

    @defines
    def reduce(self: Batches[T], func: Callable[[T, T], T]) -> DStream[T]:
        """Return a stream with one record a batch: all records combined by ``func(a, b)``.

        A batch without records has none.

        Example::

            >>> run_batches(lambda numbers: numbers.reduce(max), [[3, 1, 2], []])
            [[3], []]
        """
        require_callable("reduce", func)
        return self._reduced(func, "reduce")

    @defines
    def count(self) -> DStream[int]:
        """Return a stream with one record a batch: the number of records.

        A batch without partitions (from a socket: without data) has none, as in Spark.

        Example::

            >>> run_batches(lambda words: words.count(), [["a", "b"], []])
            [[2], [0]]
        """
        counted: DStream[int] = self._piped("mapPartitions", counted_partition, "count")
        return counted._reduced(operator.add, "count")

    @defines
    def countByValue(self: Batches[K]) -> DStream[tuple[K, int]]:
        """Return a stream of ``(record, how many times it occurs in the batch)``.

        Example::

            >>> run_batches(lambda words: words.countByValue(), [["a", "b", "a"]])
            [[('b', 1), ('a', 2)]]
        """
        ones: DStream[tuple[K, int]] = self._piped("map", with_one, "countByValue")
        return ones._combined(None, operator.add, operator.add, None, "countByValue")
