"""Windows: streams that look back on several RDDs of their parent."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming._dstream.window_records import reducing, subtracting

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming._dstream.core import DStreamCore
    from swiftwater.streaming._dstream.window_records import Reduce
    from swiftwater.streaming.dstream import DStream

__all__ = ["no_inverse", "reduced_window", "window"]

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
    name: str,
) -> DStream[Any]:
    """Return the values of each key of a window combined by ``func``.

    ``parent`` has each batch's own sums, all partitioned alike: so partition ``i`` of a window is
    made of the partitions ``i`` of batches and of the window before, without a shuffle.
    """
    ssc, step = parent._ssc, parent._slide_ms
    context = ssc._building()
    site = ssc._definitions.site
    # Without an inverse only the batches are looked back on, as by a plain window.
    key = ssc._stateful.add(name, slide_ms, must_checkpoint=inverse is not None)
    subtracts = inverse is not None and window_ms >= _LEAST_SLIDES_TO_SUBTRACT * slide_ms
    engine.stream_set_cached(parent._handle)
    sc = ssc._sc

    def side_by_side(function: Any, *parts: list[Handle]) -> Handle:
        rdds = [rdd for part in parts for rdd in part]
        return engine.zip_partitions(sc._engine, rdds, False, function, name, site, "", True)

    def contents(time_ms: int, generation: Handle) -> Handle | None:
        def batches(after_ms: int, until_ms: int) -> list[Handle]:
            return engine.rdds_between(generation, 0, after_ms, until_ms)

        before = engine.rdd_at(generation, -1, time_ms - slide_ms) if subtracts else None
        if before is not None and inverse is not None:
            begin = time_ms - window_ms
            old = batches(begin - slide_ms, begin)
            new = batches(time_ms - slide_ms, time_ms)
            if not old and not new:
                return before
            function = subtracting(func, inverse, len(old), keep if new else None)
            return side_by_side(function, [before], old, new)
        inside = batches(time_ms - window_ms, time_ms)
        if inside:
            return side_by_side(reducing(func, None if inverse is None else keep), inside)
        if inverse is not None:
            return None
        # An empty window, in as many partitions as any other.
        return engine.combine_by_key(
            sc.emptyRDD()._handle, None, func, func, partitions, None, name, site, False
        )[0]

    reach = window_ms - step + (slide_ms if subtracts else 0)
    own_reach = slide_ms if subtracts else 0
    handle = engine.stream_history(
        context,
        [parent._handle],
        slide_ms,
        [max(reach, 0)],
        own_reach,
        contents,
        key,
        name,
        site,
        partitions,
    )
    kind = "PythonTransformedDStream" if inverse is None else "PythonReducedWindowedDStream"
    stream = parent._stream_class(handle, ssc, kind)
    stream._stable_name = key
    return stream
