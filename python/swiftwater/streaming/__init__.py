"""Streams in small batches: ``StreamingContext`` and ``DStream``, as in ``pyspark.streaming``."""

from swiftwater.streaming.context import StreamingContext
from swiftwater.streaming.dstream import DStream

__all__ = ["DStream", "StreamingContext"]
