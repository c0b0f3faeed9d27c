"""Which partition is made of which, and the numbers of records in them."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Iterator

from swiftwater._native import engine
from swiftwater._numbers import (
    MOST_PARTITIONS,
    checked_partitions,
    require_partitions,
    whole_and_no_truth,
)
from swiftwater._operator_calls import call_site, require_callable
from swiftwater._rdd.core import K, RDDCore, T, T_co, U, V, require_rdd
from swiftwater._rdd.partitioners import portable_hash
from swiftwater._record_functions import counted_partition
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["Layout"]


class Layout(RDDCore[T_co]):
    """Partitions made of partitions."""

    def partitionBy(
        self: Layout[tuple[K, V]],
        numPartitions: int | None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """Return an RDD with each pair in partition ``partitionFunc(key) % numPartitions``.

        Pairs of one partition keep their order. Where they are placed so already, it is this RDD.

        Example::

            >>> sc.parallelize([(1, "a"), (2, "b"), (3, "c")]).partitionBy(2).glom().collect()
            [[(2, 'b')], [(1, 'a'), (3, 'c')]]
        """
        name = "partitionBy"
        require_callable(name, partitionFunc, "a function as partitionFunc")
        number = None if numPartitions is None else checked_partitions(name, numPartitions)
        return self._partitioned(number, partitionFunc, name)

    def union(self: Layout[T], other: RDD[U]) -> RDD[T | U]:
        """Return an RDD of this one's partitions followed by those of ``other``.

        Where both are placed by the same partitioner it has as many partitions as each of them:
        partition ``i`` holds the records of both partitions ``i``.

        Example::

            >>> sc.parallelize([1, 2], 1).union(sc.parallelize(["a"], 1)).glom().collect()
            [[1, 2], ['a']]
        """
        require_rdd("union", other)
        site, context = call_site(), self.ctx._engine
        handle = engine.union(context, [self._live, other._live], "union")
        return self._made(handle, "union", site, [self, other])

    def __add__(self: Layout[T], other: RDD[U]) -> RDD[T | U]:
        """Return the union of two RDDs."""
        return self.union(other) if isinstance(other, RDDCore) else NotImplemented

    def zip(self: Layout[T], other: RDD[U]) -> RDD[tuple[T, U]]:
        """Return an RDD of ``(record here, record there)``, one after the other.

        Both need the same number of partitions, and of records in each of them.

        Example::

            >>> sc.parallelize([1, 2]).zip(sc.parallelize("ab")).collect()
            [(1, 'a'), (2, 'b')]
        """
        from swiftwater._rdd.joined_records import zipped

        require_rdd("zip", other)
        if self.getNumPartitions() != other.getNumPartitions():
            raise ValueError("Can only zip with RDD which has the same number of partitions")
        return self._zipped([self, other], zipped, "zip")

    def cartesian(self: Layout[T], other: RDD[U]) -> RDD[tuple[T, U]]:
        """Return an RDD of ``(record here, record there)`` for each two records.

        Its partitions are the pairs of partitions of both.

        Example::

            >>> sc.parallelize([1, 2], 1).cartesian(sc.parallelize("ab", 1)).collect()
            [(1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]
        """
        from swiftwater._rdd.joined_records import crossed

        require_rdd("cartesian", other)
        require_partitions("cartesian", self.getNumPartitions() * other.getNumPartitions())
        return self._zipped([self, other], crossed, "cartesian", crosses=True)

    def coalesce(self: Layout[T], numPartitions: int, shuffle: bool = False) -> RDD[T]:
        """Return an RDD with at most ``numPartitions`` partitions, made of neighbours.

        With ``shuffle`` it has exactly so many, as ``repartition`` gives them.

        Example::

            >>> sc.parallelize(range(6), 3).coalesce(2).glom().collect()
            [[0, 1], [2, 3, 4, 5]]
        """
        if not numPartitions > 0:
            raise ValueError("Number of partitions must be positive.")
        wanted = whole_and_no_truth(numPartitions, "the number of partitions")
        if shuffle:
            return self._spread(wanted, "coalesce")
        at_most = builtins.min(wanted, MOST_PARTITIONS)
        handle = engine.coalesce(self._live, at_most, "coalesce")
        return self._made(handle, "coalesce", call_site(), [self])

    def repartition(self: Layout[T], numPartitions: int) -> RDD[T]:
        """Return an RDD with ``numPartitions`` partitions; records go there ten by ten, in turn.

        Example::

            >>> sc.parallelize(range(60), 1).repartition(3).glom().map(len).collect()
            [20, 20, 20]
        """
        if not numPartitions > 0:
            raise ValueError("Number of partitions must be positive.")
        number = whole_and_no_truth(numPartitions, "the number of partitions")
        return self._spread(number, "repartition")

    def _spread(self, partitions: int, name: str) -> RDD[Any]:
        require_partitions(name, partitions)
        site = call_site()
        handle, wide = engine.spread(self._live, partitions, name, site)
        return self._made(handle, name, site, (self,), wide)

    def zipWithIndex(self: Layout[T]) -> RDD[tuple[T, int]]:
        """Return an RDD of ``(record, its number)``, counted from 0 through all partitions.

        Where there are several partitions their records are counted now.

        Example::

            >>> sc.parallelize("abc", 2).zipWithIndex().collect()
            [('a', 0), ('b', 1), ('c', 2)]
        """
        starts = (0,)
        if self.getNumPartitions() > 1:
            counted = self._piped("mapPartitions", counted_partition, "zipWithIndex")
            starts = tuple(itertools.accumulate(counted.collect(), initial=0))

        def numbered(partition: int, records: Iterator[T]) -> Iterator[tuple[T, int]]:
            return builtins.zip(records, itertools.count(starts[partition]))

        return self._piped("mapPartitionsWithIndex", numbered, "zipWithIndex")

    def zipWithUniqueId(self: Layout[T]) -> RDD[tuple[T, int]]:
        """Return an RDD of ``(record, a number of its own)``, without counting first.

        With ``n`` partitions the records of partition ``k`` have ``k``, ``n + k``, ``2 n + k``, ...

        Example::

            >>> sc.parallelize("abcd", 2).zipWithUniqueId().collect()
            [('a', 0), ('b', 2), ('c', 1), ('d', 3)]
        """
        step = self.getNumPartitions()

        def numbered(partition: int, records: Iterator[T]) -> Iterator[tuple[T, int]]:
            return builtins.zip(records, itertools.count(partition, step))

        return self._piped("mapPartitionsWithIndex", numbered, "zipWithUniqueId")
