"""PySpark's name for ``swiftwater.files``."""

from swiftwater.files import SparkFiles

__all__ = ["SparkFiles"]
