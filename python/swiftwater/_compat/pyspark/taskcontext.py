"""PySpark's name for ``swiftwater.taskcontext``."""

from swiftwater.taskcontext import BarrierTaskContext, BarrierTaskInfo, TaskContext

__all__ = ["BarrierTaskContext", "BarrierTaskInfo", "TaskContext"]
