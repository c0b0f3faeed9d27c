"""PySpark's name for ``swiftwater.streaming``."""

from swiftwater.streaming import DStream, StreamingContext

__all__ = ["DStream", "StreamingContext"]
