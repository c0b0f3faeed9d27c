"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import SparkSession

__all__ = ["SparkSession"]
