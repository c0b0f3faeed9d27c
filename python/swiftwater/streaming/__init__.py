"""Streams in small batches, as in ``pyspark.streaming``.

Example::

    >>> run_batches(lambda lines: lines.flatMap(str.split).count(), [["to be", "or not"]])
    [[4]]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swiftwater.streaming.context import StreamingContext
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from swiftwater.streaming.listener import StreamingListener

__all__ = ["DStream", "StreamingContext", "StreamingListener"]


def __getattr__(name: str) -> Any:
    # Few jobs have a listener.
    if name == "StreamingListener":
        from swiftwater.streaming.listener import StreamingListener

        return StreamingListener
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
