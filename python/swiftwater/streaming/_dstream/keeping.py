"""What a stream keeps from one batch to the next, and for checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from swiftwater._native import engine
from swiftwater._operator_calls import require_callable
from swiftwater._typing import TYPE_CHECKING, Self
from swiftwater.rdd import RDD
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import DStreamCore, K, S, T_co, V
from swiftwater.streaming._durations import milliseconds

if TYPE_CHECKING:
    from swiftwater.streaming.dstream import DStream

__all__ = ["Keeping"]


class Keeping(DStreamCore[T_co]):
    """States, caches and checkpoints."""

    def updateStateByKey(
        self: Keeping[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None = None,
        initialRDD: RDD[tuple[K, S]] | Iterable[tuple[K, S]] | None = None,
    ) -> DStream[tuple[K, S]]:
        """Return a stream of ``(key, state)``, for all keys that have one.

        Each batch, ``updateFunc(new values, state)`` is called for every key that has a state or
        new values; the state is ``None`` for a new key, the list is empty where nothing is new.
        What it returns is the key's next state, and with ``None`` the key is forgotten. Keys
        without new values are left out where it is proved that it returns their state and does
        nothing else; ``explain`` says whether it is. ``initialRDD`` (an RDD or pairs) is what the
        state is before the first batch. Where ``updateFunc`` raises, the batch is tried again with
        the next one.

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
        self: Keeping[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None,
        initialRDD: RDD[tuple[K, S]] | None,
    ) -> DStream[tuple[K, S]]:
        from swiftwater.streaming._dstream.table_steps import state

        require_callable("updateStateByKey", updateFunc)
        count = self._partition_number("updateStateByKey", numPartitions)
        return state(self, updateFunc, count, initialRDD)

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
