"""StatusTracker: which jobs and stages run, and how those before them ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from swiftwater._native import engine

if TYPE_CHECKING:
    from swiftwater.context import SparkContext

__all__ = ["SparkExecutorInfo", "SparkJobInfo", "SparkStageInfo", "StatusTracker"]


class SparkJobInfo(NamedTuple):
    """A job: its number, its stages so far, and ``RUNNING``, ``SUCCEEDED`` or ``FAILED``.

    Example::

        >>> SparkJobInfo(0, (), "RUNNING").status
        'RUNNING'
    """

    jobId: int
    stageIds: tuple[int, ...]
    status: str


class SparkStageInfo(NamedTuple):
    """A stage: its number, the last operator in it, and its tasks: all, and what became of them.

    Example::

        >>> SparkStageInfo(0, 0, "collect", 2, 0, 2, 0).numTasks
        2
    """

    stageId: int
    currentAttemptId: int
    name: str
    numTasks: int
    numActiveTasks: int
    numCompletedTasks: int
    numFailedTasks: int


class SparkExecutorInfo(NamedTuple):
    """The process that runs tasks, which is this one.

    Example::

        >>> SparkExecutorInfo("localhost", 0, 0, 1).numRunningTasks
        1
    """

    host: str
    port: int
    cacheSize: int
    numRunningTasks: int
    usedOnHeapStorageMemory: int = 0
    usedOffHeapStorageMemory: int = 0
    totalOnHeapStorageMemory: int = 0
    totalOffHeapStorageMemory: int = 0


class StatusTracker:
    """Tells of the jobs and stages of a context; made by ``SparkContext.statusTracker``.

    It knows what began after the program's first call of ``statusTracker`` or ``setJobGroup``, and
    of the jobs and stages that have ended the last thousand each. A stage that an earlier job has
    run is none of a job's.

    Example::

        >>> tracker = sc.statusTracker()
        >>> sc.setJobGroup("sums", "adding up")
        >>> sc.parallelize([1, 2]).count()
        2
        >>> [tracker.getJobInfo(number).status for number in tracker.getJobIdsForGroup("sums")]
        ['SUCCEEDED']
    """

    def __init__(self, context: SparkContext) -> None:
        """Make one; programs call ``SparkContext.statusTracker``."""
        self._handle = context._engine
        engine.watch_jobs(self._handle)

    def getJobIdsForGroup(self, jobGroup: str | None = None) -> list[int]:
        """Return the numbers of the jobs of a group, the newest first; ``None``: of no group.

        Example::

            >>> sc.statusTracker().getJobIdsForGroup("nobody's")
            []
        """
        jobs = engine.jobs(self._handle)
        return sorted((number for number, group, _, _ in jobs if group == jobGroup), reverse=True)

    def getActiveJobsIds(self) -> list[int]:
        """Return the numbers of the jobs that run.

        Example::

            >>> sc.statusTracker().getActiveJobsIds()
            []
        """
        jobs = engine.jobs(self._handle)
        running = (number for number, _, status, _ in jobs if status == "RUNNING")
        return sorted(running, reverse=True)

    def getActiveStageIds(self) -> list[int]:
        """Return the numbers of the stages that run.

        Example::

            >>> sc.statusTracker().getActiveStageIds()
            []
        """
        running = (number for number, _, runs, *_ in engine.stages(self._handle) if runs)
        return sorted(running, reverse=True)

    def getJobInfo(self, jobId: int) -> SparkJobInfo | None:
        """Return what is known of a job; ``None`` where nothing is.

        Example::

            >>> sc.statusTracker().getJobInfo(-1) is None
            True
        """
        for number, _, status, stages in engine.jobs(self._handle):
            if number == jobId:
                return SparkJobInfo(number, stages, status)
        return None

    def getStageInfo(self, stageId: int) -> SparkStageInfo | None:
        """Return what is known of a stage; ``None`` where nothing is.

        Example::

            >>> tracker = sc.statusTracker()
            >>> sc.setJobGroup("sums", "adding up")
            >>> sc.parallelize([1, 2, 3], 3).count()
            3
            >>> (job,) = tracker.getJobIdsForGroup("sums")
            >>> (stage,) = tracker.getJobInfo(job).stageIds
            >>> tracker.getStageInfo(stage).numCompletedTasks
            3
        """
        for number, name, _, *tasks in engine.stages(self._handle):
            if number == stageId:
                return SparkStageInfo(number, 0, name, *tasks)
        return None

    def getExecutorInfos(self) -> list[SparkExecutorInfo]:
        """Return this process, with the number of tasks that run.

        Example::

            >>> [one.host for one in sc.statusTracker().getExecutorInfos()]
            ['localhost']
        """
        running = sum(stage[4] for stage in engine.stages(self._handle))
        return [SparkExecutorInfo("localhost", 0, 0, running)]
