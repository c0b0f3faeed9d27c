"""The driver's half of worker processes: what goes to them and comes back, as bytes.

cloudpickle writes what pickle cannot: lambdas, inner functions, classes of the script.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import cloudpickle

from swiftwater import accumulators, broadcast
from swiftwater._calls import PACKAGE_FOLDER

__all__ = [
    "broadcast_message",
    "credit",
    "dump_program",
    "dumps",
    "forward",
    "loads",
    "rebuilt",
    "tell_stack",
]

_PROTOCOL = 5

loads: Callable[[bytes], Any] = cloudpickle.loads


def dumps(value: object) -> bytes:
    """Return ``value`` pickled. Raises what its parts raise, where one cannot be."""
    data: bytes = cloudpickle.dumps(value, protocol=_PROTOCOL)
    return data


def dump_program(description: object) -> tuple[bytes, list[broadcast.Broadcast[Any]]]:
    """Return a stage's functions pickled, and the broadcast values that they name."""
    with broadcast.noting() as found:
        data = dumps(description)
    return data, found


def broadcast_message(value: broadcast.Broadcast[Any]) -> tuple[int, Callable[[], bytes]]:
    """Return what a worker must be told of ``value``: a number for it, and the message.

    The number is another one when the value is gone.
    """
    destroyed_at = value._destroyed_at
    number = value._key[1] * 2 + bool(destroyed_at)
    if destroyed_at:
        return number, lambda: dumps((value._key, destroyed_at, None))
    return number, lambda: dumps((value._key, "", value.value))


def forward(number: int, data: bytes) -> None:
    """Write what a worker has printed: to standard output (0) or standard error (1)."""
    stream = sys.stderr if number else sys.stdout
    if stream is not None:
        stream.write(data.decode("utf-8", "replace"))
        if number:
            stream.flush()


def credit(attempt: int, data: bytes) -> None:
    """Take what a task has added to accumulators; it counts when the task has succeeded."""
    accumulators.take_partial(attempt, loads(data))


# --- exceptions ---------------------------------------------------------------------------------


def rebuilt(data: bytes) -> BaseException:
    """Return the exception that ``swiftwater._worker.describe`` has written."""
    return _rebuilt(loads(data)) if data else RuntimeError("a task failed in a worker process")


def _rebuilt(parts: dict[str, Any]) -> BaseException:
    error: BaseException
    try:
        error = loads(parts["pickled"])
        if not isinstance(error, BaseException):
            raise TypeError(parts["kind"])  # noqa: TRY301
    except Exception:  # noqa: BLE001 - whatever unpickling raises, the text is there
        error = RuntimeError(f"{parts['kind']}: {parts['text']}")
        for note in parts["notes"]:
            error.add_note(note)
    if parts["cause"] is not None:
        error.__cause__ = _rebuilt(parts["cause"])
    if parts["context"] is not None:
        error.__context__ = _rebuilt(parts["context"])
    error.__suppress_context__ = parts["suppresses"]
    return error.with_traceback(_traceback(parts["frames"]))


def _raise() -> None:
    raise LookupError


def _traceback(frames: list[tuple[str, int, str]]) -> types.TracebackType | None:
    """Return a traceback with these places: (file, line, function), the outermost first."""
    result: types.TracebackType | None = None
    for filename, line, name in reversed(frames):
        code = _raise.__code__.replace(co_filename=filename, co_name=name, co_qualname=name)
        try:
            types.FunctionType(code, {"LookupError": LookupError})()
        except LookupError as error:
            inner = error.__traceback__ and error.__traceback__.tb_next
            if inner is not None:
                # Without a place in the code no part of the line is marked.
                result = types.TracebackType(result, inner.tb_frame, -1, line)
    return result


def tell_stack(data: bytes) -> str:
    """Return where a function was when it was interrupted, for the log."""
    import linecache

    lines = ["a function was interrupted in a worker process:"]
    for filename, line, name in loads(data)["frames"] if data else ():
        if not filename.startswith(PACKAGE_FOLDER):
            lines.append(
                f"  {filename}:{line} in {name}: {linecache.getline(filename, line).strip()}"
            )
    return "\n".join(lines)
