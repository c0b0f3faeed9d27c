"""PySpark's name for ``swiftwater.broadcast``."""

from swiftwater.broadcast import Broadcast

__all__ = ["Broadcast"]
