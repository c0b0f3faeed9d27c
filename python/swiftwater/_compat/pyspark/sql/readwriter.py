"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import DataFrameReader, DataFrameWriter

__all__ = ["DataFrameReader", "DataFrameWriter"]
