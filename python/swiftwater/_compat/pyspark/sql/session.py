"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql import SparkSession

__all__ = ["SparkSession"]
