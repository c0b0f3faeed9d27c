"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import RuntimeConfig

__all__ = ["RuntimeConfig"]
