"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql import DataFrame

__all__ = ["DataFrame"]
