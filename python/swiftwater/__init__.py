"""Swiftwater: streaming jobs in Python on a native engine, with PySpark Streaming's API.

Example::

    from swiftwater import SparkContext
    from swiftwater.streaming import StreamingContext

    sc = SparkContext("local[2]", "NetworkWordCount")
    ssc = StreamingContext(sc, 1)
    lines = ssc.socketTextStream("localhost", 9999)
    lines.flatMap(lambda line: line.split(" ")).countByValue().pprint()
    ssc.start()
    ssc.awaitTermination()
"""

from typing import TYPE_CHECKING

from swiftwater._native import engine as _engine
from swiftwater.conf import SparkConf
from swiftwater.context import SparkContext
from swiftwater.rdd import RDD

if TYPE_CHECKING:
    from swiftwater.accumulators import Accumulator, AccumulatorParam
    from swiftwater.broadcast import Broadcast
    from swiftwater.files import SparkFiles
    from swiftwater.status import SparkExecutorInfo, SparkJobInfo, SparkStageInfo, StatusTracker
    from swiftwater.storagelevel import StorageLevel
    from swiftwater.taskcontext import BarrierTaskContext, BarrierTaskInfo, TaskContext
    from swiftwater.threads import InheritableThread, inheritable_thread_target

__all__ = [
    "RDD",
    "Accumulator",
    "AccumulatorParam",
    "BarrierTaskContext",
    "BarrierTaskInfo",
    "Broadcast",
    "InheritableThread",
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

__version__: str = _engine.__version__

# What a job needs only now and then is loaded when it is asked for.
_HOMES = {
    "Accumulator": "accumulators",
    "AccumulatorParam": "accumulators",
    "BarrierTaskContext": "taskcontext",
    "BarrierTaskInfo": "taskcontext",
    "Broadcast": "broadcast",
    "InheritableThread": "threads",
    "SparkExecutorInfo": "status",
    "SparkFiles": "files",
    "SparkJobInfo": "status",
    "SparkStageInfo": "status",
    "StatusTracker": "status",
    "StorageLevel": "storagelevel",
    "TaskContext": "taskcontext",
    "inheritable_thread_target": "threads",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value
