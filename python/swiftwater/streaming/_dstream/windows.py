"""Streams of the last batches together."""

from __future__ import annotations

import operator
from collections.abc import Callable

from swiftwater._operator_calls import require_callable
from swiftwater._record_functions import (
    extended,
    is_positive,
    listed,
    one_under_one,
    second,
    under_one,
    with_one,
    without_first,
)
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, K, T, T_co, V
from swiftwater.streaming._durations import milliseconds, time_to_live_ms

if TYPE_CHECKING:
    from swiftwater.resultiterable import ResultIterable
    from swiftwater.streaming.dstream import DStream

__all__ = ["Windows"]


class Windows(DStreamCore[T_co]):
    """Windows, and what combines their records."""

    @defines
    def window(
        self: Windows[T], windowDuration: float, slideDuration: float | None = None
    ) -> DStream[T]:
        """Return a stream of the records of the last ``windowDuration`` seconds.

        It has an RDD every ``slideDuration`` seconds, by default this stream's interval. Both must
        be multiples of that interval (``ValueError``). The first windows are shorter; when the
        input ends, windows go on until they are empty. All records are kept, and read by whatever
        reads a window: ``reduceByKeyAndWindow`` keeps one value a key and batch.

        Example::

            >>> run_batches(lambda numbers: numbers.window(2), [[1], [2], [3]], batches=4)
            [[1], [1, 2], [2, 3], [3]]
        """
        from swiftwater.streaming._dstream.table_steps import window

        return window(self, *self._window_ms(windowDuration, slideDuration))

    @defines
    def reduceByWindow(
        self: Windows[T],
        reduceFunc: Callable[[T, T], T],
        invReduceFunc: Callable[[T, T], T] | None,
        windowDuration: float,
        slideDuration: float,
    ) -> DStream[T]:
        """Return a stream with one record a window: all its records combined.

        ``reduceFunc`` must be associative; with ``invReduceFunc`` a window is made from the one
        before it. Both are as in ``reduceByKeyAndWindow``.

        Example::

            >>> def largest(numbers):
            ...     return numbers.reduceByWindow(max, None, 2, 1)
            >>> run_batches(largest, [[3, 1], [2], [1]])
            [[3], [3], [2]]
        """
        keyed: DStream[tuple[int, T]] = self._piped("map", under_one, "reduceByWindow")
        return keyed._window_reduced(
            reduceFunc, invReduceFunc, windowDuration, slideDuration, 1, None, "reduceByWindow", 0
        )._piped_state("map", second, "reduceByWindow")

    @defines
    def countByWindow(self, windowDuration: float, slideDuration: float) -> DStream[int]:
        """Return a stream with one record a window: the number of its records.

        Example::

            >>> run_batches(lambda words: words.countByWindow(2, 1), [["a", "b"], ["c"], []])
            [[2], [3], [1]]
        """
        name = "countByWindow"
        ones: DStream[tuple[int, int]] = self._piped("map", one_under_one, name)
        return ones._window_reduced(
            operator.add, operator.sub, windowDuration, slideDuration, 1, None, name, 0
        )._piped_state("map", second, name)

    @defines
    def countByValueAndWindow(
        self: Windows[K],
        windowDuration: float,
        slideDuration: float,
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, int]]:
        """Return a stream of ``(record, how many times it occurs in the window)``.

        Example::

            >>> run_batches(lambda s: s.countByValueAndWindow(2, 1), [["a"], ["a"], [], []])
            [[('a', 1)], [('a', 2)], [('a', 1)], []]
        """
        name = "countByValueAndWindow"
        ones: DStream[tuple[K, int]] = self._piped("map", with_one, name)
        return ones._window_reduced(
            operator.add, operator.sub, windowDuration, slideDuration, numPartitions, None, name
        )._piped_state("filter", is_positive, name)

    @defines
    def groupByKeyAndWindow(
        self: Windows[tuple[K, V]],
        windowDuration: float,
        slideDuration: float,
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, ResultIterable[V]]]:
        """Return a stream with one pair a key and window: its values, as an iterable.

        In windows of five slides and more, a key whose values have all left stays, without
        values, as in Spark. All values are kept, and a slide copies the lists of the keys in what
        comes and goes: where a sum or the like is enough, take ``reduceByKeyAndWindow``.

        Example::

            >>> def lists(pairs):
            ...     return pairs.groupByKeyAndWindow(2, 1).mapValues(list)
            >>> run_batches(lists, [[("a", 1)], [("a", 2)], []])
            [[('a', [1])], [('a', [1, 2])], [('a', [2])]]
        """
        from swiftwater.resultiterable import ResultIterable

        name = "groupByKeyAndWindow"
        lists = self._piped("mapValues", listed, name, True)
        return lists._window_reduced(
            extended, without_first, windowDuration, slideDuration, numPartitions, None, name
        )._piped_state("mapValues", ResultIterable, name)

    @defines
    def reduceByKeyAndWindow(
        self: Windows[tuple[K, V]],
        func: Callable[[V, V], V],
        invFunc: Callable[[V, V], V] | None,
        windowDuration: float,
        slideDuration: float | None = None,
        numPartitions: int | None = None,
        filterFunc: Callable[[tuple[K, V]], bool] | None = None,
        *,
        timeToLive: float | None = None,
    ) -> DStream[tuple[K, V]]:
        """Return a stream with one pair a key and window: its values combined by ``func(a, b)``.

        ``func`` must be associative; values are combined in the order in which they came. One
        partial result a key and batch is kept, and a slide costs with the keys of the batches that
        come and go, not with the length of the window. ``func`` is called in every batch, also
        between slides.

        With ``invFunc`` (for sums: the difference), and a window of at least five slides, a window
        is made from the one before it: ``invFunc`` takes away what has left, ``func`` adds what is
        new. Keys then stay, whatever their value, unless ``filterFunc((key, value))`` is false, or
        they have no value in the window and have had none for longer than ``timeToLive`` seconds:
        such a key is forgotten, and no function is called for it (PySpark does not have this;
        ``None`` is what the setting ``swiftwater.state.timeToLive`` says, 0 lets keys stay). It is
        not needed for speed, and of floats a window without it is the sum of its own values.
        ``reduceByKeyAndWindow(func, 10, 5)``, as in Scala, has 10 for its inverse and a window of
        5 seconds, as in PySpark: a warning says so, and where the inverse would be called it is a
        ``TypeError``.

        Example::

            >>> def sums(pairs):
            ...     return pairs.reduceByKeyAndWindow(lambda a, b: a + b, lambda a, b: a - b, 2, 1)
            >>> run_batches(sums, [[("a", 1)], [("a", 2)], [("b", 3)], []])
            [[('a', 1)], [('a', 3)], [('b', 3), ('a', 2)], [('b', 3)]]
        """
        return self._window_reduced(
            func,
            invFunc,
            windowDuration,
            slideDuration,
            numPartitions,
            filterFunc,
            "reduceByKeyAndWindow",
            time_to_live_ms(timeToLive),
        )

    def _window_ms(self, window: float, slide: float | None) -> tuple[int, int]:
        """Return checked durations of a window over this stream, in milliseconds."""
        step = self._slide_ms
        window_ms = milliseconds(window, "windowDuration")
        slide_ms = step if slide is None else milliseconds(slide, "slideDuration")
        for name, given_ms in (("windowDuration", window_ms), ("slideDuration", slide_ms)):
            if given_ms % step != 0:
                raise ValueError(
                    f"{name} must be multiple of the parent dstream's slide (batch) duration "
                    f"({step} ms)"
                )
        if window < 0:
            raise ValueError(f"windowDuration is negative: {window}")
        if slide is not None and slide <= 0:
            raise ValueError(f"slideDuration must be longer than 0 seconds, not {slide}")
        return window_ms, slide_ms

    def _window_reduced(
        self,
        func: Callable[[Any, Any], Any],
        inverse: Callable[[Any, Any], Any] | None,
        window: float,
        slide: float | None,
        partitions: int | None,
        keep: Callable[[Any], Any] | None,
        name: str,
        time_to_live: int | None = None,
    ) -> DStream[Any]:
        from swiftwater.streaming._dstream.table_steps import no_inverse, reduced_window

        window_ms, slide_ms = self._window_ms(window, slide)
        for function in (func, keep):
            if function:
                require_callable(name, function)
        if inverse and not callable(inverse):
            no_inverse(name, inverse, window_ms, slide_ms, self._definitions.site)
        count = self._partition_number(name, partitions)
        reduced = self._combined(None, func, func, count, name)
        return reduced_window(
            reduced,
            func,
            inverse or None,
            window_ms,
            slide_ms,
            count,
            keep or None,
            time_to_live,
            name,
        )
