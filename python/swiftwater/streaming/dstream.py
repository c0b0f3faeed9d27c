"""DStream: a stream as one RDD each batch."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from swiftwater._calls import call_site, require_callable
from swiftwater._native import engine
from swiftwater.rdd import RDD, partition_number
from swiftwater.streaming._arity import declared_arguments

if TYPE_CHECKING:
    from datetime import datetime

    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext

__all__ = ["DStream"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class DStream(Generic[T_co]):
    """Records of one type that keep coming: one RDD each batch.

    Made by the sources of a ``StreamingContext``. Operators return a new stream and work on each
    batch as the RDD method of the same name does; outputs (``pprint``, ``foreachRDD``) make
    something happen. Nothing is computed before ``StreamingContext.start``, and nothing may be
    added after it (``RuntimeError``). An operator that is given something that cannot be called
    raises ``TypeError`` at once; an error inside a user's function is raised by
    ``awaitTermination``, with operator, batch and a sample of the record as notes.

    Example::

        words = lines.flatMap(lambda line: line.split(" "))
        words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).pprint()
    """

    def __init__(self, handle: Handle, ssc: StreamingContext) -> None:
        """Wrap a stream of the engine. Programs make streams with a context's methods."""
        self._handle = handle
        self._ssc = ssc
        self._sc = ssc._sc
        self.is_cached = False
        self.is_checkpointed = False

    def context(self) -> StreamingContext:
        """Return the context that the stream belongs to."""
        return self._ssc

    @property
    def _slideDuration(self) -> float:
        """Seconds between two RDDs of this stream."""
        return engine.stream_slide_ms(self._handle) / 1000.0

    # --- one record at a time ---------------------------------------------------------------

    def map(
        self: DStream[T], f: Callable[[T], U], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Return a stream of ``f(record)`` for each record."""
        return self._piped("map", f, "map")

    def flatMap(
        self: DStream[T], f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Return a stream of all items of the iterables ``f(record)``."""
        return self._piped("flatMap", f, "flatMap")

    def filter(self: DStream[T], f: Callable[[T], bool]) -> DStream[T]:
        """Return a stream of the records for which ``f(record)`` is true."""
        return self._piped("filter", f, "filter")

    def mapValues(self: DStream[tuple[K, V]], f: Callable[[V], U]) -> DStream[tuple[K, U]]:
        """Return a stream of ``(key, f(value))`` for each ``(key, value)``."""
        return self._piped("mapValues", f, "mapValues")

    def flatMapValues(
        self: DStream[tuple[K, V]], f: Callable[[V], Iterable[U]]
    ) -> DStream[tuple[K, U]]:
        """Return a stream of ``(key, item)`` for each item of the iterables ``f(value)``."""
        return self._piped("flatMapValues", f, "flatMapValues")

    # --- one partition at a time ------------------------------------------------------------

    def mapPartitions(
        self: DStream[T],
        f: Callable[[Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> DStream[U]:
        """Return a stream of what ``f(iterator over the records)`` gives for each partition."""
        return self._piped("mapPartitions", f, "mapPartitions")

    def mapPartitionsWithIndex(
        self: DStream[T],
        f: Callable[[int, Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> DStream[U]:
        """Return a stream of what ``f(partition number, iterator)`` gives for each partition."""
        return self._piped("mapPartitionsWithIndex", f, "mapPartitionsWithIndex")

    def glom(self: DStream[T]) -> DStream[list[T]]:
        """Return a stream with one record a partition: the list of its records."""
        return self._piped("mapPartitions", lambda records: [list(records)], "glom")

    # --- a whole batch at a time ------------------------------------------------------------

    def reduceByKey(
        self: DStream[tuple[K, V]], func: Callable[[V, V], V], numPartitions: int | None = None
    ) -> DStream[tuple[K, V]]:
        """Return a stream with one pair a key and batch: its values combined by ``func(a, b)``.

        ``func`` must be associative. ``numPartitions`` is by default the context's
        ``defaultParallelism``.
        """
        return self._combined(None, func, func, numPartitions, "reduceByKey")

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
        """
        return self._combined(
            createCombiner, mergeValue, mergeCombiners, numPartitions, "combineByKey"
        )

    def reduce(self: DStream[T], func: Callable[[T, T], T]) -> DStream[T]:
        """Return a stream with one record a batch: all records combined by ``func(a, b)``.

        A batch without records has none.
        """
        require_callable("reduce", func)
        return self._reduced(func, "reduce")

    def count(self) -> DStream[int]:
        """Return a stream with one record a batch: the number of records.

        A batch without partitions (from a socket: without data) has none, as in Spark.
        """
        counted: DStream[int] = self._piped(
            "mapPartitions", lambda records: [sum(1 for _ in records)], "count"
        )
        return counted._reduced(operator.add, "count")

    def countByValue(self: DStream[K]) -> DStream[tuple[K, int]]:
        """Return a stream of ``(record, how many times it occurs in the batch)``."""
        ones: DStream[tuple[K, int]] = self._piped(
            "map", lambda record: (record, 1), "countByValue"
        )
        return ones._combined(None, operator.add, operator.add, None, "countByValue")

    def union(self: DStream[T], other: DStream[U]) -> DStream[T | U]:
        """Return a stream of this one's records followed by those of ``other``, each batch.

        Raises ``ValueError`` where the two do not move at the same interval.
        """
        if not isinstance(other, DStream):
            raise TypeError(f"union needs a DStream, not {type(other).__name__}")
        if self._slideDuration != other._slideDuration:
            raise ValueError("the two DStream should have same slide duration")
        both: list[DStream[Any]] = [self, other]
        return self._ssc.union(*both)

    @overload
    def transform(self: DStream[T], func: Callable[[RDD[T]], RDD[U] | None]) -> DStream[U]: ...
    @overload
    def transform(
        self: DStream[T], func: Callable[[datetime, RDD[T]], RDD[U] | None]
    ) -> DStream[U]: ...
    def transform(self: DStream[T], func: Callable[..., RDD[U] | None]) -> DStream[U]:
        """Return a stream whose RDDs are ``func(rdd)`` or ``func(time, rdd)``.

        The function runs in the driver, once a batch, before the batch is computed; ``time`` is
        the batch time as a local ``datetime``. Where it returns ``None``, there is no RDD in this
        batch, and outputs behind it are skipped. Raises ``AssertionError`` for a function that
        takes neither one nor two arguments.

        Example::

            counts.transform(lambda rdd: rdd.filter(lambda pair: pair[1] > 1))
        """
        require_callable("transform", func)
        arguments = declared_arguments(func)
        if arguments not in (1, 2):
            raise AssertionError("func should take one or two arguments")
        call = _with_time(func) if arguments == 2 else _without_time(func)
        from swiftwater.streaming.context import rdd_handle

        sc = self._sc

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            rdd = rdds[0]
            return None if rdd is None else rdd_handle(call(time_ms, RDD(rdd, sc)))

        self._ssc._building()
        return DStream(
            engine.stream_transform([self._handle], transformed, "transform", call_site()),
            self._ssc,
        )

    # --- outputs ----------------------------------------------------------------------------

    @overload
    def foreachRDD(self: DStream[T], func: Callable[[RDD[T]], object]) -> None: ...
    @overload
    def foreachRDD(self: DStream[T], func: Callable[[datetime, RDD[T]], object]) -> None: ...
    def foreachRDD(self: DStream[T], func: Callable[..., object]) -> None:
        """Call ``func(rdd)`` or ``func(time, rdd)`` each batch, in the driver.

        A function with exactly one argument gets the RDD, every other the batch time (a local
        ``datetime``) and the RDD. What it returns is dropped. Outputs run in the order in which
        they were defined, batch after batch.

        Example::

            counts.foreachRDD(lambda time, rdd: print(time, rdd.collect()))
        """
        require_callable("foreachRDD", func)
        one = declared_arguments(func) == 1
        self._output(_without_time(func) if one else _with_time(func), "foreachRDD")

    def pprint(self, num: int = 10) -> None:
        """Print the batch time and the first ``num`` records of each batch on standard output."""
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

    # --- keeping ----------------------------------------------------------------------------

    def cache(self: DStream[T]) -> DStream[T]:
        """Keep each batch's records after they are first computed. Returns the stream itself."""
        return self.persist()

    def persist(self: DStream[T], storageLevel: object = None) -> DStream[T]:
        """Do what ``cache`` does; ``storageLevel`` is accepted and has no effect yet."""
        _ = self._sc._engine
        if self._ssc._state() != "initialized":
            raise RuntimeError(
                "Cannot change storage level of a DStream after streaming context has started"
            )
        engine.stream_set_cached(self._handle)
        self.is_cached = True
        return self

    # --- for the rest of the package --------------------------------------------------------

    def _piped(self, kind: str, function: Callable[..., Any], name: str) -> DStream[Any]:
        """Return this stream with one more function behind it; ``name`` is the user's operator."""
        require_callable(name, function)
        self._ssc._building()
        step = (kind, function, name, call_site())
        return DStream(engine.stream_pipeline(self._handle, [step]), self._ssc)

    def _combined(
        self,
        create: Callable[[Any], Any] | None,
        merge_value: Callable[[Any, Any], Any],
        merge_combiners: Callable[[Any, Any], Any],
        partitions: int | None,
        name: str,
    ) -> DStream[Any]:
        for function in (merge_value, merge_combiners, *([create] if create is not None else [])):
            require_callable(name, function)
        count = partition_number(name, partitions, lambda: self._sc.defaultParallelism)
        self._ssc._building()
        return DStream(
            engine.stream_combine_by_key(
                self._handle, create, merge_value, merge_combiners, count, None, name, call_site()
            ),
            self._ssc,
        )

    def _reduced(self, func: Callable[[Any, Any], Any], name: str) -> DStream[Any]:
        # As in Spark: all records under one key, so that the engine needs no second way to reduce.
        keyed = self._piped("map", lambda record: (None, record), name)
        reduced = keyed._combined(None, func, func, 1, name)
        return reduced._piped("map", lambda pair: pair[1], name)

    def _output(self, call: Callable[[int, RDD[Any]], object], name: str) -> None:
        self._ssc._building()
        sc = self._sc

        def put_out(time_ms: int, rdd: Handle) -> None:
            call(time_ms, RDD(rdd, sc))

        engine.stream_output(self._handle, put_out, name, call_site())
        self._ssc._outputs += 1


_RULE = "-" * 43


def _time_text(time_ms: int) -> str:
    # What str() of the local datetime gives, without importing datetime on the way to a job's
    # first batch.
    seconds, rest_ms = divmod(time_ms, 1000)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return f"{text}.{rest_ms:03}000" if rest_ms else text


def _without_time(func: Callable[..., Any]) -> Callable[[int, RDD[Any]], Any]:
    return lambda time_ms, rdd: func(rdd)


def _with_time(func: Callable[..., Any]) -> Callable[[int, RDD[Any]], Any]:
    from datetime import datetime

    return lambda time_ms, rdd: func(datetime.fromtimestamp(time_ms / 1000.0), rdd)
