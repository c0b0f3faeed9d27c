"""Jobs of a program's threads: their properties, and how to end them early.

A job runs on the thread that calls the action. So it is cancelled by raising an exception in that
thread; the user function that runs there, or else the action itself, ends with it.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable, Sequence
from threading import get_ident
from types import FrameType

from swiftwater._native import engine
from swiftwater._operator_calls import PACKAGE_FOLDER
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["Properties", "cancel", "run_partitions"]

GROUP = "spark.jobGroup.id"
DESCRIPTION = "spark.job.description"
INTERRUPT = "spark.job.interruptOnCancel"
TAGS = "spark.job.tags"


class Properties(dict[str, str]):
    """The local properties of one thread; can be referred to weakly."""

    __slots__ = ("__weakref__", "thread")

    def __init__(self) -> None:
        """Make empty ones for the calling thread."""
        super().__init__()
        self.thread = get_ident()


def run_partitions(rdd: RDD[Any], partitions: Sequence[int]) -> list[Any]:
    """Return the records of some partitions, in the order of ``partitions``."""
    parts = engine.collect(rdd._live, partitions)
    return list(itertools.chain.from_iterable(parts))


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
    run_partitions.__code__.co_filename,
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
