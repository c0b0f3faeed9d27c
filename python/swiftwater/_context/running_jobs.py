"""Jobs of a program's threads: what runs, how it ended, and how to end it early.

A job runs on the thread that calls the action. So it is cancelled by raising an exception in that
thread; the user function that runs there, or else the action itself, ends with it.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Lock, get_ident
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from swiftwater._active import active_context
from swiftwater._calls import PACKAGE_FOLDER
from swiftwater._native import engine

if TYPE_CHECKING:
    from swiftwater.context import SparkContext
    from swiftwater.rdd import RDD

__all__ = ["Job", "Properties", "cancel", "known", "run_partitions", "watch"]

GROUP = "spark.jobGroup.id"
DESCRIPTION = "spark.job.description"
INTERRUPT = "spark.job.interruptOnCancel"
TAGS = "spark.job.tags"

# The native functions that are jobs.
_ACTIONS = ("collect", "take", "count", "encode")

# Spark's spark.ui.retainedJobs.
_MOST_KNOWN = 1000


class Properties(dict[str, str]):
    """The local properties of one thread; can be referred to weakly."""

    __slots__ = ("__weakref__", "thread")

    def __init__(self) -> None:
        """Make empty ones for the calling thread."""
        super().__init__()
        self.thread = get_ident()


class Job:
    """One job."""

    __slots__ = ("__weakref__", "group", "number", "status", "thread")

    def __init__(self, group: str | None) -> None:
        """Begin one on the calling thread."""
        self.number = next(_numbers)
        self.group = group
        self.status = "RUNNING"
        self.thread = get_ident()


_numbers = itertools.count()
_watching = False
_lock = Lock()
_jobs: WeakKeyDictionary[SparkContext, deque[Job]] = WeakKeyDictionary()


def watch() -> None:
    """Take note of all jobs from now on."""
    global _watching
    with _lock:
        if _watching:
            return
        _watching = True
        for name in _ACTIONS:
            function = getattr(engine, name, None)
            if function is not None:
                setattr(engine, name, _watched(function))


def _watched(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        job = _begin()
        try:
            result = function(*arguments)
        except BaseException:
            job.status = "FAILED"
            raise
        job.status = "SUCCEEDED"
        return result

    return called


def _begin() -> Job:
    active = active_context()
    job = Job(None if active is None else active._properties().get(GROUP))
    if active is not None:
        with _lock:
            _jobs.setdefault(active, deque(maxlen=_MOST_KNOWN)).append(job)
    return job


def run_partitions(rdd: RDD[Any], partitions: Sequence[int]) -> list[Any]:
    """Return the records of some partitions, in the order of ``partitions``."""
    parts = engine.collect(rdd._live, partitions)
    return list(itertools.chain.from_iterable(parts))


def known(context: SparkContext) -> list[Job]:
    """Return the jobs of ``context`` that were noted."""
    with _lock:
        return list(_jobs.get(context, ()))


def cancel(threads: Iterable[int] | None, reason: str) -> int:
    """End the jobs that run on ``threads`` (``None``: on any but this one); return how many."""
    frames = sys._current_frames()
    mine = get_ident()
    chosen = frames if threads is None else set(threads) & set(frames)
    cancelled = 0
    for thread in chosen:
        if thread != mine and _in_action(frames[thread]):
            cancelled += _interrupt(thread, reason)
    return cancelled


# Whoever is in one of these files computes, or is about to: what only builds is over in no time.
_FILES = (
    f"{PACKAGE_FOLDER}_rdd{os.sep}",
    watch.__code__.co_filename,
)


def _in_action(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_FILES):
            return True
        frame = frame.f_back
    return False


def _interrupt(thread: int, reason: str) -> int:
    import ctypes

    from swiftwater.errors import JobCancelledException

    # The interpreter makes the object itself and gives it no arguments.
    class Cancelled(JobCancelledException):
        def __init__(self, msg: object = reason, java_exception: Any = None) -> None:
            super().__init__(msg, java_exception)

    Cancelled.__name__ = Cancelled.__qualname__ = JobCancelledException.__name__
    Cancelled.__module__ = JobCancelledException.__module__
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    return int(raise_in(ctypes.c_ulong(thread), ctypes.py_object(Cancelled)))
