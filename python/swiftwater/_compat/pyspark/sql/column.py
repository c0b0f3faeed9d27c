"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql import Column

__all__ = ["Column"]
