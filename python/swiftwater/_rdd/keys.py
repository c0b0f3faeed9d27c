"""Records of one key combined, and equal records made one."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._operator_calls import require_callable
from swiftwater._rdd.core import K, RDDCore, T, T_co, U, V
from swiftwater._rdd.partitioners import portable_hash
from swiftwater._record_functions import appended, extended, first, listed, paired
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD
    from swiftwater.resultiterable import ResultIterable

__all__ = ["Keys"]


class Keys(RDDCore[T_co]):
    """Values combined, and records gathered, by key."""

    def distinct(self: Keys[T], numPartitions: int | None = None) -> RDD[T]:
        """Return an RDD that has each record once, in the partition of its hash.

        Example::

            >>> sc.parallelize([3, 1, 3, 1], 2).distinct(1).collect()
            [3, 1]
        """
        keyed = self._piped("map", paired, "distinct")
        once = keyed._combined(
            None, _keep_first, _keep_first, numPartitions, portable_hash, "distinct"
        )
        return once._piped("map", first, "distinct")

    def reduceByKey(
        self: Keys[tuple[K, V]],
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """Return an RDD with one pair a key: its values, combined by ``func(a, b)``.

        ``func`` must be associative; it is applied in the order of the records, first inside the
        partitions. ``numPartitions`` is by default ``spark.default.parallelism`` where that is
        set, else this RDD's number of partitions; a key is in partition
        ``partitionFunc(key) % numPartitions``. Keys keep the order in which they were first seen.

        Example::

            >>> pairs = sc.parallelize([("a", 1), ("b", 1), ("a", 1)])
            >>> pairs.reduceByKey(lambda a, b: a + b, 1).collect()
            [('a', 2), ('b', 1)]
        """
        require_callable("reduceByKey", func)
        return self._combined(None, func, func, numPartitions, partitionFunc, "reduceByKey")

    def combineByKey(
        self: Keys[tuple[K, V]],
        createCombiner: Callable[[V], U],
        mergeValue: Callable[[U, V], U],
        mergeCombiners: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """Return an RDD with one pair a key: its values, gathered in a combiner.

        ``createCombiner(first value)`` begins one, ``mergeValue(combiner, value)`` adds a value of
        the same partition, ``mergeCombiners(a, b)`` joins two partitions. The rest is as in
        ``reduceByKey``.

        Example::

            >>> pairs = sc.parallelize([("a", 1), ("b", 2), ("a", 3)])
            >>> joined = lambda a, b: f"{a} {b}"
            >>> pairs.combineByKey(str, joined, joined, 1).collect()
            [('a', '1 3'), ('b', '2')]
        """
        return self._combined(
            createCombiner,
            mergeValue,
            mergeCombiners,
            numPartitions,
            partitionFunc,
            "combineByKey",
        )

    def aggregateByKey(
        self: Keys[tuple[K, V]],
        zeroValue: U,
        seqFunc: Callable[[U, V], U],
        combFunc: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """Do what ``combineByKey`` does; a combiner begins as ``seqFunc(zeroValue, first value)``.

        Each has a copy of ``zeroValue`` of its own, so the functions may change and return their
        first argument.

        Example::

            >>> pairs = sc.parallelize([("a", 3), ("b", 2), ("a", 1)])
            >>> pairs.aggregateByKey(0, max, max, 1).collect()
            [('a', 3), ('b', 2)]
        """
        require_callable("aggregateByKey", seqFunc)
        return self._combined(
            lambda value: seqFunc(engine.isolated(zeroValue), value),
            seqFunc,
            combFunc,
            numPartitions,
            partitionFunc,
            "aggregateByKey",
        )

    def foldByKey(
        self: Keys[tuple[K, V]],
        zeroValue: V,
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """Do what ``reduceByKey`` does, from a copy of ``zeroValue`` on in each partition.

        Example::

            >>> pairs = sc.parallelize([("a", 3), ("b", 2), ("a", 1)])
            >>> pairs.foldByKey(0, lambda a, b: a + b, 1).collect()
            [('a', 4), ('b', 2)]
        """
        require_callable("foldByKey", func)
        return self._combined(
            lambda value: func(engine.isolated(zeroValue), value),
            func,
            func,
            numPartitions,
            partitionFunc,
            "foldByKey",
        )

    def groupByKey(
        self: Keys[tuple[K, V]],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[V]]]:
        """Return an RDD with one pair a key: all its values, in their order.

        ``reduceByKey`` is faster where values can be combined.

        Example::

            >>> pairs = sc.parallelize([("a", 1), ("b", 2), ("a", 3)])
            >>> pairs.groupByKey(1).mapValues(list).collect()
            [('a', [1, 3]), ('b', [2])]
        """
        return self._grouped(numPartitions, partitionFunc, "groupByKey")

    def groupBy(
        self: Keys[T],
        f: Callable[[T], K],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[T]]]:
        """Return an RDD with one pair for each ``f(record)``: all records that give it.

        Example::

            >>> sc.parallelize([1, 2, 3], 1).groupBy(lambda n: n % 2).mapValues(list).collect()
            [(1, [1, 3]), (0, [2])]
        """
        require_callable("groupBy", f)
        keyed = self._piped("map", lambda record: (f(record), record), "groupBy")
        return keyed._grouped(numPartitions, partitionFunc, "groupBy")

    def _grouped(
        self, partitions: int | None, partition_function: Callable[[Any], int], name: str
    ) -> RDD[Any]:
        from swiftwater.resultiterable import ResultIterable

        lists = self._combined(
            listed, appended, extended, partitions, partition_function, name, gathers_lists=True
        )
        return lists._piped("mapValues", ResultIterable, name, keeps=True)


def _keep_first(a: Any, b: Any) -> Any:
    return a
