"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import SQLContext

__all__ = ["SQLContext"]
