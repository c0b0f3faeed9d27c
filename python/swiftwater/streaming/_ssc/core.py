"""What everything that a context can do stands on."""

from __future__ import annotations

import time
from collections.abc import Callable

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast
from swiftwater.context import SparkContext
from swiftwater.streaming._defining_calls import Definitions
from swiftwater.streaming._durations import milliseconds
from swiftwater.streaming._stateful_operators import StatefulOperators
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming._checkpoints.folder import CheckpointFolder
    from swiftwater.streaming._checkpoints.writer import CheckpointWriter
    from swiftwater.streaming._dstream.core import DStreamCore
    from swiftwater.streaming._listeners import Listeners
    from swiftwater.streaming.context import StreamingContext

__all__ = ["StreamingContextCore", "spark_error"]


class StreamingContextCore:
    """A context of the engine, what is defined in it, and which of them is active."""

    # What programs make: set by the module that puts the class together.
    _context_class: ClassVar[type[StreamingContext]]

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
        # What outputs do before the first batch.
        self._before_start: list[Callable[[], None]] = []
        self._sqlite_outputs: dict[str, int] = {}
        # As checkpoints number them.
        self._file_streams: list[Handle] = []
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
        kind = cls._context_class
        active = kind._activeContext
        if active is not None and active._phase() != "active":
            kind._activeContext = active = None
        return active

    def _now_ms(self) -> int:
        return int(time.time() * 1000)

    def _phase(self) -> str:
        return engine.state(self._handle)

    def _building(self) -> Handle:
        """The engine's handle while streams may be added, else ``RuntimeError``."""
        _ = self._sc._engine
        state = self._phase()
        if state != "initialized":
            when = "starting" if state == "active" else "stopping"
            raise spark_error(
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

    def _stream(
        self,
        handle: Handle,
        kind: str = "PythonTransformedDStream",
    ) -> DStream[Any]:
        """Return a stream of the engine as the user sees it."""
        return DStream(handle, cast("StreamingContext", self), kind)


def spark_error(kind: str, text: str) -> Exception:
    """Return an error of ``swiftwater.errors``, which is loaded when something is wrong."""
    from swiftwater import errors

    error: Exception = getattr(errors, kind)(text)
    return error


def _interval_ms(seconds: float) -> int:
    interval_ms = milliseconds(seconds, "the batch interval")
    if seconds <= 0:
        raise ValueError(f"the batch interval must be longer than 0 seconds, not {seconds}")
    if interval_ms < 1:
        raise ValueError(f"the batch interval must be at least 0.001 seconds, not {seconds}")
    return interval_ms
