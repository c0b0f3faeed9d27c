"""RDD: a lazy collection in partitions."""

from __future__ import annotations

import builtins
import functools
import itertools
import operator
import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from swiftwater._calls import call_site, require_callable, stop_iteration
from swiftwater._native import engine
from swiftwater._numbers import (
    checked_partitions,
    require_partitions,
    whole,
    whole_and_no_truth,
)
from swiftwater._record_functions import (
    appended,
    counted_partition,
    extended,
    first,
    listed,
    listed_partition,
    second,
    under_none,
    with_one,
)

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.context import SparkContext
    from swiftwater.resultiterable import ResultIterable
    from swiftwater.statcounter import StatCounter
    from swiftwater.storagelevel import StorageLevel

__all__ = ["RDD", "Partitioner", "portable_hash"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
V1 = TypeVar("V1")
V2 = TypeVar("V2")
V3 = TypeVar("V3")

# What an RDD came from: its number, the operator and its place, the number of partitions in front
# of its shuffle (-1: it has none), the origins of its parents, how long the chain is, and the file
# that it reads. It holds no engine object, so it keeps nothing alive.
Origin = tuple[int, str, str, int, tuple[Any, ...], int, str]

# Longer chains forget their beginning: a program may derive an RDD from the last one each batch.
_DEEPEST_ORIGIN = 200

# RDDs that are to be kept when somebody has computed them (`checkpoint`). Every action looks here.
_waiting: list[RDD[Any]] = []


def portable_hash(x: Hashable) -> int:
    """Return the hash that decides in which partition a key is.

    It is the same in every process and the same as Spark's: ``None`` gives 0, a tuple mixes the
    hashes of its items, everything else is what ``hash`` gives under ``PYTHONHASHSEED=0``,
    with names and fixed numbers for what has an address as its hash (classes, functions, None in an
    object). Raises ``ValueError`` for a key that has another hash in another process all the same.

    Example::

        >>> portable_hash((None, 1)) & 0xFFFFFFFF
        219750521
    """
    return engine.portable_hash(x)


class Partitioner:
    """Where a key is: in partition ``partitionFunc(key) % numPartitions``.

    An RDD whose records are placed so has one as its ``partitioner``; two RDDs with equal ones can
    be joined without moving records.

    Example::

        >>> where = Partitioner(4, lambda key: key + 1)
        >>> where(5)
        2
    """

    __slots__ = ("numPartitions", "partitionFunc")

    def __init__(self, numPartitions: int, partitionFunc: Callable[[Any], int]) -> None:
        """Hold number and function."""
        self.numPartitions = numPartitions
        self.partitionFunc = partitionFunc

    def __call__(self, k: Any) -> int:
        """Return the partition of a key."""
        return self.partitionFunc(k) % self.numPartitions

    def __eq__(self, other: object) -> bool:
        """Return whether two place every key alike: same number, same function."""
        return (
            isinstance(other, Partitioner)
            and self.numPartitions == other.numPartitions
            and self.partitionFunc == other.partitionFunc
        )

    def __hash__(self) -> int:
        """Return a hash of number and function."""
        return hash((self.numPartitions, self.partitionFunc))


class RDD(Generic[T_co]):
    """Records of one type in numbered partitions; nothing is computed before an action asks.

    Made by ``SparkContext.parallelize`` and ``textFile``, handed to the functions of
    ``DStream.transform`` and ``foreachRDD``. Transformations (``map``, ``filter``,
    ``reduceByKey``, ...) return a new RDD at once; actions (``collect``, ``count``, ``take``, ...)
    run the work and return plain values. An error in a user's function is raised by the action,
    with the operator and the place of its call as notes. An RDD is always true in a condition.

    ``partitioner`` says how the records are placed, where that is known (else ``None``).

    Example::

        >>> words = sc.parallelize(["a b", "a"]).flatMap(str.split)
        >>> words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b, 1).collect()
        [('a', 2), ('b', 1)]
    """

    is_cached = False
    is_checkpointed = False
    partitioner: Partitioner | None = None

    _name: str | None = None
    _origin: Origin | None = None
    _level: StorageLevel | None = None
    # How `checkpoint` or `localCheckpoint` keeps the records, and where they are.
    _kept: str | None = None
    _checkpoint_file: str | None = None
    _is_settled = False

    def __init__(self, handle: Handle, ctx: SparkContext) -> None:
        """Wrap an RDD of the engine. Programs make RDDs with a context's methods."""
        self._handle = handle
        self.ctx = ctx
        self._id = next(ctx._rdd_ids)

    # --- transformations: one record at a time ----------------------------------------------

    def map(self: RDD[T], f: Callable[[T], U], preservesPartitioning: bool = False) -> RDD[U]:
        """Return an RDD of ``f(record)`` for each record.

        ``preservesPartitioning`` says that ``f`` leaves the keys of pairs as they are.

        Example::

            >>> sc.parallelize([1, 2]).map(lambda n: n * 10).collect()
            [10, 20]
        """
        return self._piped("map", f, "map", preservesPartitioning)

    def flatMap(
        self: RDD[T], f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """Return an RDD of all items of the iterables ``f(record)``.

        Example::

            >>> sc.parallelize(["a b", "c"]).flatMap(str.split).collect()
            ['a', 'b', 'c']
        """
        return self._piped("flatMap", f, "flatMap", preservesPartitioning)

    def filter(self: RDD[T], f: Callable[[T], bool]) -> RDD[T]:
        """Return an RDD of the records for which ``f(record)`` is true.

        Example::

            >>> sc.parallelize(range(5)).filter(lambda n: n % 2 == 0).collect()
            [0, 2, 4]
        """
        return self._piped("filter", f, "filter", keeps=True)

    def mapValues(self: RDD[tuple[K, V]], f: Callable[[V], U]) -> RDD[tuple[K, U]]:
        """Return an RDD of ``(key, f(value))`` for each ``(key, value)``.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).mapValues(str).collect()
            [('a', '1'), ('b', '2')]
        """
        return self._piped("mapValues", f, "mapValues", keeps=True)

    def flatMapValues(self: RDD[tuple[K, V]], f: Callable[[V], Iterable[U]]) -> RDD[tuple[K, U]]:
        """Return an RDD of ``(key, item)`` for each item of the iterables ``f(value)``.

        Example::

            >>> sc.parallelize([("a", 2), ("b", 1)]).flatMapValues(range).collect()
            [('a', 0), ('a', 1), ('b', 0)]
        """
        return self._piped("flatMapValues", f, "flatMapValues", keeps=True)

    def keyBy(self: RDD[T], f: Callable[[T], K]) -> RDD[tuple[K, T]]:
        """Return an RDD of ``(f(record), record)``.

        Example::

            >>> sc.parallelize(["a", "bcd"]).keyBy(len).collect()
            [(1, 'a'), (3, 'bcd')]
        """
        require_callable("keyBy", f)
        return self._piped("map", lambda record: (f(record), record), "keyBy")

    def keys(self: RDD[tuple[K, V]]) -> RDD[K]:
        """Return an RDD of the first items of pairs.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).keys().collect()
            ['a', 'b']
        """
        return self._piped("map", first, "keys")

    def values(self: RDD[tuple[K, V]]) -> RDD[V]:
        """Return an RDD of the second items of pairs.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).values().collect()
            [1, 2]
        """
        return self._piped("map", second, "values")

    # --- transformations: one partition at a time -------------------------------------------

    def mapPartitions(
        self: RDD[T],
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
        self: RDD[T],
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

    def glom(self: RDD[T]) -> RDD[list[T]]:
        """Return an RDD with one record a partition: the list of its records.

        Example::

            >>> sc.parallelize(range(5), 2).glom().collect()
            [[0, 1], [2, 3, 4]]
        """
        return self._piped("mapPartitions", listed_partition, "glom")

    def pipe(
        self: RDD[T],
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
        from swiftwater._pipes import through

        return self._piped("mapPartitions", through(command, env, checkCode), "pipe")

    # --- transformations: some of the records -----------------------------------------------

    def sample(
        self: RDD[T], withReplacement: bool, fraction: float, seed: int | None = None
    ) -> RDD[T]:
        """Return an RDD of records that are drawn by chance.

        Each record is there with the chance ``fraction``, or ``fraction`` times on average where
        ``withReplacement`` is set. One ``seed`` gives the same records again, and in PySpark.

        Example::

            >>> sc.parallelize(range(20), 2).sample(False, 0.3, seed=42).collect()
            [0, 1, 3, 4, 7, 16, 17, 18, 19]
        """
        from swiftwater._sampling import given_seed, of_fraction, require_finite

        if not fraction >= 0:
            raise ValueError("Fraction must be nonnegative.")
        require_finite(fraction)
        drawn = of_fraction(bool(withReplacement), fraction, given_seed(seed))
        return self._piped("mapPartitionsWithIndex", drawn, "sample", keeps=True)

    def sampleByKey(
        self: RDD[tuple[K, V]],
        withReplacement: bool,
        fractions: Mapping[K, float],
        seed: int | None = None,
    ) -> RDD[tuple[K, V]]:
        """Do what ``sample`` does, with a fraction for each key. Every key needs one.

        Example::

            >>> pairs = sc.parallelize([("a", n) for n in range(9)] + [("b", 0)], 1)
            >>> pairs.sampleByKey(False, {"a": 0.2, "b": 1.0}, seed=3).collect()
            [('a', 5), ('b', 0)]
        """
        from swiftwater._sampling import by_key, given_seed, require_finite

        for fraction in fractions.values():
            if not fraction >= 0:
                raise AssertionError(f"Negative fraction value: {fraction}")
            require_finite(fraction)
        drawn = by_key(bool(withReplacement), dict(fractions), given_seed(seed))
        return self._piped("mapPartitionsWithIndex", drawn, "sampleByKey", keeps=True)

    def randomSplit(
        self: RDD[T], weights: Sequence[float], seed: int | None = None
    ) -> list[RDD[T]]:
        """Return an RDD for each weight; each record is in one of them, by chance.

        Example::

            >>> small, large = sc.parallelize(range(10), 1).randomSplit([2, 3], seed=17)
            >>> small.collect(), large.collect()
            ([7, 9], [0, 1, 2, 3, 4, 5, 6, 8])
        """
        from swiftwater._sampling import given_seed, in_range, require_finite

        if not all(weight >= 0 for weight in weights):
            raise ValueError("Weights must be nonnegative")
        total = float(builtins.sum(weights))
        if not total > 0:
            raise ValueError("Sum of weights must be positive")
        require_finite(total)
        chosen = given_seed(seed, 2**32 - 1)
        bounds = list(itertools.accumulate((weight / total for weight in weights), initial=0.0))
        return [
            self._piped(
                "mapPartitionsWithIndex", in_range(lower, upper, chosen), "randomSplit", keeps=True
            )
            for lower, upper in itertools.pairwise(bounds)
        ]

    def distinct(self: RDD[T], numPartitions: int | None = None) -> RDD[T]:
        """Return an RDD that has each record once, in the partition of its hash.

        Example::

            >>> sc.parallelize([3, 1, 3, 1], 2).distinct(1).collect()
            [3, 1]
        """
        paired = self._piped("map", _paired, "distinct")
        once = paired._combined(
            None, _keep_first, _keep_first, numPartitions, portable_hash, "distinct"
        )
        return once._piped("map", first, "distinct")

    # --- transformations: records with a key ------------------------------------------------

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

            >>> pairs = sc.parallelize([("a", 1), ("b", 1), ("a", 1)])
            >>> pairs.reduceByKey(lambda a, b: a + b, 1).collect()
            [('a', 2), ('b', 1)]
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

            >>> pairs = sc.parallelize([("a", 1), ("b", 2), ("a", 3)])
            >>> joined = lambda a, b: f"{a} {b}"
            >>> pairs.combineByKey(str, joined, joined, 1).collect()
            [('a', '1 3'), ('b', '2')]
        """
        return self._combined(
            createCombiner,
            mergeValue,
            mergeCombiners,
            numPartitions,
            partitionFunc,
            "combineByKey",
        )

    def aggregateByKey(
        self: RDD[tuple[K, V]],
        zeroValue: U,
        seqFunc: Callable[[U, V], U],
        combFunc: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """Do what ``combineByKey`` does; a combiner begins as ``seqFunc(zeroValue, first value)``.

        Each has a copy of ``zeroValue`` of its own, so the functions may change and return their
        first argument.

        Example::

            >>> pairs = sc.parallelize([("a", 3), ("b", 2), ("a", 1)])
            >>> pairs.aggregateByKey(0, max, max, 1).collect()
            [('a', 3), ('b', 2)]
        """
        require_callable("aggregateByKey", seqFunc)
        return self._combined(
            lambda value: seqFunc(engine.isolated(zeroValue), value),
            seqFunc,
            combFunc,
            numPartitions,
            partitionFunc,
            "aggregateByKey",
        )

    def foldByKey(
        self: RDD[tuple[K, V]],
        zeroValue: V,
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """Do what ``reduceByKey`` does, from a copy of ``zeroValue`` on in each partition.

        Example::

            >>> pairs = sc.parallelize([("a", 3), ("b", 2), ("a", 1)])
            >>> pairs.foldByKey(0, lambda a, b: a + b, 1).collect()
            [('a', 4), ('b', 2)]
        """
        require_callable("foldByKey", func)
        return self._combined(
            lambda value: func(engine.isolated(zeroValue), value),
            func,
            func,
            numPartitions,
            partitionFunc,
            "foldByKey",
        )

    def groupByKey(
        self: RDD[tuple[K, V]],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[V]]]:
        """Return an RDD with one pair a key: all its values, in their order.

        ``reduceByKey`` is faster where values can be combined.

        Example::

            >>> pairs = sc.parallelize([("a", 1), ("b", 2), ("a", 3)])
            >>> pairs.groupByKey(1).mapValues(list).collect()
            [('a', [1, 3]), ('b', [2])]
        """
        return self._grouped(numPartitions, partitionFunc, "groupByKey")

    def groupBy(
        self: RDD[T],
        f: Callable[[T], K],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[T]]]:
        """Return an RDD with one pair for each ``f(record)``: all records that give it.

        Example::

            >>> sc.parallelize([1, 2, 3], 1).groupBy(lambda n: n % 2).mapValues(list).collect()
            [(1, [1, 3]), (0, [2])]
        """
        require_callable("groupBy", f)
        keyed = self._piped("map", lambda record: (f(record), record), "groupBy")
        return keyed._grouped(numPartitions, partitionFunc, "groupBy")

    def partitionBy(
        self: RDD[tuple[K, V]],
        numPartitions: int | None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """Return an RDD with each pair in partition ``partitionFunc(key) % numPartitions``.

        Pairs of one partition keep their order. Where they are placed so already, it is this RDD.

        Example::

            >>> sc.parallelize([(1, "a"), (2, "b"), (3, "c")]).partitionBy(2).glom().collect()
            [[(2, 'b')], [(1, 'a'), (3, 'c')]]
        """
        number = self._partition_number("partitionBy", numPartitions, partitionFunc)
        if number == 0:
            return self._empty("partitionBy", [self])
        return self._partitioned(Partitioner(number, partitionFunc), "partitionBy")

    # --- transformations: several RDDs ------------------------------------------------------

    def join(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
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
        from swiftwater._joins import inner, together

        return together([self, other], numPartitions, inner, "join")

    def leftOuterJoin(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U | None]]]:
        """Do what ``join`` does, with ``(key, (a, None))`` where ``other`` has no such key.

        Example::

            >>> ages = sc.parallelize([("ann", 30), ("bob", 40)])
            >>> towns = sc.parallelize([("ann", "Rome")])
            >>> ages.leftOuterJoin(towns, 1).collect()
            [('ann', (30, 'Rome')), ('bob', (40, None))]
        """
        from swiftwater._joins import left_outer, together

        return together([self, other], numPartitions, left_outer, "leftOuterJoin")

    def rightOuterJoin(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U]]]:
        """Do what ``join`` does, with ``(key, (None, b))`` where this RDD has no such key.

        Example::

            >>> ages = sc.parallelize([("ann", 30)])
            >>> towns = sc.parallelize([("cem", "Ulm"), ("ann", "Rome")])
            >>> ages.rightOuterJoin(towns, 1).collect()
            [('ann', (30, 'Rome')), ('cem', (None, 'Ulm'))]
        """
        from swiftwater._joins import right_outer, together

        return together([self, other], numPartitions, right_outer, "rightOuterJoin")

    def fullOuterJoin(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U | None]]]:
        """Do what ``join`` does, with ``None`` for the side that has no such key.

        Example::

            >>> ages = sc.parallelize([("bob", 40)])
            >>> towns = sc.parallelize([("cem", "Ulm")])
            >>> ages.fullOuterJoin(towns, 1).collect()
            [('bob', (40, None)), ('cem', (None, 'Ulm'))]
        """
        from swiftwater._joins import full_outer, together

        return together([self, other], numPartitions, full_outer, "fullOuterJoin")

    def cogroup(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """Return an RDD of ``(key, (values here, values there))`` for each key of either side.

        Example::

            >>> one, two = sc.parallelize([("a", 1), ("a", 2)]), sc.parallelize([("b", 3)])
            >>> [(k, list(a), list(b)) for k, (a, b) in one.cogroup(two, 1).collect()]
            [('a', [1, 2], []), ('b', [], [3])]
        """
        from swiftwater._joins import cogrouped, together

        return together([self, other], numPartitions, cogrouped, "cogroup")

    @overload
    def groupWith(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, V1]]
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[V1]]]]: ...
    @overload
    def groupWith(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, V1]], other2: RDD[tuple[K, V2]], /
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[V1], ResultIterable[V2]]]]: ...
    @overload
    def groupWith(
        self: RDD[tuple[K, V]],
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
        self: RDD[tuple[K, Any]], other: RDD[tuple[K, Any]], *others: RDD[tuple[K, Any]]
    ) -> RDD[tuple[K, tuple[ResultIterable[Any], ...]]]: ...
    def groupWith(self: RDD[Any], other: RDD[Any], *others: RDD[Any]) -> RDD[Any]:
        """Do what ``cogroup`` does, with any number of RDDs.

        Example::

            >>> one, two, three = (sc.parallelize([("a", n)]) for n in (1, 2, 3))
            >>> [(k, [list(v) for v in vs]) for k, vs in one.groupWith(two, three).collect()]
            [('a', [[1], [2], [3]])]
        """
        from swiftwater._joins import cogrouped, together

        return together([self, other, *others], None, cogrouped, "groupWith")

    def subtractByKey(
        self: RDD[tuple[K, V]], other: RDD[tuple[K, Any]], numPartitions: int | None = None
    ) -> RDD[tuple[K, V]]:
        """Return an RDD of the pairs whose key ``other`` has not; pairs of one key come together.

        Example::

            >>> one, two = sc.parallelize([("a", 1), ("b", 2)]), sc.parallelize([("a", 3)])
            >>> one.subtractByKey(two).collect()
            [('b', 2)]
        """
        from swiftwater._joins import subtracted, together

        return together([self, other], numPartitions, subtracted, "subtractByKey")

    def subtract(self: RDD[T], other: RDD[T], numPartitions: int | None = None) -> RDD[T]:
        """Return an RDD of the records that ``other`` has not; equal ones come together.

        Example::

            >>> sc.parallelize([1, 2, 2, 3]).subtract(sc.parallelize([3]), 1).collect()
            [1, 2, 2]
        """
        from swiftwater._joins import subtracted_keys

        return self._compared(other, numPartitions, subtracted_keys, "subtract")

    def intersection(self: RDD[T], other: RDD[T]) -> RDD[T]:
        """Return an RDD of the records that both have, each once.

        Example::

            >>> sc.parallelize([1, 2, 2], 1).intersection(sc.parallelize([2, 3], 1)).collect()
            [2]
        """
        from swiftwater._joins import common_keys

        return self._compared(other, None, common_keys, "intersection")

    def _compared(
        self, other: RDD[Any], partitions: int | None, merge: Callable[..., Any], name: str
    ) -> RDD[Any]:
        from swiftwater._joins import together

        _require_rdd(name, other)
        sides = [rdd._piped("map", _paired, name) for rdd in (self, other)]
        compared = together(sides, partitions, merge, name)
        compared.partitioner = None
        return compared

    def union(self: RDD[T], other: RDD[U]) -> RDD[T | U]:
        """Return an RDD of this one's partitions followed by those of ``other``.

        Where both are placed by the same partitioner it has as many partitions as each of them:
        partition ``i`` holds the records of both partitions ``i``.

        Example::

            >>> sc.parallelize([1, 2], 1).union(sc.parallelize(["a"], 1)).glom().collect()
            [[1, 2], ['a']]
        """
        _require_rdd("union", other)
        return united(self.ctx, [self, other], "union")

    def __add__(self: RDD[T], other: RDD[U]) -> RDD[T | U]:
        """Return the union of two RDDs."""
        return self.union(other) if isinstance(other, RDD) else NotImplemented

    def zip(self: RDD[T], other: RDD[U]) -> RDD[tuple[T, U]]:
        """Return an RDD of ``(record here, record there)``, one after the other.

        Both need the same number of partitions, and of records in each of them.

        Example::

            >>> sc.parallelize([1, 2]).zip(sc.parallelize("ab")).collect()
            [(1, 'a'), (2, 'b')]
        """
        from swiftwater._joins import zipped

        _require_rdd("zip", other)
        number = self.getNumPartitions()
        if number != other.getNumPartitions():
            raise ValueError("Can only zip with RDD which has the same number of partitions")
        plan = [[(0, index), (1, index)] for index in range(number)]
        return self._gathered([self, other], plan, zipped, "zip")

    def cartesian(self: RDD[T], other: RDD[U]) -> RDD[tuple[T, U]]:
        """Return an RDD of ``(record here, record there)`` for each two records.

        Its partitions are the pairs of partitions of both.

        Example::

            >>> sc.parallelize([1, 2], 1).cartesian(sc.parallelize("ab", 1)).collect()
            [(1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]
        """
        from swiftwater._joins import crossed

        _require_rdd("cartesian", other)
        ours, theirs = range(self.getNumPartitions()), range(other.getNumPartitions())
        require_partitions("cartesian", len(ours) * len(theirs))
        plan = [[(0, i), (1, j)] for i in ours for j in theirs]
        return self._gathered([self, other], plan, crossed, "cartesian")

    # --- transformations: order and partitions ----------------------------------------------

    def sortBy(
        self: RDD[T],
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
        self: RDD[tuple[K, V]],
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
        self: RDD[tuple[K, V]],
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
        from swiftwater._sorting import sorter

        name = "repartitionAndSortWithinPartitions"
        if keyfunc is not None:
            require_callable(name, keyfunc, "a function as keyfunc")
        number = self._partition_number(name, numPartitions, partitionFunc)
        if number == 0:
            return self._empty(name, [self])
        divided = self._partitioned(Partitioner(number, partitionFunc), name)
        return divided._piped("mapPartitions", sorter(keyfunc, ascending), name, keeps=True)

    def coalesce(self: RDD[T], numPartitions: int, shuffle: bool = False) -> RDD[T]:
        """Return an RDD with at most ``numPartitions`` partitions, made of neighbours.

        With ``shuffle`` it has exactly so many, as ``repartition`` gives them.

        Example::

            >>> sc.parallelize(range(6), 3).coalesce(2).glom().collect()
            [[0, 1], [2, 3, 4, 5]]
        """
        if not numPartitions > 0:
            raise ValueError("Number of partitions must be positive.")
        wanted = whole_and_no_truth(numPartitions, "the number of partitions")
        if shuffle:
            return self._spread(wanted, "coalesce")
        count = self.getNumPartitions()
        wanted = builtins.min(wanted, count)
        plan = [
            [(0, index) for index in range(part * count // wanted, (part + 1) * count // wanted)]
            for part in range(wanted)
        ]
        return self._gathered([self], plan, None, "coalesce")

    def repartition(self: RDD[T], numPartitions: int) -> RDD[T]:
        """Return an RDD with ``numPartitions`` partitions; records go there ten by ten, in turn.

        Example::

            >>> sc.parallelize(range(60), 1).repartition(3).glom().map(len).collect()
            [20, 20, 20]
        """
        if not numPartitions > 0:
            raise ValueError("Number of partitions must be positive.")
        number = whole_and_no_truth(numPartitions, "the number of partitions")
        return self._spread(number, "repartition")

    def zipWithIndex(self: RDD[T]) -> RDD[tuple[T, int]]:
        """Return an RDD of ``(record, its number)``, counted from 0 through all partitions.

        Where there are several partitions their records are counted now.

        Example::

            >>> sc.parallelize("abc", 2).zipWithIndex().collect()
            [('a', 0), ('b', 1), ('c', 2)]
        """
        starts = (0,)
        if self.getNumPartitions() > 1:
            counted = self._piped("mapPartitions", counted_partition, "zipWithIndex")
            starts = tuple(itertools.accumulate(counted.collect(), initial=0))

        def numbered(partition: int, records: Iterator[T]) -> Iterator[tuple[T, int]]:
            return builtins.zip(records, itertools.count(starts[partition]))

        return self._piped("mapPartitionsWithIndex", numbered, "zipWithIndex")

    def zipWithUniqueId(self: RDD[T]) -> RDD[tuple[T, int]]:
        """Return an RDD of ``(record, a number of its own)``, without counting first.

        With ``n`` partitions the records of partition ``k`` have ``k``, ``n + k``, ``2 n + k``, ...

        Example::

            >>> sc.parallelize("abcd", 2).zipWithUniqueId().collect()
            [('a', 0), ('b', 2), ('c', 1), ('d', 3)]
        """
        step = self.getNumPartitions()

        def numbered(partition: int, records: Iterator[T]) -> Iterator[tuple[T, int]]:
            return builtins.zip(records, itertools.count(partition, step))

        return self._piped("mapPartitionsWithIndex", numbered, "zipWithUniqueId")

    # --- actions: records -------------------------------------------------------------------

    def collect(self: RDD[T]) -> list[T]:
        """Return all records, partition after partition. They must fit in memory.

        Example::

            >>> sc.parallelize(range(3)).collect()
            [0, 1, 2]
        """
        wanted = self._wanted() if _waiting else ()
        parts: list[list[T]] = engine.collect(self._live, None)
        if wanted:
            _keep(wanted)
        return parts[0] if len(parts) == 1 else list(itertools.chain.from_iterable(parts))

    def toLocalIterator(self: RDD[T], prefetchPartitions: bool = False) -> Iterator[T]:
        """Return an iterator over all records; each partition is computed when it is come to.

        ``prefetchPartitions`` is accepted for PySpark's sake.

        Example::

            >>> [n * n for n in sc.parallelize(range(3), 2).toLocalIterator()]
            [0, 1, 4]
        """
        return self._one_by_one(self.getNumPartitions())

    def _one_by_one(self: RDD[T], partitions: int) -> Iterator[T]:
        wanted = self._wanted() if _waiting else ()
        for number in range(partitions):
            yield from engine.collect(self._live, [number])[0]
        if wanted:
            _keep(wanted)

    def take(self: RDD[T], num: int) -> list[T]:
        """Return the first ``num`` records, from as few partitions as possible.

        One partition is tried first, then up to four times as many as before, until there are
        enough.

        Example::

            >>> sc.parallelize(range(100), 10).take(3)
            [0, 1, 2]
        """
        num = whole(num, "the number of records to take")
        wanted = self._wanted() if _waiting else ()
        taken: list[T] = engine.take(self._live, builtins.max(0, builtins.min(num, sys.maxsize)))
        if wanted:
            _keep(wanted)
        return taken

    def first(self: RDD[T]) -> T:
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

    def takeOrdered(self: RDD[T], num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """Return the ``num`` smallest records in ascending order (by ``key(record)``).

        Example::

            >>> sc.parallelize([3, 1, 2]).takeOrdered(2, key=lambda n: -n)
            [3, 2]
        """
        num = builtins.min(whole(num, "the number of records to take"), sys.maxsize)
        if num < 0:
            raise ValueError("top N cannot be negative.")
        if key is not None:
            require_callable("takeOrdered", key, "a function as key")
        from heapq import nsmallest

        choose: Callable[..., list[T]] = nsmallest

        if num == 0:
            return []
        return self._chosen(lambda records: choose(num, records, key=key), "takeOrdered") or []

    def top(self: RDD[T], num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """Return the ``num`` largest records in descending order (by ``key(record)``).

        Example::

            >>> sc.parallelize([3, 1, 2]).top(2)
            [3, 2]
        """
        num = builtins.min(whole(num, "the number of records to take"), sys.maxsize)
        if key is not None:
            require_callable("top", key, "a function as key")
        from heapq import nlargest

        choose: Callable[..., list[T]] = nlargest

        chosen = self._chosen(lambda records: choose(num, records, key=key), "top")
        if chosen is None:
            raise ValueError(_EMPTY)
        return chosen

    def _chosen(
        self: RDD[T], choose: Callable[[Iterable[T]], list[T]], name: str
    ) -> list[T] | None:
        """Return what ``choose`` takes of all records; ``None`` where there is no partition."""
        lists = self._piped("mapPartitions", lambda records: [choose(records)], name)
        parts: list[list[T]] = lists.collect()
        # Spark: two lists at a time, which shows where the key is a function with a memory.
        return _merged(lambda a, b: choose(a + b), parts) if parts else None

    def takeSample(
        self: RDD[T], withReplacement: bool, num: int, seed: int | None = None
    ) -> list[T]:
        """Return ``num`` records drawn by chance, or all in a random order where there are fewer.

        With ``withReplacement`` a record may come several times.

        Example::

            >>> sc.parallelize(range(30), 3).takeSample(False, 5, seed=1)
            [25, 28, 11, 10, 24]
        """
        num = whole(num, "the sample size")
        if num < 0:
            raise ValueError("Sample size cannot be negative.")
        largest = sys.maxsize - int(10.0 * sys.maxsize**0.5)
        if num > largest:
            raise ValueError(f"Sample size cannot be greater than {largest}.")
        total = self.count() if num > 0 else 0
        if total == 0:
            return []
        import random

        from swiftwater._sampling import fraction_for

        chance = random.Random(seed)  # noqa: S311
        if not withReplacement and num >= total:
            records = self.collect()
            chance.shuffle(records)
            return records
        fraction = fraction_for(num, total, withReplacement)
        records = self.sample(withReplacement, fraction, seed).collect()
        while len(records) < num:
            # Seldom: the fraction is large enough for all but one in ten thousand samples.
            again = chance.randint(0, sys.maxsize)
            records = self.sample(withReplacement, fraction, again).collect()
        chance.shuffle(records)
        return records[:num]

    def collectAsMap(self: RDD[tuple[K, V]]) -> dict[K, V]:
        """Return the pairs as a dictionary; of several values of a key, the last.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).collectAsMap()
            {'a': 1, 'b': 2}
        """
        return dict(self.collect())

    def lookup(self: RDD[tuple[K, V]], key: K) -> list[V]:
        """Return the values of one key; only its partition is computed where that is known.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2), ("a", 3)]).lookup("a")
            [1, 3]
        """
        found = self._piped("filter", lambda pair: pair[0] == key, "lookup")
        values = found._piped("map", second, "lookup")
        if self.partitioner is None:
            return values.collect()
        wanted = values._wanted() if _waiting else ()
        records: list[V] = engine.collect(values._live, [self.partitioner(key)])[0]
        if wanted:
            _keep(wanted)
        return records

    # --- actions: one result ----------------------------------------------------------------

    def count(self) -> int:
        """Return the number of records.

        Example::

            >>> sc.parallelize("abc").count()
            3
        """
        wanted = self._wanted() if _waiting else ()
        number = engine.count(self._live)
        if wanted:
            _keep(wanted)
        return number

    def reduce(self: RDD[T], f: Callable[[T, T], T]) -> T:
        """Return all records combined by ``f(a, b)``: first inside partitions, then across.

        Raises ``ValueError`` where there is no record.

        Example::

            >>> sc.parallelize([1, 2, 3]).reduce(lambda a, b: a + b)
            6
        """
        require_callable("reduce", f)
        return self._reduced(f, "reduce")

    def treeReduce(self: RDD[T], f: Callable[[T, T], T], depth: int = 2) -> T:
        """Do what ``reduce`` does, in ``depth`` steps through fewer and fewer partitions.

        Example::

            >>> sc.parallelize(range(10), 7).treeReduce(lambda a, b: a + b)
            45
        """
        require_callable("treeReduce", f)
        _require_depth(depth)
        parts = self._piped("mapPartitions", _reducer(f), "treeReduce")
        results: list[T] = parts._in_steps(f, depth, "treeReduce").collect()
        if not results:
            raise ValueError("Cannot reduce empty RDD.")
        return _merged(f, results)

    def fold(self: RDD[T], zeroValue: T, op: Callable[[T, T], T]) -> T:
        """Return ``op`` folded over each partition and over the results, from ``zeroValue`` on.

        Each partition has a copy of ``zeroValue`` of its own, so ``op`` may change and return its
        first argument.

        Example::

            >>> sc.parallelize([1, 2, 3]).fold(0, lambda a, b: a + b)
            6
        """
        result: T = self._folded(zeroValue, op, op, "fold")
        return result

    def aggregate(
        self: RDD[T], zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U]
    ) -> U:
        """Do what ``fold`` does, with ``seqOp`` for records and ``combOp`` for the results.

        Example::

            >>> words = sc.parallelize(["a", "bcd"])
            >>> words.aggregate(0, lambda n, word: n + len(word), lambda a, b: a + b)
            4
        """
        result: U = self._folded(zeroValue, seqOp, combOp, "aggregate")
        return result

    def treeAggregate(
        self: RDD[T],
        zeroValue: U,
        seqOp: Callable[[U, T], U],
        combOp: Callable[[U, U], U],
        depth: int = 2,
    ) -> U:
        """Do what ``aggregate`` does, in ``depth`` steps through fewer and fewer partitions.

        Example::

            >>> sc.parallelize(range(10), 7).treeAggregate(0, max, max)
            9
        """
        require_callable("treeAggregate", seqOp)
        require_callable("treeAggregate", combOp)
        _require_depth(depth)
        parts = self._piped("mapPartitions", _folder(zeroValue, seqOp), "treeAggregate")
        results: list[U] = parts._in_steps(combOp, depth, "treeAggregate").collect()
        return _merged(combOp, results) if results else zeroValue

    @overload
    def sum(self: RDD[int]) -> int: ...
    @overload
    def sum(self: RDD[float]) -> float: ...
    def sum(self: RDD[Any]) -> Any:
        """Return the sum of all records; 0 where there is none.

        Example::

            >>> sc.parallelize([1.5, 2.0]).sum()
            3.5
        """
        sums = self._piped("mapPartitions", lambda records: [builtins.sum(records)], "sum")
        return functools.reduce(operator.add, sums.collect(), 0)

    def max(self: RDD[T], key: Callable[[T], Any] | None = None) -> T:
        """Return the largest record (by ``key(record)``). ``ValueError`` where there is none.

        Example::

            >>> sc.parallelize(["a", "bcd", "ef"]).max(key=len)
            'bcd'
        """
        if key is not None:
            require_callable("max", key, "a function as key")
        choose: Callable[..., T] = builtins.max
        if key is None:
            return self._reduced(choose, "max")
        return self._reduced(lambda a, b: choose(a, b, key=key), "max")

    def min(self: RDD[T], key: Callable[[T], Any] | None = None) -> T:
        """Return the smallest record (by ``key(record)``). ``ValueError`` where there is none.

        Example::

            >>> sc.parallelize([3, 1, 2]).min()
            1
        """
        if key is not None:
            require_callable("min", key, "a function as key")
        choose: Callable[..., T] = builtins.min
        if key is None:
            return self._reduced(choose, "min")
        return self._reduced(lambda a, b: choose(a, b, key=key), "min")

    def countByValue(self: RDD[K]) -> defaultdict[K, int]:
        """Return how often each record is there, as a dictionary that gives 0 for any other.

        Example::

            >>> dict(sc.parallelize("abca").countByValue())
            {'a': 2, 'b': 1, 'c': 1}
        """
        return self._tallied("countByValue")

    def countByKey(self: RDD[tuple[K, V]]) -> defaultdict[K, int]:
        """Return how many pairs each key has, as a dictionary that gives 0 for any other.

        Example::

            >>> dict(sc.parallelize([("a", 1), ("b", 1), ("a", 5)]).countByKey())
            {'a': 2, 'b': 1}
        """
        return self._piped("map", first, "countByKey")._tallied("countByKey")

    def _tallied(self, name: str) -> defaultdict[Any, int]:
        counted = self._piped("map", with_one, name)._combined_locally(operator.add, name)
        if counted.getNumPartitions() == 0:
            raise ValueError(_EMPTY)
        total: defaultdict[Any, int] = defaultdict(int)
        for value, number in counted.collect():
            total[value] += number
        return total

    def reduceByKeyLocally(self: RDD[tuple[K, V]], func: Callable[[V, V], V]) -> dict[K, V]:
        """Do what ``reduceByKey`` does, and return the result as a dictionary.

        Example::

            >>> pairs = sc.parallelize([("a", 1), ("b", 1), ("a", 5)])
            >>> pairs.reduceByKeyLocally(lambda a, b: a + b)
            {'a': 6, 'b': 1}
        """
        require_callable("reduceByKeyLocally", func)

        local = self._combined_locally(func, "reduceByKeyLocally")
        if local.getNumPartitions() == 0:
            raise ValueError(_EMPTY)
        values: dict[K, V] = {}
        try:
            for key, value in local.collect():
                values[key] = func(values[key], value) if key in values else value
        except StopIteration as end:
            raise stop_iteration(end) from end
        return values

    # --- actions: statistics ----------------------------------------------------------------

    def stats(self: RDD[float]) -> StatCounter:
        """Return count, mean, deviation, largest and smallest of numbers.

        Example::

            >>> sc.parallelize([1, 2, 3]).stats()
            (count: 3, mean: 2.0, stdev: 0.816496580927726, max: 3, min: 1)
        """
        from swiftwater.statcounter import StatCounter

        def counted(records: Iterator[float]) -> list[StatCounter]:
            return [StatCounter(records)]

        parts: list[StatCounter] = self._piped("mapPartitions", counted, "stats").collect()
        if not parts:
            raise ValueError(_EMPTY)
        return functools.reduce(StatCounter.mergeStats, parts)

    def mean(self: RDD[float]) -> float:
        """Return the mean of numbers; 0.0 where there are none.

        Example::

            >>> sc.parallelize([1, 2, 6]).mean()
            3.0
        """
        return self.stats().mean()

    def variance(self: RDD[float]) -> float:
        """Return the variance of numbers, divided by how many they are.

        Example::

            >>> sc.parallelize([1, 2, 3]).variance()
            0.6666666666666666
        """
        return self.stats().variance()

    def stdev(self: RDD[float]) -> float:
        """Return the standard deviation of numbers: the root of ``variance``.

        Example::

            >>> sc.parallelize([1, 3]).stdev()
            1.0
        """
        return self.stats().stdev()

    def sampleVariance(self: RDD[float]) -> float:
        """Return the variance of a sample of numbers, divided by one less.

        Example::

            >>> sc.parallelize([1, 2, 3]).sampleVariance()
            1.0
        """
        return self.stats().sampleVariance()

    def sampleStdev(self: RDD[float]) -> float:
        """Return the standard deviation of a sample: the root of ``sampleVariance``.

        Example::

            >>> sc.parallelize([1, 2, 3]).sampleStdev()
            1.0
        """
        return self.stats().sampleStdev()

    @overload
    def histogram(self: RDD[T], buckets: int) -> tuple[list[T], list[int]]: ...
    @overload
    def histogram(self: RDD[T], buckets: list[T]) -> tuple[list[T], list[int]]: ...
    @overload
    def histogram(self: RDD[T], buckets: tuple[T, ...]) -> tuple[tuple[T, ...], list[int]]: ...
    def histogram(self: RDD[Any], buckets: Any) -> tuple[Any, list[int]]:
        """Return bounds of buckets and how many records are in each of them.

        ``buckets`` is their number, for buckets of equal width from the smallest to the largest
        record, or the sorted bounds themselves. A bucket holds its lower bound and not its upper
        one; the last holds both. ``None`` and NaN are not counted.

        Example::

            >>> sc.parallelize(range(51)).histogram(2)
            ([0, 25, 50], [25, 26])
            >>> sc.parallelize(range(51)).histogram([0, 5, 25, 50])
            ([0, 5, 25, 50], [5, 20, 26])
        """
        from swiftwater._histogram import histogram

        return histogram(self, buckets)

    # --- actions: effects -------------------------------------------------------------------

    def foreach(self: RDD[T], f: Callable[[T], object]) -> None:
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

    def foreachPartition(self: RDD[T], f: Callable[[Iterator[T]], object]) -> None:
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

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Write the records as lines: a folder with a file for each partition, and ``_SUCCESS``.

        Text and bytes are written as they are, anything else as ``str(record)``. The codec is a
        class name of Hadoop's (``org.apache.hadoop.io.compress.GzipCodec``, ``BZip2Codec``,
        ``DefaultCodec``). The folder appears when it is complete; where it is there already,
        ``FileAlreadyExistsException`` is raised. In a function of ``foreachRDD`` or ``transform``
        it is not, as a batch may run again: the files of the new batch take the place of those of
        an earlier one, and other files stay.

        Example::

            >>> sc.parallelize(["a", 1], 1).saveAsTextFile(tmp + "/out")
            >>> sc.textFile(tmp + "/out").collect()
            ['a', '1']
        """
        from swiftwater._files_out import save_text

        save_text(self, path, compressionCodecClass, overwrite=engine.in_batch())

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Write the records for ``SparkContext.pickleFile``: a folder as of ``saveAsTextFile``.

        ``batchSize`` records are pickled together. The files are not Spark's sequence files.

        Example::

            >>> sc.parallelize([{"a": 1}, None]).saveAsPickleFile(tmp + "/out")
            >>> sc.pickleFile(tmp + "/out").collect()
            [{'a': 1}, None]
        """
        from swiftwater._files_out import save_pickles

        save_pickles(self, path, batchSize, overwrite=engine.in_batch())

    def toDF(self, schema: Any = None, sampleRatio: float | None = None) -> Any:
        """Return a data frame of the records (rows, tuples, dictionaries). Needs DuckDB.

        Example::

            >>> sc.parallelize([("a", 1), ("b", 2)]).toDF(["word", "number"]).count()
            2
        """
        from swiftwater._sql import create_data_frame

        return create_data_frame(self, schema, sampleRatio)

    # --- keeping ----------------------------------------------------------------------------

    def cache(self: RDD[T]) -> RDD[T]:
        """Keep the records after the first action has computed them. Returns the RDD itself.

        Example::

            >>> squares = sc.parallelize(range(3)).map(lambda n: n * n).cache()
            >>> squares.is_cached
            True
        """
        return self.persist()

    def persist(self: RDD[T], storageLevel: StorageLevel | None = None) -> RDD[T]:
        """Do what ``cache`` does; the RDD remembers the level, by default ``MEMORY_ONLY``.

        Records are kept in memory at every level. Another level than the one that the RDD has is
        an ``UnsupportedOperationException``: unpersist it first.

        Example::

            >>> from swiftwater.storagelevel import StorageLevel
            >>> print(sc.parallelize([1]).persist(StorageLevel.DISK_ONLY).getStorageLevel())
            Disk Serialized 1x Replicated
        """
        from swiftwater.storagelevel import StorageLevel as Level

        level = Level.MEMORY_ONLY if storageLevel is None else storageLevel
        if not isinstance(level, Level):
            raise TypeError(f"persist needs a StorageLevel, not {type(level).__name__}: {level!r}")
        if self._level is not None and self._level != level:
            from swiftwater.errors import UnsupportedOperationException

            raise UnsupportedOperationException(
                "Cannot change storage level of an RDD after it was already assigned a level"
            )
        if level != Level.NONE:
            engine.set_cached(self._live, True)
        self._level = level
        self.is_cached = True
        return self

    def unpersist(self: RDD[T], blocking: bool = False) -> RDD[T]:
        """Drop what ``cache`` has kept. Returns the RDD itself.

        Example::

            >>> sc.parallelize([1]).cache().unpersist().is_cached
            False
        """
        engine.set_cached(self._live, False)
        self._level = None
        self.is_cached = False
        return self

    def getStorageLevel(self) -> StorageLevel:
        """Return the level that ``persist`` was given; ``NONE`` where it was not called.

        Example::

            >>> sc.parallelize([1]).cache().getStorageLevel()
            StorageLevel(False, True, False, False, 1)
        """
        from swiftwater.storagelevel import StorageLevel

        if self._level is not None:
            return self._level
        local = self._kept == "local"
        return StorageLevel.MEMORY_AND_DISK_DESER if local else StorageLevel.NONE

    def checkpoint(self) -> None:
        """Write the records to the context's checkpoint folder at the next action on them.

        From then on they are read from there, and what they were computed from is forgotten.
        Raises ``SparkException`` where ``SparkContext.setCheckpointDir`` was not called.

        Example::

            >>> sc.setCheckpointDir(tmp)
            >>> squares = sc.parallelize(range(3)).map(lambda n: n * n)
            >>> squares.checkpoint()
            >>> squares.sum(), squares.isCheckpointed()
            (5, True)
        """
        from swiftwater._checkpoints import mark

        mark(self, local=False)
        self.is_checkpointed = True

    def localCheckpoint(self) -> None:
        """Keep the records in memory at the next action on them, and forget their lineage.

        Example::

            >>> squares = sc.parallelize(range(3)).map(lambda n: n * n)
            >>> squares.localCheckpoint()
            >>> squares.sum(), squares.isLocallyCheckpointed()
            (5, True)
        """
        from swiftwater._checkpoints import mark

        mark(self, local=True)

    def isCheckpointed(self) -> bool:
        """Return whether the records are kept by ``checkpoint`` or ``localCheckpoint`` by now.

        Example::

            >>> sc.parallelize([1]).isCheckpointed()
            False
        """
        return self._is_settled

    def isLocallyCheckpointed(self) -> bool:
        """Return whether ``localCheckpoint`` was called.

        Example::

            >>> sc.parallelize([1]).isLocallyCheckpointed()
            False
        """
        return self._kept == "local"

    def getCheckpointFile(self) -> str | None:
        """Return the folder that ``checkpoint`` has written, as a ``file:`` URL.

        Example::

            >>> sc.parallelize([1]).getCheckpointFile() is None
            True
        """
        return self._checkpoint_file

    # --- what the RDD says of itself --------------------------------------------------------

    @property
    def context(self) -> SparkContext:
        """The context that the RDD belongs to.

        Example::

            >>> sc.parallelize([1]).context is sc
            True
        """
        return self.ctx

    def getNumPartitions(self) -> int:
        """Return the number of partitions.

        Example::

            >>> sc.parallelize(range(10), 4).getNumPartitions()
            4
        """
        return engine.partition_count(self._live)

    def id(self) -> int:
        """Return the RDD's number, unique in its context.

        Example::

            >>> sc.parallelize([1]).id() < sc.parallelize([2]).id()
            True
        """
        return self._id

    def name(self) -> str | None:
        """Return the name given with ``setName``.

        Example::

            >>> sc.parallelize([1]).name() is None
            True
        """
        return self._name

    def setName(self: RDD[T], name: str) -> RDD[T]:
        """Give the RDD a name. Returns the RDD itself.

        Example::

            >>> sc.parallelize([1]).setName("ones").name()
            'ones'
        """
        self._name = str(name)
        return self

    def toDebugString(self) -> bytes:
        """Return what the RDD is computed from, a line an RDD; an indented one is behind a shuffle.

        Files stand in front of the RDDs that read them. Of RDDs that streams have made, what is in
        front of a shuffle is known until that has run.

        Example::

            >>> pairs = sc.parallelize([(1, 2)]).map(lambda pair: pair)
            >>> print(pairs.reduceByKey(max).toDebugString().decode())
            (2) RDD[2] reduceByKey at ... []
             +-(2) RDD[1] map at ... []
                |  RDD[0] []
        """
        from swiftwater._lineage import described

        level = "" if self._level is None else str(self._level)
        origin = self._known_origin(whole=True)
        text = described(self.getNumPartitions(), origin, self._name, level)
        return text.encode()

    def explain(self) -> None:
        """Print how the RDD is computed: which functions run natively, and why others do not.

        Nothing is computed for it.

        Example::

            >>> sc.parallelize(["a b"]).flatMap(lambda line: line.split(" ")).explain()
            stage 1
              parallelize...engine
              flatMap at ...native where types allow
        """
        from swiftwater._explain import plan_text

        print(plan_text(engine.explain(self._live)))

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

    def _wanted(self) -> Sequence[RDD[Any]]:
        """Return what `checkpoint` asks to be kept of what an action on this RDD computes."""
        from swiftwater._checkpoints import wanted

        return wanted(self._handle, self.ctx)

    def _known_origin(self, whole: bool = False) -> Origin:
        """Return what is known of where the RDD comes from.

        Of one that a stream has handed out that is nothing but its files, unless ``whole`` is set.
        """
        if self._origin is None and not self._is_settled:
            found = engine.lineage(self._handle, whole)
            if found is not None:
                from swiftwater._lineage import numbered

                self._origin = numbered(found, self._id, self.ctx)
        return self._origin or (self._id, "", "", -1, (), 0, "")

    def _made(
        self, handle: Handle, name: str, site: str, parents: Sequence[RDD[Any]], wide: int = -1
    ) -> RDD[Any]:
        """Return an RDD that the operator ``name`` has made of ``parents``.

        ``wide`` is the number of partitions in front of its shuffle, -1 without one.
        """
        rdd: RDD[Any] = RDD(handle, self.ctx)
        origins = tuple([parent._known_origin() for parent in parents])
        depth = 1 + builtins.max([origin[5] for origin in origins], default=0)
        if depth > _DEEPEST_ORIGIN:
            origins, depth = (), 0
        rdd._origin = (rdd._id, name, site, wide, origins, depth, "")
        return rdd

    def _piped(
        self, kind: str, function: Callable[..., Any], name: str, keeps: bool = False
    ) -> RDD[Any]:
        """Return this RDD with one more function behind it; ``name`` is the user's operator.

        ``keeps`` says that records stay in the partition of their key.
        """
        require_callable(name, function)
        site = call_site()
        handle = engine.pipeline(self._live, [(kind, function, name, site)])
        rdd = self._made(handle, name, site, (self,))
        if keeps and self.partitioner is not None:
            rdd.partitioner = self.partitioner
        return rdd

    def _partition_number(
        self, name: str, given: int | None, partition_function: Callable[[Any], int]
    ) -> int:
        require_callable(name, partition_function, "a function as partitionFunc")
        return partition_number(name, given, lambda: self.ctx._shuffle_partitions(self))

    def _combined(
        self,
        create: Callable[[Any], Any] | None,
        merge_value: Callable[[Any, Any], Any],
        merge_combiners: Callable[[Any, Any], Any],
        partitions: int | None,
        partition_function: Callable[[Any], int],
        name: str,
        gathers_lists: bool = False,
    ) -> RDD[Any]:
        for function in (merge_value, merge_combiners, *([create] if create is not None else [])):
            require_callable(name, function)
        number = self._partition_number(name, partitions, partition_function)
        if number == 0:
            return self._empty(name, [self])
        site = call_site()
        handle = engine.combine_by_key(
            self._live,
            create,
            merge_value,
            merge_combiners,
            number,
            None if partition_function is portable_hash else partition_function,
            name,
            site,
            gathers_lists,
        )
        rdd = self._made(handle, name, site, (self,), engine.partition_count(self._handle))
        rdd.partitioner = Partitioner(number, partition_function)
        return rdd

    def _grouped(
        self, partitions: int | None, partition_function: Callable[[Any], int], name: str
    ) -> RDD[Any]:
        from swiftwater.resultiterable import ResultIterable

        lists = self._combined(
            listed, appended, extended, partitions, partition_function, name, gathers_lists=True
        )
        return lists._piped("mapValues", ResultIterable, name, keeps=True)

    def _partitioned(
        self,
        partitioner: Partitioner,
        name: str,
        bounds: list[Any] | None = None,
        ascending: bool = True,
    ) -> RDD[Any]:
        """Return this RDD with each pair where ``partitioner`` says; itself if it is so already.

        ``bounds`` and ``ascending`` are what the partitioner goes by: see ``engine.partition_by``.
        """
        if self.partitioner == partitioner:
            return self
        site = call_site()
        function = partitioner.partitionFunc
        handle = engine.partition_by(
            self._live,
            partitioner.numPartitions,
            None if function is portable_hash else function,
            name,
            site,
            bounds,
            ascending,
        )
        rdd = self._made(handle, name, site, (self,), engine.partition_count(self._handle))
        rdd.partitioner = partitioner
        return rdd

    def _gathered(
        self,
        rdds: Sequence[RDD[Any]],
        plan: Sequence[Sequence[tuple[int, int]]],
        function: Callable[[int, list[Iterator[Any]]], Iterable[Any]] | None,
        name: str,
        form: str = "",
    ) -> RDD[Any]:
        """Return an RDD whose partitions are made of those of others, as ``engine.gather`` says."""
        site = call_site()
        handles = [rdd._live for rdd in rdds]
        handle = engine.gather(self.ctx._engine, handles, plan, function, name, site, form)
        return self._made(handle, name, site, rdds)

    def _empty(self, name: str, parents: Sequence[RDD[Any]]) -> RDD[Any]:
        """Return an RDD without partitions."""
        handle = engine.parallelize(self.ctx._engine, [], 0, 1)
        return self._made(handle, name, call_site(), parents)

    def _sorted(
        self, ascending: bool, partitions: int | None, key: Callable[[Any], Any] | None, name: str
    ) -> RDD[Any]:
        from swiftwater._sorting import by_key

        # Spark looks at this number in Python first, where `True` is 1.
        given = 1 if partitions is True else partitions
        number = self._partition_number(name, given, portable_hash)
        return self if number == 0 else by_key(self, ascending, number, key, name)

    def _spread(self, partitions: int, name: str) -> RDD[Any]:
        from swiftwater._spreading import scatterer, unpacked

        require_partitions(name, partitions)
        # The key of a packet is the partition where it goes.
        packed = self._piped("mapPartitionsWithIndex", scatterer(partitions), name)
        moved = packed._partitioned(Partitioner(partitions, portable_hash), name)
        return moved._piped("mapPartitions", unpacked, name)

    def _combined_locally(self, merge: Callable[[Any, Any], Any], name: str) -> RDD[Any]:
        """Return this RDD of pairs with the values of each key merged, partition by partition."""
        site = call_site()
        handle = engine.combine_locally(self._live, merge, name, site)
        return self._made(handle, name, site, (self,))

    def _reduced(self: RDD[T], f: Callable[[T, T], T], name: str) -> T:
        # All records under one key, so that the engine needs no second way to reduce.
        keyed = self._piped("map", under_none, name)._combined_locally(f, name)
        results: list[T] = [value for _, value in keyed.collect()]
        if not results:
            raise ValueError(_EMPTY)
        return _merged(f, results)

    def _folded(
        self,
        zero: Any,
        merge_record: Callable[[Any, Any], Any],
        merge: Callable[[Any, Any], Any],
        name: str,
    ) -> Any:
        require_callable(name, merge_record)
        require_callable(name, merge)
        results = self._piped("mapPartitions", _folder(zero, merge_record), name).collect()
        return _merged(merge, [engine.isolated(zero), *results])

    def _in_steps(self, merge: Callable[[Any, Any], Any], depth: int, name: str) -> RDD[Any]:
        """Merge the records, at most one a partition, into fewer of them, ``depth`` - 1 times."""
        results: RDD[Any] = self
        left: float = self.getNumPartitions()
        scale = builtins.max(_root_up(left, depth), 2)
        while left > scale + left / scale:
            left /= scale
            results = results._merged_into(int(left), merge, name)
        return results

    def _merged_into(
        self, partitions: int, merge: Callable[[Any, Any], Any], name: str
    ) -> RDD[Any]:
        def numbered(partition: int, records: Iterator[Any]) -> Iterator[Any]:
            return ((partition % partitions, record) for record in records)

        pairs = self._piped("mapPartitionsWithIndex", numbered, name)
        merged = pairs._combined(None, merge, merge, partitions, portable_hash, name)
        return merged._piped("map", second, name)


def _keep(rdds: Sequence[RDD[Any]]) -> None:
    from swiftwater._checkpoints import keep

    keep(rdds)


_EMPTY = "Can not reduce() empty RDD"


def _paired(record: Any) -> Any:
    return (record, None)


def _keep_first(a: Any, b: Any) -> Any:
    return a


def _merged(f: Callable[[T, T], T], results: Sequence[T]) -> T:
    """Merge the partitions' results, one at least, in the driver."""
    try:
        return functools.reduce(f, results)
    except StopIteration as end:
        raise stop_iteration(end) from end


def _reducer(f: Callable[[Any, Any], Any]) -> Callable[[Iterator[Any]], list[Any]]:
    def reduced(records: Iterator[Any]) -> list[Any]:
        for head in records:
            return [functools.reduce(f, records, head)]
        return []

    return reduced


def _folder(zero: Any, op: Callable[[Any, Any], Any]) -> Callable[[Iterator[Any]], list[Any]]:
    def folded(records: Iterator[Any]) -> list[Any]:
        return [functools.reduce(op, records, engine.isolated(zero))]

    return folded


def _root_up(number: float, depth: int) -> int:
    root: float = number ** (1.0 / depth)
    return int(-(-root // 1))


def _require_depth(depth: int) -> None:
    if whole(depth, "the depth") < 1:
        raise ValueError(f"Depth cannot be smaller than 1 but got {depth}.")


def _require_rdd(name: str, other: object) -> None:
    if not isinstance(other, RDD):
        raise TypeError(f"{name} needs an RDD, not {type(other).__name__}")


def united(context: SparkContext, rdds: Sequence[RDD[Any]], name: str) -> RDD[Any]:
    """Return the union of one or more RDDs for the operator ``name``."""
    site = call_site()
    filled = [rdd for rdd in rdds if rdd.getNumPartitions() > 0]
    shared = filled[0].partitioner if filled else None
    if shared is not None and all(rdd.partitioner == shared for rdd in filled):
        # Spark: partition i holds the records of all partitions i.
        plan = [[(n, i) for n in range(len(filled))] for i in range(shared.numPartitions)]
        union = filled[0]._gathered(filled, plan, None, name)
        union.partitioner = shared
        return union
    require_partitions(name, builtins.sum(rdd.getNumPartitions() for rdd in filled))
    handle = engine.union(context._engine, [rdd._live for rdd in rdds])
    return rdds[0]._made(handle, name, site, rdds)


def partition_number(name: str, given: int | None, default: Callable[[], int]) -> int:
    """Return a checked number of partitions for the operator ``name``."""
    if given is None:
        return default()
    return checked_partitions(name, given)


# What PySpark's RDD has and this one has not, and what to use instead.
_NOT_THERE = {
    "barrier": "tasks do not run side by side: use mapPartitions(f)",
    "cleanShuffleDependencies": "a shuffle is freed with its RDD: leave the call out",
    "collectWithJobGroup": "use SparkContext.setJobGroup(...) and collect()",
    "countApprox": "use count()",
    "countApproxDistinct": "use distinct().count()",
    "getResourceProfile": "there is one machine: leave the call out",
    "mapPartitionsWithSplit": "use mapPartitionsWithIndex(f)",
    "meanApprox": "use mean()",
    "saveAsHadoopDataset": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsHadoopFile": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsNewAPIHadoopDataset": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsNewAPIHadoopFile": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "saveAsSequenceFile": "use saveAsTextFile(path) or saveAsPickleFile(path)",
    "sumApprox": "use sum()",
    "withResources": "there is one machine: leave the call out",
}


def _refusal(name: str, instead: str) -> Callable[..., NoReturn]:
    message = f"RDD.{name} is not part of Swiftwater: {instead}"

    def refuse(self: RDD[Any], *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(message)

    refuse.__name__ = name
    refuse.__qualname__ = f"RDD.{name}"
    refuse.__doc__ = f"""Raise ``NotImplementedError``: {instead}.

        Example::

            >>> sc.parallelize([1]).{name}()
            Traceback (most recent call last):
            NotImplementedError: {message}
        """
    return refuse


for _missing, _instead in _NOT_THERE.items():
    setattr(RDD, _missing, _refusal(_missing, _instead))
