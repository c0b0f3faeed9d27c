"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import GroupedData

__all__ = ["GroupedData"]
