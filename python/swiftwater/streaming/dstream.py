"""DStream: a stream as one RDD each batch.

Example::

    >>> run_batches(lambda lines: lines.flatMap(str.split).countByValue(), [["a b a"], ["b"]])
    [[('b', 1), ('a', 2)], [('b', 1)]]
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from swiftwater._calls import require_callable
from swiftwater._native import engine
from swiftwater._record_functions import (
    appended,
    counted_partition,
    extended,
    listed,
    listed_partition,
    second,
    under_none,
    with_one,
)
from swiftwater.rdd import RDD, partition_number, portable_hash
from swiftwater.streaming._arity import declared_arguments
from swiftwater.streaming._durations import milliseconds
from swiftwater.streaming._graph import defines
from swiftwater.streaming._partitioning import Partitioning, partitioner

if TYPE_CHECKING:
    from datetime import datetime

    from swiftwater._swiftwater import Handle
    from swiftwater.resultiterable import ResultIterable
    from swiftwater.streaming.context import StreamingContext

__all__ = ["DStream", "TransformedDStream"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")
S = TypeVar("S")
K = TypeVar("K", bound=Hashable)

PerRDD = Callable[[int, RDD[Any]], Any]


class DStream(Generic[T_co]):
    """Records of one type that keep coming: one RDD each batch.

    Made by the sources of a ``StreamingContext``. Operators return a new stream and work on each
    batch as the RDD method of the same name does; outputs (``pprint``, ``foreachRDD``,
    ``saveAsTextFiles``) make something happen. Nothing is computed before
    ``StreamingContext.start``, and nothing may be added after it (``IllegalStateException``). An
    operator that is given something that cannot be called raises ``TypeError`` at once; an error
    inside a user's function is raised by ``awaitTermination``, with operator, batch and a sample of
    the record as notes. Where nothing else is said, ``numPartitions`` is by default the context's
    ``defaultParallelism``; durations are in seconds.

    Example::

        >>> def counts(lines):
        ...     words = lines.flatMap(lambda line: line.split(" "))
        ...     return words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
        >>> run_batches(counts, [["to be or", "not to be"]])
        [[('to', 2), ('be', 2), ('or', 1), ('not', 1)]]
    """

    def __init__(
        self,
        handle: Handle,
        ssc: StreamingContext,
        partitioning: Partitioning | None = None,
        kind: str = "PythonTransformedDStream",
    ) -> None:
        """Wrap a stream of the engine. Programs make streams with a context's methods."""
        self._handle = handle
        self._ssc = ssc
        self._sc = ssc._sc
        self._definitions = ssc._definitions
        self._partitioning = partitioning
        # The class that Spark's messages name.
        self._kind = kind
        # Its place among the definitions that made a stream, where the program holds it.
        self._number: int | None = None
        # The key of the stateful operator that it is, or that it stands on.
        self._state_key: str | None = None
        self._checkpoint_ms: int | None = None
        self.is_cached = False
        self.is_checkpointed = False

    def context(self) -> StreamingContext:
        """Return the context that the stream belongs to.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([[1]]).context() is test.ssc
            True
        """
        return self._ssc

    @property
    def _slideDuration(self) -> float:
        """Seconds between two RDDs of this stream."""
        return self._slide_ms / 1000.0

    @property
    def _slide_ms(self) -> int:
        return engine.stream_slide_ms(self._handle)

    # --- one record at a time ---------------------------------------------------------------

    @defines
    def map(
        self: DStream[T], f: Callable[[T], U], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Return a stream of ``f(record)`` for each record.

        ``preservesPartitioning`` says that keys stay what they are.

        Example::

            >>> run_batches(lambda numbers: numbers.map(lambda n: n * n), [[1, 2], [3]])
            [[1, 4], [9]]
        """
        return self._piped("map", f, "map", preservesPartitioning)

    @defines
    def flatMap(
        self: DStream[T], f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Return a stream of all items of the iterables ``f(record)``.

        Example::

            >>> run_batches(lambda lines: lines.flatMap(str.split), [["a b", "c"]])
            [['a', 'b', 'c']]
        """
        return self._piped("flatMap", f, "flatMap", preservesPartitioning)

    @defines
    def filter(self: DStream[T], f: Callable[[T], bool]) -> DStream[T]:
        """Return a stream of the records for which ``f(record)`` is true.

        Example::

            >>> run_batches(lambda numbers: numbers.filter(lambda n: n > 1), [[1, 2], [3]])
            [[2], [3]]
        """
        return self._piped("filter", f, "filter", True)

    @defines
    def mapValues(self: DStream[tuple[K, V]], f: Callable[[V], U]) -> DStream[tuple[K, U]]:
        """Return a stream of ``(key, f(value))`` for each ``(key, value)``.

        Example::

            >>> run_batches(lambda pairs: pairs.mapValues(str.upper), [[(1, "a"), (2, "b")]])
            [[(1, 'A'), (2, 'B')]]
        """
        return self._piped("mapValues", f, "mapValues", True)

    @defines
    def flatMapValues(
        self: DStream[tuple[K, V]], f: Callable[[V], Iterable[U]]
    ) -> DStream[tuple[K, U]]:
        """Return a stream of ``(key, item)`` for each item of the iterables ``f(value)``.

        Example::

            >>> run_batches(lambda pairs: pairs.flatMapValues(range), [[("a", 2), ("b", 1)]])
            [[('a', 0), ('a', 1), ('b', 0)]]
        """
        return self._piped("flatMapValues", f, "flatMapValues", True)

    # --- one partition at a time ------------------------------------------------------------

    @defines
    def mapPartitions(
        self: DStream[T],
        f: Callable[[Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> DStream[U]:
        """Return a stream of what ``f(iterator over the records)`` gives for each partition.

        Example::

            >>> run_batches(lambda numbers: numbers.mapPartitions(lambda all: [sum(all)]), [[1, 2]])
            [[1, 2]]
        """
        return self._piped("mapPartitions", f, "mapPartitions", preservesPartitioning)

    @defines
    def mapPartitionsWithIndex(
        self: DStream[T],
        f: Callable[[int, Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> DStream[U]:
        """Return a stream of what ``f(partition number, iterator)`` gives for each partition.

        Example::

            >>> def numbered(number, records):
            ...     return [(number, list(records))]
            >>> run_batches(lambda s: s.mapPartitionsWithIndex(numbered), [["a", "b", "c"]])
            [[(0, ['a']), (1, ['b', 'c'])]]
        """
        name = "mapPartitionsWithIndex"
        return self._piped(name, f, name, preservesPartitioning)

    @defines
    def glom(self: DStream[T]) -> DStream[list[T]]:
        """Return a stream with one record a partition: the list of its records.

        Example::

            >>> run_batches(lambda numbers: numbers.glom(), [[1, 2, 3]])
            [[[1], [2, 3]]]
        """
        return self._piped("mapPartitions", listed_partition, "glom")

    # --- a whole batch at a time ------------------------------------------------------------

    @defines
    def reduceByKey(
        self: DStream[tuple[K, V]], func: Callable[[V, V], V], numPartitions: int | None = None
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
        self: DStream[tuple[K, V]],
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
        self: DStream[tuple[K, V]], numPartitions: int | None = None
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
        self: DStream[tuple[K, V]],
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
        count = partition_number(name, numPartitions, lambda: self._sc.defaultParallelism)
        site = self._definitions.site
        function = None if partitionFunc is portable_hash else partitionFunc
        partitioning = Partitioning(partitioner(count, partitionFunc))

        def shuffled(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            (rdd,) = rdds
            return rdd and engine.partition_by(rdd, count, function, name, site, None, True)

        return self._transformed([self], shuffled, name, partitioning)

    @defines
    def repartition(self: DStream[T], numPartitions: int) -> DStream[T]:
        """Return a stream with the records spread over ``numPartitions`` partitions.

        Example::

            >>> def sizes(numbers):
            ...     return numbers.repartition(4).glom().count()
            >>> run_batches(sizes, [[1, 2, 3]])
            [[4]]
        """
        count = partition_number("repartition", numPartitions, lambda: 1)
        return self._per_rdd(lambda time_ms, rdd: rdd.repartition(count), "repartition")

    @defines
    def reduce(self: DStream[T], func: Callable[[T, T], T]) -> DStream[T]:
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
    def countByValue(self: DStream[K]) -> DStream[tuple[K, int]]:
        """Return a stream of ``(record, how many times it occurs in the batch)``.

        Example::

            >>> run_batches(lambda words: words.countByValue(), [["a", "b", "a"]])
            [[('b', 1), ('a', 2)]]
        """
        ones: DStream[tuple[K, int]] = self._piped("map", with_one, "countByValue")
        return ones._combined(None, operator.add, operator.add, None, "countByValue")

    # --- two streams ------------------------------------------------------------------------

    @defines
    def union(self: DStream[T], other: DStream[U]) -> DStream[T | U]:
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
        return self._with_other(lambda time_ms, a, b: a.union(b), other, "union")

    @defines
    def cogroup(
        self: DStream[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """Return a stream of ``(key, (values here, values in other))``, each batch.

        Where ``other`` has no RDD at a batch time, it counts as empty.

        Example::

            >>> def lists(a, b):
            ...     return a.cogroup(b).mapValues(lambda both: [list(side) for side in both])
            >>> run_batches(lists, [[("a", 1), ("a", 2)]], [[("a", "x")]])
            [[('a', [[1, 2], ['x']])]]
        """
        return self._joined("cogroup", other, numPartitions)

    @defines
    def join(
        self: DStream[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V, U]]]:
        """Return a stream of ``(key, (value, value of other))``, each batch.

        Example::

            >>> run_batches(lambda a, b: a.join(b), [[("a", 1), ("b", 2)]], [[("a", "x")]])
            [[('a', (1, 'x'))]]
        """
        return self._joined("join", other, numPartitions)

    @defines
    def leftOuterJoin(
        self: DStream[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V, U | None]]]:
        """Return what ``join`` gives, and ``(key, (value, None))`` for keys that only this has.

        Example::

            >>> left, right = [[("a", 1), ("b", 2)]], [[("a", "x")]]
            >>> run_batches(lambda a, b: a.leftOuterJoin(b, 1), left, right)
            [[('a', (1, 'x')), ('b', (2, None))]]
        """
        return self._joined("leftOuterJoin", other, numPartitions)

    @defines
    def rightOuterJoin(
        self: DStream[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V | None, U]]]:
        """Return what ``join`` gives, and ``(key, (None, value))`` for keys that only other has.

        Example::

            >>> left, right = [[("a", 1)]], [[("a", "x"), ("c", "y")]]
            >>> run_batches(lambda a, b: a.rightOuterJoin(b, 1), left, right)
            [[('a', (1, 'x')), ('c', (None, 'y'))]]
        """
        return self._joined("rightOuterJoin", other, numPartitions)

    @defines
    def fullOuterJoin(
        self: DStream[tuple[K, V]], other: DStream[tuple[K, U]], numPartitions: int | None = None
    ) -> DStream[tuple[K, tuple[V | None, U | None]]]:
        """Return what both outer joins give.

        Example::

            >>> left, right = [[("a", 1)]], [[("c", "y")]]
            >>> run_batches(lambda a, b: a.fullOuterJoin(b, 1), left, right)
            [[('a', (1, None)), ('c', (None, 'y'))]]
        """
        return self._joined("fullOuterJoin", other, numPartitions)

    # --- RDDs in the driver -----------------------------------------------------------------

    @overload
    def transform(
        self: DStream[T], func: Callable[[RDD[T]], RDD[U] | None]
    ) -> TransformedDStream[U]: ...
    @overload
    def transform(
        self: DStream[T], func: Callable[[datetime, RDD[T]], RDD[U] | None]
    ) -> TransformedDStream[U]: ...
    @defines
    def transform(self: DStream[T], func: Callable[..., RDD[U] | None]) -> TransformedDStream[U]:
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
        call = _with_time(func) if arguments == 2 else _without_time(func)
        plain = self._per_rdd(call, "transform")
        return TransformedDStream(plain._handle, self._ssc, plain._partitioning)

    @overload
    def transformWith(
        self: DStream[T],
        func: Callable[[RDD[T], RDD[U]], RDD[W] | None],
        other: DStream[U],
        keepSerializer: bool = False,
    ) -> DStream[W]: ...
    @overload
    def transformWith(
        self: DStream[T],
        func: Callable[[datetime, RDD[T], RDD[U]], RDD[W] | None],
        other: DStream[U],
        keepSerializer: bool = False,
    ) -> DStream[W]: ...
    @defines
    def transformWith(
        self: DStream[T],
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
        call = _with_time(func) if arguments == 3 else _without_time(func)
        return self._with_other(call, other, "transformWith")

    def slice(self: DStream[T], begin: datetime | float, end: datetime | float) -> list[RDD[T]]:
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
        found = []
        for time_ms in range(max(first, zero), last + 1, slide):
            handle = engine.stream_rdd_at(self._handle, time_ms)
            if handle is not None:
                found.append(self._rdd(handle, time_ms))
        return found

    # --- windows ----------------------------------------------------------------------------

    @defines
    def window(
        self: DStream[T], windowDuration: float, slideDuration: float | None = None
    ) -> DStream[T]:
        """Return a stream of the records of the last ``windowDuration`` seconds.

        It has an RDD every ``slideDuration`` seconds, by default this stream's interval. Both must
        be multiples of that interval (``ValueError``). The first windows are shorter; when the
        input ends, windows go on until they are empty.

        Example::

            >>> run_batches(lambda numbers: numbers.window(2), [[1], [2], [3]], batches=4)
            [[1], [1, 2], [2, 3], [3]]
        """
        from swiftwater.streaming._windows import window

        return window(self, *self._window_ms(windowDuration, slideDuration))

    @defines
    def reduceByWindow(
        self: DStream[T],
        reduceFunc: Callable[[T, T], T],
        invReduceFunc: Callable[[T, T], T] | None,
        windowDuration: float,
        slideDuration: float,
    ) -> DStream[T]:
        """Return a stream with one record a window: all its records combined.

        With ``invReduceFunc`` a window is made from the one before it, as in
        ``reduceByKeyAndWindow``.

        Example::

            >>> def largest(numbers):
            ...     return numbers.reduceByWindow(max, None, 2, 1)
            >>> run_batches(largest, [[3, 1], [2], [1]])
            [[3], [3], [2]]
        """
        keyed: DStream[tuple[int, T]] = self._piped("map", _under_one, "reduceByWindow")
        return keyed._window_reduced(
            reduceFunc, invReduceFunc, windowDuration, slideDuration, 1, None, "reduceByWindow"
        )._piped_state("map", second, "reduceByWindow")

    @defines
    def countByWindow(self, windowDuration: float, slideDuration: float) -> DStream[int]:
        """Return a stream with one record a window: the number of its records.

        Example::

            >>> run_batches(lambda words: words.countByWindow(2, 1), [["a", "b"], ["c"], []])
            [[2], [3], [1]]
        """
        name = "countByWindow"
        ones: DStream[tuple[int, int]] = self._piped("map", _one_under_one, name)
        return ones._window_reduced(
            operator.add, operator.sub, windowDuration, slideDuration, 1, None, name
        )._piped_state("map", second, name)

    @defines
    def countByValueAndWindow(
        self: DStream[K],
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
        )._piped_state("filter", _is_positive, name)

    @defines
    def groupByKeyAndWindow(
        self: DStream[tuple[K, V]],
        windowDuration: float,
        slideDuration: float,
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, ResultIterable[V]]]:
        """Return a stream with one pair a key and window: its values, as an iterable.

        In windows of five slides and more, a key whose values have all left stays, without
        values, as in Spark.

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
            extended, _without_first, windowDuration, slideDuration, numPartitions, None, name
        )._piped_state("mapValues", ResultIterable, name)

    @defines
    def reduceByKeyAndWindow(
        self: DStream[tuple[K, V]],
        func: Callable[[V, V], V],
        invFunc: Callable[[V, V], V] | None,
        windowDuration: float,
        slideDuration: float | None = None,
        numPartitions: int | None = None,
        filterFunc: Callable[[tuple[K, V]], bool] | None = None,
    ) -> DStream[tuple[K, V]]:
        """Return a stream with one pair a key and window: its values combined by ``func(a, b)``.

        With ``invFunc`` (for sums: the difference), and a window of at least five slides, a window
        is made from the one before it: ``invFunc`` takes away what has left, ``func`` adds what is
        new. Keys then stay, whatever their value, unless ``filterFunc((key, value))`` is false.
        Otherwise each window is reduced anew. ``reduceByKeyAndWindow(func, 10, 5)``, as in Scala,
        has 10 for its inverse and a window of 5 seconds, as in PySpark: a warning says so, and
        where the inverse would be called it is a ``TypeError``.

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
        )

    # --- state ------------------------------------------------------------------------------

    def updateStateByKey(
        self: DStream[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None = None,
        initialRDD: RDD[tuple[K, S]] | Iterable[tuple[K, S]] | None = None,
    ) -> DStream[tuple[K, S]]:
        """Return a stream of ``(key, state)``, for all keys that have one.

        Each batch, ``updateFunc(new values, state)`` is called for every key that has a state or
        new values; the state is ``None`` for a new key, the list is empty where nothing is new.
        What it returns is the key's next state, and with ``None`` the key is forgotten.
        ``initialRDD`` (an RDD or pairs) is what the state is before the first batch.

        Example::

            >>> def total(new, old):
            ...     return sum(new) + (old or 0)
            >>> run_batches(lambda s: s.updateStateByKey(total), [[("a", 1)], [], [("a", 2)]])
            [[('a', 1)], [('a', 1)], [('a', 3)]]
        """
        if initialRDD is None or isinstance(initialRDD, RDD):
            return self._updated(updateFunc, numPartitions, initialRDD)
        pairs = list(initialRDD)
        initial = self._sc.parallelize(pairs) if pairs else None
        return self._updated(updateFunc, numPartitions, initial)

    @defines
    def _updated(
        self: DStream[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None,
        initialRDD: RDD[tuple[K, S]] | None,
    ) -> DStream[tuple[K, S]]:
        from swiftwater.streaming._state import state

        require_callable("updateStateByKey", updateFunc)
        count = self._partition_number("updateStateByKey", numPartitions)
        return state(self, updateFunc, count, initialRDD)

    @defines
    def named(self: DStream[T], name: str) -> DStream[T]:
        """Give a window or a state a name of its own. Returns the stream itself.

        Checkpoints know a stateful operator by this name; without one, by its kind and its number
        among the stateful operators, say ``updateStateByKey-1``. Not part of PySpark. Raises
        ``ValueError`` for a name that another operator has, and for a stream without state.

        Example::

            >>> with StreamingTest() as test:
            ...     pairs = test.ssc.queueStream([[("a", 1)]])
            ...     totals = pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0))
            ...     totals = totals.named("totals")
        """
        if not isinstance(name, str) or not name:
            raise TypeError(f"a name is a text that is not empty, not {name!r}")
        if self._state_key is None:
            raise ValueError(
                f"{name!r} cannot be the name of this stream: only windows and states have one"
            )
        self._ssc._building()
        self._ssc._stateful.rename(self._state_key, name)
        return self

    # --- outputs ----------------------------------------------------------------------------

    @overload
    def foreachRDD(self: DStream[T], func: Callable[[RDD[T]], object]) -> None: ...
    @overload
    def foreachRDD(self: DStream[T], func: Callable[[datetime, RDD[T]], object]) -> None: ...
    @defines
    def foreachRDD(self: DStream[T], func: Callable[..., object]) -> None:
        """Call ``func(rdd)`` or ``func(time, rdd)`` each batch, in the driver.

        A function with exactly one argument gets the RDD, every other the batch time (a local
        ``datetime``) and the RDD. What it returns is dropped. Outputs run in the order in which
        they were defined, batch after batch.

        Example::

            >>> with StreamingTest() as test:
            ...     numbers = test.ssc.queueStream([[1, 2], [3]])
            ...     numbers.foreachRDD(lambda rdd: print(rdd.collect()))
            ...     test.advance(2)
            [1, 2]
            [3]
        """
        require_callable("foreachRDD", func)
        one = declared_arguments(func) == 1
        self._output(_without_time(func) if one else _with_time(func), "foreachRDD")

    @defines
    def pprint(self, num: int = 10) -> None:
        """Print the batch time and the first ``num`` records of each batch on standard output.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([["a", "b", "c"]]).pprint(2)
            ...     test.advance()  # doctest: +ELLIPSIS
            -------------------------------------------
            Time: 20...
            -------------------------------------------
            a
            b
            ...
            <BLANKLINE>
        """
        if not isinstance(num, int):
            raise TypeError(f"pprint needs a number of records, not {type(num).__name__}: {num!r}")

        def printed(time_ms: int, rdd: RDD[Any]) -> None:
            taken = rdd.take(num + 1)
            lines = [_RULE, f"Time: {_time_text(time_ms)}", _RULE, *map(str, taken[:num])]
            if len(taken) > num:
                lines.append("...")
            lines.append("")
            print("\n".join(lines))

        self._output(printed, "pprint")

    @defines
    def saveAsTextFiles(self, prefix: str, suffix: str | None = None) -> None:
        """Write each batch as text files into a folder ``prefix-<time in ms>[.suffix]``.

        A folder that is there already is left as it is.

        Example::

            >>> import os
            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([["a", "b"]]).saveAsTextFiles(f"{tmp}/out", "txt")
            ...     test.advance()
            >>> sorted(os.listdir(f"{tmp}/out-1893456001000.txt"))
            ['_SUCCESS', 'part-00000', 'part-00001']
        """
        from swiftwater._files_out import save_text
        from swiftwater.streaming.util import rddToFileName

        def saved(time_ms: int, rdd: RDD[Any]) -> None:
            from contextlib import suppress

            from swiftwater.errors import FileAlreadyExistsException

            # Spark: a batch that runs again keeps what its first run wrote.
            with suppress(FileAlreadyExistsException, FileExistsError):
                save_text(rdd, rddToFileName(prefix, suffix, time_ms), None)

        self._output(saved, "saveAsTextFiles")

    # --- keeping ----------------------------------------------------------------------------

    def cache(self: DStream[T]) -> DStream[T]:
        """Keep each batch's records after they are first computed. Returns the stream itself.

        Example::

            >>> run_batches(lambda numbers: numbers.map(str).cache(), [[1]])
            [['1']]
        """
        return self.persist()

    @defines
    def persist(self: DStream[T], storageLevel: object = None) -> DStream[T]:
        """Do what ``cache`` does; ``storageLevel`` is accepted and has no effect.

        Raises ``UnsupportedOperationException`` after the start.

        Example::

            >>> run_batches(lambda numbers: numbers.map(str).persist(), [[1]])
            [['1']]
        """
        self._require_unstarted("storage level")
        engine.stream_set_cached(self._handle)
        self.is_cached = True
        return self

    @defines
    def checkpoint(self: DStream[T], interval: float) -> DStream[T]:
        """Have this stream's data in checkpoints every ``interval`` seconds.

        Windows and states are in checkpoints anyway, by default every ten seconds (rounded up to
        whole slides); this changes how often. Returns the stream itself. Raises
        ``UnsupportedOperationException`` after the start; an interval that does not fit the
        stream's own is refused when the context starts.

        Example::

            >>> with StreamingTest() as test:
            ...     pairs = test.ssc.queueStream([[("a", 1)]])
            ...     totals = pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0))
            ...     totals.checkpoint(5).is_checkpointed
            True
        """
        self._require_unstarted("checkpoint interval")
        self._checkpoint_ms = milliseconds(interval, "the checkpoint interval")
        self.is_checkpointed = True
        engine.stream_set_cached(self._handle)
        self._ssc._checkpointed.append(self)
        return self

    # --- for the rest of the package --------------------------------------------------------

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a stream is driver-side only."""
        raise RuntimeError(
            "a DStream can only be used in the driver while streams are defined, not inside a "
            "function that works on records"
        )

    def _require_unstarted(self, what: str) -> None:
        _ = self._sc._engine
        if self._ssc._state() != "initialized":
            from swiftwater.errors import UnsupportedOperationException

            raise UnsupportedOperationException(
                f"Cannot change {what} of a DStream after streaming context has started"
            )

    @staticmethod
    def _require_stream(name: str, other: object) -> None:
        if not isinstance(other, DStream):
            raise TypeError(f"{name} needs a DStream, not {type(other).__name__}")

    def _require_other(self, name: str, other: DStream[Any]) -> None:
        self._require_stream(name, other)
        if other._ssc is not self._ssc:
            raise ValueError("the streams belong to different StreamingContexts")

    def _partition_number(self, name: str, given: int | None) -> int:
        return partition_number(name, given, lambda: self._sc.defaultParallelism)

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

    def _rdd(self, handle: Handle, time_ms: int) -> RDD[Any]:
        """Return the engine's RDD of a batch time as the user sees it."""
        rdd: RDD[Any] = RDD(handle, self._sc)
        if self._partitioning is not None:
            rdd.partitioner = self._partitioning.at(time_ms)
        return rdd

    def _piped(
        self, kind: str, function: Callable[..., Any], name: str, keeps_keys: bool = False
    ) -> DStream[Any]:
        """Return this stream with one more function behind it; ``name`` is the user's operator."""
        require_callable(name, function)
        self._ssc._building()
        step = (kind, function, name, self._definitions.site)
        partitioning = self._partitioning if keeps_keys else None
        return DStream(engine.stream_pipeline(self._handle, [step]), self._ssc, partitioning)

    def _piped_state(self, kind: str, function: Callable[..., Any], name: str) -> DStream[Any]:
        """Return what ``_piped`` does: the visible end of the stateful operator ``self``."""
        piped = self._piped(kind, function, name, kind in {"filter", "mapValues"})
        piped._state_key = self._state_key
        return piped

    def _combined(
        self,
        create: Callable[[Any], Any] | None,
        merge_value: Callable[[Any, Any], Any],
        merge_combiners: Callable[[Any, Any], Any],
        partitions: int | None,
        name: str,
        gathers_lists: bool = False,
    ) -> DStream[Any]:
        for function in (merge_value, merge_combiners, *([create] if create is not None else [])):
            require_callable(name, function)
        count = self._partition_number(name, partitions)
        self._ssc._building()
        site = self._definitions.site
        return DStream(
            engine.stream_combine_by_key(
                self._handle,
                create,
                merge_value,
                merge_combiners,
                count,
                None,
                name,
                site,
                gathers_lists,
            ),
            self._ssc,
            Partitioning(partitioner(count)),
        )

    def _grouped(self, partitions: int | None, name: str) -> DStream[Any]:
        return self._combined(listed, appended, extended, partitions, name, gathers_lists=True)

    def _reduced(self, func: Callable[[Any, Any], Any], name: str) -> DStream[Any]:
        # As in Spark: all records under one key, so that the engine needs no second way to reduce.
        keyed = self._piped("map", under_none, name)
        reduced = keyed._combined(None, func, func, 1, name)
        return reduced._piped("map", second, name)

    def _window_reduced(
        self,
        func: Callable[[Any, Any], Any],
        inverse: Callable[[Any, Any], Any] | None,
        window: float,
        slide: float | None,
        partitions: int | None,
        keep: Callable[[Any], Any] | None,
        name: str,
    ) -> DStream[Any]:
        from swiftwater.streaming._windows import no_inverse, reduced_window

        window_ms, slide_ms = self._window_ms(window, slide)
        for function in (func, keep):
            if function:
                require_callable(name, function)
        if inverse and not callable(inverse):
            no_inverse(name, inverse, window_ms, slide_ms, self._definitions.site)
        count = self._partition_number(name, partitions)
        reduced = self._combined(None, func, func, count, name)
        return reduced_window(
            reduced, func, inverse or None, window_ms, slide_ms, count, keep or None, name
        )

    def _joined(self, name: str, other: DStream[Any], partitions: int | None) -> DStream[Any]:
        self._require_other(name, other)
        count = self._partition_number(name, partitions)
        join = operator.attrgetter(name)
        return self._with_other(lambda time_ms, a, b: join(a)(b, count), other, name)

    def _per_rdd(self, call: PerRDD, name: str) -> DStream[Any]:
        """Return a stream of ``call(time in ms, rdd)``, which runs in the driver."""
        partitioning = Partitioning()

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            (rdd,) = rdds
            if rdd is None:
                return None
            return rdd_handle(call(time_ms, self._rdd(rdd, time_ms)), name, time_ms, partitioning)

        return self._transformed([self], transformed, name, partitioning)

    def _with_other(
        self, call: Callable[[int, RDD[Any], RDD[Any]], Any], other: DStream[Any], name: str
    ) -> DStream[Any]:
        """Return a stream of ``call(time in ms, rdd, rdd of other)``, in the driver."""
        partitioning = Partitioning()
        streams = (self, other)

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            a, b = (
                self._sc.emptyRDD() if rdd is None else stream._rdd(rdd, time_ms)
                for stream, rdd in zip(streams, rdds, strict=True)
            )
            return rdd_handle(call(time_ms, a, b), name, time_ms, partitioning)

        kind = "PythonTransformed2DStream"
        return self._transformed(streams, transformed, name, partitioning, kind)

    def _transformed(
        self,
        streams: Iterable[DStream[Any]],
        function: Callable[[int, list[Handle | None]], Handle | None],
        name: str,
        partitioning: Partitioning,
        kind: str = "PythonTransformedDStream",
    ) -> DStream[Any]:
        self._ssc._building()
        handles = [stream._handle for stream in streams]
        handle = engine.stream_transform(handles, function, name, self._definitions.site)
        return DStream(handle, self._ssc, partitioning, kind)

    def _output(self, call: PerRDD, name: str) -> None:
        self._ssc._building()

        def put_out(time_ms: int, rdd: Handle) -> None:
            call(time_ms, self._rdd(rdd, time_ms))

        engine.stream_output(self._handle, put_out, name, self._definitions.site)
        self._ssc._outputs += 1


class TransformedDStream(DStream[T_co]):
    """What ``DStream.transform`` returns. A stream like any other.

    Example::

        >>> with StreamingTest() as test:
        ...     numbers = test.ssc.queueStream([[1]])
        ...     isinstance(numbers.transform(lambda rdd: rdd), TransformedDStream)
        True
    """


def rdd_handle(
    result: object, name: str, time_ms: int, partitioning: Partitioning
) -> Handle | None:
    """Return the engine's RDD of what a user's function returned."""
    if result is None:
        return None
    if not isinstance(result, RDD):
        raise TypeError(
            f"the function given to {name} must return an RDD, not {type(result).__name__}"
        )
    partitioning.note(time_ms, result.partitioner)
    return result._handle


_RULE = "-" * 43
_CLOCK_JUMP_MS = 60_000


def _time_text(time_ms: int) -> str:
    # What str() of the local datetime gives, without importing datetime on the way to a job's
    # first batch.
    seconds, rest_ms = divmod(time_ms, 1000)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return f"{text}.{rest_ms:03}000" if rest_ms else text


def _time_ms(moment: datetime | float) -> int:
    # Spark: of a datetime the whole seconds count.
    if not hasattr(moment, "timetuple"):
        # Times that no batch has had are none of the slice's.
        return milliseconds(moment, "the time of a slice, if it is no datetime,", most=10**40)
    return int(time.mktime(moment.timetuple()) * 1000)


def _floor(time_ms: int, zero_ms: int, slide_ms: int) -> int:
    rest = (time_ms - zero_ms) % slide_ms
    if rest:
        engine.log(
            "warning", f"slice: {time_ms} ms is no batch time, {time_ms - rest} ms is taken instead"
        )
    return time_ms - rest


def _without_time(func: Callable[..., Any]) -> Callable[..., Any]:
    return lambda time_ms, *rdds: func(*rdds)


def _with_time(func: Callable[..., Any]) -> Callable[..., Any]:
    from datetime import datetime

    return lambda time_ms, *rdds: func(datetime.fromtimestamp(time_ms / 1000.0), *rdds)


# --- functions that run on records ----------------------------------------------------------
# Functions of this module and not of their operators: so nothing in them has to be copied.


def _under_one(record: Any) -> tuple[int, Any]:
    return 1, record


def _one_under_one(record: Any) -> tuple[int, int]:
    return 1, 1


def _is_positive(pair: Any) -> bool:
    return bool(pair[1] > 0)


def _without_first(values: list[Any], gone: list[Any]) -> list[Any]:
    return values[len(gone) :]
