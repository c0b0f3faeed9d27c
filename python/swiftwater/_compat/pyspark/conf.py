"""PySpark's name for ``swiftwater.conf``."""

from swiftwater.conf import SparkConf

__all__ = ["SparkConf"]
