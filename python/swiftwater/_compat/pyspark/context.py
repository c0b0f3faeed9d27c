"""PySpark's name for ``swiftwater.context``."""

from pyspark._elsewhere import SERIALIZERS, found_elsewhere
from swiftwater._typing import TYPE_CHECKING
from swiftwater.context import SparkContext

__all__ = ["SparkContext"]


if not TYPE_CHECKING:
    # To a type checker these names are not there.
    __getattr__ = found_elsewhere(
        __name__,
        {
            **SERIALIZERS,
            "Accumulator": "pyspark.accumulators",
            "Broadcast": "pyspark.broadcast",
            "SparkConf": "pyspark.conf",
            "PySparkRuntimeError": "pyspark.errors",
            "SparkFiles": "pyspark.files",
            "Py4JError": "py4j.protocol",
            "launch_gateway": "pyspark.java_gateway",
            "BasicProfiler": "pyspark.profiler",
            "UDFBasicProfiler": "pyspark.profiler",
            "RDD": "pyspark.rdd",
            "StatusTracker": "pyspark.status",
            "StorageLevel": "pyspark.storagelevel",
            "TaskContext": "pyspark.taskcontext",
        },
    )
