"""PySpark's names on Swiftwater; importable only in a job that ``swiftwater run`` runs.

What a word count does not need is loaded when it is asked for.
"""

from swiftwater import RDD, SparkConf, SparkContext
from swiftwater._typing import TYPE_CHECKING
from swiftwater.context import SPARK_VERSION

if TYPE_CHECKING:
    from pyspark.profiler import BasicProfiler, Profiler
    from pyspark.serializers import CPickleSerializer, MarshalSerializer
    from pyspark.sql import Row as Row
    from pyspark.sql import SQLContext as SQLContext
    from swiftwater import (
        Accumulator,
        AccumulatorParam,
        BarrierTaskContext,
        BarrierTaskInfo,
        Broadcast,
        InheritableThread,
        SparkExecutorInfo,
        SparkFiles,
        SparkJobInfo,
        SparkStageInfo,
        StatusTracker,
        StorageLevel,
        TaskContext,
        inheritable_thread_target,
    )

# Row and SQLContext are importable too, but a star must not load them: they need DuckDB.
__all__ = [
    "RDD",
    "Accumulator",
    "AccumulatorParam",
    "BarrierTaskContext",
    "BarrierTaskInfo",
    "BasicProfiler",
    "Broadcast",
    "CPickleSerializer",
    "InheritableThread",
    "MarshalSerializer",
    "Profiler",
    "SparkConf",
    "SparkContext",
    "SparkExecutorInfo",
    "SparkFiles",
    "SparkJobInfo",
    "SparkStageInfo",
    "StatusTracker",
    "StorageLevel",
    "TaskContext",
    "__version__",
    "inheritable_thread_target",
]

__version__: str = SPARK_VERSION

_HOMES = {
    "BasicProfiler": "pyspark.profiler",
    "CPickleSerializer": "pyspark.serializers",
    "MarshalSerializer": "pyspark.serializers",
    "PickleSerializer": "pyspark.serializers",
    "Profiler": "pyspark.profiler",
    "Row": "pyspark.sql",
    "SQLContext": "pyspark.sql",
    "is_remote_only": "pyspark.util",
    "keyword_only": "pyspark.util",
    "since": "pyspark.util",
}

# What PySpark's own import brings along: "import pyspark" and then "pyspark.sql.SparkSession".
_MODULES = frozenset(
    {
        "accumulators", "broadcast", "cloudpickle", "conf", "context", "core", "errors", "files",
        "java_gateway", "join", "profiler", "rdd", "rddsampler", "resultiterable", "serializers",
        "shuffle", "sql", "statcounter", "status", "storagelevel", "taskcontext", "util",
        "version",
    }
)  # fmt: skip


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOMES and name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(_HOMES.get(name, "swiftwater")), name)
        globals()[name] = value
        return value
