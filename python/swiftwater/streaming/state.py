"""What ``DStream.mapWithState`` is told, and the state of one key as its function gets it.

PySpark does not have them: they are as in Scala.

Example::

    >>> def counted(word, one, state):
    ...     state.update((state.getOption() or 0) + one)
    ...     return word, state.get()
    >>> spec = StateSpec.function(counted)
    >>> run_batches(lambda s: s.mapWithState(spec), [[("to", 1), ("to", 1)], [("to", 1)]])
    [[('to', 1), ('to', 2)], [('to', 3)]]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from swiftwater._rdd.partitioners import portable_hash
from swiftwater._typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["State", "StateSpec"]

S = TypeVar("S")


class State(Generic[S]):
    """The state of a key, while the function of ``mapWithState`` works on one of its records.

    What the function changes takes effect when all records of the batch have gone through, and only
    with ``update`` or ``remove``: a list from ``get`` that is changed in place is a copy. Of no use
    once the function has returned.

    Example::

        >>> def first_of_key(key, value, state):
        ...     if state.exists():
        ...         return key, state.get()
        ...     state.update(value)
        ...     return key, value
        >>> spec = StateSpec.function(first_of_key)
        >>> run_batches(lambda s: s.mapWithState(spec), [[("a", 1)], [("a", 2)]])
        [[('a', 1)], [('a', 1)]]
    """

    __slots__ = ("_exists", "_is_removed", "_is_timing_out", "_is_updated", "_value")

    def __init__(self, *state: S) -> None:
        """Begin with a state, or without one. ``mapWithState`` makes those of programs."""
        self._exists = bool(state)
        self._value = state[0] if state else None
        self._is_timing_out = False
        self._is_updated = False
        self._is_removed = False

    def exists(self) -> bool:
        """Return whether the key has a state.

        Example::

            >>> State().exists(), State(5).exists()
            (False, True)
        """
        return self._exists

    def get(self) -> S:
        """Return the key's state.

        Raises ``SparkNoSuchElementException`` where it has none.

        Example::

            >>> State(5).get()
            5
        """
        if not self._exists:
            from swiftwater.errors import SparkNoSuchElementException

            raise SparkNoSuchElementException("State is not set")
        return cast("S", self._value)

    def getOption(self) -> S | None:
        """Return the key's state, or ``None`` where it has none.

        Example::

            >>> State(5).getOption(), State().getOption()
            (5, None)
        """
        return self._value if self._exists else None

    def update(self, newState: S) -> None:
        """Give the key a state; ``None`` is one like any other.

        Raises ``IllegalArgumentException`` where it has been removed, or its time is out.

        Example::

            >>> state = State()
            >>> state.update(1)
            >>> state.get()
            1
        """
        if self._is_removed:
            _refuse("Cannot update the state after it has been removed")
        if self._is_timing_out:
            _refuse("Cannot update the state that is timing out")
        self._value = newState
        self._exists = self._is_updated = True

    def remove(self) -> None:
        """Take the key's state away; with the next record it can have one again.

        Raises ``IllegalArgumentException`` where that has been done, or its time is out.

        Example::

            >>> state = State(5)
            >>> state.remove()
            >>> state.exists()
            False
        """
        if self._is_timing_out:
            _refuse("Cannot remove the state that is timing out")
        if self._is_removed:
            _refuse("Cannot remove the state that has already been removed")
        self._value = None
        self._exists = self._is_updated = False
        self._is_removed = True

    def isTimingOut(self) -> bool:
        """Return whether this is the last call for the key: it had no records for too long.

        Example::

            >>> State(5).isTimingOut()
            False
        """
        return self._is_timing_out

    def __repr__(self) -> str:
        """Return the state as a program would write it.

        Example::

            >>> State(5)
            State(5)
        """
        return f"State({self._value!r})" if self._exists else "State()"


class StateSpec:
    """What ``DStream.mapWithState`` does: a function, and what else there is to know.

    Made with ``StateSpec.function``; the other methods change it and return it.

    Example::

        >>> spec = StateSpec.function(lambda key, value, state: key).numPartitions(2)
        >>> run_batches(lambda s: s.mapWithState(spec), [[("a", 1)]])
        [['a']]
    """

    def __init__(self, mappingFunction: Callable[..., Any]) -> None:
        """Do what ``StateSpec.function`` does."""
        from swiftwater._operator_calls import require_callable
        from swiftwater.streaming._time_argument import declared_arguments

        require_callable("StateSpec.function", mappingFunction)
        count = declared_arguments(mappingFunction)
        if count not in (3, 4):
            raise TypeError(
                "StateSpec.function needs a function of (key, value, state) or of "
                f"(time, key, value, state), not of {count} arguments"
            )
        self._function = mappingFunction
        self._takes_time = count == 4
        self._initial: RDD[Any] | list[Any] | None = None
        self._partitions: int | None = None
        self._partition_function: Callable[[Any], int] | None = None
        self._timeout_ms: int | None = None

    @staticmethod
    def function(mappingFunction: Callable[..., Any]) -> StateSpec:
        """Return what calls a function for every record.

        ``mappingFunction(key, value, state)`` returns the record of the stream that
        ``mapWithState`` makes: each result is one, ``None`` too. A function of four arguments,
        ``(time, key, value, state)``, gets the batch time, a ``datetime``, as well, and where it
        returns ``None`` there is no record. ``state`` is a ``State``. The value is ``None`` for a
        key whose time is out (``timeout``), which ``state.isTimingOut()`` tells from a value that
        is ``None``. Arguments with a default count. Raises ``TypeError`` for functions of another
        number of arguments.

        Example::

            >>> def large(time, key, value, state):
            ...     return (key, value) if value > 9 else None
            >>> spec = StateSpec.function(large)
            >>> run_batches(lambda s: s.mapWithState(spec), [[("a", 1), ("b", 10)]])
            [[('b', 10)]]
        """
        return StateSpec(mappingFunction)

    def initialState(self, rdd: RDD[Any] | Iterable[Any]) -> StateSpec:
        """Say what the states are before the first batch: an RDD of pairs, or pairs.

        Where a key comes several times, its last state counts.

        Example::

            >>> def added(key, value, state):
            ...     state.update(state.get() + value)
            ...     return key, state.get()
            >>> spec = StateSpec.function(added).initialState([("a", 40)])
            >>> run_batches(lambda s: s.mapWithState(spec), [[("a", 2)]])
            [[('a', 42)]]
        """
        from swiftwater.rdd import RDD

        self._initial = rdd if isinstance(rdd, RDD) else list(rdd)
        return self

    def numPartitions(self, numPartitions: int) -> StateSpec:
        """Say into how many partitions the keys are divided, by ``portable_hash``.

        Example::

            >>> spec = StateSpec.function(lambda key, value, state: key).numPartitions(3)
            >>> run_batches(lambda s: s.mapWithState(spec).glom().map(len), [[("a", 1)]])
            [[0, 1, 0]]
        """
        from swiftwater._numbers import checked_partitions

        self._partitions = checked_partitions("numPartitions", numPartitions)
        self._partition_function = None
        return self

    def partitioner(
        self, numPartitions: int, partitionFunc: Callable[[Any], int] = portable_hash
    ) -> StateSpec:
        """Say where keys are: each in partition ``partitionFunc(key) % numPartitions``.

        As in Scala, in place of ``numPartitions``; what comes last counts. Equal keys need equal
        places, in every batch. Raises ``ValueError`` for what is no number of partitions,
        ``TypeError`` for what is no function.

        Example::

            >>> spec = StateSpec.function(lambda key, value, state: key).partitioner(3, len)
            >>> run_batches(lambda s: s.mapWithState(spec).glom(), [[("a", 1), ("bb", 2)]])
            [[[], ['a'], ['bb']]]
        """
        from swiftwater._numbers import checked_partitions
        from swiftwater._operator_calls import require_callable

        name = "partitioner"
        require_callable(name, partitionFunc, "a function as partitionFunc")
        self._partitions = checked_partitions(name, numPartitions)
        self._partition_function = None if partitionFunc is portable_hash else partitionFunc
        return self

    def timeout(self, idleDuration: float) -> StateSpec:
        """Say after how many seconds without records a key loses its state.

        In the first batch that is later than that, with records or without, the function is called
        once more with the key, ``None``, and a state that ``isTimingOut``, and cannot be changed.
        Not for a key that has records in this very batch. (Spark looks for such keys now and then
        only.) For states that are there before the first batch the time begins with that; after a
        recovery it goes on.

        Raises ``ValueError`` for a time that is not positive, ``TypeError`` for what is no number.

        Example::

            >>> def watched(key, value, state):
            ...     if state.isTimingOut():
            ...         return key, "gone"
            ...     state.update(value)
            ...     return key, value
            >>> spec = StateSpec.function(watched).timeout(1)
            >>> run_batches(lambda s: s.mapWithState(spec), [[("a", 1)], [], []])
            [[('a', 1)], [], [('a', 'gone')]]
        """
        from swiftwater.streaming._durations import milliseconds

        timeout_ms = milliseconds(idleDuration, "the time-out")
        if timeout_ms <= 0:
            raise ValueError(f"the time-out must be at least 0.001 seconds, not {idleDuration}")
        self._timeout_ms = timeout_ms
        return self


def _refuse(text: str) -> NoReturn:
    from swiftwater.errors import IllegalArgumentException

    raise IllegalArgumentException(f"requirement failed: {text}")
