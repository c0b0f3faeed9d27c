"""PySpark's name for ``swiftwater.status``."""

from swiftwater.status import (
    SparkExecutorInfo,
    SparkJobInfo,
    SparkStageInfo,
    StatusTracker,
)

__all__ = ["SparkExecutorInfo", "SparkJobInfo", "SparkStageInfo", "StatusTracker"]
