"""Windows and states: streams whose past the engine keeps in tables."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._record_functions import earlier, later
from swiftwater._tasks.table_functions import deferring, of_pairs, of_records
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD
    from swiftwater.streaming._dstream.core import DStreamCore
    from swiftwater.streaming.dstream import DStream

__all__ = ["mapped", "no_inverse", "reduced_window", "state", "window"]

Reduce = Callable[[Any, Any], Any]

# Spark: a window of fewer slides is made anew, which takes less than two steps.
_LEAST_SLIDES_TO_SUBTRACT = 5


def window(parent: DStreamCore[Any], window_ms: int, slide_ms: int) -> DStream[Any]:
    """Return the union of the parent's RDDs of the last ``window_ms``, every ``slide_ms``."""
    ssc, name = parent._ssc, "window"
    ssc._building()
    key = ssc._stateful.add(name, slide_ms)
    site = ssc._definitions.site
    handle = engine.stream_window(parent._handle, window_ms, slide_ms, key, name, site)
    stream = parent._stream_class(handle, ssc, "WindowedDStream")
    stream._stable_name = key
    return stream


def no_inverse(name: str, given: object, window_ms: int, slide_ms: int, site: str) -> None:
    """Say what is wrong with what stands in the place of an inverse function.

    Raises ``TypeError`` where it would be called; in a shorter window PySpark has no use for it.
    """
    order = "its arguments are (function, inverse function or None, window, slide)"
    if window_ms >= _LEAST_SLIDES_TO_SUBTRACT * slide_ms:
        kind = type(given).__name__
        raise TypeError(f"{name} needs a function, not {kind}: {given!r}; {order}")
    engine.notice(
        "warning",
        None,
        f"{name} at {site} has {given!r} for its inverse function and a window of "
        f"{window_ms / 1000:g} s; {order}",
    )


def reduced_window(
    parent: DStreamCore[Any],
    func: Reduce,
    inverse: Reduce | None,
    window_ms: int,
    slide_ms: int,
    partitions: int,
    keep: Callable[[Any], Any] | None,
    time_to_live_ms: int | None,
    name: str,
) -> DStream[Any]:
    """Return the values of each key of a window combined by ``func``.

    ``parent`` has each batch's own sums, all partitioned alike. A time to live is that of the
    settings where it is ``None``, and none where it is 0.
    """
    ssc = parent._ssc
    ssc._building()
    site = ssc._definitions.site
    # Without an inverse only the batches are looked back on, as by a plain window.
    key = ssc._stateful.add(name, slide_ms, must_checkpoint=inverse is not None)
    functions: list[tuple[Callable[..., Any], Callable[..., Any]]] = [(func, of_pairs(func))]
    is_running = inverse is not None and window_ms >= _LEAST_SLIDES_TO_SUBTRACT * slide_ms
    if is_running and inverse is not None:
        functions.append((inverse, of_pairs(inverse)))
        if keep is not None:
            functions.append((keep, of_records(keep)))
    if not is_running:
        functions += deferring(func)
    handle = engine.stream_table(
        parent._handle,
        "running" if is_running else "window",
        functions,
        window_ms,
        slide_ms,
        key,
        partitions,
        None,
        name,
        site,
        None,
        None,
        None,
        time_to_live_ms,
    )
    kind = "PythonTransformedDStream" if inverse is None else "PythonReducedWindowedDStream"
    stream = parent._stream_class(handle, ssc, kind)
    stream._stable_name = key
    if inverse is not None and not is_running and keep is not None:
        return stream._piped_state("filter", keep, name)
    return stream


def state(
    parent: DStreamCore[Any],
    update: Callable[[list[Any], Any], Any],
    partitions: int,
    initial: RDD[Any] | None,
    time_to_live_ms: int | None,
) -> DStream[Any]:
    """Return the state of every key after each batch, in ``partitions`` partitions."""
    name = "updateStateByKey"
    ssc, slide_ms = parent._ssc, parent._slide_ms
    ssc._building()
    site = ssc._definitions.site
    key = ssc._stateful.add(name, slide_ms, must_checkpoint=True)
    before = None
    if initial is not None:
        ssc._stateful.give_initial(key, initial)
        before, _ = engine.combine_by_key(
            initial._handle, None, earlier, earlier, partitions, None, name, site, False
        )
    lists = parent._grouped(partitions, name)
    handle = engine.stream_table(
        lists._handle,
        "state",
        [(update, of_pairs(update))],
        None,
        slide_ms,
        key,
        partitions,
        None,
        name,
        site,
        before,
        lambda: ssc._stateful.forget_initial(key),
        None,
        time_to_live_ms,
    )
    stream = parent._stream_class(handle, ssc, "PythonStateDStream")
    stream._stable_name = key
    stream._snapshots = stream
    return stream


def mapped(
    parent: DStreamCore[Any],
    function: Callable[..., Any],
    takes_time: bool,
    partitions: int,
    partition_function: Callable[[Any], int] | None,
    timeout_ms: int | None,
    initial: RDD[Any] | None,
) -> DStream[Any]:
    """Return what ``function`` makes of records and their keys' states; see ``StateSpec``."""
    from swiftwater._tasks.mapped_states import with_states

    name = "mapWithState"
    ssc, slide_ms = parent._ssc, parent._slide_ms
    ssc._building()
    site = ssc._definitions.site
    key = ssc._stateful.add(name, slide_ms, must_checkpoint=True)
    before = None
    if initial is not None:
        ssc._stateful.give_initial(key, initial)
        before, _ = engine.combine_by_key(
            initial._handle,
            None,
            later,
            later,
            partitions,
            partition_function,
            name,
            site,
            False,
        )
    states = engine.stream_table(
        engine.stream_partition_by(parent._handle, partitions, partition_function, name, site),
        "mapped",
        [(function, with_states(function, takes_time))],
        None,
        slide_ms,
        key,
        partitions,
        partition_function,
        name,
        site,
        before,
        lambda: ssc._stateful.forget_initial(key),
        timeout_ms,
        None,
    )
    kind = "MapWithStateDStreamImpl"
    stream = parent._stream_class(engine.stream_table_records(states), ssc, kind)
    stream._snapshots = parent._stream_class(states, ssc, kind)
    stream._stable_name = stream._snapshots._stable_name = key
    return stream
