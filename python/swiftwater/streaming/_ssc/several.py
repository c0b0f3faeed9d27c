"""Streams of several streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from swiftwater._native import engine
from swiftwater._operator_calls import require_callable
from swiftwater._typing import TYPE_CHECKING, Any, TypeVar
from swiftwater.rdd import RDD
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._dstream.core import rdd_handle
from swiftwater.streaming._ssc.core import StreamingContextCore, spark_error
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle

__all__ = ["Several"]

T = TypeVar("T")


class Several(StreamingContextCore):
    """One stream of several."""

    @defines
    def union(self, *dstreams: DStream[T]) -> DStream[T]:
        """Make one stream of several: each batch has the records of all of them, in their order.

        Raises ``ValueError`` for none, and for streams that do not move at the same interval.

        Example::

            >>> with StreamingTest() as test:
            ...     parts = [test.ssc.queueStream([[n]]) for n in range(3)]
            ...     out = test.collect(test.ssc.union(*parts))
            ...     test.advance()
            ...     out.batches
            [[0, 1, 2]]
        """
        if not dstreams:
            raise ValueError("should have at least one DStream to union")
        for stream in dstreams:
            if not isinstance(stream, DStream):
                raise TypeError(f"union needs DStreams, not {type(stream).__name__}")
        if len(dstreams) == 1:
            return dstreams[0]
        if len({stream._slide_ms for stream in dstreams}) > 1:
            raise ValueError("All DStreams should have same slide duration")
        self._building()
        self._require_own(dstreams)
        sc, site = self._sc, self._definitions.site

        def all_records(time_ms: int, rdds: list[Handle | None]) -> Handle:
            there = [rdd for rdd in rdds if rdd is not None]
            if len(there) < len(rdds):
                raise spark_error(
                    "SparkException",
                    f"Could not generate RDD from a parent for unifying at time {time_ms} ms",
                )
            return engine.union(sc._engine, there, "union")

        handles = [stream._handle for stream in dstreams]
        handle = engine.stream_transform(handles, all_records, "union", site)
        return self._stream(handle, "UnionDStream")

    @defines
    def transform(
        self, dstreams: Sequence[DStream[Any]], transformFunc: Callable[..., RDD[T]]
    ) -> DStream[T]:
        """Make a stream whose RDDs are ``transformFunc(rdds)``.

        ``rdds`` is one tuple with the RDD of each stream in ``dstreams``, in their order. The
        function runs in the driver, once a batch. Raises ``ValueError`` for an empty list.

        Example::

            >>> with StreamingTest() as test:
            ...     a, b = test.ssc.queueStream([[1]]), test.ssc.queueStream([[2]])
            ...     out = test.collect(test.ssc.transform([a, b], lambda rdds: rdds[1] + rdds[0]))
            ...     test.advance()
            ...     out.batches
            [[2, 1]]
        """
        require_callable("transform", transformFunc)
        if not dstreams:
            raise spark_error("IllegalArgumentException", "head of empty list")
        self._building()
        self._require_own(dstreams)
        sc = self._sc

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            inputs = []
            for rdd in rdds:
                if rdd is None:
                    raise spark_error(
                        "SparkException", f"Couldn't generate RDD from parent at time {time_ms} ms"
                    )
                inputs.append(RDD[Any](rdd, sc))
            return rdd_handle(transformFunc(tuple(inputs)), "transform")

        handles = [stream._handle for stream in dstreams]
        handle = engine.stream_transform(handles, transformed, "transform", self._definitions.site)
        return self._stream(handle, "TransformedDStream")

    def _require_own(self, streams: Iterable[DStream[Any]]) -> None:
        if any(stream._ssc is not self for stream in streams):
            raise ValueError("the streams belong to different StreamingContexts")
