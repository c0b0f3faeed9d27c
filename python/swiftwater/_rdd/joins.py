"""Records of several RDDs brought together by their keys."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._rdd.core import K, RDDCore, T, T_co, U, V, require_rdd
from swiftwater._record_functions import paired
from swiftwater._typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from swiftwater.rdd import RDD
    from swiftwater.resultiterable import ResultIterable

__all__ = ["Joins"]

V1 = TypeVar("V1")
V2 = TypeVar("V2")
V3 = TypeVar("V3")


class Joins(RDDCore[T_co]):
    """Several RDDs, by key."""

    def join(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U]]]:
        """Return an RDD of ``(key, (a, b))`` for each two values of a key that both sides have.

        ``numPartitions`` is by default ``spark.default.parallelism`` where that is set, else the
        sum of both RDDs' partitions, or their common number where both are placed alike.

        Example::

            >>> ages = sc.parallelize([("ann", 30), ("bob", 40)])
            >>> towns = sc.parallelize([("ann", "Rome"), ("cem", "Ulm")])
            >>> ages.join(towns).collect()
            [('ann', (30, 'Rome'))]
        """
        from swiftwater._rdd.joined_records import inner
        from swiftwater._rdd.joining import together

        return together([self._itself, other], numPartitions, inner, "join")

    def leftOuterJoin(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U | None]]]:
        """Do what ``join`` does, with ``(key, (a, None))`` where ``other`` has no such key.

        Example::

            >>> ages = sc.parallelize([("ann", 30), ("bob", 40)])
            >>> towns = sc.parallelize([("ann", "Rome")])
            >>> ages.leftOuterJoin(towns, 1).collect()
            [('ann', (30, 'Rome')), ('bob', (40, None))]
        """
        from swiftwater._rdd.joined_records import left_outer
        from swiftwater._rdd.joining import together

        return together([self._itself, other], numPartitions, left_outer, "leftOuterJoin")

    def rightOuterJoin(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U]]]:
        """Do what ``join`` does, with ``(key, (None, b))`` where this RDD has no such key.

        Example::

            >>> ages = sc.parallelize([("ann", 30)])
            >>> towns = sc.parallelize([("cem", "Ulm"), ("ann", "Rome")])
            >>> ages.rightOuterJoin(towns, 1).collect()
            [('ann', (30, 'Rome')), ('cem', (None, 'Ulm'))]
        """
        from swiftwater._rdd.joined_records import right_outer
        from swiftwater._rdd.joining import together

        return together([self._itself, other], numPartitions, right_outer, "rightOuterJoin")

    def fullOuterJoin(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U | None]]]:
        """Do what ``join`` does, with ``None`` for the side that has no such key.

        Example::

            >>> ages = sc.parallelize([("bob", 40)])
            >>> towns = sc.parallelize([("cem", "Ulm")])
            >>> ages.fullOuterJoin(towns, 1).collect()
            [('bob', (40, None)), ('cem', (None, 'Ulm'))]
        """
        from swiftwater._rdd.joined_records import full_outer
        from swiftwater._rdd.joining import together

        return together([self._itself, other], numPartitions, full_outer, "fullOuterJoin")

    def cogroup(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """Return an RDD of ``(key, (values here, values there))`` for each key of either side.

        Example::

            >>> one, two = sc.parallelize([("a", 1), ("a", 2)]), sc.parallelize([("b", 3)])
            >>> [(k, list(a), list(b)) for k, (a, b) in one.cogroup(two, 1).collect()]
            [('a', [1, 2], []), ('b', [], [3])]
        """
        from swiftwater._rdd.joined_records import cogrouped
        from swiftwater._rdd.joining import together

        return together([self._itself, other], numPartitions, cogrouped, "cogroup")

    @overload
    def groupWith(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, V1]]
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[V1]]]]: ...

    @overload
    def groupWith(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, V1]], other2: RDD[tuple[K, V2]], /
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[V1], ResultIterable[V2]]]]: ...

    @overload
    def groupWith(
        self: Joins[tuple[K, V]],
        other: RDD[tuple[K, V1]],
        other2: RDD[tuple[K, V2]],
        other3: RDD[tuple[K, V3]],
        /,
    ) -> RDD[
        tuple[
            K,
            tuple[ResultIterable[V], ResultIterable[V1], ResultIterable[V2], ResultIterable[V3]],
        ]
    ]: ...

    @overload
    def groupWith(
        self: Joins[tuple[K, Any]], other: RDD[tuple[K, Any]], *others: RDD[tuple[K, Any]]
    ) -> RDD[tuple[K, tuple[ResultIterable[Any], ...]]]: ...

    def groupWith(self: Joins[Any], other: RDD[Any], *others: RDD[Any]) -> RDD[Any]:
        """Do what ``cogroup`` does, with any number of RDDs.

        Example::

            >>> one, two, three = (sc.parallelize([("a", n)]) for n in (1, 2, 3))
            >>> [(k, [list(v) for v in vs]) for k, vs in one.groupWith(two, three).collect()]
            [('a', [[1], [2], [3]])]
        """
        from swiftwater._rdd.joined_records import cogrouped
        from swiftwater._rdd.joining import together

        return together([self._itself, other, *others], None, cogrouped, "groupWith")

    def subtractByKey(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, Any]], numPartitions: int | None = None
    ) -> RDD[tuple[K, V]]:
        """Return an RDD of the pairs whose key ``other`` has not; pairs of one key come together.

        Example::

            >>> one, two = sc.parallelize([("a", 1), ("b", 2)]), sc.parallelize([("a", 3)])
            >>> one.subtractByKey(two).collect()
            [('b', 2)]
        """
        from swiftwater._rdd.joined_records import subtracted
        from swiftwater._rdd.joining import together

        return together([self._itself, other], numPartitions, subtracted, "subtractByKey")

    def subtract(self: Joins[T], other: RDD[T], numPartitions: int | None = None) -> RDD[T]:
        """Return an RDD of the records that ``other`` has not; equal ones come together.

        Example::

            >>> sc.parallelize([1, 2, 2, 3]).subtract(sc.parallelize([3]), 1).collect()
            [1, 2, 2]
        """
        from swiftwater._rdd.joined_records import subtracted_keys

        return self._compared(other, numPartitions, subtracted_keys, "subtract")

    def intersection(self: Joins[T], other: RDD[T]) -> RDD[T]:
        """Return an RDD of the records that both have, each once.

        Example::

            >>> sc.parallelize([1, 2, 2], 1).intersection(sc.parallelize([2, 3], 1)).collect()
            [2]
        """
        from swiftwater._rdd.joined_records import common_keys

        return self._compared(other, None, common_keys, "intersection")

    def _compared(
        self, other: RDD[Any], partitions: int | None, merge: Callable[..., Any], name: str
    ) -> RDD[Any]:
        from swiftwater._rdd.joining import together

        require_rdd(name, other)
        sides = [rdd._piped("map", paired, name) for rdd in (self._itself, other)]
        return together(sides, partitions, merge, name, keeps=False)
