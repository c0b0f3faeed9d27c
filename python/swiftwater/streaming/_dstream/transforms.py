"""Functions of the program that work on a stream's RDDs, in the driver."""

from __future__ import annotations

import time
from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._operator_calls import require_callable
from swiftwater._typing import TYPE_CHECKING, overload
from swiftwater.rdd import RDD
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, T, T_co, U, W
from swiftwater.streaming._durations import milliseconds
from swiftwater.streaming._time_argument import declared_arguments, with_time, without_time

if TYPE_CHECKING:
    from datetime import datetime

    from swiftwater.streaming.dstream import DStream, TransformedDStream

__all__ = ["Transforms"]

_CLOCK_JUMP_MS = 60_000


class Transforms(DStreamCore[T_co]):
    """RDDs in the driver."""

    @overload
    def transform(
        self: Transforms[T], func: Callable[[RDD[T]], RDD[U] | None]
    ) -> TransformedDStream[U]: ...
    @overload
    def transform(
        self: Transforms[T], func: Callable[[datetime, RDD[T]], RDD[U] | None]
    ) -> TransformedDStream[U]: ...
    @defines
    def transform(self: Transforms[T], func: Callable[..., RDD[U] | None]) -> TransformedDStream[U]:
        """Return a stream whose RDDs are ``func(rdd)`` or ``func(time, rdd)``.

        The function runs in the driver, once a batch, before the batch is computed; ``time`` is
        the batch time as a local ``datetime``. Where it returns ``None``, there is no RDD in this
        batch, and outputs behind it are skipped. Raises ``AssertionError`` for a function that
        takes neither one nor two arguments.

        Example::

            >>> run_batches(lambda s: s.transform(lambda rdd: rdd.sortBy(lambda n: n)), [[3, 1, 2]])
            [[1, 2, 3]]
        """
        require_callable("transform", func)
        arguments = declared_arguments(func)
        if arguments not in (1, 2):
            raise AssertionError("func should take one or two arguments")
        call = with_time(func) if arguments == 2 else without_time(func)
        plain = self._per_rdd(call, "transform")
        return self._transformed_class(plain._handle, self._ssc)

    @overload
    def transformWith(
        self: Transforms[T],
        func: Callable[[RDD[T], RDD[U]], RDD[W] | None],
        other: DStream[U],
        keepSerializer: bool = False,
    ) -> DStream[W]: ...
    @overload
    def transformWith(
        self: Transforms[T],
        func: Callable[[datetime, RDD[T], RDD[U]], RDD[W] | None],
        other: DStream[U],
        keepSerializer: bool = False,
    ) -> DStream[W]: ...
    @defines
    def transformWith(
        self: Transforms[T],
        func: Callable[..., RDD[W] | None],
        other: DStream[U],
        keepSerializer: bool = False,
    ) -> DStream[W]:
        """Return a stream whose RDDs are ``func(rdd, other rdd)`` or ``func(time, rdd, other)``.

        It moves at this stream's interval; where one of the two has no RDD at a batch time, the
        function gets an empty one. ``keepSerializer`` is accepted and has no effect. Raises
        ``AssertionError`` for a function that takes neither two nor three arguments.

        Example::

            >>> def rest(numbers, known):
            ...     return numbers.transformWith(lambda a, b: a.subtract(b), known)
            >>> run_batches(rest, [[1, 2], [2]], [[2], []])
            [[1], [2]]
        """
        require_callable("transformWith", func)
        arguments = declared_arguments(func)
        if arguments not in (2, 3):
            raise AssertionError("func should take two or three arguments")
        self._require_other("transformWith", other)
        call = with_time(func) if arguments == 3 else without_time(func)
        return self._with_other(call, other, "transformWith")

    def slice(self: Transforms[T], begin: datetime | float, end: datetime | float) -> list[RDD[T]]:
        """Return the RDDs of the batch times from ``begin`` to ``end``, both included.

        Times are local ``datetime`` objects or seconds since the epoch; one between two batch
        times counts as the earlier one. Batches that are not remembered any more
        (``StreamingContext.remember``), or not yet run, are left out. Raises ``SparkException``
        before the start.

        Example::

            >>> with StreamingTest() as test:
            ...     numbers = test.ssc.queueStream([[1], [2]])
            ...     numbers.pprint(0)
            ...     test.ssc.remember(10)
            ...     test.advance(2)
            ...     rdds = numbers.slice(test.batch_time(1), test.batch_time(2))
            ...     [rdd.collect() for rdd in rdds]  # doctest: +ELLIPSIS
            -------------------------------------------
            ...
            [[1], [2]]
        """
        edges = _time_ms(begin), _time_ms(end)
        zero = engine.zero_ms(self._ssc._handle)
        if zero is None:
            from swiftwater.errors import SparkException

            raise SparkException(f"{self!r} has not been initialized")
        slide = self._slide_ms
        first, last = (_floor(edge_ms, zero, slide) for edge_ms in edges)
        # Nothing is later than now, give or take what the wall clock may have jumped.
        last = min(last, self._ssc._now_ms() + _CLOCK_JUMP_MS)
        found: list[RDD[T]] = []
        for time_ms in range(max(first, zero), last + 1, slide):
            handle = engine.stream_rdd_at(self._handle, time_ms)
            if handle is not None:
                found.append(RDD(handle, self._sc))
        return found


def _time_ms(moment: datetime | float) -> int:
    # Spark: of a datetime the whole seconds count.
    if not hasattr(moment, "timetuple"):
        # Times that no batch has had are none of the slice's.
        return milliseconds(moment, "the time of a slice, if it is no datetime,", most=10**40)
    return int(time.mktime(moment.timetuple()) * 1000)


def _floor(time_ms: int, zero_ms: int, slide_ms: int) -> int:
    rest = (time_ms - zero_ms) % slide_ms
    if rest:
        engine.notice(
            "warning",
            None,
            f"slice: {time_ms} ms is no batch time, {time_ms - rest} ms is taken instead",
        )
    return time_ms - rest
