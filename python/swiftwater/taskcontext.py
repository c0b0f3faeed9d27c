"""TaskContext: what a function that works on records can ask about its task."""

from __future__ import annotations

from swiftwater._active_contexts import active_context
from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, NoReturn, cast

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["BarrierTaskContext", "BarrierTaskInfo", "TaskContext"]


class TaskContext:
    """The task in which a function runs: its stage, its partition, its attempt.

    ``TaskContext.get()`` gives it; in the driver, and so in the functions of ``foreachRDD`` and
    ``transform``, there is none.

    Example::

        >>> rdd = sc.parallelize("abcd", 2)
        >>> rdd.map(lambda letter: (TaskContext.get().partitionId(), letter)).collect()
        [(0, 'a'), (0, 'b'), (1, 'c'), (1, 'd')]
        >>> TaskContext.get() is None
        True
    """

    # What there is of a task in the driver, where Spark has a context without any too.
    _stage_id: int = cast("int", None)
    _partition_id: int = cast("int", None)
    _attempt_number: int = cast("int", None)
    _task_attempt_id: int = cast("int", None)

    def __init__(self) -> None:
        """Make the context of the calling function's task; in the driver its numbers are None."""
        task = engine.current_task()
        self._local_properties: dict[str, str] = {} if task is None else _local_properties()
        if task is not None:
            (
                self._stage_id,
                self._partition_id,
                self._attempt_number,
                self._task_attempt_id,
            ) = task

    @classmethod
    def get(cls) -> TaskContext | None:
        """Return the task of the calling function; ``None`` in the driver.

        Example::

            >>> sc.parallelize([1]).map(lambda n: TaskContext.get() is None).first()
            False
        """
        return None if engine.current_task() is None else cls()

    def stageId(self) -> int:
        """Return the number of the task's stage.

        Example::

            >>> rdd = sc.parallelize([1, 2], 2).map(lambda n: TaskContext.get().stageId())
            >>> len(set(rdd.collect()))
            1
        """
        return self._stage_id

    def partitionId(self) -> int:
        """Return the number of the partition that the task computes.

        Example::

            >>> sc.parallelize([1, 2], 2).map(lambda n: TaskContext.get().partitionId()).collect()
            [0, 1]
        """
        return self._partition_id

    def attemptNumber(self) -> int:
        """Return how often the task was tried before: 0 for the first attempt.

        Example::

            >>> sc.parallelize([1]).map(lambda n: TaskContext.get().attemptNumber()).first()
            0
        """
        return self._attempt_number

    def taskAttemptId(self) -> int:
        """Return a number that no other attempt of any task of the context has.

        Example::

            >>> rdd = sc.parallelize([1, 2], 2).map(lambda n: TaskContext.get().taskAttemptId())
            >>> len(set(rdd.collect()))
            2
        """
        return self._task_attempt_id

    def getLocalProperty(self, key: str) -> str | None:
        """Return what ``SparkContext.setLocalProperty`` has set in the thread that runs the job.

        Example::

            >>> sc.setLocalProperty("user", "ada")
            >>> rdd = sc.parallelize([1]).map(lambda n: TaskContext.get().getLocalProperty("user"))
            >>> rdd.first()
            'ada'
        """
        return self._local_properties.get(key)

    def cpus(self) -> int:
        """Return the number of cores of the task, which is one.

        Example::

            >>> sc.parallelize([1]).map(lambda n: TaskContext.get().cpus()).first()
            1
        """
        return 1

    def cpuAmount(self) -> Decimal:
        """Return the number of cores of the task as a ``Decimal``.

        Example::

            >>> sc.parallelize([1]).map(lambda n: TaskContext.get().cpuAmount()).first()
            Decimal('1')
        """
        from decimal import Decimal

        return Decimal(1)

    def resources(self) -> dict[str, object]:
        """Return the accelerators of the task: none.

        Example::

            >>> sc.parallelize([1]).map(lambda n: TaskContext.get().resources()).first()
            {}
        """
        return {}


class BarrierTaskContext(TaskContext):
    """The task of a barrier stage, in which all tasks run at once. There are none here.

    Example::

        >>> issubclass(BarrierTaskContext, TaskContext)
        True
    """

    @classmethod
    def get(cls) -> NoReturn:
        """Raise ``NotImplementedError``: there are no barrier stages.

        Example::

            >>> BarrierTaskContext.get()
            Traceback (most recent call last):
            ...
            NotImplementedError: BarrierTaskContext.get() needs a barrier stage, and Swiftwater ...
        """
        raise NotImplementedError(
            "BarrierTaskContext.get() needs a barrier stage, and Swiftwater has none: "
            "use RDD.mapPartitions with TaskContext.get()"
        )


class BarrierTaskInfo:
    """The address of a task of a barrier stage; a name for programs that import it.

    Example::

        >>> BarrierTaskInfo("localhost:1").address
        'localhost:1'
    """

    def __init__(self, address: str) -> None:
        """Take host and port."""
        self.address = address


def _local_properties() -> dict[str, str]:
    from swiftwater import _workers

    if _workers.properties is not None:
        return dict(_workers.properties)
    active = active_context()
    return {} if active is None else dict(active._properties())
