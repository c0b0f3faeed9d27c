"""What the operators know about their caller: the place of the call, and whether it makes sense."""

from __future__ import annotations

import os
import sys

__all__ = [
    "PACKAGE_FOLDER",
    "call_place",
    "call_site",
    "pause",
    "require_callable",
    "stop_iteration",
]


def pause() -> None:
    """Do nothing; what other threads have raised in the calling one is raised here."""


def _here() -> str:
    return _here.__code__.co_filename


# Taken from a code object, so that it is spelled exactly as in the frames that it is compared with.
PACKAGE_FOLDER = os.path.dirname(_here()) + os.sep


def call_place() -> tuple[str, int]:
    """Return file and line of the nearest frame outside this package (``("", 0)``: none)."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(PACKAGE_FOLDER):
        if frame.f_back is None:
            return "", 0
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def call_site() -> str:
    """Return the place of the user's call as logs and errors show it: ``"job.py:9"``."""
    file, line = call_place()
    return f"{os.path.basename(file)}:{line}" if file else "unknown place"


def require_callable(operator: str, function: object, argument: str = "a function") -> None:
    """Raise ``TypeError`` naming ``operator`` where ``function`` cannot be called."""
    if not callable(function):
        raise TypeError(f"{operator} needs {argument}, not {type(function).__name__}: {function!r}")


def stop_iteration(end: StopIteration) -> Exception:
    """Return PySpark's error for a user's function that raised ``StopIteration``.

    As it is, it would end the loop around the call, and records would be lost without a word.
    """
    from swiftwater.errors import PySparkRuntimeError

    return PySparkRuntimeError(
        f"Caught StopIteration thrown from user's code; failing the task: {end}",
        errorClass="STOP_ITERATION_OCCURRED",
        messageParameters={"exc": str(end)},
    )
