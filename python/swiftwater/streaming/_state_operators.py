"""How large windows and states are."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["StateOperator"]


class StateOperator(NamedTuple):
    """How large a window or a state is; what ``StreamingContext.stateOperators`` gives.

    ``name`` is that in checkpoints, ``operator`` the method and ``site`` the place of its call.
    ``bytes`` is about what the engine's table takes; of Python objects only what it has beside
    them. ``expired`` counts the keys that were forgotten because their time to live was over, or
    the time-out of ``mapWithState``.

    Example::

        >>> StateOperator("totals", "updateStateByKey", "job.py:9", 3, 4096, 0).keys
        3
    """

    name: str
    operator: str
    site: str
    keys: int
    bytes: int
    expired: int
