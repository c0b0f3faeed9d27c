"""State by key: a stream whose RDD is made from its own one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swiftwater._native import engine
from swiftwater._record_functions import appended, earlier, extended, listed
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.rdd import RDD
    from swiftwater.streaming._dstream.core import DStreamCore
    from swiftwater.streaming.dstream import DStream

__all__ = ["state"]

_NAME = "updateStateByKey"


def state(
    parent: DStreamCore[Any],
    update: Callable[[list[Any], Any], Any],
    partitions: int,
    initial: RDD[Any] | None,
) -> DStream[Any]:
    """Return the state of every key after each batch, in ``partitions`` partitions.

    State and new values are partitioned alike, so a step goes over both side by side: the engine
    plans it as a join, of which nothing is shuffled.
    """
    ssc = parent._ssc
    context = ssc._building()
    site = ssc._definitions.site
    slide_ms = parent._slide_ms
    key = ssc._stateful.add(_NAME, slide_ms, must_checkpoint=True)
    if initial is not None:
        ssc._stateful.give_initial(key, initial)
    sc = ssc._sc
    step = _step(update)
    first_step = _first_step(update)

    def combined(
        rdd: Handle, create: Any, merge_value: Any, merge_combiners: Any, gathers: bool = False
    ) -> Handle:
        return engine.combine_by_key(
            rdd, create, merge_value, merge_combiners, partitions, None, _NAME, site, gathers
        )[0]

    def stepped(function: Any, *rdds: Handle) -> Handle:
        return engine.join(sc._engine, rdds, partitions, function, None, _NAME, site, "", True)[0]

    def contents(time_ms: int, generation: Handle) -> Handle | None:
        before = engine.rdd_at(generation, -1, time_ms - slide_ms)
        new = engine.rdd_at(generation, 0, time_ms)
        if new is None:
            return before
        if before is not None:
            # One that cannot be computed may be given up: then the state begins anew.
            if engine.is_stored(before):
                ssc._stateful.forget_initial(key)
        else:
            given = ssc._stateful.initial(key)
            if given is not None:
                before = combined(given._handle, None, earlier, earlier)
        lists = combined(new, listed, appended, extended, True)
        return stepped(first_step, lists) if before is None else stepped(step, before, lists)

    handle = engine.stream_history(
        context, [parent._handle], slide_ms, [0], slide_ms, contents, key, _NAME, site, partitions
    )
    stream = parent._stream_class(handle, ssc, "PythonStateDStream")
    stream._stable_name = key
    return stream


def _step(update: Callable[[list[Any], Any], Any]) -> Any:
    def step(index: int, parts: list[Iterator[Any]]) -> Iterator[Any]:
        """Go over the known keys in their order, then over the new ones in theirs."""
        known, lists = parts
        new = dict(lists)
        take = new.pop
        for key, before in known:
            after = update(take(key, None) or [], before)
            if after is not None:
                yield key, after
        for key, values in new.items():
            after = update(values, None)
            if after is not None:
                yield key, after

    return step


def _first_step(update: Callable[[list[Any], Any], Any]) -> Any:
    def first_step(index: int, parts: list[Iterator[Any]]) -> Iterator[Any]:
        (lists,) = parts
        for key, values in lists:
            after = update(values, None)
            if after is not None:
                yield key, after

    return first_step
