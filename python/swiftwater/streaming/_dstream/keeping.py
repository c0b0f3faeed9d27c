"""What a stream keeps from one batch to the next, and for checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from swiftwater._native import engine
from swiftwater._operator_calls import require_callable
from swiftwater._typing import TYPE_CHECKING, Any, Self
from swiftwater.rdd import RDD
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, K, S, T_co, V
from swiftwater.streaming._durations import milliseconds, time_to_live_ms

if TYPE_CHECKING:
    import pyarrow as pa

    from swiftwater.streaming.dstream import DStream
    from swiftwater.streaming.state import StateSpec

__all__ = ["Keeping"]


class Keeping(DStreamCore[T_co]):
    """States, caches and checkpoints."""

    def updateStateByKey(
        self: Keeping[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None = None,
        initialRDD: RDD[tuple[K, S]] | Iterable[tuple[K, S]] | None = None,
        *,
        timeToLive: float | None = None,
    ) -> DStream[tuple[K, S]]:
        """Return a stream of ``(key, state)``, for all keys that have one.

        Each batch, ``updateFunc(new values, state)`` is called for every key that has a state or
        new values; the state is ``None`` for a new key, the list is empty where nothing is new.
        What it returns is the key's next state, and with ``None`` the key is forgotten. Keys
        without new values are left out where it is proved that it returns their state and does
        nothing else; ``explain`` says whether it is. ``initialRDD`` (an RDD or pairs) is what the
        state is before the first batch. Where ``updateFunc`` raises, the batch is tried again with
        the next one.

        With ``timeToLive``, which PySpark does not have, a key that has had no new values for
        longer than so many seconds is forgotten: in the first batch that is later than that,
        without a call, unless it has new values in this very batch. ``None`` is what the setting
        ``swiftwater.state.timeToLive`` says, 0 lets keys stay. Raises ``ValueError`` for a negative
        time, ``TypeError`` for what is no number.

        Example::

            >>> def total(new, old):
            ...     return sum(new) + (old or 0)
            >>> run_batches(lambda s: s.updateStateByKey(total), [[("a", 1)], [], [("a", 2)]])
            [[('a', 1)], [('a', 1)], [('a', 3)]]
            >>> def of_a_second(pairs):
            ...     return pairs.updateStateByKey(total, timeToLive=1)
            >>> run_batches(of_a_second, [[("a", 1)], [], []])
            [[('a', 1)], [('a', 1)], []]
        """
        initial: RDD[tuple[K, S]] | None
        if initialRDD is None or isinstance(initialRDD, RDD):
            initial = initialRDD
        else:
            pairs = list(initialRDD)
            initial = self._sc.parallelize(pairs) if pairs else None
        return self._updated(updateFunc, numPartitions, initial, time_to_live_ms(timeToLive))

    @defines
    def _updated(
        self: Keeping[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None,
        initialRDD: RDD[tuple[K, S]] | None,
        time_to_live: int | None = None,
    ) -> DStream[tuple[K, S]]:
        from swiftwater.streaming._dstream.table_steps import state

        require_callable("updateStateByKey", updateFunc)
        count = self._partition_number("updateStateByKey", numPartitions)
        return state(self, updateFunc, count, initialRDD, time_to_live)

    def mapWithState(self: Keeping[tuple[K, V]], spec: StateSpec) -> DStream[Any]:
        """Return a stream of what a function makes of each record and of the state of its key.

        As in Scala; PySpark does not have it. ``StateSpec.function(f)`` says what is done:
        ``f(key, value, state)`` is called for every pair, in order, and what it returns is the
        pair's record in the new stream. ``state`` is a ``State``, which ``f`` reads, updates and
        removes. Keys without new values cost nothing, and are not called for.

        Where a batch fails, nothing of its partition is stored, and the next batch takes it in
        first: what becomes of its records is in that one's RDD then. All keys with their states are
        in ``stateSnapshots()``.

        Example::

            >>> from swiftwater.streaming import StateSpec
            >>> def total(key, value, state):
            ...     state.update((state.getOption() or 0) + value)
            ...     return key, state.get()
            >>> spec = StateSpec.function(total)
            >>> run_batches(lambda s: s.mapWithState(spec), [[("a", 1), ("a", 5)], [], [("a", 2)]])
            [[('a', 1), ('a', 6)], [], [('a', 8)]]
        """
        from swiftwater.streaming.state import StateSpec

        if not isinstance(spec, StateSpec):
            raise TypeError(f"mapWithState needs a StateSpec, not {type(spec).__name__}")
        initial = spec._initial
        if isinstance(initial, list):
            initial = self._sc.parallelize(initial) if initial else None
        return self._mapped(
            spec._function,
            spec._takes_time,
            spec._partitions,
            spec._partition_function,
            spec._timeout_ms,
            initial,
        )

    @defines
    def _mapped(
        self: Keeping[tuple[K, V]],
        function: Callable[..., Any],
        takes_time: bool,
        numPartitions: int | None,
        partitionFunc: Callable[[K], int] | None,
        timeout_ms: int | None,
        initialRDD: RDD[tuple[K, Any]] | None,
    ) -> DStream[Any]:
        from swiftwater.streaming._dstream.table_steps import mapped

        count = self._partition_number("mapWithState", numPartitions)
        return mapped(self, function, takes_time, count, partitionFunc, timeout_ms, initialRDD)

    @defines
    def stateSnapshots(self) -> DStream[tuple[Any, Any]]:
        """Return a stream of ``(key, state)`` after each batch, for all keys that have one.

        Of a stream that ``mapWithState`` has made; that of ``updateStateByKey`` is one itself.
        Raises ``ValueError`` for any other stream.

        Example::

            >>> from swiftwater.streaming import StateSpec
            >>> spec = StateSpec.function(lambda key, value, state: state.update(value))
            >>> def states(pairs):
            ...     return pairs.mapWithState(spec).stateSnapshots()
            >>> run_batches(states, [[("a", 1)], [("b", 2)], []])
            [[('a', 1)], [('b', 2), ('a', 1)], [('b', 2), ('a', 1)]]
        """
        if self._snapshots is None:
            raise ValueError(
                "this stream has no states: only those of mapWithState and updateStateByKey have"
            )
        return self._snapshots

    def toArrow(self) -> pa.Table:
        """Return a window or a state as a ``pyarrow.Table`` with the columns ``key`` and ``value``.

        A copy of what is there after the latest batch, which may be asked for at any time, from any
        thread; batches wait meanwhile. Tuples are structs of ``_1``, ``_2``, ..., as in Spark. Not
        part of PySpark. Raises ``ValueError`` for a stream that has no table, ``ImportError`` where
        pyarrow is not installed, and ``TypeError`` where keys or values have no common type.

        Example::

            >>> with StreamingTest() as test:
            ...     pairs = test.ssc.queueStream([[("a", 1), ("b", 2)]])
            ...     totals = pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0), 1)
            ...     out = test.collect(totals)
            ...     test.advance()
            ...     totals.toArrow().to_pydict()
            {'key': ['a', 'b'], 'value': [1, 2]}
        """
        from swiftwater.streaming._arrow_tables import arrow_table

        pairs = engine.stream_pairs((self._snapshots or self)._handle)
        if pairs is None:
            raise ValueError(
                "this stream has no table: only a state has one, and a window that reduces by key"
            )
        return arrow_table(pairs, self._stable_name or type(self).__name__)

    @defines
    def named(self, name: str) -> Self:
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
        if self._stable_name is None:
            raise ValueError(
                f"{name!r} cannot be the name of this stream: only windows and states have one"
            )
        self._ssc._building()
        self._ssc._stateful.rename(self._stable_name, name)
        return self

    def cache(self) -> Self:
        """Keep each batch's records after they are first computed. Returns the stream itself.

        Example::

            >>> run_batches(lambda numbers: numbers.map(str).cache(), [[1]])
            [['1']]
        """
        return self.persist()

    @defines
    def persist(self, storageLevel: object = None) -> Self:
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
    def checkpoint(self, interval: float) -> Self:
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
