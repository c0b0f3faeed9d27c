"""Test a job's operators under virtual time: no waiting, no network, no thread.

A ``StreamingTest`` is a streaming context whose clock stands still until the test moves it. When
``advance`` returns, every batch that was due has been worked on, so a test reads like a table.
Where typed records go in and each batch's records come out, ``run_batches`` is one line.

Example::

    >>> with StreamingTest(batch_interval=1.0) as test:
    ...     lines = test.text_source()
    ...     words = test.collect(lines.stream.flatMap(str.split))
    ...     lines.send("a b", "c")
    ...     test.advance()
    ...     lines.send("d")
    ...     test.advance()
    ...     words.batches
    [['a', 'b', 'c'], ['d']]
    >>> run_batches(lambda numbers: numbers.count(), [[1, 2], [3]])
    [[2], [1]]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from swiftwater.conf import SparkConf
from swiftwater.context import SparkContext
from swiftwater.streaming._defining_calls import defines
from swiftwater.streaming._durations import milliseconds
from swiftwater.streaming.context import StreamingContext
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from swiftwater._swiftwater import Handle
    from swiftwater.rdd import RDD

__all__ = ["Collected", "StreamingTest", "TextSource", "run_batches"]

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")

# 1 January 2030, 00:00 UTC: far from any real clock, so that a job that looks at the wrong one
# shows it, and a multiple of every usual batch interval.
_EPOCH_MS = 1_893_456_000_000


class TextSource:
    """A source of text lines that a test feeds; made by ``StreamingTest.text_source``.

    ``stream`` is the ``DStream[str]`` that the job works on.

    Example::

        >>> with StreamingTest() as test:
        ...     lines = test.text_source()
        ...     out = test.collect(lines.stream)
        ...     lines.send("to be", "or not")
        ...     test.advance()
        ...     out.last
        ['to be', 'or not']
    """

    def __init__(self, stream: DStream[str]) -> None:
        """Feed ``stream``. Programs call ``StreamingTest.text_source``."""
        self.stream = stream
        self._early: list[bytes] = []

    def send(self, *lines: str) -> None:
        r"""Send lines, each with its ``\n``; they belong to the next batch.

        Example::

            >>> with StreamingTest() as test:
            ...     test.text_source().send("a line", "another")
        """
        self.send_bytes("".join(f"{line}\n" for line in lines).encode())

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, say a part of a line or something that is not UTF-8.

        Example::

            >>> with StreamingTest() as test:
            ...     test.text_source().send_bytes(b"half a li")
        """
        if self.stream._ssc._phase() == "active":
            engine.scripted_send(self.stream._handle, data)
        else:
            self._early.append(data)

    def _begin(self) -> None:
        for data in self._early:
            engine.scripted_send(self.stream._handle, data)
        self._early.clear()


class Collected(Generic[T]):
    """What a stream has put out, batch by batch; made by ``StreamingTest.collect``.

    ``batches`` has one list of records a batch (an empty one for a batch without records), and
    ``times`` the batch times, in seconds since the test's beginning.

    Example::

        >>> with StreamingTest() as test:
        ...     out = test.collect(test.ssc.queueStream([[1, 2], [], [3]]))
        ...     test.advance(3)
        >>> out.batches, out.times
        ([[1, 2], [], [3]], [1.0, 2.0, 3.0])
    """

    def __init__(self) -> None:
        """Make it empty."""
        self.batches: list[list[T]] = []
        self.times: list[float] = []

    def _add(self, given: tuple[float, list[T]]) -> None:
        time, batch = given
        self.times.append(time)
        self.batches.append(batch)

    @property
    def last(self) -> list[T]:
        """The records of the latest batch. Raises ``IndexError`` before the first.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.ssc.queueStream([[1], [2]]))
            ...     test.advance(2)
            >>> out.last
            [2]
        """
        if not self.batches:
            raise IndexError("no batch has run yet: call advance first")
        return self.batches[-1]

    @property
    def records(self) -> list[T]:
        """The records of all batches in one list.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.ssc.queueStream([[1], [2]]))
            ...     test.advance(2)
            >>> out.records
            [1, 2]
        """
        return [record for batch in self.batches for record in batch]


class StreamingTest:
    """A streaming context under virtual time.

    ``batch_interval`` is in seconds; ``master`` and ``settings`` are those of the ``SparkContext``
    that the test opens, or give ``spark_context`` to use one that stays open afterwards. Define
    streams with ``text_source`` or on ``ssc`` (``queueStream``); the first ``advance`` starts them.
    Use it in a ``with`` block, which stops everything; tests may follow each other in one process.
    Virtual time begins at 1 January 2030, 00:00 UTC (rounded up to a multiple of the interval).

    ``recovered`` opens what a checkpoint goes on with.

    Example::

        >>> with StreamingTest(batch_interval=0.5) as test:
        ...     out = test.collect(test.ssc.queueStream([[1, 2], [3]]).map(lambda n: n * n))
        ...     test.run_until_idle()
        >>> out.batches
        [[1, 4], [9]]
        >>> out.times
        [0.5, 1.0]
    """

    # pytest collects classes that are named Test...; this one is for use inside tests.
    __test__ = False

    def __init__(
        self,
        batch_interval: float = 1.0,
        *,
        master: str = "local[2]",
        settings: dict[str, str] | None = None,
        spark_context: SparkContext | None = None,
    ) -> None:
        """Open the contexts; see the class."""
        self._owns_context = spark_context is None
        if spark_context is None:
            conf = SparkConf().setAll((settings or {}).items())
            spark_context = SparkContext(master, "test", conf=conf)
        self.sc: SparkContext = spark_context
        try:
            self._open(_VirtualTime(self.sc, batch_interval))
        except BaseException:
            self._close_context()
            raise

    def _open(self, ssc: _VirtualTime) -> None:
        self.ssc: StreamingContext = ssc
        self._virtual = ssc
        self._interval_ms = ssc._interval_ms
        self._start_ms = _start_ms(self._interval_ms)
        self._raised: BaseException | None = None

    @classmethod
    def recovered(
        cls,
        checkpoint: str,
        *,
        downtime: float = 0.0,
        master: str = "local[2]",
        settings: dict[str, str] | None = None,
        spark_context: SparkContext | None = None,
    ) -> StreamingTest:
        """Open what goes on from the newest checkpoint in the folder ``checkpoint``.

        Virtual time stands ``downtime`` seconds after the last batch of the checkpoint: as many
        batches were missed, and run at the start. ``sources`` and ``outputs`` have what
        ``text_source`` and ``collect`` had given, in the same order; ``outputs`` begin empty.
        Raises what ``StreamingContext.getOrCreate`` raises, and ``FileNotFoundError`` where there
        is no checkpoint.

        Example::

            >>> def total(new, old):
            ...     return sum(new) + (old or 0)
            >>> with StreamingTest() as test:
            ...     test.ssc.checkpoint(f"{tmp}/checkpoints")
            ...     lines = test.text_source()
            ...     counts = lines.stream.map(lambda word: (word, 1)).updateStateByKey(total)
            ...     out = test.collect(counts)
            ...     lines.send("a", "a")
            ...     test.advance()
            >>> with StreamingTest.recovered(f"{tmp}/checkpoints") as test:
            ...     test.sources[0].send("a")
            ...     test.advance()
            ...     test.outputs[0].batches
            [[('a', 3)]]
        """
        from swiftwater.streaming._checkpoints import recovery

        test = cls.__new__(cls)
        test._owns_context = spark_context is None
        if spark_context is None:
            conf = SparkConf().setAll((settings or {}).items())
            spark_context = SparkContext(master, "test", conf=conf)
        test.sc = spark_context
        try:
            last_ms = recovery.last_batch_ms(checkpoint)
            milliseconds(downtime, "the downtime")
            begin_ms = last_ms + round(downtime * 1000)

            class LaterTime(_VirtualTime):
                def _begin_ms(self, interval_ms: int) -> int:
                    return begin_ms

            ssc = recovery.recovered(LaterTime, checkpoint, test.sc)
            test._open(_found(ssc, checkpoint))
        except BaseException:
            test._close_context()
            raise
        return test

    # --- what goes in and comes out ---------------------------------------------------------

    @property
    def sources(self) -> list[TextSource]:
        """What ``text_source`` has given, in order.

        Example::

            >>> with StreamingTest() as test:
            ...     lines = test.text_source()
            ...     test.sources == [lines]
            True
        """
        return self._virtual._sources

    @property
    def outputs(self) -> list[Collected[Any]]:
        """What ``collect`` has given, in order.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.text_source().stream)
            ...     test.outputs == [out]
            True
        """
        return self._virtual._outputs_collected

    def text_source(self) -> TextSource:
        """Make a source of text lines that this test feeds with ``send``.

        Example::

            >>> with StreamingTest() as test:
            ...     lines = test.text_source()
            ...     out = test.collect(lines.stream.count())
            ...     lines.send("a", "b")
            ...     test.advance()
            ...     out.last
            [2]
        """
        self._virtual._text_source()
        return self._virtual._sources[-1]

    def collect(self, stream: DStream[T]) -> Collected[T]:
        """Record each batch of ``stream``. Call it before the first ``advance``.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.ssc.queueStream([[1]]).map(str))
            ...     test.advance()
            ...     out.batches
            [['1']]
        """
        self._virtual._collect(stream)
        return self._virtual._outputs_collected[-1]

    # --- time -------------------------------------------------------------------------------

    @property
    def started(self) -> bool:
        """Whether the streams are frozen and run.

        Example::

            >>> with StreamingTest() as test:
            ...     test.started
            False
        """
        return self.ssc._phase() == "active"

    @property
    def now(self) -> float:
        """Seconds of virtual time since the test's beginning.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.text_source().stream)
            ...     test.advance(2.5)
            ...     test.now
            2.5
        """
        return (engine.now_ms(self.ssc._handle) - self._start_ms) / 1000.0

    def batch_time(self, number: int) -> datetime:
        """Return the time of batch ``number`` (1 is the first) as the job's functions see it.

        Example::

            >>> with StreamingTest() as test:
            ...     test.batch_time(2) - test.batch_time(1)
            datetime.timedelta(seconds=1)
        """
        from datetime import datetime

        return datetime.fromtimestamp((self._start_ms + number * self._interval_ms) / 1000.0)

    def start(self) -> None:
        """Freeze the streams now. Otherwise the first ``advance`` does it.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.text_source().stream)
            ...     test.start()
            ...     test.started
            True
        """
        self.ssc.start()
        # What a recovered job has missed.
        engine.advance(self.ssc._handle, 0)
        for source in self.sources:
            source._begin()
        self._raise_new_error()

    def advance(self, seconds: float | None = None) -> None:
        """Move time on, by one batch interval where no time is given, and do all work due by then.

        Raises the error of a batch that fails, with the clock at that batch's time; call it again
        to go on. Raises ``ValueError`` for a negative time.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.ssc.queueStream([[1], [2], [3]]))
            ...     test.advance()
            ...     test.advance(2)
            ...     out.batches
            [[1], [2], [3]]
        """
        if seconds is None:
            step_ms = self._interval_ms
        else:
            if seconds < 0:
                raise ValueError(f"time does not go back: {seconds} seconds")
            milliseconds(seconds, "the time to advance")
            step_ms = round(seconds * 1000)
        if self.ssc._phase() == "initialized":
            self.start()
        handle = self.ssc._handle
        end_ms = engine.now_ms(handle) + step_ms
        while True:
            now_ms = engine.now_ms(handle)
            to_batch_ms = self._interval_ms - (now_ms - self._start_ms) % self._interval_ms
            engine.advance(handle, min(to_batch_ms, end_ms - now_ms))
            self._raise_new_error()
            if engine.now_ms(handle) >= end_ms:
                return

    def run_until_idle(self, most_batches: int = 10_000) -> None:
        """Run batches until no source of the test holds records that no batch has taken.

        Raises what ``advance`` raises, and ``RuntimeError`` when ``most_batches`` have run.

        Example::

            >>> with StreamingTest() as test:
            ...     out = test.collect(test.ssc.queueStream([[1], [2], [3]]))
            ...     test.run_until_idle()
            ...     out.batches
            [[1], [2], [3]]
        """
        if self.ssc._phase() == "initialized":
            self.start()
        for _ in range(most_batches):
            if not engine.has_pending_input(self.ssc._handle):
                return
            self.advance()
        raise RuntimeError(f"there is still input after {most_batches} batches")

    def _raise_new_error(self) -> None:
        # Waiting raises the latest error for as long as no other has come: each only once here.
        try:
            engine.wait(self.ssc._handle, 0.0)
        except BaseException as error:
            if error is not self._raised:
                self._raised = error
                raise

    # --- the end ----------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop the streams, and the ``SparkContext`` unless it was given.

        Example::

            >>> test = StreamingTest()
            >>> test.stop()
        """
        self.ssc.stop(stopSparkContext=False)
        self._close_context()

    def _close_context(self) -> None:
        if self._owns_context:
            self.sc.stop()

    def __enter__(self) -> StreamingTest:
        """Return the test itself; leaving the ``with`` block stops it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()


class _VirtualTime(StreamingContext):
    """A context whose clock only a test moves, and that leaves the process's signals alone."""

    def _open(self, context: Handle, interval_ms: int) -> Handle:
        self._sources: list[TextSource] = []
        self._outputs_collected: list[Collected[Any]] = []
        return engine.open_streaming(context, interval_ms, self._begin_ms(interval_ms))

    def _begin_ms(self, interval_ms: int) -> int:
        return _start_ms(interval_ms)

    def _now_ms(self) -> int:
        return engine.now_ms(self._handle)

    @defines
    def _text_source(self) -> DStream[str]:
        stream: DStream[str] = DStream(engine.scripted_stream(self._building()), self)
        self._sources.append(TextSource(stream))
        return stream

    @defines
    def _collect(self, stream: DStream[Any]) -> None:
        found: Collected[Any] = Collected()
        start_ms = _start_ms(self._interval_ms)

        def collected(time_ms: int, rdd: RDD[Any]) -> tuple[float, list[Any]]:
            return (time_ms - start_ms) / 1000.0, rdd.collect()

        stream._output(collected, "collect", found._add)
        self._outputs_collected.append(found)

    def _prepare_process(self) -> None:
        pass

    def _release_process(self) -> None:
        pass


def _found(ssc: StreamingContext | None, checkpoint: str) -> _VirtualTime:
    if not isinstance(ssc, _VirtualTime):
        raise FileNotFoundError(f"there is no checkpoint in {checkpoint}")
    return ssc


def _start_ms(interval_ms: int) -> int:
    return -(-_EPOCH_MS // interval_ms) * interval_ms


@overload
def run_batches(
    operation: Callable[[DStream[T]], DStream[V]],
    first: Sequence[Iterable[T]],
    /,
    *,
    batch_interval: float = ...,
    batches: int | None = ...,
    master: str = ...,
    settings: dict[str, str] | None = ...,
) -> list[list[V]]: ...
@overload
def run_batches(
    operation: Callable[[DStream[T], DStream[U]], DStream[V]],
    first: Sequence[Iterable[T]],
    second: Sequence[Iterable[U]],
    /,
    *,
    batch_interval: float = ...,
    batches: int | None = ...,
    master: str = ...,
    settings: dict[str, str] | None = ...,
) -> list[list[V]]: ...
def run_batches(
    operation: Callable[..., DStream[V]],
    /,
    *inputs: Sequence[Iterable[Any]],
    batch_interval: float = 1.0,
    batches: int | None = None,
    master: str = "local[2]",
    settings: dict[str, str] | None = None,
) -> list[list[V]]:
    """Return each batch's records of ``operation`` applied to streams of given batches.

    ``operation`` gets one stream for each of ``inputs``, and batch ``n`` of a stream has the
    records of its ``n``-th item. As many batches run as the longest input has, or ``batches`` (a
    window needs some more). Raises what a batch raises.

    Example::

        >>> def pairs(words):
        ...     return words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
        >>> run_batches(pairs, [["a", "a"], []])
        [[('a', 2)], []]
    """
    count = max(map(len, inputs), default=0) if batches is None else batches
    with StreamingTest(batch_interval, master=master, settings=settings) as test:
        streams = [test.ssc.queueStream(given or [[]]) for given in inputs]
        out = test.collect(operation(*streams))
        for _ in range(count):
            test.advance()
        return out.batches
