"""PySpark's name for ``swiftwater.streaming.listener``."""

from swiftwater.streaming.listener import StreamingListener

__all__ = ["StreamingListener"]
