"""Durations as programs give them: numbers of seconds."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["milliseconds"]


def milliseconds(seconds: Any, what: str) -> int:
    """Return a duration in whole milliseconds; what is less is cut off, as in PySpark.

    Any kind of number will do. Raises ``TypeError`` for what is none, a text such as
    ``"4 seconds"`` for example, and ``ValueError`` for one that is not finite. ``what`` is its name
    in the message.

    Example::

        >>> milliseconds(0.2509, "windowDuration")
        250
    """
    if isinstance(seconds, bool) or not hasattr(type(seconds), "__float__"):
        raise TypeError(
            f"{what} must be a number of seconds, not {type(seconds).__name__}: {seconds!r}"
        )
    if not math.isfinite(seconds):
        raise ValueError(f"{what} must be a finite number of seconds, not {seconds}")
    return int(seconds * 1000)
