"""Accumulator: a variable that tasks add to and the driver reads.

An addition in a task belongs to that attempt of the task. It is merged into the value when the
task succeeds, and dropped when the task fails: a task counts once, however often it was tried.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from threading import Lock
from weakref import WeakValueDictionary

from swiftwater import _tasks, _workers
from swiftwater._native import engine
from swiftwater._typing import Any, Generic, NoReturn, TypeVar

__all__ = ["Accumulator", "AccumulatorParam", "AddingAccumulatorParam"]

T = TypeVar("T")

# Numbers begin anew in each process: what was pickled in another one must not be found here.
_PROCESS = os.urandom(8)

_by_id: WeakValueDictionary[tuple[bytes, int], Accumulator[Any]] = WeakValueDictionary()
# What each attempt of a task has added to.
_touched: dict[int, list[Accumulator[Any]]] = {}
# Stands for the task that runs in a worker process, where a thread of a function's adds something.
_LOOSE = -1
_merging = Lock()
numbers = itertools.count()


class AccumulatorParam(Generic[T]):
    """How values of a type are added up. Derive from it for types other than numbers.

    Example::

        >>> class Longest(AccumulatorParam):
        ...     def zero(self, value):
        ...         return ""
        ...
        ...     def addInPlace(self, value1, value2):
        ...         return max(value1, value2, key=len)
        >>> longest = sc.accumulator("", Longest())
        >>> sc.parallelize(["a", "abc", "ab"]).foreach(longest.add)
        >>> longest.value
        'abc'
    """

    def zero(self, value: T) -> T:
        """Return what a task begins with, for an accumulator whose value is ``value``.

        Example::

            >>> AddingAccumulatorParam(0).zero(5)
            0
        """
        raise NotImplementedError(f"{type(self).__name__}.zero(value)")

    def addInPlace(self, value1: T, value2: T) -> T:
        """Return the sum of two values; it may change ``value1`` and return it.

        Example::

            >>> AddingAccumulatorParam(0).addInPlace(2, 3)
            5
        """
        raise NotImplementedError(f"{type(self).__name__}.addInPlace(value1, value2)")


class AddingAccumulatorParam(AccumulatorParam[T]):
    """Adds with ``+=``, beginning with a given zero.

    Example::

        >>> words = sc.accumulator([], AddingAccumulatorParam([]))
        >>> words += ["a"]
        >>> words.value
        ['a']
    """

    def __init__(self, zero_value: T) -> None:
        """Take the zero."""
        self.zero_value = zero_value

    def zero(self, value: T) -> T:
        """Return the zero that was given.

        Example::

            >>> AddingAccumulatorParam(0.0).zero(2.5)
            0.0
        """
        return self.zero_value

    def addInPlace(self, value1: T, value2: T) -> T:
        """Return ``value1`` after ``value1 += value2``.

        Example::

            >>> AddingAccumulatorParam(0).addInPlace(1, 1)
            2
        """
        value1 += value2  # type: ignore[operator]
        return value1


class Accumulator(Generic[T]):
    """A variable that tasks can only add to; its value is for the driver.

    Made by ``SparkContext.accumulator``. In a function that works on records, ``add`` and ``+=``
    take effect when the task has succeeded. In the driver, and so in the functions of
    ``foreachRDD`` and ``transform``, they take effect at once. An RDD that is computed twice adds
    twice, as in Spark: count in actions, or cache the RDD.

    An accumulator that was pickled in another process begins there at zero.

    Example::

        >>> blank = sc.accumulator(0)
        >>> def words(line):
        ...     if not line:
        ...         blank.add(1)
        ...     return line.split()
        >>> sc.parallelize(["a b", "", "c", ""]).flatMap(words).count()
        3
        >>> blank.value
        2
        >>> print(blank)
        2
    """

    def __init__(
        self, aid: int, value: T, accum_param: AccumulatorParam[T], _process: bytes = _PROCESS
    ) -> None:
        """Make one; programs call ``SparkContext.accumulator``."""
        self.aid = aid
        self.accum_param = accum_param
        self._value = value
        self._add = accum_param.addInPlace
        self._partial: dict[int, T] = {}
        self._key = (_process, aid)
        _by_id[self._key] = self
        _tasks.tell(_task_over)

    @property
    def value(self) -> T:
        """The sum so far; only the driver may read and set it.

        Example::

            >>> total = sc.accumulator(1)
            >>> total.value = 10
            >>> total += 5
            >>> total.value
            15
        """
        if engine.current_task() is not None:
            _refuse_in_task()
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        if engine.current_task() is not None:
            _refuse_in_task()
        self._value = value

    def add(self, term: T) -> None:
        """Add ``term``.

        Example::

            >>> total = sc.accumulator(0.0)
            >>> sc.parallelize([0.5, 1.0]).foreach(total.add)
            >>> total.value
            1.5
        """
        task = engine.current_task()
        if task is None:
            with _merging:
                if _workers.is_worker():
                    self._add_partial(_LOOSE, term)
                else:
                    self._value = self._add(self._value, term)
            return
        self._add_partial(task[3], term)

    def _add_partial(self, attempt: int, term: T) -> None:
        partial = self._partial
        try:
            partial[attempt] = self._add(partial[attempt], term)
        except KeyError:
            if attempt in partial:
                raise
            self._begin(attempt)
            partial[attempt] = self._add(partial[attempt], term)

    def __iadd__(self, term: T) -> Accumulator[T]:
        self.add(term)
        return self

    def _begin(self, attempt: int) -> None:
        # Each attempt has a zero of its own: addInPlace may change it.
        self._partial[attempt] = engine.isolated(self.accum_param.zero(self._value))
        _touched.setdefault(attempt, []).append(self)

    def _shown(self) -> T:
        task = engine.current_task()
        return self._value if task is None else self._partial.get(task[3], self._value)

    def __str__(self) -> str:
        return str(self._shown())

    def __repr__(self) -> str:
        return f"Accumulator<id={self.aid}, value={self._shown()}>"

    def __reduce__(self) -> tuple[Callable[..., Accumulator[T]], tuple[Any, ...]]:
        """Pickle as a reference: in this process it leads back to this object."""
        zero = self.accum_param.zero(self._value)
        return _referred, (self._key, zero, self.accum_param)

    def __copy__(self) -> Accumulator[T]:
        return self

    def __deepcopy__(self, memo: object) -> Accumulator[T]:
        return self


def _referred(
    key: tuple[bytes, int], zero: Any, accum_param: AccumulatorParam[Any]
) -> Accumulator[Any]:
    """Return the accumulator of this key, or one at zero that stands for it from now on."""
    found = _by_id.get(key)
    return Accumulator(key[1], zero, accum_param, key[0]) if found is None else found


def _refuse_in_task() -> NoReturn:
    from swiftwater.errors import PySparkRuntimeError

    raise PySparkRuntimeError(
        "Value `Accumulator.value` cannot be accessed inside tasks.",
        errorClass="VALUE_NOT_ACCESSIBLE",
        messageParameters={"value": "Accumulator.value"},
    )


def _task_over(attempt: int, succeeded: bool) -> None:
    """Merge what a task has added, or drop it."""
    for accumulator in _touched.pop(attempt, ()):
        partial = accumulator._partial.pop(attempt)
        if succeeded:
            with _merging:
                accumulator._value = accumulator._add(accumulator._value, partial)


def take_partial(attempt: int, gained: list[tuple[tuple[bytes, int], Any]]) -> None:
    """Take what a task has added in another process, as if it had been added here."""
    for key, partial in gained:
        accumulator = _by_id.get(key)
        if accumulator is None:
            continue  # nobody can read it any more
        if attempt in accumulator._partial:
            partial = accumulator._add(accumulator._partial[attempt], partial)  # noqa: PLW2901
        else:
            _touched.setdefault(attempt, []).append(accumulator)
        accumulator._partial[attempt] = partial


def take_gained(attempt: int) -> list[tuple[tuple[bytes, int], Any]]:
    """Return, and forget, what a task has added: the keys of accumulators with the sums."""
    with _merging:
        return [
            (accumulator._key, accumulator._partial.pop(number))
            for number in (attempt, _LOOSE)
            for accumulator in _touched.pop(number, ())
        ]


def forget() -> None:
    """Drop what tasks have added."""
    for attempt in list(_touched):
        take_gained(attempt)


def default_param(value: object) -> AccumulatorParam[Any]:
    """Return how numbers like ``value`` are added up. Raises ``TypeError`` for anything else."""
    for kind, zero in ((int, 0), (float, 0.0), (complex, 0j)):
        if isinstance(value, kind):
            return AddingAccumulatorParam(zero)
    raise TypeError(f"No default accumulator param for type {type(value)}")
