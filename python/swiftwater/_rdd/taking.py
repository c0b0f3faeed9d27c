"""Actions that give records, or go over them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator

from swiftwater._native import engine
from swiftwater._numbers import whole
from swiftwater._operator_calls import require_callable
from swiftwater._rdd.core import EMPTY, K, RDDCore, T, T_co, V, merged
from swiftwater._record_functions import second
from swiftwater._typing import Any

__all__ = ["Taking"]


class Taking(RDDCore[T_co]):
    """Records that come to the driver, one by one or all."""

    def collect(self: Taking[T]) -> list[T]:
        """Return all records, partition after partition. They must fit in memory.

        Example::

            >>> sc.parallelize(range(3)).collect()
            [0, 1, 2]
        """
        parts: list[list[T]] = self._ran(engine.collect, None)
        return parts[0] if len(parts) == 1 else list(itertools.chain.from_iterable(parts))

    def toLocalIterator(self: Taking[T], prefetchPartitions: bool = False) -> Iterator[T]:
        """Return an iterator over all records; each partition is computed when it is come to.

        ``prefetchPartitions`` is accepted for PySpark's sake.

        Example::

            >>> [n * n for n in sc.parallelize(range(3), 2).toLocalIterator()]
            [0, 1, 4]
        """
        return self._one_by_one(self.getNumPartitions())

    def _one_by_one(self: Taking[T], partitions: int) -> Iterator[T]:
        wanted = self._wanted()
        for number in range(partitions):
            yield from engine.collect(self._live, [number])[0]
        for rdd in wanted:
            rdd._keep()

    def take(self: Taking[T], num: int) -> list[T]:
        """Return the first ``num`` records, from as few partitions as possible.

        One partition is tried first, then up to four times as many as before, until there are
        enough.

        Example::

            >>> sc.parallelize(range(100), 10).take(3)
            [0, 1, 2]
        """
        num = whole(num, "the number of records to take")
        most = max(0, min(num, sys.maxsize))
        taken: list[T] = self._ran(engine.take, most)
        return taken

    def first(self: Taking[T]) -> T:
        """Return the first record. Raises ``ValueError`` where there is none.

        Example::

            >>> sc.parallelize([7, 8]).first()
            7
        """
        taken = self.take(1)
        if not taken:
            raise ValueError("RDD is empty")
        return taken[0]

    def isEmpty(self) -> bool:
        """Return whether there is no record at all.

        Example::

            >>> sc.parallelize([]).isEmpty()
            True
        """
        return not self.take(1)

    def takeOrdered(self: Taking[T], num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """Return the ``num`` smallest records in ascending order (by ``key(record)``).

        Example::

            >>> sc.parallelize([3, 1, 2]).takeOrdered(2, key=lambda n: -n)
            [3, 2]
        """
        num = min(whole(num, "the number of records to take"), sys.maxsize)
        if num < 0:
            raise ValueError("top N cannot be negative.")
        if key is not None:
            require_callable("takeOrdered", key, "a function as key")
        from heapq import nsmallest

        choose: Callable[..., list[T]] = nsmallest

        if num == 0:
            return []
        return self._chosen(lambda records: choose(num, records, key=key), "takeOrdered") or []

    def top(self: Taking[T], num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """Return the ``num`` largest records in descending order (by ``key(record)``).

        Example::

            >>> sc.parallelize([3, 1, 2]).top(2)
            [3, 2]
        """
        num = min(whole(num, "the number of records to take"), sys.maxsize)
        if key is not None:
            require_callable("top", key, "a function as key")
        from heapq import nlargest

        choose: Callable[..., list[T]] = nlargest

        chosen = self._chosen(lambda records: choose(num, records, key=key), "top")
        if chosen is None:
            raise ValueError(EMPTY)
        return chosen

    def _chosen(
        self: Taking[T], choose: Callable[[Iterable[T]], list[T]], name: str
    ) -> list[T] | None:
        """Return what ``choose`` takes of all records; ``None`` where there is no partition."""
        lists = self._piped("mapPartitions", lambda records: [choose(records)], name)
        parts: list[list[T]] = lists.collect()
        # Spark: two lists at a time, which shows where the key is a function with a memory.
        return merged(lambda a, b: choose(a + b), parts) if parts else None

    def collectAsMap(self: Taking[tuple[K, V]]) -> dict[K, V]:
        """Return the pairs as a dictionary; of several values of a key, the last.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).collectAsMap()
            {'a': 1, 'b': 2}
        """
        return dict(self.collect())

    def lookup(self: Taking[tuple[K, V]], key: K) -> list[V]:
        """Return the values of one key; only its partition is computed where that is known.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2), ("a", 3)]).lookup("a")
            [1, 3]
        """
        found = self._piped("filter", lambda pair: pair[0] == key, "lookup")
        values = found._piped("map", second, "lookup")
        partitioner = self.partitioner
        if partitioner is None:
            return values.collect()
        partition = partitioner(key)
        parts: list[list[V]] = values._ran(engine.collect, [partition])
        return parts[0]

    def foreach(self: Taking[T], f: Callable[[T], object]) -> None:
        """Call ``f(record)`` for each record; what it returns is dropped.

        Example::

            >>> sc.parallelize([1, 2], 1).foreach(print)
            1
            2
        """
        require_callable("foreach", f)

        def called(record: T) -> tuple[()]:
            f(record)
            return ()

        self._piped("flatMap", called, "foreach").collect()

    def foreachPartition(self: Taking[T], f: Callable[[Iterator[T]], object]) -> None:
        """Call ``f(iterator over the records)`` for each partition; what it returns is dropped.

        Example::

            >>> sc.parallelize(range(4), 2).foreachPartition(lambda records: print(list(records)))
            [0, 1]
            [2, 3]
        """
        require_callable("foreachPartition", f)

        def called(records: Iterator[T]) -> tuple[()]:
            result = f(records)
            if isinstance(result, Iterator):
                # A generator function does nothing until somebody asks it for items.
                for _ in result:
                    pass
            return ()

        self._piped("mapPartitions", called, "foreachPartition").collect()
