"""One rule for interrupts, the same under the host and in a stock interpreter.

The first SIGINT raises ``KeyboardInterrupt`` in the main thread; the second ends the process at
once with status 130. SIGTERM raises ``SystemExit(143)``. Handlers are installed when a stream
starts, and only where nobody else has a say: on the main thread, over Python's own handlers, not
in an interactive session.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from swiftwater._native import engine

__all__ = ["graceful_at_exit", "install", "is_interactive", "note_interrupt", "uninstall"]


class _State:
    """What has happened so far; there is one for the process, as there is one for signals."""

    # Nothing waits any more after an interrupt: contexts stop without finishing their input.
    interrupted = False
    stop_gracefully = False


def install(stop_gracefully: bool) -> None:
    """Install the handlers where the rule allows it.

    ``stop_gracefully``: contexts that are stopped at exit finish their input first
    (``spark.streaming.stopGracefullyOnShutdown``), except after SIGINT.
    """
    _State.stop_gracefully = stop_gracefully
    if is_interactive():
        return
    # Each on its own: a shell without job control starts background jobs with SIGINT ignored.
    _replace(signal.SIGINT, signal.default_int_handler, _on_interrupt)
    _replace(signal.SIGTERM, signal.SIG_DFL, _on_terminate)


def uninstall() -> None:
    """Put Python's own handlers back, unless an interrupt has come or this is another thread."""
    if not _State.interrupted:
        _replace(signal.SIGINT, _on_interrupt, signal.default_int_handler)
        _replace(signal.SIGTERM, _on_terminate, signal.SIG_DFL)


def _replace(number: signal.Signals, old: object, new: Any) -> None:
    if signal.getsignal(number) is old:
        # On another thread than the main one signal.signal raises: then nothing is replaced.
        with suppress(ValueError):
            signal.signal(number, new)


def is_interactive() -> bool:
    """Return whether a person types into this interpreter: a prompt or a notebook."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive) or "ipykernel" in sys.modules


def graceful_at_exit() -> bool:
    """Return whether contexts that the process's end stops should finish their input."""
    return _State.stop_gracefully and not _State.interrupted


def note_interrupt() -> None:
    """Remember that a ``KeyboardInterrupt`` ends the script."""
    _State.interrupted = True


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    _State.interrupted = True
    engine.arm_second_interrupt()
    raise KeyboardInterrupt


def _on_terminate(number: int, frame: FrameType | None) -> None:
    # Whoever asks a second time, in either way, does not want to wait for a graceful stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    engine.arm_second_interrupt()
    raise SystemExit(143)
