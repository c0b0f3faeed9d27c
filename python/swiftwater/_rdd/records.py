"""A function for each record, or for each partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from swiftwater._operator_calls import require_callable
from swiftwater._rdd.core import K, RDDCore, T, T_co, U, V
from swiftwater._record_functions import first, listed_partition, second
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["Records"]


class Records(RDDCore[T_co]):
    """One record, or one partition, at a time."""

    def map(self: Records[T], f: Callable[[T], U], preservesPartitioning: bool = False) -> RDD[U]:
        """Return an RDD of ``f(record)`` for each record.

        ``preservesPartitioning`` says that ``f`` leaves the keys of pairs as they are.

        Example::

            >>> sc.parallelize([1, 2]).map(lambda n: n * 10).collect()
            [10, 20]
        """
        return self._piped("map", f, "map", preservesPartitioning)

    def flatMap(
        self: Records[T], f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """Return an RDD of all items of the iterables ``f(record)``.

        Example::

            >>> sc.parallelize(["a b", "c"]).flatMap(str.split).collect()
            ['a', 'b', 'c']
        """
        return self._piped("flatMap", f, "flatMap", preservesPartitioning)

    def filter(self: Records[T], f: Callable[[T], bool]) -> RDD[T]:
        """Return an RDD of the records for which ``f(record)`` is true.

        Example::

            >>> sc.parallelize(range(5)).filter(lambda n: n % 2 == 0).collect()
            [0, 2, 4]
        """
        return self._piped("filter", f, "filter", keeps=True)

    def mapValues(self: Records[tuple[K, V]], f: Callable[[V], U]) -> RDD[tuple[K, U]]:
        """Return an RDD of ``(key, f(value))`` for each ``(key, value)``.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).mapValues(str).collect()
            [('a', '1'), ('b', '2')]
        """
        return self._piped("mapValues", f, "mapValues", keeps=True)

    def flatMapValues(
        self: Records[tuple[K, V]], f: Callable[[V], Iterable[U]]
    ) -> RDD[tuple[K, U]]:
        """Return an RDD of ``(key, item)`` for each item of the iterables ``f(value)``.

        Example::

            >>> sc.parallelize([("a", 2), ("b", 1)]).flatMapValues(range).collect()
            [('a', 0), ('a', 1), ('b', 0)]
        """
        return self._piped("flatMapValues", f, "flatMapValues", keeps=True)

    def keyBy(self: Records[T], f: Callable[[T], K]) -> RDD[tuple[K, T]]:
        """Return an RDD of ``(f(record), record)``.

        Example::

            >>> sc.parallelize(["a", "bcd"]).keyBy(len).collect()
            [(1, 'a'), (3, 'bcd')]
        """
        require_callable("keyBy", f)
        return self._piped("map", lambda record: (f(record), record), "keyBy")

    def keys(self: Records[tuple[K, V]]) -> RDD[K]:
        """Return an RDD of the first items of pairs.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).keys().collect()
            ['a', 'b']
        """
        return self._piped("map", first, "keys")

    def values(self: Records[tuple[K, V]]) -> RDD[V]:
        """Return an RDD of the second items of pairs.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).values().collect()
            [1, 2]
        """
        return self._piped("map", second, "values")

    def mapPartitions(
        self: Records[T],
        f: Callable[[Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> RDD[U]:
        """Return an RDD of what ``f(iterator over the records)`` gives for each partition.

        Example::

            >>> sc.parallelize(range(6), 2).mapPartitions(lambda records: [sum(records)]).collect()
            [3, 12]
        """
        return self._piped("mapPartitions", f, "mapPartitions", preservesPartitioning)

    def mapPartitionsWithIndex(
        self: Records[T],
        f: Callable[[int, Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> RDD[U]:
        """Return an RDD of what ``f(partition number, iterator)`` gives for each partition.

        Example::

            >>> numbers = sc.parallelize(range(6), 2)
            >>> numbers.mapPartitionsWithIndex(lambda i, records: [(i, sum(records))]).collect()
            [(0, 3), (1, 12)]
        """
        return self._piped(
            "mapPartitionsWithIndex", f, "mapPartitionsWithIndex", preservesPartitioning
        )

    def glom(self: Records[T]) -> RDD[list[T]]:
        """Return an RDD with one record a partition: the list of its records.

        Example::

            >>> sc.parallelize(range(5), 2).glom().collect()
            [[0, 1], [2, 3, 4]]
        """
        return self._piped("mapPartitions", listed_partition, "glom")

    def pipe(
        self: Records[T],
        command: str,
        env: Mapping[str, str] | None = None,
        checkCode: bool = False,
    ) -> RDD[str]:
        """Return an RDD of the lines that ``command`` prints when it reads the records.

        The program is started once a partition, without a shell, and gets ``str(record)`` as a
        line for each record. Its environment is ``env`` and nothing else. With ``checkCode`` a
        status other than 0 is an error.

        Example::

            >>> sc.parallelize(["b", "a", "b"], 1).pipe("sort -u").collect()
            ['a', 'b']
        """
        from swiftwater._rdd.pipes import through

        return self._piped("mapPartitions", through(command, env, checkCode), "pipe")
