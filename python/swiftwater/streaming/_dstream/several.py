"""Streams of two streams."""

from __future__ import annotations

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import OF_TWO, DStreamCore, K, T, T_co, U, V

if TYPE_CHECKING:
    from swiftwater._rdd.joined_records import Merger
    from swiftwater.resultiterable import ResultIterable
    from swiftwater.streaming.dstream import DStream

__all__ = ["Several"]


class Several(DStreamCore[T_co]):
    """Two streams, batch by batch."""

    @defines
    def union(self: Several[T], other: DStream[U]) -> DStream[T | U]:
        """Return a stream of this one's records followed by those of ``other``, each batch.

        Raises ``ValueError`` where the two do not move at the same interval.

        Example::

            >>> run_batches(lambda a, b: a.union(b), [[1], [2]], [["x"], []])
            [[1, 'x'], [2]]
        """
        self._require_stream("union", other)
        if self._slide_ms != other._slide_ms:
            raise ValueError("the two DStream should have same slide duration")
        self._require_other("union", other)
        self._ssc._building()
        handle = engine.stream_union([self._handle, other._handle], "union", self._definitions.site)
        return self._stream_class(handle, self._ssc, OF_TWO)

    @defines
    def cogroup(
        self: Several[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """Return a stream of ``(key, (values here, values in other))``, each batch.

        Where ``other`` has no RDD at a batch time, it counts as empty.

        Example::

            >>> def lists(a, b):
            ...     return a.cogroup(b).mapValues(lambda both: [list(side) for side in both])
            >>> run_batches(lists, [[("a", 1), ("a", 2)]], [[("a", "x")]])
            [[('a', [[1, 2], ['x']])]]
        """
        from swiftwater._rdd.joined_records import cogrouped

        return self._joined("cogroup", cogrouped, other, numPartitions)

    @defines
    def join(
        self: Several[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V, U]]]:
        """Return a stream of ``(key, (value, value of other))``, each batch.

        Example::

            >>> run_batches(lambda a, b: a.join(b), [[("a", 1), ("b", 2)]], [[("a", "x")]])
            [[('a', (1, 'x'))]]
        """
        from swiftwater._rdd.joined_records import inner

        return self._joined("join", inner, other, numPartitions)

    @defines
    def leftOuterJoin(
        self: Several[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V, U | None]]]:
        """Return what ``join`` gives, and ``(key, (value, None))`` for keys that only this has.

        Example::

            >>> left, right = [[("a", 1), ("b", 2)]], [[("a", "x")]]
            >>> run_batches(lambda a, b: a.leftOuterJoin(b, 1), left, right)
            [[('a', (1, 'x')), ('b', (2, None))]]
        """
        from swiftwater._rdd.joined_records import left_outer

        return self._joined("leftOuterJoin", left_outer, other, numPartitions)

    @defines
    def rightOuterJoin(
        self: Several[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V | None, U]]]:
        """Return what ``join`` gives, and ``(key, (None, value))`` for keys that only other has.

        Example::

            >>> left, right = [[("a", 1)]], [[("a", "x"), ("c", "y")]]
            >>> run_batches(lambda a, b: a.rightOuterJoin(b, 1), left, right)
            [[('a', (1, 'x')), ('c', (None, 'y'))]]
        """
        from swiftwater._rdd.joined_records import right_outer

        return self._joined("rightOuterJoin", right_outer, other, numPartitions)

    @defines
    def fullOuterJoin(
        self: Several[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V | None, U | None]]]:
        """Return what both outer joins give.

        Example::

            >>> left, right = [[("a", 1)]], [[("c", "y")]]
            >>> run_batches(lambda a, b: a.fullOuterJoin(b, 1), left, right)
            [[('a', (1, None)), ('c', (None, 'y'))]]
        """
        from swiftwater._rdd.joined_records import full_outer

        return self._joined("fullOuterJoin", full_outer, other, numPartitions)

    def _joined(
        self, name: str, merge: Merger, other: DStream[Any], partitions: int | None
    ) -> DStream[Any]:
        from swiftwater._rdd.joined_records import NATIVE_FORMS, merged_together

        self._require_other(name, other)
        count = self._partition_number(name, partitions)
        self._ssc._building()
        site, form = self._definitions.site, NATIVE_FORMS.get(merge, "")
        streams = [self._handle, other._handle]
        handle = engine.stream_join(
            streams, count, merge, merged_together(merge), name, site, form, True
        )
        return self._stream_class(handle, self._ssc, OF_TWO)
