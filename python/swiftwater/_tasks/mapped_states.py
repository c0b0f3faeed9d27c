"""How the function of ``mapWithState`` is called, in tasks.

A worker process that is sent such a function loads no more than this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from swiftwater._typing import Any
from swiftwater.streaming.state import State

__all__ = ["with_states"]

# What became of a key's state.
_SAME, _CHANGED, _REMOVED = 0, 1, 2


def with_states(
    function: Callable[..., Any], takes_time: bool
) -> Callable[[int, list[Iterator[Any]]], Any]:
    """Return what applies a function to the records of a partition and the states of their keys.

    The parts are: the batch time in ms; the records' keys; their values; for each record which of
    the keys it has; for each key whether it has a state; the states of those that have one; the
    keys whose time is out, and their states. The result is one list: what became of each key's
    state, then the new states, then what the function has made.
    """

    def applied(index: int, parts: list[Iterator[Any]]) -> list[Any]:
        (time_ms,) = parts[0]
        keys, values, places, flags, before, idle, idle_states = parts[1:]
        call = function
        if takes_time:
            call = partial(function, datetime.fromtimestamp(time_ms / 1000.0))
        exists = [flag == 1 for flag in flags]
        states = [next(before) if flag else None for flag in exists]
        outcomes = [_SAME] * len(states)
        made: list[Any] = []
        for key, value, place in zip(keys, values, places, strict=True):
            state: State[Any] = State(states[place]) if exists[place] else State()
            made.append(call(key, value, state))
            if state._is_removed:
                outcomes[place], exists[place], states[place] = _REMOVED, False, None
            elif state._is_updated:
                outcomes[place], exists[place], states[place] = _CHANGED, True, state._value
        for key, value in zip(idle, idle_states, strict=True):
            state = State(value)
            state._is_timing_out = True
            made.append(call(key, None, state))
        if takes_time:
            made = [record for record in made if record is not None]
        changed = [
            state for state, outcome in zip(states, outcomes, strict=True) if outcome == _CHANGED
        ]
        return [*outcomes, *changed, *made]

    return applied
