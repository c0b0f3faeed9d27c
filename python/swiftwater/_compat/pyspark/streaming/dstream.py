"""PySpark's name for ``swiftwater.streaming.dstream``."""

from swiftwater.streaming.dstream import DStream

__all__ = ["DStream"]
