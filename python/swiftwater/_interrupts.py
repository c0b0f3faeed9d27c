"""One rule for interrupts, the same under the host and in a stock interpreter.

The first SIGINT raises ``KeyboardInterrupt`` in the main thread, SIGTERM ``SystemExit(143)``. The
second signal, of either kind, ends the process at once with status 130 or 143: the engine sees to
that, also where the main thread never comes to run Python code. Handlers are installed when a
stream starts, and only where nobody else has a say: on the main thread, over Python's own handlers,
not in an interactive session. Each start begins afresh.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from swiftwater._native import engine

__all__ = [
    "graceful_at_exit",
    "install",
    "is_interactive",
    "note_end",
    "note_interrupt",
    "uninstall",
]


class _State:
    """What has happened so far; there is one for the process, as there is one for signals."""

    # Nothing waits any more after an interrupt: contexts stop without finishing their input.
    interrupted = False
    stop_gracefully = False
    # The engine watches the handlers.
    watched = False
    # The process is on its way out: handlers stay as they are.
    ending = False


def install(stop_gracefully: bool) -> None:
    """Install the handlers where the rule allows it.

    ``stop_gracefully``: contexts that are stopped at exit finish their input first
    (``spark.streaming.stopGracefullyOnShutdown``), except after SIGINT.
    """
    _State.stop_gracefully = stop_gracefully
    _State.interrupted = False
    if is_interactive():
        return
    # Each on its own: a shell without job control starts background jobs with SIGINT ignored.
    installed = [_install(number, ours, default) for number, ours, default in _HANDLERS]
    if any(installed):
        # SIGINT and SIGTERM, in the order of _HANDLERS.
        engine.watch_interrupts(*installed)
        _State.watched = True


def uninstall() -> None:
    """Put Python's own handlers back, unless the process ends or this is another thread."""
    if _State.ending or not _State.watched:
        return
    for number, ours, default in _HANDLERS:
        handler = signal.getsignal(number)
        # Setting a handler, also one of the script's own, ends the engine's watching over it.
        if handler is not None and _set(number, default if handler is ours else handler):
            _State.watched = False


def _install(number: signal.Signals, ours: Any, default: Any) -> bool:
    handler = signal.getsignal(number)
    # Ours is still there where a context was stopped on another thread.
    return (handler is default or handler is ours) and _set(number, ours)


def _set(number: signal.Signals, handler: Any) -> bool:
    # On another thread than the main one signal.signal raises: then nothing is replaced.
    with suppress(ValueError):
        signal.signal(number, handler)
        return True
    return False


def is_interactive() -> bool:
    """Return whether a person types into this interpreter: a prompt or a notebook."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive) or "ipykernel" in sys.modules


def graceful_at_exit() -> bool:
    """Return whether contexts that the process's end stops should finish their input."""
    return _State.stop_gracefully and not _State.interrupted


def note_interrupt() -> None:
    """Remember that a ``KeyboardInterrupt`` ends the script."""
    _State.interrupted = True
    note_end()


def note_end() -> None:
    """Remember that the process ends: a second signal must still find the handlers."""
    _State.ending = True


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    _State.interrupted = True
    raise KeyboardInterrupt


def _on_terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(143)


# The signal, the handler for it, and whose place it takes.
_HANDLERS: tuple[tuple[signal.Signals, Any, Any], ...] = (
    (signal.SIGINT, _on_interrupt, signal.default_int_handler),
    (signal.SIGTERM, _on_terminate, signal.SIG_DFL),
)
