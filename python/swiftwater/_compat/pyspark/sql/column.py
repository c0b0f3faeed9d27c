"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import Column

__all__ = ["Column"]
