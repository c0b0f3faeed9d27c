"""PySpark's name for ``swiftwater.rdd``."""

from pyspark.rdd import PipelinedRDD
from swiftwater._typing import TYPE_CHECKING
from swiftwater.rdd import RDD, Partitioner, portable_hash

if not TYPE_CHECKING:
    from pyspark.rdd import __getattr__ as __getattr__

__all__ = ["RDD", "Partitioner", "PipelinedRDD", "portable_hash"]
