"""StreamingContext: where streams come from, and what starts and stops them.

Example::

    >>> ssc = StreamingContext(sc, 1)
    >>> ssc.queueStream([["a b", "b"]]).flatMap(str.split).countByValue().pprint()
    >>> ssc.stop(stopSparkContext=False)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from swiftwater import _active, _errors, _interrupts, _lifetime, _settings
from swiftwater._calls import call_site, require_callable
from swiftwater._native import engine
from swiftwater.context import JVMOfContexts, SparkContext
from swiftwater.rdd import RDD
from swiftwater.streaming._dstream.core import DStreamCore, rdd_handle
from swiftwater.streaming._durations import milliseconds
from swiftwater.streaming._graph import Definitions, defines, defines_for_once
from swiftwater.streaming._partitioning import Partitioning, united
from swiftwater.streaming._stateful import StatefulOperators, validate_checkpoints
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming._checkpoints.folder import CheckpointFolder
    from swiftwater.streaming._checkpoints.writer import CheckpointWriter
    from swiftwater.streaming._files import FileChooser
    from swiftwater.streaming._java import Duration, JavaStreamingContext
    from swiftwater.streaming._listeners import Listeners
    from swiftwater.streaming.listener import StreamingListener

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

        >>> ssc = StreamingContext(sc, 0.05)
        >>> done = []
        >>> ssc.queueStream([[1, 2, 3]]).count().foreachRDD(lambda rdd: done.extend(rdd.collect()))
        >>> ssc.start()
        >>> while not done:
        ...     stopped = ssc.awaitTerminationOrTimeout(0.01)
        >>> ssc.stop(stopSparkContext=False)
        >>> done[0]
        3
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
        self._interval_ms = _interval_ms(batchDuration)
        self._remember_ms: int | None = None
        # What is defined, for checkpoints.
        self._definitions = Definitions()
        self._stateful = StatefulOperators()
        # How many of the definitions a checkpoint has made, where there was one.
        self._recovered_calls: int | None = None
        self._checkpointed: list[DStreamCore[Any]] = []
        self._file_choosers: list[FileChooser] = []
        self._checkpoint_folder: CheckpointFolder | None = None
        self._writer: CheckpointWriter | None = None
        self._listeners: Listeners | None = None
        self._handle = self._open(sparkContext._engine, self._interval_ms)

    def _open(self, context: Handle, interval_ms: int) -> Handle:
        # On a method of its own because tests open one under virtual time.
        return engine.open_streaming(context, interval_ms, None)

    @property
    def sparkContext(self) -> SparkContext:
        """The ``SparkContext`` that the streams run on.

        Example::

            >>> StreamingContext(sc, 1).sparkContext is sc
            True
        """
        return self._sc

    @classmethod
    def getActive(cls) -> StreamingContext | None:
        """Return the context that has been started and not stopped, or ``None``.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.queueStream([[1]]).pprint()
            ...     test.start()
            ...     StreamingContext.getActive() is test.ssc
            True
            >>> StreamingContext.getActive() is None
            True
        """
        active = StreamingContext._activeContext
        if active is not None and active._state() != "active":
            StreamingContext._activeContext = active = None
        return active

    @classmethod
    def getOrCreate(
        cls, checkpointPath: str, setupFunc: Callable[[], StreamingContext]
    ) -> StreamingContext:
        """Return a context that goes on where the checkpoint in a folder ends.

        Streams, functions, interval and (where no ``SparkContext`` is active) settings are those
        of the checkpoint, and ``setupFunc`` is not called; after ``start``, every batch time that
        was missed meanwhile is worked on first. Where the folder holds no checkpoint, the context
        is what ``setupFunc()`` returns, and its checkpoints go there.

        A checkpoint that cannot be read is skipped with a warning. Raises ``SparkException`` where
        none can be read, and ``PermissionError`` for a folder that others can write to.

        Example::

            >>> def setup():
            ...     ssc = StreamingContext(sc, 1)
            ...     ssc.textFileStream(tmp).pprint()
            ...     return ssc
            >>> ssc = StreamingContext.getOrCreate(f"{tmp}/checkpoints", setup)
            >>> ssc.stop(stopSparkContext=False)
        """
        from swiftwater.streaming._checkpoints import recovery

        recovered = recovery.recovered(cls, checkpointPath)
        if recovered is not None:
            return recovered
        created = setupFunc()
        if not isinstance(created, StreamingContext):
            raise TypeError(
                f"the set-up function must return a StreamingContext, not {type(created).__name__}"
            )
        created.checkpoint(checkpointPath)
        return created

    @classmethod
    def getActiveOrCreate(
        cls, checkpointPath: str | None, setupFunc: Callable[[], StreamingContext]
    ) -> StreamingContext:
        """Return the active context, else what ``getOrCreate`` gives.

        Without a path (``None``) a new context is ``setupFunc()``. Raises ``TypeError`` for a
        function that cannot be called.

        Example::

            >>> ssc = StreamingContext.getActiveOrCreate(None, lambda: StreamingContext(sc, 1))
            >>> ssc.stop(stopSparkContext=False)
        """
        if not callable(setupFunc):
            raise TypeError("setupFunc should be callable.")
        active = cls.getActive()
        if active is not None:
            return active
        return setupFunc() if checkpointPath is None else cls.getOrCreate(checkpointPath, setupFunc)

    # --- sources ----------------------------------------------------------------------------

    @defines
    def socketTextStream(
        self, hostname: str, port: int, storageLevel: object = None
    ) -> DStream[str]:
        r"""Make a stream of the lines that a TCP server sends.

        The engine connects to ``hostname:port``; where the server refuses or ends the connection
        it says so and tries again every two seconds. Lines end with ``\n``, ``\r\n`` or ``\r``;
        bytes that are not UTF-8 become U+FFFD; what was sent without an end of line is delivered
        when the connection ends. ``storageLevel`` is accepted and has no effect. Raises
        ``TypeError`` and ``ValueError`` for what is no host name or no port (1 to 65535).

        Example::

            >>> ssc = StreamingContext(sc, 1)
            >>> ssc.socketTextStream("localhost", 9999).count().pprint()
            >>> ssc.stop(stopSparkContext=False)
        """
        if not isinstance(hostname, str):
            raise TypeError(f"the host name must be a text, not {type(hostname).__name__}")
        if isinstance(port, bool) or not isinstance(port, int):
            raise TypeError(f"the port must be a whole number, not {type(port).__name__}: {port!r}")
        if not hostname:
            raise ValueError("the host name is empty")
        if not 1 <= port <= 65535:
            raise ValueError(f"the port must be between 1 and 65535, not {port}")
        handle = engine.socket_stream(self._building(), hostname, port, self._definitions.site)
        return DStream(handle, self, kind="SocketInputDStream")

    @defines
    def textFileStream(self, directory: str) -> DStream[str]:
        r"""Make a stream of the lines of files that appear in a folder.

        Each batch has the files that were changed last in the minute before its time and that no
        earlier batch had; names that begin with ``.`` or ``_`` are left out. Files must appear
        complete: write them elsewhere and rename them into the folder. ``directory`` may be a
        pattern (``logs/*``, ``logs/{a,b}``) for several folders; one that is not there counts as
        empty, and the log says so once. How files are read: ``SparkContext.textFile``.

        Example::

            >>> import os, time
            >>> with StreamingTest() as test:
            ...     lines = test.collect(test.ssc.textFileStream(tmp))
            ...     test.start()
            ...     with open(f"{tmp}/words.txt", "w") as file:
            ...         _ = file.write("a b\nc\n")
            ...     os.utime(f"{tmp}/words.txt", (0, test.batch_time(1).timestamp()))
            ...     test.advance(2)
            ...     lines.batches
            [['a b', 'c'], []]
        """
        from swiftwater.streaming._files import text_files

        return text_files(self, directory)

    @defines
    def binaryRecordsStream(self, directory: str, recordLength: int) -> DStream[bytes]:
        """Make a stream of the records of binary files that appear in a folder.

        Each record is ``recordLength`` bytes; which files a batch has is as in
        ``textFileStream``. A file that ends inside a record fails the batch (``EOFError``).

        Example::

            >>> import os
            >>> with StreamingTest() as test:
            ...     pairs = test.collect(test.ssc.binaryRecordsStream(tmp, 2))
            ...     test.start()
            ...     with open(f"{tmp}/data.bin", "wb") as file:
            ...         _ = file.write(b"aabb")
            ...     os.utime(f"{tmp}/data.bin", (0, test.batch_time(1).timestamp()))
            ...     test.advance()
            ...     pairs.batches
            [[b'aa', b'bb']]
        """
        from swiftwater.streaming._files import binary_files

        return binary_files(self, directory, recordLength)

    def queueStream(
        self,
        rdds: Sequence[RDD[T]] | Sequence[Iterable[T]],
        oneAtATime: bool = True,
        default: RDD[T] | Iterable[T] | None = None,
    ) -> DStream[T]:
        """Make a stream of given RDDs (or of iterables, each made into an RDD now).

        One RDD a batch, or with ``oneAtATime=False`` all of them in the first. When they are used
        up, each batch has the records of ``default``, or none. Later changes to ``rdds`` are not
        seen. Raises ``IndexError`` for neither an RDD nor a default. A checkpoint with such a
        stream is written, but nothing can be recovered from it.

        Example::

            >>> with StreamingTest() as test:
            ...     numbers = test.ssc.queueStream([[1, 2], [3]], default=[0])
            ...     out = test.collect(numbers)
            ...     test.advance(3)
            ...     out.batches
            [[1, 2], [3], [0]]
        """
        self._building()
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
        return self._queue([rdd._handle for rdd in queue], bool(oneAtATime), after._handle)

    @defines_for_once
    def _queue(self, rdds: list[Handle], one_at_a_time: bool, default: Handle) -> DStream[Any]:
        handle = self._building()
        return DStream(
            engine.queue_stream(handle, rdds, one_at_a_time, default, self._definitions.site),
            self,
            kind="QueueInputDStream",
        )

    def _as_rdd(self, given: RDD[T] | Iterable[T]) -> RDD[T]:
        if not isinstance(given, RDD):
            return self._sc.parallelize(given)
        if given.ctx is not self._sc:
            raise ValueError("an RDD in queueStream belongs to another SparkContext")
        return given

    # --- several streams --------------------------------------------------------------------

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
        sc, site, partitioning = self._sc, self._definitions.site, Partitioning()

        def all_records(time_ms: int, rdds: list[Handle | None]) -> Handle:
            known = []
            for stream, rdd in zip(dstreams, rdds, strict=True):
                if rdd is None:
                    raise _spark_exception(
                        f"Could not generate RDD from a parent for unifying at time {time_ms} ms"
                    )
                before = stream._partitioning
                known.append((rdd, None if before is None else before.at(time_ms)))
            union, partitioner = united(sc, known, "union", site)
            partitioning.note(time_ms, partitioner)
            return union

        handles = [stream._handle for stream in dstreams]
        handle = engine.stream_transform(handles, all_records, "union", site)
        return DStream(handle, self, partitioning, "UnionDStream")

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
            raise _spark_error("IllegalArgumentException", "head of empty list")
        self._building()
        self._require_own(dstreams)
        partitioning = Partitioning()

        def transformed(time_ms: int, rdds: list[Handle | None]) -> Handle | None:
            inputs = []
            for stream, rdd in zip(dstreams, rdds, strict=True):
                if rdd is None:
                    raise _spark_exception(
                        f"Couldn't generate RDD from parent at time {time_ms} ms"
                    )
                inputs.append(stream._rdd(rdd, time_ms))
            return rdd_handle(transformFunc(tuple(inputs)), "transform", time_ms, partitioning)

        handles = [stream._handle for stream in dstreams]
        handle = engine.stream_transform(handles, transformed, "transform", self._definitions.site)
        return DStream(handle, self, partitioning, "TransformedDStream")

    def _require_own(self, streams: Iterable[DStream[Any]]) -> None:
        if any(stream._ssc is not self for stream in streams):
            raise ValueError("the streams belong to different StreamingContexts")

    # --- what is kept -----------------------------------------------------------------------

    @defines
    def remember(self, duration: float) -> None:
        """Keep the RDDs of every stream for at least ``duration`` seconds, say for ``slice``.

        Raises ``IllegalArgumentException`` when it has been called before.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.remember(60)
        """
        remember_ms = milliseconds(duration, "the time to remember")
        if remember_ms < 0:
            raise ValueError(f"the time to remember must not be negative: {duration}")
        if self._remember_ms is not None:
            raise _spark_error(
                "IllegalArgumentException",
                f"requirement failed: Remember duration already set as {self._remember_ms} ms. "
                "Cannot set it again.",
            )
        if self._state() != "initialized":
            engine.log("warning", "remember has no effect after the start")
            return
        engine.remember(self._handle, remember_ms)
        self._remember_ms = remember_ms

    def checkpoint(self, directory: str | None) -> None:
        """Write checkpoints into ``directory`` from the start on; ``None``: write none.

        The folder is made where it is not there. It must not be one that others can write to
        (``PermissionError``): functions are read from it. ``getOrCreate`` goes on from such a
        checkpoint. Call it before ``start``.

        Example::

            >>> with StreamingTest() as test:
            ...     test.ssc.checkpoint(f"{tmp}/checkpoints")
        """
        if self._state() != "initialized":
            engine.log("warning", "checkpoint has no effect after the start")
            return
        if directory is None:
            self._checkpoint_folder = None
            return
        from swiftwater._paths import local_path
        from swiftwater.streaming._checkpoints.folder import CheckpointFolder

        self._use_checkpoints(CheckpointFolder.made(local_path(directory, "checkpoint")))

    def _use_checkpoints(self, folder: CheckpointFolder) -> None:
        self._sc.setCheckpointDir(folder.path)
        self._checkpoint_folder = folder

    # --- listeners --------------------------------------------------------------------------

    def addStreamingListener(self, streamingListener: StreamingListener) -> None:
        """Have a listener told what happens: batches, outputs, receivers. At any time.

        It is called on a thread of its own; what it raises is logged.

        Example::

            >>> from swiftwater.streaming.listener import StreamingListener
            >>> class Counter(StreamingListener):
            ...     batches = 0
            ...     def onBatchCompleted(self, event):
            ...         self.batches += 1
            >>> counter = Counter()
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(counter)
            ...     out = test.collect(test.ssc.queueStream([[1]]))
            ...     test.advance(3)
            >>> counter.batches
            3
        """
        if self._listeners is None:
            from swiftwater.streaming._listeners import Listeners

            self._listeners = Listeners(self._handle)
        self._listeners.add(streamingListener)

    def removeStreamingListener(self, streamingListener: StreamingListener) -> None:
        """Tell a listener nothing any more. One that was not added is ignored.

        Example::

            >>> from swiftwater.streaming.listener import StreamingListener
            >>> listener = StreamingListener()
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(listener)
            ...     test.ssc.removeStreamingListener(listener)
        """
        if self._listeners is not None:
            self._listeners.remove(streamingListener)

    # --- running ----------------------------------------------------------------------------

    def explain(self) -> None:
        """Print how the streams are computed: which functions run natively, and why others do not.

        Of a function that does not the place and the instruction are told at which it was not
        understood. Shown is what the output operations need; nothing is computed for it. It may be
        called before the start and after it.

        Example::

            >>> ssc = StreamingContext(sc, 1)
            >>> lines = ssc.socketTextStream("localhost", 9999)
            >>> lines.flatMap(lambda line: line.split(" ")).pprint()
            >>> ssc.explain()
            stage 1
              socketTextStream...engine  -> str
              flatMap at ...native  -> str
              pprint at ...driver  -> str
            >>> ssc.stop(stopSparkContext=False)
        """
        from swiftwater._explain import plan_text

        _ = self._sc._engine
        lines = engine.stream_explain(self._handle)
        print(plan_text(lines) or "no output operation is registered: nothing is computed")

    def start(self) -> None:
        """Freeze the streams and run them. Returns at once.

        Raises ``IllegalArgumentException`` where nothing is put out or a checkpoint interval does
        not fit, ``IllegalStateException`` after a stop, after a start that failed, and where
        another context is active. A second call while it is active only logs a warning.

        Example::

            >>> ssc = StreamingContext(sc, 1)
            >>> ssc.queueStream([[1]]).pprint()
            >>> ssc.start()
            >>> ssc.stop(stopSparkContext=False)
        """
        _ = self._sc._engine
        state = self._state()
        if state == "active":
            engine.log("warning", "StreamingContext has already been started")
            return
        if state == "stopped":
            raise _spark_error("IllegalStateException", "StreamingContext has already been stopped")
        active = StreamingContext.getActive()
        if active is not None:
            raise _spark_error(
                "IllegalStateException",
                "Only one StreamingContext may be started in this JVM. "
                f"Currently running StreamingContext was started at {active._started_at}",
            )
        site = call_site()
        try:
            self._validate()
            self._require_recovered_streams()
            self._explain_instead()
            self._prepare_checkpoints()
        except BaseException:
            # Spark: a start that fails leaves a stopped context.
            engine.stop(self._handle, False)
            raise
        self._started_at = site
        self._prepare_process()
        try:
            engine.start(self._handle)
        except BaseException:
            self._release_process()
            raise
        StreamingContext._activeContext = self
        _lifetime.register(self._stop_streams)
        if self._writer is not None:
            self._writer.begin()

    def _validate(self) -> None:
        if self._outputs == 0:
            raise _spark_error(
                "IllegalArgumentException",
                "requirement failed: No output operations registered, so nothing to execute",
            )
        validate_checkpoints(self)

    def _require_recovered_streams(self) -> None:
        """Refuse what was defined since the context was recovered.

        Each checkpoint would hold it once more than the one before.
        """
        if self._recovered_calls is None:
            return
        for call in self._definitions.calls[self._recovered_calls :]:
            if call.method != "remember":
                raise _spark_exception(
                    f"{call.method.lstrip('_')} at {call.site} has not been initialized: it was "
                    "defined after the context was recovered, whose streams are those of the "
                    "checkpoint. Define all streams in the function given to getOrCreate; for "
                    "new ones begin with a new folder"
                )

    def _explain_instead(self) -> None:
        """Under ``swiftwater run --explain``, print the plan and end the job."""
        layers = _settings.command_line
        if layers.explain:
            layers.explain = False
            self.explain()
            raise SystemExit(0)

    def _prepare_checkpoints(self) -> None:
        if self._checkpoint_folder is not None:
            from swiftwater.streaming._checkpoints.writer import CheckpointWriter

            if self._writer is None:
                self._writer = CheckpointWriter(self)
            self._writer.prepare(self._checkpoint_folder)
            engine.set_batch_hook(
                self._handle, self._writer.batch_is_over, self._writer.batch_has_failed
            )
        # Nobody will ask again: what the arguments hold may go.
        self._definitions.calls.clear()

    def _prepare_process(self) -> None:
        # Before the engine's threads run: a signal must not find the process half prepared.
        graceful = self._sc._settings.flag("spark.streaming.stopGracefullyOnShutdown")
        _interrupts.install(self._sc._engine, graceful)
        if not _interrupts.is_interactive():
            _errors.install()

    def awaitTermination(self, timeout: float | None = None) -> None:
        """Wait until the context is stopped, or for ``timeout`` seconds.

        Raises the error of a batch that fails; the context is still active then. From the first
        failure on every call raises the latest error at once, also after later batches went well
        (Spark's rule): a program that catches it and wants to go on waits in another way. Ctrl-C
        raises ``KeyboardInterrupt``.

        Example::

            >>> ssc = StreamingContext(sc, 1)
            >>> ssc.queueStream([[1]]).pprint()
            >>> ssc.start()
            >>> ssc.awaitTermination(timeout=0.01)
            >>> ssc.stop(stopSparkContext=False)
            >>> ssc.awaitTermination()
        """
        self._wait(timeout)

    def awaitTerminationOrTimeout(self, timeout: float) -> bool:
        """Wait as ``awaitTermination`` does; return whether the context has stopped.

        Example::

            >>> ssc = StreamingContext(sc, 1)
            >>> ssc.queueStream([[1]]).pprint()
            >>> ssc.start()
            >>> ssc.awaitTerminationOrTimeout(0.01)
            False
            >>> ssc.stop(stopSparkContext=False)
        """
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
        follows when it is over. Again: nothing happens. Raises ``SparkException`` inside a
        listener.

        Example::

            >>> ssc = StreamingContext(sc, 1)
            >>> ssc.stop(stopSparkContext=False)
        """
        _lifetime.require_this_process()
        if engine.on_listener_thread(self._handle):
            raise _spark_exception("Cannot stop StreamingContext within listener bus thread.")
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
            self._write_last_checkpoint()
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

    def _write_last_checkpoint(self) -> None:
        if self._writer is not None:
            self._writer.end()
        if self._state() == "stopped":
            engine.forget(self._handle)

    def _ended(self) -> None:
        self._write_last_checkpoint()
        if StreamingContext.getActive() is None:
            self._release_process()
        _lifetime.forget(self._stop_streams)

    def _release_process(self) -> None:
        _interrupts.uninstall()

    # --- for the rest of the package --------------------------------------------------------

    def _now_ms(self) -> int:
        return int(time.time() * 1000)

    def _state(self) -> str:
        return engine.state(self._handle)

    def _building(self) -> Handle:
        """The engine's handle while streams may be added, else ``RuntimeError``."""
        _ = self._sc._engine
        state = self._state()
        if state != "initialized":
            when = "starting" if state == "active" else "stopping"
            raise _spark_error(
                "IllegalStateException",
                "Adding new inputs, transformations, and output operations after "
                f"{when} a context is not supported",
            )
        return self._handle

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a context is driver-side only."""
        raise RuntimeError(
            "a StreamingContext can only be used in the driver, not inside a function that works "
            "on records"
        )

    # --- names of PySpark's inside --------------------------------------------------------------

    _transformerSerializer: ClassVar[object] = None

    @property
    def _jssc(self) -> JavaStreamingContext:
        """What stands for the context in the JVM; programs stop it by this name."""
        from swiftwater.streaming._java import JavaStreamingContext

        return JavaStreamingContext(self)

    _jvm = JVMOfContexts()

    def _jduration(self, seconds: float) -> Duration:
        """Return a time span as PySpark hands it to the JVM."""
        from swiftwater.streaming._java import Duration

        return Duration(int(seconds * 1000))


_active.find_streams(StreamingContext.getActive)


def _spark_error(kind: str, text: str) -> Exception:
    # Loaded when something is wrong, and not at the start of a job.
    from swiftwater import errors

    error: Exception = getattr(errors, kind)(text)
    return error


def _spark_exception(text: str) -> Exception:
    return _spark_error("SparkException", text)


def _interval_ms(seconds: float) -> int:
    interval_ms = milliseconds(seconds, "the batch interval")
    if seconds <= 0:
        raise ValueError(f"the batch interval must be longer than 0 seconds, not {seconds}")
    if interval_ms < 1:
        raise ValueError(f"the batch interval must be at least 0.001 seconds, not {seconds}")
    return interval_ms
