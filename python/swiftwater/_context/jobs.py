"""Jobs: properties of the threads that run them, groups and tags, cancelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from swiftwater._context.core import SparkContextCore
from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, TypeVar
from swiftwater.rdd import RDD  # noqa: TC001 - `typing.get_type_hints` finds it

if TYPE_CHECKING:
    from swiftwater._context.running_jobs import Properties
    from swiftwater.status import StatusTracker

__all__ = ["Jobs"]

T = TypeVar("T")
U = TypeVar("U")


class Jobs(SparkContextCore):
    """Jobs of the calling thread, and of others."""

    def runJob(
        self,
        rdd: RDD[T],
        partitionFunc: Callable[[Iterator[T]], Iterable[U]],
        partitions: Sequence[int] | None = None,
        allowLocal: bool = False,
    ) -> list[U]:
        """Return what ``partitionFunc(iterator)`` gives for the partitions with these numbers.

        Without ``partitions`` it is all of them. Raises ``IllegalArgumentException`` for a number
        that the RDD does not have.

        Example::

            >>> sc.runJob(sc.parallelize(range(6), 3), lambda part: [sum(part)], [2, 0])
            [9, 1]
        """
        mapped = rdd.mapPartitions(partitionFunc)
        if partitions is None:
            return mapped.collect()
        from swiftwater._context import running_jobs

        count = rdd.getNumPartitions()
        for partition in partitions:
            if not 0 <= partition < count:
                from swiftwater.errors import IllegalArgumentException

                raise IllegalArgumentException(
                    f"Attempting to access a non-existent partition: {partition}. "
                    f"Total number of partitions: {count}"
                )
        return running_jobs.run_partitions(mapped, list(partitions))

    def setLocalProperty(self, key: str, value: str | None) -> None:
        """Set a property of the calling thread, which its tasks read; ``None`` takes it away.

        Example::

            >>> sc.setLocalProperty("user", "ada")
            >>> sc.getLocalProperty("user")
            'ada'
        """
        properties = self._properties()
        if value is None:
            properties.pop(key, None)
        else:
            properties[key] = str(value)
        from swiftwater._context import running_jobs

        if key == running_jobs.GROUP and self._handle is not None:
            engine.set_job_group(self._handle, properties.get(key))

    def getLocalProperty(self, key: str) -> str | None:
        """Return a property of the calling thread; ``None`` where it is not set.

        Example::

            >>> sc.getLocalProperty("user") is None
            True
        """
        return self._properties().get(key)

    def setJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> None:
        """Give the jobs of the calling thread a name by which another thread can cancel them.

        ``interruptOnCancel`` is accepted: cancelling always ends the function that runs.

        Example::

            >>> sc.setJobGroup("nightly", "sums of the night")
            >>> sc.getLocalProperty("spark.jobGroup.id")
            'nightly'
        """
        from swiftwater._context import running_jobs

        if self._handle is not None:
            engine.watch_jobs(self._handle)
        self.setLocalProperty(running_jobs.GROUP, groupId)
        self.setLocalProperty(running_jobs.DESCRIPTION, description)
        self.setLocalProperty(running_jobs.INTERRUPT, str(bool(interruptOnCancel)).lower())

    def setInterruptOnCancel(self, interruptOnCancel: bool) -> None:
        """Set what ``setJobGroup`` takes as ``interruptOnCancel``.

        Example::

            >>> sc.setInterruptOnCancel(True)
            >>> sc.getLocalProperty("spark.job.interruptOnCancel")
            'true'
        """
        self.setLocalProperty("spark.job.interruptOnCancel", str(bool(interruptOnCancel)).lower())

    def setJobDescription(self, value: str) -> None:
        """Describe the jobs of the calling thread.

        Example::

            >>> sc.setJobDescription("sums of the night")
            >>> sc.getLocalProperty("spark.job.description")
            'sums of the night'
        """
        self.setLocalProperty("spark.job.description", value)

    def addJobTag(self, tag: str) -> None:
        """Give the jobs of the calling thread one more tag. No commas, and not empty.

        Example::

            >>> sc.addJobTag("nightly")
            >>> sc.getJobTags()
            {'nightly'}
        """
        if not isinstance(tag, str) or not tag or "," in tag:
            from swiftwater.errors import IllegalArgumentException

            raise IllegalArgumentException(
                f"requirement failed: a job's tag is a text without commas, not {tag!r}"
            )
        self._set_tags(self.getJobTags() | {tag})

    def removeJobTag(self, tag: str) -> None:
        """Take a tag away again.

        Example::

            >>> sc.addJobTag("nightly")
            >>> sc.removeJobTag("nightly")
            >>> sc.getJobTags()
            set()
        """
        self._set_tags(self.getJobTags() - {tag})

    def getJobTags(self) -> set[str]:
        """Return the tags of the calling thread's jobs.

        Example::

            >>> sc.getJobTags()
            set()
        """
        return _tags(self._properties())

    def clearJobTags(self) -> None:
        """Take all tags away.

        Example::

            >>> sc.addJobTag("nightly")
            >>> sc.clearJobTags()
            >>> sc.getJobTags()
            set()
        """
        self._set_tags(set())

    def _set_tags(self, tags: set[str]) -> None:
        self.setLocalProperty("spark.job.tags", ",".join(sorted(tags)) or None)

    def cancelJobGroup(self, groupId: str) -> None:
        """End the jobs that other threads run in this group: they raise ``JobCancelledException``.

        A job ends in the Python function that runs, or else before its next result.

        Example::

            >>> sc.cancelJobGroup("nobody's")
        """
        from swiftwater._context import running_jobs

        threads = self._threads_with(lambda given: given.get(running_jobs.GROUP) == groupId)
        running_jobs.cancel(threads, f"Job cancelled part of cancelled job group {groupId}")

    def cancelJobsWithTag(self, tag: str) -> None:
        """End the jobs that other threads run with this tag; see ``cancelJobGroup``.

        Example::

            >>> sc.cancelJobsWithTag("nobody's")
        """
        from swiftwater._context import running_jobs

        threads = self._threads_with(lambda given: tag in _tags(given))
        running_jobs.cancel(threads, f"Job cancelled part of cancelled job tags {tag}")

    def cancelAllJobs(self) -> None:
        """End all jobs that other threads run; see ``cancelJobGroup``.

        Example::

            >>> sc.cancelAllJobs()
        """
        from swiftwater._context import running_jobs

        running_jobs.cancel(None, "Job cancelled as part of cancellation of all jobs")

    def statusTracker(self) -> StatusTracker:
        """Return what tells of running and ended jobs.

        Example::

            >>> sc.statusTracker().getActiveJobsIds()
            []
        """
        _ = self._engine
        from swiftwater.status import StatusTracker

        return StatusTracker(self._itself)

    def _threads_with(self, matches: Callable[[Properties], bool]) -> list[int]:
        """Return the threads whose local properties fulfil a condition."""
        given = {thread: made() for thread, made in list(self._threads.items())}
        return [thread for thread, found in given.items() if found is not None and matches(found)]


def _tags(properties: Mapping[str, str]) -> set[str]:
    return set(filter(None, properties.get("spark.job.tags", "").split(",")))
