"""PySpark's name for ``swiftwater.streaming.util``."""

from swiftwater.streaming.util import (
    TransformFunction,
    TransformFunctionSerializer,
    rddToFileName,
)

__all__ = ["TransformFunction", "TransformFunctionSerializer", "rddToFileName"]
