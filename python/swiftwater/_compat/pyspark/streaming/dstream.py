"""PySpark's name for ``swiftwater.streaming.dstream``."""

from swiftwater.streaming.dstream import DStream, TransformedDStream

__all__ = ["DStream", "TransformedDStream"]
