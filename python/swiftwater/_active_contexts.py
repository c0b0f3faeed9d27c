"""What is active in this process, for modules that must not import the classes of contexts.

The modules of those classes enter here how their own one is found, and what ends with a context.
"""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.context import SparkContext
    from swiftwater.streaming.context import StreamingContext

__all__ = ["active_context", "active_streams", "at_close", "find_context", "find_streams"]

_context: Callable[[], SparkContext | None] | None = None
_streams: Callable[[], StreamingContext | None] | None = None

# Called with a context that has just been closed.
at_close: list[Callable[[SparkContext], None]] = []


def find_context(find: Callable[[], SparkContext | None]) -> None:
    """Have ``active_context`` return what ``find()`` does."""
    global _context
    _context = find


def find_streams(find: Callable[[], StreamingContext | None]) -> None:
    """Have ``active_streams`` return what ``find()`` does."""
    global _streams
    _streams = find


def active_context() -> SparkContext | None:
    """Return the context that is open, if there is one."""
    return None if _context is None else _context()


def active_streams() -> StreamingContext | None:
    """Return the context of streams that runs, if there is one."""
    return None if _streams is None else _streams()
