"""StreamingListener: told what a streaming context does.

Example::

    >>> issubclass(StreamingListener, object)
    True
"""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from swiftwater.streaming._events import (
        BatchEvent,
        OutputOperationEvent,
        ReceiverEvent,
        StreamingStarted,
    )

__all__ = ["StreamingListener"]


class StreamingListener:
    """A base class whose methods do nothing: override those of the events that matter.

    Give it to ``StreamingContext.addStreamingListener``. What events say is read by methods, as in
    PySpark: ``event.batchInfo().processingDelay()``. Times are in milliseconds; what is not known
    (yet) is -1. For each batch: submitted, started, each output started and completed, completed.

    Example::

        >>> class Delays(StreamingListener):
        ...     def onBatchCompleted(self, batchCompleted):
        ...         info = batchCompleted.batchInfo()
        ...         print(info.batchTime().milliseconds(), info.totalDelay() >= 0)
        >>> with StreamingTest() as test:
        ...     test.ssc.addStreamingListener(Delays())
        ...     out = test.collect(test.ssc.queueStream([[1]]))
        ...     test.advance()
        1893456001000 True
    """

    def __init__(self) -> None:
        """Do nothing; overriding it needs no call of this."""

    def onStreamingStarted(self, streamingStarted: StreamingStarted) -> None:
        """Called when the context has started: ``time()``.

        Example::

            >>> class Started(StreamingListener):
            ...     def onStreamingStarted(self, event):
            ...         print(event.time())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Started())
            ...     test.ssc.queueStream([[1]]).foreachRDD(lambda rdd: None)
            ...     test.start()
            1893456000000
        """

    def onReceiverStarted(self, receiverStarted: ReceiverEvent) -> None:
        """Called when a receiver has started: ``receiverInfo()``.

        Example::

            >>> class Names(StreamingListener):
            ...     def onReceiverStarted(self, event):
            ...         print(event.receiverInfo().active())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Names())
            ...     out = test.collect(test.text_source().stream)
            ...     test.advance()
            True
        """

    def onReceiverError(self, receiverError: ReceiverEvent) -> None:
        """Called when a receiver has reported an error: ``receiverInfo()``.

        Example::

            >>> class Errors(StreamingListener):
            ...     def onReceiverError(self, event):
            ...         print(event.receiverInfo().lastErrorMessage())
        """

    def onReceiverStopped(self, receiverStopped: ReceiverEvent) -> None:
        """Called when a receiver has stopped: ``receiverInfo()``.

        Example::

            >>> class Ends(StreamingListener):
            ...     def onReceiverStopped(self, event):
            ...         print(event.receiverInfo().name())
        """

    def onBatchSubmitted(self, batchSubmitted: BatchEvent) -> None:
        """Called when a batch waits to be run: ``batchInfo()``.

        Example::

            >>> class Batches(StreamingListener):
            ...     def onBatchSubmitted(self, event):
            ...         print(event.batchInfo().processingStartTime())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Batches())
            ...     out = test.collect(test.ssc.queueStream([[1]]))
            ...     test.advance()
            -1
        """

    def onBatchStarted(self, batchStarted: BatchEvent) -> None:
        """Called when the first output of a batch begins: ``batchInfo()``.

        Example::

            >>> class Batches(StreamingListener):
            ...     def onBatchStarted(self, event):
            ...         print(event.batchInfo().processingEndTime())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Batches())
            ...     out = test.collect(test.ssc.queueStream([[1]]))
            ...     test.advance()
            -1
        """

    def onBatchCompleted(self, batchCompleted: BatchEvent) -> None:
        """Called when all outputs of a batch are over, failed ones too: ``batchInfo()``.

        Example::

            >>> class Batches(StreamingListener):
            ...     def onBatchCompleted(self, event):
            ...         print(event.batchInfo().numRecords())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Batches())
            ...     lines = test.text_source()
            ...     out = test.collect(lines.stream)
            ...     lines.send("a", "b")
            ...     test.advance()
            2
        """

    def onOutputOperationStarted(self, outputOperationStarted: OutputOperationEvent) -> None:
        """Called when an output of a batch begins: ``outputOperationInfo()``.

        Example::

            >>> class Outputs(StreamingListener):
            ...     def onOutputOperationStarted(self, event):
            ...         print(event.outputOperationInfo().id())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Outputs())
            ...     out = test.collect(test.ssc.queueStream([[1]]))
            ...     test.advance()
            0
        """

    def onOutputOperationCompleted(self, outputOperationCompleted: OutputOperationEvent) -> None:
        """Called when an output of a batch is over: ``outputOperationInfo()``.

        Example::

            >>> class Outputs(StreamingListener):
            ...     def onOutputOperationCompleted(self, event):
            ...         print(event.outputOperationInfo().failureReason())
            >>> with StreamingTest() as test:
            ...     test.ssc.addStreamingListener(Outputs())
            ...     out = test.collect(test.ssc.queueStream([[1]]))
            ...     test.advance()
            None
        """

    class Java:
        """The interface that PySpark's listeners name; it has no effect.

        Example::

            >>> len(StreamingListener.Java.implements)
            1
        """

        implements: ClassVar[list[str]] = [
            "org.apache.spark.streaming.api.java.PythonStreamingListener"
        ]
