"""PySpark's name for ``swiftwater.context``."""

from swiftwater.context import SparkContext

__all__ = ["SparkContext"]
