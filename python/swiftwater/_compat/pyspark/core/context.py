"""PySpark's name for ``swiftwater.context``."""

from swiftwater._typing import TYPE_CHECKING
from swiftwater.context import SparkContext

if not TYPE_CHECKING:
    from pyspark.context import __getattr__ as __getattr__

__all__ = ["SparkContext"]
