"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql import RuntimeConfig

__all__ = ["RuntimeConfig"]
