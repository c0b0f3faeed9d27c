"""PySpark's name for ``swiftwater.rdd``."""

from swiftwater.rdd import RDD, portable_hash

__all__ = ["RDD", "portable_hash"]
