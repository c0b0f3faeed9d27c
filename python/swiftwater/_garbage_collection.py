"""How often Python looks for cycles of garbage while the engine works."""

from __future__ import annotations

import gc

__all__ = ["relax"]

# Containers made and not freed between two looks, and how many looks of one generation there are
# to one of the next. Python's own 700 is for small programs: a join of a million pairs spent two
# thirds of its time looking through what the engine keeps.
_THRESHOLDS = (100_000, 20, 10)

# What CPython begins with, in any version.
_LARGEST_DEFAULT = 2_000


def relax() -> None:
    """Make the collector rarer, unless it is off or the program has set it already."""
    if gc.isenabled() and 0 < gc.get_threshold()[0] <= _LARGEST_DEFAULT:
        gc.set_threshold(*_THRESHOLDS)
