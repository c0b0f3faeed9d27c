"""Test a job's operators under virtual time: no waiting, no network, no thread.

A ``StreamingTest`` is a streaming context whose clock stands still until the test moves it. When
``advance`` returns, every batch that was due has been worked on, so a test reads like a table::

    from swiftwater.testing import StreamingTest

    def test_words():
        with StreamingTest(batch_interval=1.0) as test:
            lines = test.text_source()
            words = test.collect(lines.stream.flatMap(str.split))
            lines.send("a b", "c")
            test.advance()
            lines.send("d")
            test.advance()
            assert words.batches == [["a", "b", "c"], ["d"]]

Where typed records go in and each batch's records come out, ``run_batches`` is one line::

    assert run_batches(lambda numbers: numbers.count(), [[1, 2], [3]]) == [[2], [1]]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from swiftwater._calls import call_site
from swiftwater._native import engine
from swiftwater.conf import SparkConf
from swiftwater.context import SparkContext
from swiftwater.streaming.context import StreamingContext
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from swiftwater._swiftwater import Handle

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
    """

    def __init__(self, test: StreamingTest) -> None:
        """Make a source on ``test``."""
        handle = engine.scripted_stream(test.ssc._building(), call_site())
        self.stream: DStream[str] = DStream(handle, test.ssc)
        self._test = test
        self._early: list[bytes] = []

    def send(self, *lines: str) -> None:
        r"""Send lines, each with its ``\n``; they belong to the next batch."""
        self.send_bytes("".join(f"{line}\n" for line in lines).encode())

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, say a part of a line or something that is not UTF-8."""
        if self._test.started:
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
    """

    def __init__(self) -> None:
        """Make it empty."""
        self.batches: list[list[T]] = []
        self.times: list[float] = []

    @property
    def last(self) -> list[T]:
        """The records of the latest batch. Raises ``IndexError`` before the first."""
        if not self.batches:
            raise IndexError("no batch has run yet: call advance first")
        return self.batches[-1]

    @property
    def records(self) -> list[T]:
        """The records of all batches in one list."""
        return [record for batch in self.batches for record in batch]


class StreamingTest:
    """A streaming context under virtual time.

    ``batch_interval`` is in seconds; ``master`` and ``settings`` are those of the ``SparkContext``
    that the test opens, or give ``spark_context`` to use one that stays open afterwards. Define
    streams with ``text_source`` or on ``ssc`` (``queueStream``); the first ``advance`` starts them.
    Use it in a ``with`` block, which stops everything; tests may follow each other in one process.
    Virtual time begins at 1 January 2030, 00:00 UTC (rounded up to a multiple of the interval).

    Example::

        with StreamingTest(batch_interval=0.5) as test:
            out = test.collect(test.ssc.queueStream([[1, 2], [3]]).map(lambda n: n * n))
            test.run_until_idle()
            assert out.batches == [[1, 4], [9]]
            assert out.times == [0.5, 1.0]
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
            self.ssc: StreamingContext = _VirtualTime(self.sc, batch_interval)
        except BaseException:
            self._close_context()
            raise
        self._interval_ms = int(batch_interval * 1000)
        self._start_ms = _start_ms(self._interval_ms)
        self._sources: list[TextSource] = []
        self._raised: BaseException | None = None

    # --- what goes in and comes out ---------------------------------------------------------

    def text_source(self) -> TextSource:
        """Make a source of text lines that this test feeds with ``send``."""
        source = TextSource(self)
        self._sources.append(source)
        return source

    def collect(self, stream: DStream[T]) -> Collected[T]:
        """Record each batch of ``stream``. Call it before the first ``advance``."""
        found: Collected[T] = Collected()
        start_ms = self._start_ms

        def record(time_ms: int, rdd: Any) -> None:
            batch = rdd.collect()
            found.times.append((time_ms - start_ms) / 1000.0)
            found.batches.append(batch)

        stream._output(record, "collect")
        return found

    # --- time -------------------------------------------------------------------------------

    @property
    def started(self) -> bool:
        """Whether the streams are frozen and run."""
        return self.ssc._state() == "active"

    @property
    def now(self) -> float:
        """Seconds of virtual time since the test's beginning."""
        return (engine.now_ms(self.ssc._handle) - self._start_ms) / 1000.0

    def batch_time(self, number: int) -> datetime:
        """Return the time of batch ``number`` (1 is the first) as the job's functions see it."""
        from datetime import datetime

        return datetime.fromtimestamp((self._start_ms + number * self._interval_ms) / 1000.0)

    def start(self) -> None:
        """Freeze the streams now. Otherwise the first ``advance`` does it."""
        self.ssc.start()
        for source in self._sources:
            source._begin()

    def advance(self, seconds: float | None = None) -> None:
        """Move time on, by one batch interval where no time is given, and do all work due by then.

        Raises the error of a batch that fails, with the clock at that batch's time; call it again
        to go on. Raises ``ValueError`` for a negative time.
        """
        step_ms = self._interval_ms if seconds is None else round(seconds * 1000)
        if step_ms < 0:
            raise ValueError(f"time does not go back: {seconds} seconds")
        if self.ssc._state() == "initialized":
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
        """
        if self.ssc._state() == "initialized":
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
        """Stop the streams, and the ``SparkContext`` unless it was given."""
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
        return engine.open_streaming(context, interval_ms, _start_ms(interval_ms))

    def _prepare_process(self) -> None:
        pass

    def _release_process(self) -> None:
        pass


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

        def pairs(words):
            return words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)

        assert run_batches(pairs, [["a", "a"], []]) == [[("a", 2)], []]
    """
    count = max(map(len, inputs), default=0) if batches is None else batches
    with StreamingTest(batch_interval, master=master, settings=settings) as test:
        streams = [test.ssc.queueStream(given or [[]]) for given in inputs]
        out = test.collect(operation(*streams))
        for _ in range(count):
            test.advance()
        return out.batches
