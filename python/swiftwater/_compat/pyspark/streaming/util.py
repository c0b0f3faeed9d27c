"""PySpark's name for ``swiftwater.streaming.util``."""

from pyspark._elsewhere import found_elsewhere
from swiftwater._typing import TYPE_CHECKING
from swiftwater.streaming.util import (
    TransformFunction,
    TransformFunctionSerializer,
    rddToFileName,
)

__all__ = ["TransformFunction", "TransformFunctionSerializer", "rddToFileName"]


if not TYPE_CHECKING:
    # To a type checker these names are not there.
    __getattr__ = found_elsewhere(
        __name__,
        {
            "SparkContext": "pyspark.context",
            "RDD": "pyspark.rdd",
        },
    )
