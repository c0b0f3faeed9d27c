"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import DataFrame

__all__ = ["DataFrame"]
