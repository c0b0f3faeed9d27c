"""The environment, as tasks may change it: behind their stage it is again what the driver's was.

Spark's tasks run in processes with an environment of their own. Here a variable that a task sets
in ``os.environ`` is set, for programs that it starts and libraries that it loads, and is set back
at the end of the stage.
"""

from __future__ import annotations

import os
from threading import Lock

from swiftwater import _tasks
from swiftwater._native import engine
from swiftwater._typing import Any

__all__ = ["watch"]

# What variables were that a task has set or deleted (None: not there), by the task's attempt id.
_before: dict[bytes, tuple[int, bytes | None]] = {}
_lock = Lock()


def watch() -> None:
    """Notice from now on which task changes the environment."""
    for environment in (os.environ, os.environb):
        if type(environment) is os._Environ:
            environment.__class__ = _Watched


class _Watched(os._Environ[Any]):
    """The environment: it remembers what tasks have found in it."""

    def __setitem__(self, name: Any, value: Any) -> None:
        key, before = _found(self, name)
        super().__setitem__(name, value)
        _note(key, before)

    def __delitem__(self, name: Any) -> None:
        key, before = _found(self, name)
        super().__delitem__(name)
        _note(key, before)


def _found(environment: Any, name: str | bytes) -> tuple[bytes, bytes | None]:
    key = environment.encodekey(name)
    return key, environment._data.get(key)


def _note(name: bytes, before: bytes | None) -> None:
    task = engine.current_task()
    with _lock:
        if task is None:
            # The driver has the last word.
            _before.pop(name, None)
        elif name not in _before:
            _before[name] = (task[3], before)
    if task is not None:
        _tasks.tell(_set_back)


def _set_back(attempt: int, _: bool) -> None:
    with _lock:
        changed = {name: it[1] for name, it in _before.items() if it[0] == attempt}
        for name in changed:
            del _before[name]
    plain: Any = os._Environ
    for name, before in changed.items():
        if before is not None:
            plain.__setitem__(os.environb, name, before)
        elif name in os.environb:
            plain.__delitem__(os.environb, name)
