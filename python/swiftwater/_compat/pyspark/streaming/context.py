"""PySpark's name for ``swiftwater.streaming.context``."""

from swiftwater.streaming.context import StreamingContext

__all__ = ["StreamingContext"]
