"""Where streams come from: sockets, folders and queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from swiftwater._native import engine
from swiftwater._numbers import whole_and_no_truth
from swiftwater._typing import TYPE_CHECKING, Any, TypeVar, cast
from swiftwater.rdd import RDD
from swiftwater.streaming._defining_calls import defines, defines_for_once
from swiftwater.streaming._ssc.core import StreamingContextCore
from swiftwater.streaming.dstream import DStream  # noqa: TC001 - `typing.get_type_hints` finds it

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext

__all__ = ["Sources"]

T = TypeVar("T")


class Sources(StreamingContextCore):
    """Sources of streams."""

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
        port = whole_and_no_truth(port, "the port")
        if not hostname:
            raise ValueError("the host name is empty")
        if not 1 <= port <= 65535:
            raise ValueError(f"the port must be between 1 and 65535, not {port}")
        handle = engine.socket_stream(self._building(), hostname, port)
        return self._stream(handle, kind="SocketInputDStream")

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
        from swiftwater.streaming._watched_folders import text_files

        return text_files(cast("StreamingContext", self), directory)

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
        from swiftwater.streaming._watched_folders import binary_files

        return binary_files(cast("StreamingContext", self), directory, recordLength)

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
        queue = engine.queue_stream(handle, rdds, one_at_a_time, default)
        return self._stream(queue, kind="QueueInputDStream")

    def _as_rdd(self, given: RDD[T] | Iterable[T]) -> RDD[T]:
        if not isinstance(given, RDD):
            return self._sc.parallelize(given)
        if given.ctx is not self._sc:
            raise ValueError("an RDD in queueStream belongs to another SparkContext")
        return given
