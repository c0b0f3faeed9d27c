"""One rule for interrupts, the same under the host and in a stock interpreter.

The first SIGINT raises ``KeyboardInterrupt`` in the main thread, SIGTERM ``SystemExit(143)``, and
SIGHUP ``SystemExit(129)``. The second signal ends the process at once with status 130 or 143 (a
SIGHUP is never the second): the engine sees to that, also where the main thread never comes to run
Python code. It also ends the process where C code holds the interpreter for so long after the first
one that nothing comes of it. Handlers are installed when a stream starts, and only where nobody
else has a say: on the main thread, over Python's own handlers, not in an interactive session. Each
start begins afresh. A process that is forked has what was there before.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import signal

    from swiftwater._swiftwater import Handle
else:
    # The module in C: numbers and functions, without the enumerations around them, whose module is
    # a tenth of a job's start.
    import _signal as signal

__all__ = [
    "close",
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
    # One of the signals has come since the last start.
    signalled = False


def install(context: Handle, stop_gracefully: bool) -> None:
    """Install the handlers for a context where the rule allows it.

    ``stop_gracefully``: contexts that are stopped at exit finish their input first
    (``spark.streaming.stopGracefullyOnShutdown``), except after SIGINT.
    """
    _State.stop_gracefully = stop_gracefully
    _State.interrupted = _State.signalled = False
    if is_interactive():
        return
    # Each on its own: a shell without job control starts background jobs with SIGINT ignored.
    installed = [_install(number, ours, default) for number, ours, default in _HANDLERS]
    if any(installed):
        # In the order of _HANDLERS.
        interrupt, termination, hangup = installed
        engine.watch_interrupts(context, interrupt, termination, hangup, stop_gracefully)
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
    try:
        signal.signal(number, handler)
    except ValueError:
        # On another thread than the main one: nothing is replaced.
        return False
    return True


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
    # A graceful stop may take its time, whoever holds the interpreter.
    if _State.signalled and not graceful_at_exit():
        engine.note_interrupt("end")


def close() -> None:
    """Look at signals no more: Python itself ends now."""
    if _State.watched:
        engine.note_interrupt("close")


def _after_fork() -> None:
    """Give a forked process what a program of its own would have."""
    if not _State.watched:
        return
    _State.watched = False
    for number, ours, default in _HANDLERS:
        if signal.getsignal(number) is ours:
            _set(number, default)


os.register_at_fork(after_in_child=_after_fork)


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    _note_signal()
    _State.interrupted = True
    raise KeyboardInterrupt


def _on_terminate(number: int, frame: FrameType | None) -> None:
    _note_signal()
    raise SystemExit(128 + number)


def _note_signal() -> None:
    _State.signalled = True
    engine.note_interrupt("handler")


# The signal, the handler for it, and whose place it takes.
_HANDLERS: tuple[tuple[signal.Signals, Any, Any], ...] = (
    (signal.SIGINT, _on_interrupt, signal.default_int_handler),
    (signal.SIGTERM, _on_terminate, signal.SIG_DFL),
    (signal.SIGHUP, _on_terminate, signal.SIG_DFL),
)
