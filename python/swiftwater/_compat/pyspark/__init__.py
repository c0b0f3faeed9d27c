"""PySpark's names on Swiftwater; importable only in a job that ``swiftwater run`` runs."""

from swiftwater import RDD, SparkConf, SparkContext
from swiftwater.context import SPARK_VERSION

__all__ = ["RDD", "SparkConf", "SparkContext", "__version__"]

__version__: str = SPARK_VERSION
