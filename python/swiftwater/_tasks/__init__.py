"""What tasks do with functions and their values, and who is told of the end of each task."""

from __future__ import annotations

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["tell"]

_told: list[Callable[[int, bool], None]] = []


def tell(function: Callable[[int, bool], None]) -> None:
    """Have ``function`` called with each task's attempt id, and whether it has succeeded.

    That is behind the stage, in the order of the partitions.
    """
    if function not in _told:
        _told.append(function)
        engine.set_task_hook(_task_over)


def _task_over(attempt: int, succeeded: bool) -> None:
    for function in _told:
        function(attempt, succeeded)
