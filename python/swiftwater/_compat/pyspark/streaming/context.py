"""PySpark's name for ``swiftwater.streaming.context``."""

from pyspark._elsewhere import SERIALIZERS, found_elsewhere
from swiftwater._typing import TYPE_CHECKING
from swiftwater.streaming.context import StreamingContext

__all__ = ["StreamingContext"]


if not TYPE_CHECKING:
    # To a type checker these names are not there.
    __getattr__ = found_elsewhere(
        __name__,
        {
            **SERIALIZERS,
            "SparkConf": "pyspark.conf",
            "SparkContext": "pyspark.context",
            "RDD": "pyspark.rdd",
            "StorageLevel": "pyspark.storagelevel",
            "DStream": "pyspark.streaming.dstream",
            "StreamingListener": "pyspark.streaming.listener",
            "TransformFunction": "pyspark.streaming.util",
            "TransformFunctionSerializer": "pyspark.streaming.util",
        },
    )
