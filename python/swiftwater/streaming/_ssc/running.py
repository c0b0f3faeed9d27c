"""How streams run and end, and who is told of it."""

from __future__ import annotations

import math
from threading import Thread

from swiftwater import _interrupts, _process_end, _settings, _uncaught_errors
from swiftwater._native import engine
from swiftwater._operator_calls import call_site
from swiftwater._typing import TYPE_CHECKING, cast
from swiftwater.streaming._ssc.core import StreamingContextCore, spark_error
from swiftwater.streaming._stateful_operators import validate_checkpoints

if TYPE_CHECKING:
    from swiftwater.streaming._state_operators import StateOperator
    from swiftwater.streaming.context import StreamingContext
    from swiftwater.streaming.listener import StreamingListener

__all__ = ["Running"]


class Running(StreamingContextCore):
    """Starting, waiting and stopping."""

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
        from swiftwater._plan_text import plan_text

        _ = self._sc._engine
        lines = engine.stream_explain(self._handle)
        print(plan_text(lines) or "no output operation is registered: nothing is computed")

    def start(self) -> None:
        """Freeze the streams and run them. Returns at once.

        Raises ``IllegalArgumentException`` where nothing is put out or a checkpoint interval does
        not fit, ``IllegalStateException`` after a stop, after a start that failed, and where
        another context is active. A second call while it is active only logs a warning.

        Example::

            >>> ssc = StreamingContext(sc, 3600)
            >>> ssc.queueStream([[1]]).pprint()
            >>> ssc.start()
            >>> ssc.stop(stopSparkContext=False)
        """
        _ = self._sc._engine
        state = self._phase()
        if state == "active":
            engine.notice("warning", None, "StreamingContext has already been started")
            return
        if state == "stopped":
            raise spark_error("IllegalStateException", "StreamingContext has already been stopped")
        active = self.getActive()
        if active is not None:
            raise spark_error(
                "IllegalStateException",
                "Only one StreamingContext may be started in this JVM. "
                f"Currently running StreamingContext was started at {active._started_at}",
            )
        site = call_site()
        try:
            self._validate()
            self._require_recovered_streams()
            self._explain_instead()
            for prepare in self._before_start:
                prepare()
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
        self._context_class._activeContext = cast("StreamingContext", self)
        _process_end.register(self._stop_streams)
        if self._writer is not None:
            self._writer.begin()

    def _validate(self) -> None:
        if self._outputs == 0:
            raise spark_error(
                "IllegalArgumentException",
                "requirement failed: No output operations registered, so nothing to execute",
            )
        validate_checkpoints(self)

    def _explain_instead(self) -> None:
        """Under ``swiftwater run --explain``, print the plan and end the job."""
        layers = _settings.command_line
        if layers.explain:
            layers.explain = False
            self.explain()
            raise SystemExit(0)

    def _prepare_process(self) -> None:
        # Before the engine's threads run: a signal must not find the process half prepared.
        graceful = self._sc._settings.flag("spark.streaming.stopGracefullyOnShutdown")
        _interrupts.install(self._sc._engine, graceful)
        if not _interrupts.is_interactive():
            _uncaught_errors.install()

    def _require_recovered_streams(self) -> None:
        """Refuse what was defined since the context was recovered.

        Each checkpoint would hold it once more than the one before.
        """
        if self._recovered_calls is None:
            return
        for call in self._definitions.calls[self._recovered_calls :]:
            if call.method != "remember":
                raise spark_error(
                    "SparkException",
                    f"{call.method.lstrip('_')} at {call.site} has not been initialized: it was "
                    "defined after the context was recovered, whose streams are those of the "
                    "checkpoint. Define all streams in the function given to getOrCreate; for "
                    "new ones begin with a new folder",
                )

    def _prepare_checkpoints(self) -> None:
        if self._checkpoint_folder is not None:
            from swiftwater.streaming._checkpoints.writer import CheckpointWriter

            if self._writer is None:
                self._writer = CheckpointWriter(self)
            self._writer.prepare(self._checkpoint_folder)
            engine.keep_past(self._handle)
            engine.set_batch_hook(
                self._handle, self._writer.batch_is_over, self._writer.batch_has_failed
            )
        # Nobody will ask again: what the arguments hold may go.
        self._definitions.calls.clear()

    def _write_last_checkpoint(self) -> None:
        if self._writer is not None:
            self._writer.end()
        if self._phase() == "stopped":
            engine.forget(self._handle)

    def awaitTermination(self, timeout: float | None = None) -> None:
        """Wait until the context is stopped, or for ``timeout`` seconds.

        Raises the error of a batch that fails; the context is still active then. From the first
        failure on every call raises the latest error at once, also after later batches went well
        (Spark's rule): a program that catches it and wants to go on waits in another way. Ctrl-C
        raises ``KeyboardInterrupt``.

        Example::

            >>> ssc = StreamingContext(sc, 3600)
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

            >>> ssc = StreamingContext(sc, 3600)
            >>> ssc.queueStream([[1]]).pprint()
            >>> ssc.start()
            >>> ssc.awaitTerminationOrTimeout(0.01)
            False
            >>> ssc.stop(stopSparkContext=False)
        """
        return self._wait(timeout)

    def _wait(self, timeout: float | None) -> bool:
        _process_end.require_this_process()
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
        _process_end.require_this_process()
        if engine.on_listener_thread(self._handle):
            raise spark_error(
                "SparkException", "Cannot stop StreamingContext within listener bus thread."
            )
        self._stop_streams(bool(stopGraceFully))
        if not stopSparkContext:
            return
        if self._phase() == "active":
            self._stop_context_later()
        else:
            self._sc.stop()

    def _stop_context_later(self) -> None:
        """Stop the ``SparkContext`` when the streams have stopped: their batch still needs it."""

        def stop() -> None:
            # Graceful or not is decided already. A graceful one more only waits.
            engine.stop(self._handle, True)
            self._write_last_checkpoint()
            self._sc.stop()
            _process_end.forget(join)

        def join(graceful: bool) -> None:
            closing.join()

        closing = Thread(target=stop, name="swiftwater-stop", daemon=True)
        _process_end.register(join)
        closing.start()

    def _stop_streams(self, graceful: bool) -> None:
        engine.stop(self._handle, graceful)
        # Still active where the batch that runs asked for it.
        if self._phase() != "active":
            self._ended()

    def _ended(self) -> None:
        self._write_last_checkpoint()
        if self.getActive() is None:
            self._release_process()
        _process_end.forget(self._stop_streams)

    def _release_process(self) -> None:
        _interrupts.uninstall()

    def stateOperators(self) -> list[StateOperator]:
        """Return how large each window and state is, in the order of their definition.

        At any time, and from any thread: a batch that runs is not waited for, and what it has
        changed so far is in it partition by partition. Empty after the stop. Not part of PySpark.

        Example::

            >>> with StreamingTest() as test:
            ...     pairs = test.ssc.queueStream([[("a", 1), ("b", 1)]])
            ...     totals = pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0))
            ...     out = test.collect(totals.named("totals"))
            ...     test.advance()
            ...     [(each.name, each.keys) for each in test.ssc.stateOperators()]
            [('totals', 2)]
        """
        from swiftwater.streaming._state_operators import StateOperator

        return [
            StateOperator(self._stateful.name(key), operator, site, keys, size, expired)
            for key, operator, site, keys, size, expired in engine.stream_tables(self._handle)
        ]

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
