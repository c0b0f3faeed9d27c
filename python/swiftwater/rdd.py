"""RDD: a lazy collection in partitions."""

from __future__ import annotations

import builtins
import functools
import itertools
import operator
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from swiftwater._calls import call_site, require_callable
from swiftwater._native import engine

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.context import SparkContext

__all__ = ["RDD", "portable_hash"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def portable_hash(x: Hashable) -> int:
    """Return the hash that decides in which partition a key is.

    It is the same in every process and the same as Spark's: ``None`` gives 0, a tuple mixes the
    hashes of its items, everything else is what ``hash`` gives under ``PYTHONHASHSEED=0``.

    Example::

        portable_hash((None, 1)) & 0xFFFFFFFF  # 219750521
    """
    return engine.portable_hash(x)


class RDD(Generic[T_co]):
    """Records of one type in numbered partitions; nothing is computed before an action asks.

    Made by ``SparkContext.parallelize`` and ``textFile``, handed to the functions of
    ``DStream.transform`` and ``foreachRDD``. Transformations (``map``, ``filter``,
    ``reduceByKey``, ...) return a new RDD at once; actions (``collect``, ``count``, ``take``, ...)
    run the work and return plain values. An error in a user's function is raised by the action,
    with the operator and the place of its call as notes. An RDD is always true in a condition.

    Example::

        words = sc.parallelize(["a b", "a"]).flatMap(str.split)
        words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).collect()
        # [('a', 2), ('b', 1)], by partition
    """

    def __init__(self, handle: Handle, ctx: SparkContext) -> None:
        """Wrap an RDD of the engine. Programs make RDDs with a context's methods."""
        self._handle = handle
        self.ctx = ctx
        self.is_cached = False
        self._id = next(ctx._rdd_ids)
        self._name: str | None = None

    # --- transformations: one record at a time ----------------------------------------------

    def map(self: RDD[T], f: Callable[[T], U], preservesPartitioning: bool = False) -> RDD[U]:
        """Return an RDD of ``f(record)`` for each record."""
        return self._piped("map", f, "map")

    def flatMap(
        self: RDD[T], f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """Return an RDD of all items of the iterables ``f(record)``."""
        return self._piped("flatMap", f, "flatMap")

    def filter(self: RDD[T], f: Callable[[T], bool]) -> RDD[T]:
        """Return an RDD of the records for which ``f(record)`` is true."""
        return self._piped("filter", f, "filter")

    def mapValues(self: RDD[tuple[K, V]], f: Callable[[V], U]) -> RDD[tuple[K, U]]:
        """Return an RDD of ``(key, f(value))`` for each ``(key, value)``."""
        return self._piped("mapValues", f, "mapValues")

    def flatMapValues(self: RDD[tuple[K, V]], f: Callable[[V], Iterable[U]]) -> RDD[tuple[K, U]]:
        """Return an RDD of ``(key, item)`` for each item of the iterables ``f(value)``."""
        return self._piped("flatMapValues", f, "flatMapValues")

    def keyBy(self: RDD[T], f: Callable[[T], K]) -> RDD[tuple[K, T]]:
        """Return an RDD of ``(f(record), record)``."""
        require_callable("keyBy", f)
        return self._piped("map", lambda record: (f(record), record), "keyBy")

    def keys(self: RDD[tuple[K, V]]) -> RDD[K]:
        """Return an RDD of the first items of pairs."""
        return self._piped("map", lambda pair: pair[0], "keys")

    def values(self: RDD[tuple[K, V]]) -> RDD[V]:
        """Return an RDD of the second items of pairs."""
        return self._piped("map", lambda pair: pair[1], "values")

    # --- transformations: one partition at a time -------------------------------------------

    def mapPartitions(
        self: RDD[T],
        f: Callable[[Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> RDD[U]:
        """Return an RDD of what ``f(iterator over the records)`` gives for each partition."""
        return self._piped("mapPartitions", f, "mapPartitions")

    def mapPartitionsWithIndex(
        self: RDD[T],
        f: Callable[[int, Iterator[T]], Iterable[U]],
        preservesPartitioning: bool = False,
    ) -> RDD[U]:
        """Return an RDD of what ``f(partition number, iterator)`` gives for each partition."""
        return self._piped("mapPartitionsWithIndex", f, "mapPartitionsWithIndex")

    def glom(self: RDD[T]) -> RDD[list[T]]:
        """Return an RDD with one record a partition: the list of its records."""
        return self._piped("mapPartitions", lambda records: [list(records)], "glom")

    # --- transformations: across partitions -------------------------------------------------

    def reduceByKey(
        self: RDD[tuple[K, V]],
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

            sc.parallelize([("a", 1), ("b", 1), ("a", 1)]).reduceByKey(lambda a, b: a + b)
        """
        require_callable("reduceByKey", func)
        return self._combined(None, func, func, numPartitions, partitionFunc, "reduceByKey")

    def combineByKey(
        self: RDD[tuple[K, V]],
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

            pairs.combineByKey(lambda v: [v], lambda c, v: c + [v], lambda a, b: a + b)
        """
        return self._combined(
            createCombiner,
            mergeValue,
            mergeCombiners,
            numPartitions,
            partitionFunc,
            "combineByKey",
        )

    def union(self: RDD[T], other: RDD[U]) -> RDD[T | U]:
        """Return an RDD of this one's partitions followed by those of ``other``."""
        if not isinstance(other, RDD):
            raise TypeError(f"union needs an RDD, not {type(other).__name__}")
        return RDD(engine.union(self.ctx._engine, [self._handle, other._handle]), self.ctx)

    def __add__(self: RDD[T], other: RDD[U]) -> RDD[T | U]:
        """Return the union of two RDDs."""
        return self.union(other) if isinstance(other, RDD) else NotImplemented

    # --- actions ----------------------------------------------------------------------------

    def collect(self: RDD[T]) -> list[T]:
        """Return all records, partition after partition. They must fit in memory."""
        parts: list[list[T]] = engine.collect(self._live, None)
        return parts[0] if len(parts) == 1 else list(itertools.chain.from_iterable(parts))

    def take(self: RDD[T], num: int) -> list[T]:
        """Return the first ``num`` records, from as few partitions as possible.

        One partition is tried first, then up to four times as many as before, until there are
        enough.
        """
        return engine.take(self._live, max(0, min(num, sys.maxsize)))

    def first(self: RDD[T]) -> T:
        """Return the first record. Raises ``ValueError`` where there is none."""
        taken = self.take(1)
        if not taken:
            raise ValueError("RDD is empty")
        return taken[0]

    def takeOrdered(self: RDD[T], num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """Return the ``num`` smallest records in ascending order (by ``key(record)``).

        Example::

            sc.parallelize([3, 1, 2]).takeOrdered(2, key=lambda n: -n)  # [3, 2]
        """
        if num < 0:
            raise ValueError("top N cannot be negative.")
        if key is not None:
            require_callable("takeOrdered", key, "a function as key")
        from heapq import nsmallest

        choose: Callable[..., list[T]] = nsmallest

        def smallest(records: Iterator[T]) -> list[T]:
            return choose(num, records, key=key)

        return smallest(iter(self._piped("mapPartitions", smallest, "takeOrdered").collect()))

    def count(self) -> int:
        """Return the number of records."""
        return engine.count(self._live)

    def isEmpty(self) -> bool:
        """Return whether there is no record at all."""
        return not self.take(1)

    def reduce(self: RDD[T], f: Callable[[T, T], T]) -> T:
        """Return all records combined by ``f(a, b)``: first inside partitions, then across.

        Raises ``ValueError`` where there is no record.
        """
        require_callable("reduce", f)
        return self._reduced(f, "reduce")

    def fold(self: RDD[T], zeroValue: T, op: Callable[[T, T], T]) -> T:
        """Return ``op`` folded over each partition and over the results, from ``zeroValue`` on.

        Each partition has a copy of ``zeroValue`` of its own, so ``op`` may change and return its
        first argument.
        """
        require_callable("fold", op)
        return self._folded(zeroValue, op, "fold")

    def _folded(self: RDD[T], zero: T, op: Callable[[T, T], T], name: str) -> T:
        import copy

        def folded(records: Iterator[T]) -> list[T]:
            return [functools.reduce(op, records, copy.deepcopy(zero))]

        results: list[T] = self._piped("mapPartitions", folded, name).collect()
        return functools.reduce(op, results, copy.deepcopy(zero))

    @overload
    def sum(self: RDD[int]) -> int: ...
    @overload
    def sum(self: RDD[float]) -> float: ...
    def sum(self: RDD[Any]) -> Any:
        """Return the sum of all records; 0 where there is none."""
        sums = self._piped("mapPartitions", lambda records: [builtins.sum(records)], "sum")
        return functools.reduce(operator.add, sums.collect(), 0)

    def max(self: RDD[T], key: Callable[[T], Any] | None = None) -> T:
        """Return the largest record (by ``key(record)``). ``ValueError`` where there is none."""
        if key is not None:
            require_callable("max", key, "a function as key")
        choose: Callable[..., T] = builtins.max
        return self._reduced(lambda a, b: choose(a, b, key=key), "max")

    def min(self: RDD[T], key: Callable[[T], Any] | None = None) -> T:
        """Return the smallest record (by ``key(record)``). ``ValueError`` where there is none."""
        if key is not None:
            require_callable("min", key, "a function as key")
        choose: Callable[..., T] = builtins.min
        return self._reduced(lambda a, b: choose(a, b, key=key), "min")

    def foreach(self: RDD[T], f: Callable[[T], object]) -> None:
        """Call ``f(record)`` for each record; what it returns is dropped."""
        require_callable("foreach", f)

        def called(record: T) -> tuple[()]:
            f(record)
            return ()

        self._piped("flatMap", called, "foreach").collect()

    def foreachPartition(self: RDD[T], f: Callable[[Iterator[T]], object]) -> None:
        """Call ``f(iterator over the records)`` for each partition; what it returns is dropped."""
        require_callable("foreachPartition", f)

        def called(records: Iterator[T]) -> tuple[()]:
            result = f(records)
            if isinstance(result, Iterator):
                # A generator function does nothing until somebody asks it for items.
                for _ in result:
                    pass
            return ()

        self._piped("mapPartitions", called, "foreachPartition").collect()

    # --- keeping ----------------------------------------------------------------------------

    def cache(self: RDD[T]) -> RDD[T]:
        """Keep the records after the first action has computed them. Returns the RDD itself."""
        return self.persist()

    def persist(self: RDD[T], storageLevel: object = None) -> RDD[T]:
        """Do what ``cache`` does; ``storageLevel`` is accepted and has no effect yet."""
        engine.set_cached(self._live, True)
        self.is_cached = True
        return self

    def unpersist(self: RDD[T], blocking: bool = False) -> RDD[T]:
        """Drop what ``cache`` has kept. Returns the RDD itself."""
        engine.set_cached(self._live, False)
        self.is_cached = False
        return self

    # --- what the RDD says of itself --------------------------------------------------------

    @property
    def context(self) -> SparkContext:
        """The context that the RDD belongs to."""
        return self.ctx

    def getNumPartitions(self) -> int:
        """Return the number of partitions."""
        return engine.partition_count(self._live)

    def id(self) -> int:
        """Return the RDD's number, unique in its context."""
        return self._id

    def name(self) -> str | None:
        """Return the name given with ``setName``."""
        return self._name

    def setName(self: RDD[T], name: str) -> RDD[T]:
        """Give the RDD a name. Returns the RDD itself."""
        self._name = str(name)
        return self

    def __repr__(self) -> str:
        """Return name and number."""
        return f"{self._name} RDD[{self._id}]" if self._name else f"RDD[{self._id}]"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: an RDD is driver-side only."""
        raise RuntimeError(
            "[RDD_TRANSFORM_ONLY_VALID_ON_DRIVER] It appears that you are attempting to broadcast "
            "an RDD or reference an RDD from an action or transformation. RDD transformations and "
            "actions can only be invoked by the driver, not inside of other transformations"
        )

    # --- for the rest of the package --------------------------------------------------------

    @property
    def _live(self) -> Handle:
        """The engine's handle, or ``RuntimeError`` where the context cannot be used any more."""
        _ = self.ctx._engine
        return self._handle

    def _piped(self, kind: str, function: Callable[..., Any], name: str) -> RDD[Any]:
        """Return this RDD with one more function behind it; ``name`` is the user's operator."""
        require_callable(name, function)
        step = (kind, function, name, call_site())
        return RDD(engine.pipeline(self._live, [step]), self.ctx)

    def _combined(
        self,
        create: Callable[[Any], Any] | None,
        merge_value: Callable[[Any, Any], Any],
        merge_combiners: Callable[[Any, Any], Any],
        partitions: int | None,
        partition_function: Callable[[Any], int] | None,
        name: str,
    ) -> RDD[Any]:
        for function in (merge_value, merge_combiners, *([create] if create is not None else [])):
            require_callable(name, function)
        if partition_function is not None:
            require_callable(name, partition_function, "a function as partitionFunc")
        return RDD(
            engine.combine_by_key(
                self._live,
                create,
                merge_value,
                merge_combiners,
                partition_number(name, partitions, lambda: self.ctx._shuffle_partitions(self)),
                None if partition_function is portable_hash else partition_function,
                name,
                call_site(),
            ),
            self.ctx,
        )

    def _reduced(self: RDD[T], f: Callable[[T, T], T], name: str) -> T:
        def reduced(records: Iterator[T]) -> list[T]:
            for first in records:
                return [functools.reduce(f, records, first)]
            return []

        results: list[T] = self._piped("mapPartitions", reduced, name).collect()
        if not results:
            raise ValueError("Can not reduce() empty RDD")
        return functools.reduce(f, results)


def partition_number(name: str, given: int | None, default: Callable[[], int]) -> int:
    """Return a checked number of partitions for the operator ``name``."""
    if given is None:
        return builtins.max(default(), 1)
    if not isinstance(given, int) or given < 1:
        raise ValueError(f"{name} needs a positive number of partitions, not {given!r}")
    return given
