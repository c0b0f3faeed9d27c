"""A worker process: runs functions of a driver's stages.

The driver starts it and talks to it over three descriptors: a socket (3), memory to read (4) and
memory to write (5). The engine's half is ``serve``; it calls what is here.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sys
import traceback
from types import FrameType

from swiftwater import _compat_finder, _workers, accumulators, broadcast
from swiftwater._native import engine
from swiftwater._tasks.base_exceptions import WantedEnd
from swiftwater._terminal_text import complain
from swiftwater._typing import Any
from swiftwater._workers.pickling import dumps, loads, without_init

__all__ = [
    "TaskGivenUp",
    "begin_session",
    "describe",
    "end_task",
    "load_program",
    "main",
    "take_broadcast",
]

_DESCRIPTORS = [3, 4, 5]

_process = os.getpid()

# As long as the worker lives: functions name them by their keys.
_broadcasts: dict[Any, broadcast.Broadcast[Any]] = {}


def main() -> None:
    """Serve the driver until it ends, or ends the connection."""
    signal.signal(signal.SIGINT, _on_interrupt)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(  # type: ignore[union-attr]
            line_buffering=True, encoding="utf-8", errors="backslashreplace"
        )
    settings = dict(argument.split("=", 1) for argument in sys.argv if "=" in argument)
    status = 0
    # The first to be registered, and the last to be run.
    atexit.register(engine.end_started)
    _workers.settings = settings
    try:
        engine.serve(_DESCRIPTORS, settings)
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        complain(str(error))
        status = 1
    _flush()
    if status or os.getpid() != _process:
        os._exit(status)
    # What functions have left open is closed and flushed at the end of the interpreter, as far as
    # that comes to an end: the engine sees to it.


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupt the function where the driver asks for it, and nobody else."""
    # What functions have forked is theirs.
    if os.getpid() != _process or engine.is_interrupted():
        raise KeyboardInterrupt


class TaskGivenUp(WantedEnd):
    """The task is over, for a reason that the driver knows: functions should not catch it."""


def begin_session(data: bytes) -> None:
    """Take over what the driver says of itself."""
    session: dict[str, Any] = loads(data)
    if sys.path != session["path"]:
        sys.path[:] = session["path"]
        _compat_finder.settle()
    sys.argv[:] = session["argv"]
    for name in ("root", "properties"):
        setattr(_workers, name, session[name])
    _follow(session["environ"], session["folder"])


# The driver's, as they were last told.
_environment = dict(os.environ)
_folder = os.getcwd()


def _follow(environment: dict[str, str], folder: str) -> None:
    """Take over what the driver has changed; what functions have changed here stays."""
    global _environment, _folder
    for name, value in environment.items():
        if _environment.get(name) != value:
            os.environ[name] = value
    for name in _environment.keys() - environment.keys():
        os.environ.pop(name, None)
    _environment = environment
    if folder != _folder:
        os.chdir(folder)
        _folder = folder


def take_broadcast(data: bytes) -> None:
    """Keep a broadcast value, or that there is none any more."""
    key, destroyed_at, value, dropped = loads(data)
    _broadcasts[key] = broadcast.received(key, destroyed_at, value)
    for other in dropped:
        gone = _broadcasts.pop(other, None)
        if gone is not None:
            gone.__dict__.pop("_value", None)


def load_program(data: bytes) -> object:
    """Return the description of a stage's functions."""
    return loads(data)


def end_task(attempt: int) -> bytes:
    """Return what the task has added to accumulators, pickled; nothing if it has not."""
    _flush()
    gained = accumulators.take_gained(attempt)
    return dumps(gained) if gained else b""


def describe(error: BaseException) -> bytes:
    """Return an exception as bytes, for ``swiftwater._workers.pickling.rebuilt``."""
    accumulators.forget()
    _flush()
    return dumps(_parts(error, set()))


def _parts(error: BaseException | None, seen: set[int]) -> dict[str, Any] | None:
    if error is None or id(error) in seen:
        return None
    seen.add(id(error))
    frames = traceback.walk_tb(error.__traceback__)
    return {
        "kind": type(error).__name__,
        "text": _text(error),
        "notes": list(error.__dict__.get("__notes__", ())),
        "pickled": _pickled(error),
        "frames": [
            (frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in frames
        ],
        "cause": _parts(error.__cause__, seen),
        "context": _parts(error.__context__, seen),
        "suppresses": error.__suppress_context__,
    }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error that cannot be shown is still one
        return "<its text cannot be shown>"


class _AsItWas:
    """Pickles as an exception that is made without calling its class."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Any, ...]:
        error = self._error
        state = {name: value for name, value in error.__dict__.items() if name != "__notes__"}
        return without_init, (type(error), error.args, state)


def _pickled(error: BaseException) -> bytes:
    """Return the exception pickled; nothing where that does not lead back to it."""
    for form in (error, _AsItWas(error)):
        try:
            data = dumps(form)
            result = loads(data)
            if type(result) is type(error) and str(result) == str(error):
                return data
        except Exception:  # noqa: BLE001, S112 - whatever pickling raises
            continue
    return b""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # closed by a function of the user's
