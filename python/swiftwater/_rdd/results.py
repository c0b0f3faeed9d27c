"""Actions that make one result of all records."""

from __future__ import annotations

import builtins
import functools
import operator
from collections import defaultdict
from collections.abc import Callable, Iterator

from swiftwater._native import engine
from swiftwater._numbers import whole
from swiftwater._operator_calls import call_site, require_callable, stop_iteration
from swiftwater._rdd.core import EMPTY, K, RDDCore, T, T_co, U, V, merged
from swiftwater._rdd.partitioners import portable_hash
from swiftwater._record_functions import first, second, under_none, with_one
from swiftwater._typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["Results"]


class Results(RDDCore[T_co]):
    """One result."""

    def count(self) -> int:
        """Return the number of records.

        Example::

            >>> sc.parallelize("abc").count()
            3
        """
        return self._ran(engine.count)

    def reduce(self: Results[T], f: Callable[[T, T], T]) -> T:
        """Return all records combined by ``f(a, b)``: first inside partitions, then across.

        Raises ``ValueError`` where there is no record.

        Example::

            >>> sc.parallelize([1, 2, 3]).reduce(lambda a, b: a + b)
            6
        """
        require_callable("reduce", f)
        return self._reduced(f, "reduce")

    def treeReduce(self: Results[T], f: Callable[[T, T], T], depth: int = 2) -> T:
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
        return merged(f, results)

    def fold(self: Results[T], zeroValue: T, op: Callable[[T, T], T]) -> T:
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
        self: Results[T], zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U]
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
        self: Results[T],
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
        return merged(combOp, results) if results else zeroValue

    @overload
    def sum(self: Results[int]) -> int: ...

    @overload
    def sum(self: Results[float]) -> float: ...

    def sum(self: Results[Any]) -> Any:
        """Return the sum of all records; 0 where there is none.

        Example::

            >>> sc.parallelize([1.5, 2.0]).sum()
            3.5
        """
        sums = self._piped("mapPartitions", lambda records: [builtins.sum(records)], "sum")
        return functools.reduce(operator.add, sums.collect(), 0)

    def max(self: Results[T], key: Callable[[T], Any] | None = None) -> T:
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

    def min(self: Results[T], key: Callable[[T], Any] | None = None) -> T:
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

    def countByValue(self: Results[K]) -> defaultdict[K, int]:
        """Return how often each record is there, as a dictionary that gives 0 for any other.

        Example::

            >>> dict(sc.parallelize("abca").countByValue())
            {'a': 2, 'b': 1, 'c': 1}
        """
        return self._tallied("countByValue")

    def countByKey(self: Results[tuple[K, V]]) -> defaultdict[K, int]:
        """Return how many pairs each key has, as a dictionary that gives 0 for any other.

        Example::

            >>> dict(sc.parallelize([("a", 1), ("b", 1), ("a", 5)]).countByKey())
            {'a': 2, 'b': 1}
        """
        return self._piped("map", first, "countByKey")._tallied("countByKey")

    def _tallied(self, name: str) -> defaultdict[Any, int]:
        counted = self._piped("map", with_one, name)._combined_locally(operator.add, name)
        if counted.getNumPartitions() == 0:
            raise ValueError(EMPTY)
        total: defaultdict[Any, int] = defaultdict(int)
        for value, number in counted.collect():
            total[value] += number
        return total

    def reduceByKeyLocally(self: Results[tuple[K, V]], func: Callable[[V, V], V]) -> dict[K, V]:
        """Do what ``reduceByKey`` does, and return the result as a dictionary.

        Example::

            >>> pairs = sc.parallelize([("a", 1), ("b", 1), ("a", 5)])
            >>> pairs.reduceByKeyLocally(lambda a, b: a + b)
            {'a': 6, 'b': 1}
        """
        require_callable("reduceByKeyLocally", func)

        local = self._combined_locally(func, "reduceByKeyLocally")
        if local.getNumPartitions() == 0:
            raise ValueError(EMPTY)
        values: dict[K, V] = {}
        try:
            for key, value in local.collect():
                values[key] = func(values[key], value) if key in values else value
        except StopIteration as end:
            raise stop_iteration(end) from end
        return values

    def _combined_locally(self, merge: Callable[[Any, Any], Any], name: str) -> RDD[Any]:
        """Return this RDD of pairs with the values of each key merged, partition by partition."""
        site = call_site()
        handle = engine.combine_locally(self._live, merge, name, site)
        return self._made(handle, name, site, (self,))

    def _reduced(self: Results[T], f: Callable[[T, T], T], name: str) -> T:
        # All records under one key, so that the engine needs no second way to reduce.
        keyed = self._piped("map", under_none, name)._combined_locally(f, name)
        results: list[T] = [value for _, value in keyed.collect()]
        if not results:
            raise ValueError(EMPTY)
        return merged(f, results)

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
        return merged(merge, [engine.isolated(zero), *results])

    def _in_steps(self, merge: Callable[[Any, Any], Any], depth: int, name: str) -> RDD[Any]:
        """Merge the records, at most one a partition, into fewer of them, ``depth`` - 1 times."""
        results: RDD[Any] = self._itself
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
