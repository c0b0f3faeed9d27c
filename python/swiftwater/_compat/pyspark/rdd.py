"""PySpark's name for ``swiftwater.rdd``."""

from swiftwater.rdd import RDD, Partitioner, portable_hash

__all__ = ["RDD", "Partitioner", "PipelinedRDD", "portable_hash"]

# What PySpark's transformations return; programs look for it with isinstance.
PipelinedRDD = RDD
