"""PySpark's name for ``swiftwater.streaming.dstream``."""

from pyspark._elsewhere import found_elsewhere
from swiftwater._typing import TYPE_CHECKING
from swiftwater.streaming.dstream import DStream, TransformedDStream

__all__ = ["DStream", "TransformedDStream"]


if not TYPE_CHECKING:
    # To a type checker these names are not there.
    __getattr__ = found_elsewhere(
        __name__,
        {
            "Py4JJavaError": "py4j.protocol",
            "RDD": "pyspark.rdd",
            "portable_hash": "pyspark.rdd",
            "ResultIterable": "pyspark.resultiterable",
            "StorageLevel": "pyspark.storagelevel",
            "TransformFunction": "pyspark.streaming.util",
            "rddToFileName": "pyspark.streaming.util",
        },
    )
