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

# At once, for its place at the exit: what a program registers later runs while contexts are open.
from swiftwater import _process_end as _process_end
from swiftwater._native import engine as _engine

TYPE_CHECKING = False

if TYPE_CHECKING:
    from swiftwater.accumulators import Accumulator, AccumulatorParam
    from swiftwater.broadcast import Broadcast
    from swiftwater.conf import SparkConf
    from swiftwater.context import SparkContext
    from swiftwater.files import SparkFiles
    from swiftwater.rdd import RDD
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

# All of it is loaded when it is asked for: a worker process, which imports this package too, needs
# no class of the driver, and a job needs most of them only now and then.
_HOMES = {
    "RDD": "rdd",
    "Accumulator": "accumulators",
    "AccumulatorParam": "accumulators",
    "BarrierTaskContext": "taskcontext",
    "BarrierTaskInfo": "taskcontext",
    "Broadcast": "broadcast",
    "InheritableThread": "threads",
    "SparkConf": "conf",
    "SparkContext": "context",
    "SparkExecutorInfo": "status",
    "SparkFiles": "files",
    "SparkJobInfo": "status",
    "SparkStageInfo": "status",
    "StatusTracker": "status",
    "StorageLevel": "storagelevel",
    "TaskContext": "taskcontext",
    "inheritable_thread_target": "threads",
}
# Programs find these without importing them.
_MODULES = ("conf", "context", "rdd")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_MODULES})
