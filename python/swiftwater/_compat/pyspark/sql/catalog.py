"""PySpark's name for parts of ``pyspark.sql``."""

from swiftwater._sql.session import Catalog

__all__ = ["Catalog"]
