"""PySpark's name for ``swiftwater.rdd``."""

from pyspark._elsewhere import SERIALIZERS, found_elsewhere
from swiftwater._typing import TYPE_CHECKING
from swiftwater.rdd import RDD, Partitioner, portable_hash

__all__ = ["RDD", "Partitioner", "PipelinedRDD", "portable_hash"]

# What PySpark's transformations return; programs look for it with isinstance.
PipelinedRDD = RDD


if not TYPE_CHECKING:
    # To a type checker these names are not there.
    __getattr__ = found_elsewhere(
        __name__,
        {
            **SERIALIZERS,
            "PySparkRuntimeError": "pyspark.errors",
            "python_cogroup": "pyspark.join",
            "python_full_outer_join": "pyspark.join",
            "python_join": "pyspark.join",
            "python_left_outer_join": "pyspark.join",
            "python_right_outer_join": "pyspark.join",
            "RDDRangeSampler": "pyspark.rddsampler",
            "RDDSampler": "pyspark.rddsampler",
            "RDDStratifiedSampler": "pyspark.rddsampler",
            "ResultIterable": "pyspark.resultiterable",
            "Aggregator": "pyspark.shuffle",
            "ExternalSorter": "pyspark.shuffle",
            "get_used_memory": "pyspark.shuffle",
            "StatCounter": "pyspark.statcounter",
            "StorageLevel": "pyspark.storagelevel",
            "fail_on_stopiteration": "pyspark.util",
        },
    )
