"""What stands where PySpark has objects of the JVM: times, durations, a streaming context."""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.streaming.context import StreamingContext

__all__ = ["Duration", "JavaStreamingContext", "Time"]


class _Milliseconds:
    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds: int) -> None:
        """Take a number of milliseconds."""
        self._milliseconds = milliseconds

    def milliseconds(self) -> int:
        """Return the milliseconds."""
        return self._milliseconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Milliseconds) and self._milliseconds == other._milliseconds

    def __lt__(self, other: _Milliseconds) -> bool:
        return self._milliseconds < other._milliseconds

    def __hash__(self) -> int:
        return hash(self._milliseconds)

    def __repr__(self) -> str:
        return f"{self._milliseconds} ms"

    def toString(self) -> str:
        """Return the milliseconds with their unit."""
        return repr(self)


class Duration(_Milliseconds):
    """A time span."""


class Time(_Milliseconds):
    """A time since the epoch."""


class JavaStreamingContext:
    """A ``StreamingContext`` under its names in the JVM, as far as programs use them."""

    def __init__(self, ssc: StreamingContext) -> None:
        """Stand for ``ssc``."""
        self._ssc = ssc

    def start(self) -> None:
        """Start the context."""
        self._ssc.start()

    def stop(self, stopSparkContext: bool = True, stopGracefully: bool = False) -> None:
        """Stop the context."""
        self._ssc.stop(stopSparkContext, stopGracefully)

    def awaitTermination(self) -> None:
        """Wait until the context is stopped."""
        self._ssc.awaitTermination()

    def awaitTerminationOrTimeout(self, milliseconds: int) -> bool:
        """Wait for at most so many milliseconds; return whether the context has stopped."""
        return self._ssc.awaitTerminationOrTimeout(milliseconds / 1000)

    def getState(self) -> str:
        """Return INITIALIZED, ACTIVE or STOPPED."""
        return self._ssc._phase().upper()

    def ssc(self) -> JavaStreamingContext:
        """Return the object itself."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from swiftwater._jvm import JavaName

        return JavaName("ssc._jssc", name)
