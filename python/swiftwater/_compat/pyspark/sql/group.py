"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql import GroupedData

__all__ = ["GroupedData"]
