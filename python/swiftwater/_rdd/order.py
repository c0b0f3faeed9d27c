"""Records in order."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._operator_calls import require_callable
from swiftwater._rdd.core import K, RDDCore, T, T_co, V
from swiftwater._rdd.partitioners import portable_hash
from swiftwater._record_functions import second
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["Order"]


class Order(RDDCore[T_co]):
    """Sorting."""

    def sortBy(
        self: Order[T],
        keyfunc: Callable[[T], Any],
        ascending: bool = True,
        numPartitions: int | None = None,
    ) -> RDD[T]:
        """Return an RDD of the records in the order of ``keyfunc(record)``.

        Equal ones keep their order. Partition 0 has the first records; where the others begin is
        found with a sample, for which the records are computed once, now.

        Example::

            >>> sc.parallelize(["ccc", "a", "bb"]).sortBy(len, ascending=False).collect()
            ['ccc', 'bb', 'a']
        """
        require_callable("sortBy", keyfunc)
        keyed = self._piped("map", lambda record: (keyfunc(record), record), "sortBy")
        ordered = keyed._sorted(ascending, numPartitions, None, "sortBy")
        return ordered._piped("map", second, "sortBy")

    def sortByKey(
        self: Order[tuple[K, V]],
        ascending: bool | None = True,
        numPartitions: int | None = None,
        keyfunc: Callable[[K], Any] | None = None,
    ) -> RDD[tuple[K, V]]:
        """Return an RDD of the pairs in the order of their keys, or of ``keyfunc(key)``.

        The rest is as in ``sortBy``.

        Example::

            >>> sc.parallelize([("B", 1), ("a", 2)]).sortByKey(keyfunc=str.lower).collect()
            [('a', 2), ('B', 1)]
        """
        if keyfunc is not None:
            require_callable("sortByKey", keyfunc, "a function as keyfunc")
        return self._sorted(bool(ascending), numPartitions, keyfunc, "sortByKey")

    def repartitionAndSortWithinPartitions(
        self: Order[tuple[K, V]],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
        ascending: bool = True,
        keyfunc: Callable[[K], Any] | None = None,
    ) -> RDD[tuple[K, V]]:
        """Do what ``partitionBy`` does, and sort each partition by key (or ``keyfunc(key)``).

        Example::

            >>> pairs = sc.parallelize([(4, "a"), (1, "b"), (2, "c")])
            >>> pairs.repartitionAndSortWithinPartitions(2).glom().collect()
            [[(2, 'c'), (4, 'a')], [(1, 'b')]]
        """
        from swiftwater._rdd.sorting import sorter

        name = "repartitionAndSortWithinPartitions"
        if keyfunc is not None:
            require_callable(name, keyfunc, "a function as keyfunc")
        number = self._partition_number(name, numPartitions, partitionFunc)
        if number == 0:
            return self._empty(name, [self])
        divided = self._partitioned(number, partitionFunc, name)
        return divided._piped("mapPartitions", sorter(keyfunc, ascending), name, keeps=True)

    def _sorted(
        self, ascending: bool, partitions: int | None, key: Callable[[Any], Any] | None, name: str
    ) -> RDD[Any]:
        from swiftwater._rdd.sorting import by_key

        # Spark looks at this number in Python first, where `True` is 1.
        given = 1 if partitions is True else partitions
        number = self._partition_number(name, given, portable_hash)
        return self._itself if number == 0 else by_key(self._itself, ascending, number, key, name)
