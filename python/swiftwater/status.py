"""StatusTracker: which jobs run, and how those before them ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from swiftwater._context import running_jobs

if TYPE_CHECKING:
    from swiftwater.context import SparkContext

__all__ = ["SparkExecutorInfo", "SparkJobInfo", "SparkStageInfo", "StatusTracker"]


class SparkJobInfo(NamedTuple):
    """A job: its number, its stages, and ``RUNNING``, ``SUCCEEDED`` or ``FAILED``.

    Example::

        >>> SparkJobInfo(0, (), "RUNNING").status
        'RUNNING'
    """

    jobId: int
    stageIds: tuple[int, ...]
    status: str


class SparkStageInfo(NamedTuple):
    """A stage, as Spark describes it; a name for programs that import it.

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
    """Tells of the jobs of a context; made by ``SparkContext.statusTracker``.

    It knows the jobs that began after the program's first call of ``statusTracker`` or
    ``setJobGroup``, and of those that have ended the last thousand. Stages are not told apart.

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
        self._context = context
        running_jobs.watch()

    def getJobIdsForGroup(self, jobGroup: str | None = None) -> list[int]:
        """Return the numbers of the jobs of a group, the newest first; ``None``: of no group.

        Example::

            >>> sc.statusTracker().getJobIdsForGroup("nobody's")
            []
        """
        jobs = [job for job in running_jobs.known(self._context) if job.group == jobGroup]
        return sorted((job.number for job in jobs), reverse=True)

    def getActiveJobsIds(self) -> list[int]:
        """Return the numbers of the jobs that run.

        Example::

            >>> sc.statusTracker().getActiveJobsIds()
            []
        """
        jobs = [job for job in running_jobs.known(self._context) if job.status == "RUNNING"]
        return sorted((job.number for job in jobs), reverse=True)

    def getActiveStageIds(self) -> list[int]:
        """Return an empty list: stages are not told apart.

        Example::

            >>> sc.statusTracker().getActiveStageIds()
            []
        """
        return []

    def getJobInfo(self, jobId: int) -> SparkJobInfo | None:
        """Return what is known of a job; ``None`` where nothing is.

        Example::

            >>> sc.statusTracker().getJobInfo(-1) is None
            True
        """
        for job in running_jobs.known(self._context):
            if job.number == jobId:
                return SparkJobInfo(job.number, (), job.status)
        return None

    def getStageInfo(self, stageId: int) -> SparkStageInfo | None:
        """Return ``None``: stages are not told apart.

        Example::

            >>> sc.statusTracker().getStageInfo(0) is None
            True
        """
        return None

    def getExecutorInfos(self) -> list[SparkExecutorInfo]:
        """Return this process, with the number of jobs that run in it.

        Example::

            >>> [one.host for one in sc.statusTracker().getExecutorInfos()]
            ['localhost']
        """
        return [SparkExecutorInfo("localhost", 0, 0, len(self.getActiveJobsIds()))]
