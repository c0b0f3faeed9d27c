"""StreamingContext: where streams come from, and what starts and stops them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from swiftwater import _lifetime
from swiftwater._calls import call_site, require_callable
from swiftwater._native import engine
from swiftwater.context import SparkContext
from swiftwater.rdd import RDD
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle

__all__ = ["StreamingContext"]

T = TypeVar("T")


class StreamingContext:
    """Streams of one batch interval on a ``SparkContext``.

    ``batchDuration`` is the interval in seconds, a whole or a broken number; it is cut to whole
    milliseconds. Streams are defined first, then ``start`` freezes them and runs them, a batch
    each interval; batch times are multiples of the interval since the epoch. Many contexts may be
    defined on one ``SparkContext``; one may be active in a process.

    Raises ``AssertionError`` without an interval and ``ValueError`` for one below a millisecond.

    Example::

        ssc = StreamingContext(sc, 1)
        ssc.socketTextStream("localhost", 9999).count().pprint()
        ssc.start()
        ssc.awaitTermination()
    """

    _activeContext: ClassVar[StreamingContext | None] = None

    def __init__(
        self,
        sparkContext: SparkContext,
        batchDuration: float | None = None,
        jssc: object = None,
    ) -> None:
        """Define a context; see the class. ``jssc`` is accepted for PySpark's sake."""
        if batchDuration is None:
            raise AssertionError("a StreamingContext needs a batch interval, in seconds")
        if not isinstance(sparkContext, SparkContext):
            raise TypeError(
                f"a StreamingContext needs a SparkContext, not {type(sparkContext).__name__}"
            )
        self._sc = sparkContext
        self._outputs = 0
        self._started_at = ""
        self._handle = self._open(sparkContext._engine, _interval_ms(batchDuration))

    def _open(self, context: Handle, interval_ms: int) -> Handle:
        # On a method of its own because tests open one under virtual time.
        return engine.open_streaming(context, interval_ms, None)

    @property
    def sparkContext(self) -> SparkContext:
        """The ``SparkContext`` that the streams run on."""
        return self._sc

    @classmethod
    def getActive(cls) -> StreamingContext | None:
        """Return the context that has been started and not stopped, or ``None``."""
        active = StreamingContext._activeContext
        if active is not None and active._state() != "active":
            StreamingContext._activeContext = active = None
        return active

    # --- sources ----------------------------------------------------------------------------

    def socketTextStream(
        self, hostname: str, port: int, storageLevel: object = None
    ) -> DStream[str]:
        r"""Make a stream of the lines that a TCP server sends.

        The engine connects to ``hostname:port``; where the server refuses or ends the connection
        it says so and tries again every two seconds. Lines end with ``\n``, ``\r\n`` or ``\r``;
        bytes that are not UTF-8 become U+FFFD; what was sent without an end of line is delivered
        when the connection ends. ``storageLevel`` is accepted and has no effect. Raises
        ``TypeError`` and ``ValueError`` for what is no host name or no port (1 to 65535).
        """
        if not isinstance(hostname, str):
            raise TypeError(f"the host name must be a text, not {type(hostname).__name__}")
        if isinstance(port, bool) or not isinstance(port, int):
            raise TypeError(f"the port must be a whole number, not {type(port).__name__}: {port!r}")
        if not hostname:
            raise ValueError("the host name is empty")
        if not 1 <= port <= 65535:
            raise ValueError(f"the port must be between 1 and 65535, not {port}")
        return DStream(engine.socket_stream(self._building(), hostname, port, call_site()), self)

    def queueStream(
        self,
        rdds: Sequence[RDD[T]] | Sequence[Iterable[T]],
        oneAtATime: bool = True,
        default: RDD[T] | Iterable[T] | None = None,
    ) -> DStream[T]:
        """Make a stream of given RDDs (or of iterables, each made into an RDD now).

        One RDD a batch, or with ``oneAtATime=False`` all of them in the first. When they are used
        up, each batch has the records of ``default``, or none. Later changes to ``rdds`` are not
        seen. Raises ``IndexError`` for neither an RDD nor a default.

        Example::

            ssc.queueStream([[1, 2], [3]])  # [1, 2] in the first batch, [3] in the second
        """
        handle = self._building()
        after: RDD[T] | None = None
        if isinstance(default, RDD):
            after = default
        elif default is not None:
            values = list(default)
            after = self._sc.parallelize(values) if values else None
        queue = [self._as_rdd(rdd) for rdd in rdds]
        if not queue:
            if after is None:
                raise IndexError("queueStream needs at least one RDD, or a default")
            # Spark: an empty queue counts as one batch without records before the default.
            queue = [self._sc.parallelize([])]
        if after is None:
            after = self._sc.parallelize([], 1)
        handles = [rdd._handle for rdd in queue]
        return DStream(
            engine.queue_stream(handle, handles, bool(oneAtATime), after._handle, call_site()), self
        )

    def _as_rdd(self, given: RDD[T] | Iterable[T]) -> RDD[T]:
        if not isinstance(given, RDD):
            return self._sc.parallelize(given)
        if given.ctx is not self._sc:
            raise ValueError("an RDD in queueStream belongs to another SparkContext")
        return given

    # --- several streams --------------------------------------------------------------------

    def union(self, *dstreams: DStream[T]) -> DStream[T]:
        """Make one stream of several: each batch has the records of all of them, in their order.

        Raises ``ValueError`` for none, and for streams that do not move at the same interval.
        """
        if not dstreams:
            raise ValueError("should have at least one DStream to union")
        for stream in dstreams:
            if not isinstance(stream, DStream):
                raise TypeError(f"union needs DStreams, not {type(stream).__name__}")
        if len(dstreams) == 1:
            return dstreams[0]
        if len({stream._slideDuration for stream in dstreams}) > 1:
            raise ValueError("All DStreams should have same slide duration")
        self._building()
        _require_one_context([self, *(stream._ssc for stream in dstreams)])
        handles = [stream._handle for stream in dstreams]
        return DStream(engine.stream_union(handles, call_site()), self)

    def transform(
        self, dstreams: Sequence[DStream[Any]], transformFunc: Callable[..., RDD[T]]
    ) -> DStream[T]:
        """Make a stream whose RDDs are ``transformFunc(rdds)``.

        ``rdds`` is one tuple with the RDD of each stream in ``dstreams``, in their order. The
        function runs in the driver, once a batch. Raises ``ValueError`` for an empty list.

        Example::

            ssc.transform([a, b], lambda rdds: rdds[0].union(rdds[1]))
        """
        require_callable("transform", transformFunc)
        if not dstreams:
            raise ValueError("transform needs at least one DStream")
        self._building()
        _require_one_context([self, *(stream._ssc for stream in dstreams)])
        sc = self._sc

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            inputs = tuple(RDD[Any](rdd, sc) for rdd in rdds if rdd is not None)
            if len(inputs) < len(rdds):
                raise RuntimeError(
                    f"transform has no RDD of one of its streams in the batch {time_ms} ms"
                )
            return rdd_handle(transformFunc(inputs))

        handles = [stream._handle for stream in dstreams]
        return DStream(
            engine.stream_transform(handles, transformed, "transform", call_site()), self
        )

    # --- running ----------------------------------------------------------------------------

    def start(self) -> None:
        """Freeze the streams and run them. Returns at once.

        Raises ``RuntimeError`` where nothing is put out, after a stop, and where another context
        is active. A second call while it is active only logs a warning.
        """
        _ = self._sc._engine
        state = self._state()
        if state == "active":
            engine.log("warning", "StreamingContext has already been started")
            return
        if state == "stopped":
            raise RuntimeError("StreamingContext has already been stopped")
        active = StreamingContext.getActive()
        if active is not None:
            raise RuntimeError(
                "Only one StreamingContext may be started in this JVM. "
                f"Currently running StreamingContext was started at {active._started_at}"
            )
        if self._outputs == 0:
            # Spark: a start that fails leaves a stopped context.
            engine.stop(self._handle, False)
            raise RuntimeError(
                "requirement failed: No output operations registered, so nothing to execute"
            )
        self._started_at = call_site()
        self._prepare_process()
        try:
            engine.start(self._handle)
        except BaseException:
            self._release_process()
            raise
        StreamingContext._activeContext = self
        _lifetime.register(self._stop_streams)

    def _prepare_process(self) -> None:
        # Before the engine's threads run: a signal must not find the process half prepared.
        from swiftwater import _errors, _interrupts

        _interrupts.install(self._sc._settings.flag("spark.streaming.stopGracefullyOnShutdown"))
        if not _interrupts.is_interactive():
            _errors.install()

    def awaitTermination(self, timeout: float | None = None) -> None:
        """Wait until the context is stopped, or for ``timeout`` seconds.

        Raises the error of a batch that fails; the context is still active then. From the first
        failure on every call raises the latest error at once, also after later batches went well
        (Spark's rule): a program that catches it and wants to go on waits in another way. Ctrl-C
        raises ``KeyboardInterrupt``.
        """
        self._wait(timeout)

    def awaitTerminationOrTimeout(self, timeout: float) -> bool:
        """Wait as ``awaitTermination`` does; return whether the context has stopped."""
        return self._wait(timeout)

    def _wait(self, timeout: float | None) -> bool:
        _lifetime.require_this_process()
        if timeout is not None:
            timeout = float(timeout)
            if math.isnan(timeout):
                raise ValueError("the timeout is not a number of seconds")
            timeout = max(timeout, 0.0)
        ended = engine.wait(self._handle, timeout)
        if ended:
            self._ended()
        return ended

    def stop(self, stopSparkContext: bool = True, stopGraceFully: bool = False) -> None:
        """Stop the streams, and with ``stopSparkContext`` the ``SparkContext``.

        With ``stopGraceFully`` all that has been received is worked on first. Inside a function
        given to ``foreachRDD`` or ``transform`` this only asks: the batch goes on, and the stop
        follows when it is over. Again: nothing happens.
        """
        _lifetime.require_this_process()
        self._stop_streams(bool(stopGraceFully))
        if not stopSparkContext:
            return
        if self._state() == "active":
            self._stop_context_later()
        else:
            self._sc.stop()

    def _stop_context_later(self) -> None:
        """Stop the ``SparkContext`` when the streams have stopped: their batch still needs it."""
        from threading import Thread

        def stop() -> None:
            # Graceful or not is decided already. A graceful one more only waits.
            engine.stop(self._handle, True)
            self._sc.stop()
            _lifetime.forget(join)

        def join(graceful: bool) -> None:
            closing.join()

        closing = Thread(target=stop, name="swiftwater-stop", daemon=True)
        _lifetime.register(join)
        closing.start()

    def _stop_streams(self, graceful: bool) -> None:
        engine.stop(self._handle, graceful)
        # Still active where the batch that runs asked for it.
        if self._state() != "active":
            self._ended()

    def _ended(self) -> None:
        if StreamingContext.getActive() is None:
            self._release_process()
        _lifetime.forget(self._stop_streams)

    def _release_process(self) -> None:
        from swiftwater import _interrupts

        _interrupts.uninstall()

    # --- for the rest of the package --------------------------------------------------------

    def _state(self) -> str:
        return engine.state(self._handle)

    def _building(self) -> Handle:
        """The engine's handle while streams may be added, else ``RuntimeError``."""
        _ = self._sc._engine
        state = self._state()
        if state != "initialized":
            when = "starting" if state == "active" else "stopping"
            raise RuntimeError(
                "Adding new inputs, transformations, and output operations after "
                f"{when} a context is not supported"
            )
        return self._handle


def stop_streams_of(context: SparkContext, graceful: bool) -> None:
    """Stop the active streams that run on ``context``."""
    active = StreamingContext.getActive()
    if active is not None and active._sc is context:
        active._stop_streams(graceful)


def rdd_handle(result: object) -> Handle | None:
    """Return the engine's RDD of what a user's transform function returned."""
    if result is None:
        return None
    if not isinstance(result, RDD):
        raise TypeError(
            f"the function given to transform must return an RDD, not {type(result).__name__}"
        )
    return result._handle


def _require_one_context(contexts: Iterable[StreamingContext]) -> None:
    if len({id(context) for context in contexts}) > 1:
        raise ValueError("the streams belong to different StreamingContexts")


def _interval_ms(seconds: float) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(
            f"the batch interval must be a number of seconds, not {type(seconds).__name__}"
        )
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"the batch interval must be longer than 0 seconds, not {seconds}")
    interval_ms = int(seconds * 1000)
    if interval_ms < 1:
        raise ValueError(f"the batch interval must be at least 0.001 seconds, not {seconds}")
    return interval_ms
