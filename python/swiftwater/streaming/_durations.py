"""Durations as programs give them: numbers of seconds."""

from __future__ import annotations

import math

from swiftwater._typing import Any

__all__ = ["milliseconds", "time_to_live_ms"]

# A century. Durations are added up, and counted in nanoseconds of 64 bits.
_LONGEST = 36_525 * 86_400


def milliseconds(seconds: Any, what: str, most: int = _LONGEST) -> int:
    """Return a duration in whole milliseconds; what is less is cut off, as in PySpark.

    Any kind of number will do. Raises ``TypeError`` for what is none, a text such as
    ``"4 seconds"`` for example, and ``ValueError`` for one that is not finite, or more than a
    century. ``what`` is its name in the message.

    Example::

        >>> milliseconds(0.2509, "windowDuration")
        250
    """
    if isinstance(seconds, bool) or not hasattr(type(seconds), "__float__"):
        raise TypeError(
            f"{what} must be a number of seconds, not {type(seconds).__name__}: {seconds!r}"
        )
    try:
        is_finite = math.isfinite(seconds)
    except OverflowError:
        is_finite = True  # a whole number, and a large one
    if not is_finite:
        raise ValueError(f"{what} must be a finite number of seconds, not {seconds}")
    if seconds > most:
        raise ValueError(f"{what} must be at most {most} seconds, not {seconds}")
    return int(seconds * 1000)


def time_to_live_ms(seconds: Any) -> int | None:
    """Return a time to live in milliseconds; 0 for one without an end, ``None`` for ``None``.

    Raises what ``milliseconds`` raises, and ``ValueError`` for less than a millisecond.

    Example::

        >>> time_to_live_ms(0), time_to_live_ms(1.5), time_to_live_ms(None)
        (0, 1500, None)
    """
    if seconds is None:
        return None
    found = milliseconds(seconds, "timeToLive")
    if seconds != 0 and found <= 0:
        raise ValueError(f"timeToLive must be at least 0.001 seconds, or 0, not {seconds}")
    return found
