"""What must end with the process, and what must not survive a fork.

Contexts register here what stops them. At the interpreter's exit, or after an interrupt that
nobody caught, everything still registered is stopped, newest first.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable

from swiftwater._native import engine

__all__ = [
    "clear_at_exit",
    "forget",
    "register",
    "require_this_process",
    "started",
    "stop_everything",
]

# Called with True for a graceful stop.
Stop = Callable[[bool], None]

_open: list[Stop] = []
_used = False
_forked = False


def register(stop: Stop) -> None:
    """Have ``stop(graceful)`` called at exit, unless ``forget`` comes first."""
    global _used
    _used = True
    _open.append(stop)
    clear_at_exit("__main__")


def clear_at_exit(*names: str) -> None:
    """Have the variables of modules cleared at exit, whoever still holds their functions.

    Python clears the modules that are still there when it ends. The script's own would not be among
    them: its functions, which the engine holds, keep its variables but not the module. So files
    that the script has left open would not be written out.
    """
    kept: dict[str, object] = sys.__dict__.setdefault("_swiftwater_modules", {})
    kept.update((name, sys.modules[name]) for name in names if name in sys.modules)


def forget(stop: Stop) -> None:
    """Take back ``register``; nothing happens where it is not registered."""
    if stop in _open:
        _open.remove(stop)


def started() -> bool:
    """Return whether anything is registered that has to be stopped."""
    return bool(_open) and not _forked


def stop_everything(graceful: bool = False) -> None:
    """Stop all that is registered, newest first; a failing stop is reported, not raised."""
    while started():
        stop = _open.pop()
        try:
            stop(graceful)
        except (KeyboardInterrupt, SystemExit):
            # A signal: from now on nothing waits. The next one ends the process.
            graceful = False
            _open.append(stop)
        except Exception as error:  # noqa: BLE001 - the others have to be stopped too
            engine.notice("error", None, f"could not stop at exit: {error}")


def require_this_process() -> None:
    """Raise ``RuntimeError`` in a child of ``os.fork``: the engine's threads are not there."""
    if _forked:
        raise RuntimeError(
            "Swiftwater cannot be used in a process made by os.fork after a context was opened: "
            "the engine's threads exist only in the parent process. Fork before the first "
            "SparkContext, or start a new interpreter (multiprocessing: the 'spawn' method)"
        )


def _after_fork() -> None:
    global _forked
    _forked = _used


def _at_exit() -> None:
    if not started():
        return
    # A bare import of the package loads this module, but not what handles signals.
    from swiftwater import _interrupts

    _interrupts.note_end()
    stop_everything(graceful=_interrupts.graceful_at_exit())
    _interrupts.close()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
