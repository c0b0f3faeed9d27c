"""Numbers of users, checked where they come in: counts of partitions and records.

Beyond these functions a number is whole, and not so large that arithmetic with it leaves 64 bits or
that there is no memory for so many of something.
"""

from __future__ import annotations

import operator

from swiftwater._native import engine
from swiftwater._typing import Any

__all__ = [
    "MOST_PARTITIONS",
    "checked_partitions",
    "require_partitions",
    "whole",
    "whole_and_no_truth",
]

# A table of so many is nothing, but a program with more of them has mistaken a number.
MOST_PARTITIONS = engine.most_partitions


def whole(given: Any, what: str) -> int:
    """Return ``given`` as a whole number: ``True`` is 1, as everywhere in Python.

    Raises ``TypeError`` for anything else, such as 2.5.
    """
    try:
        return operator.index(given)
    except TypeError:
        raise _not_whole(given, what) from None


def whole_and_no_truth(given: Any, what: str) -> int:
    """Return ``given`` as a whole number where Spark hands it to Java, which tells it from truth.

    Raises ``TypeError`` for anything else, and for ``True`` and ``False``.
    """
    if isinstance(given, bool):
        raise _not_whole(given, what)
    return whole(given, what)


def _not_whole(given: Any, what: str) -> TypeError:
    return TypeError(f"{what} must be a whole number, not {type(given).__name__}: {given!r}")


def checked_partitions(name: str, given: Any) -> int:
    """Return the number of partitions that was given to the operator ``name``.

    Raises ``ValueError`` for what is none, or too large.
    """
    try:
        number = whole_and_no_truth(given, name)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} needs a positive number of partitions, not {given!r}")
    require_partitions(name, number)
    return number


def require_partitions(name: str, number: int) -> None:
    """Raise ``ValueError`` where an RDD would have too many partitions."""
    if number > MOST_PARTITIONS:
        raise ValueError(f"{name}: {number} partitions are more than {MOST_PARTITIONS}")
