"""The driver's half of worker processes: what goes to them and comes back, as bytes.

cloudpickle writes what pickle cannot: lambdas, inner functions, classes of the script.
"""

from __future__ import annotations

import functools
import io
import pickle
import sys
from collections.abc import Callable
from threading import Lock

import cloudpickle

from swiftwater import _workers, accumulators, broadcast
from swiftwater._operator_calls import PACKAGE_FOLDER
from swiftwater._tasks import class_copies, tracebacks
from swiftwater._typing import Any

__all__ = [
    "broadcast_message",
    "credit",
    "dump_program",
    "dump_records",
    "dumps",
    "forward",
    "load_records",
    "loads",
    "rebuilt",
    "tell_stack",
]

_PROTOCOL = 5

# Lines of several workers are not mixed up.
_forwarding = Lock()

loads: Callable[[bytes], Any] = cloudpickle.loads


def dumps(value: object) -> bytes:
    """Return ``value`` pickled. Raises what its parts raise, where one cannot be."""
    data: bytes = cloudpickle.dumps(value, protocol=_PROTOCOL)
    return data


def dump_records(records: list[Any]) -> bytes:
    """Return records pickled.

    Raises what their parts raise where one cannot be, ``TypeError`` for broadcast values: whether
    the other process has them nobody knows.
    """
    if _workers.is_worker():
        return dumps(records)
    with broadcast.noting() as found:
        data = dumps(records)
    if found:
        raise TypeError(f"{found[0]!r} is a part of records")
    return data


class _RecordUnpickler(pickle.Unpickler):
    """Leaves classes as they are that this process has.

    cloudpickle sends a class of the script with its attributes as they are in the other process,
    and sets them on the class that is here: right for a program, wrong for records.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._known: set[Any] = set()

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module == "cloudpickle.cloudpickle":
            if name in {"_make_skeleton_class", "_make_skeleton_enum"}:
                return functools.partial(self._make_class, found)
            if name == "_class_setstate":
                return functools.partial(self._set_state, found)
        return found

    def _make_class(self, make: Callable[..., Any], *arguments: Any) -> Any:
        # The tracker's number is the last argument but one.
        known = cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.get(arguments[-2])
        if known is None:
            return make(*arguments)
        self._known.add(known)
        return known

    def _set_state(self, set_state: Callable[..., Any], kind: Any, state: Any) -> Any:
        return kind if kind in self._known else set_state(kind, state)


def load_records(data: bytes) -> Any:
    """Return the records that ``dump_records`` has written."""
    if b"cloudpickle" not in data:
        return loads(data)
    return _RecordUnpickler(io.BytesIO(data)).load()


def dump_program(description: object) -> tuple[bytes, list[broadcast.Broadcast[Any]], bool]:
    """Return a stage's functions pickled, and the broadcast values that they name.

    The last item is false where classes of the script are in it, which can be changed.
    """
    file = io.BytesIO()
    with broadcast.noting() as found:
        _ProgramPickler(file, protocol=_PROTOCOL).dump(description)
    data = file.getvalue()
    return data, found, b"_make_skeleton_" not in data


class _ProgramPickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles a class that stands for one of the script as that one, with its own attributes."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type):
            original = class_copies.original(value)
            if original is not value:
                return _with_attributes, (original, class_copies.attributes(value))
        return super().reducer_override(value)


def _with_attributes(kind: type, attributes: dict[str, Any]) -> type:
    for name, value in attributes.items():
        setattr(kind, name, value)
    return kind


def broadcast_message(
    value: broadcast.Broadcast[Any],
) -> tuple[int, Callable[[list[int]], tuple[bytes, list[broadcast.Broadcast[Any]], list[int]]]]:
    """Return what a worker must be told of ``value``: a number for it, and how to make the message.

    The number is another one when the value is gone. The message is made for a worker that knows of
    the given numbers; with it come the broadcast values that are parts of this one, and those of
    the numbers that the worker forgets, since there are no such values any more.
    """
    gone = bool(value._destroyed_at)
    number = value._key[1] * 2 + gone

    def message(known: list[int]) -> tuple[bytes, list[broadcast.Broadcast[Any]], list[int]]:
        dropped = {other: key for other in known if (key := broadcast.dropped(other // 2))}
        with broadcast.noting() as found:
            content = None if gone else value.value
            data = dumps((value._key, value._destroyed_at, content, list(dropped.values())))
        return data, [part for part in found if part is not value], list(dropped)

    return number, message


def forward(number: int, data: bytes) -> None:
    """Write what a worker has printed: to standard output (0) or standard error (1)."""
    stream = sys.stderr if number else sys.stdout
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    encoded = data.decode("utf-8", "backslashreplace").encode(encoding, "backslashreplace")
    with _forwarding:
        if isinstance(stream, io.TextIOWrapper):
            # In CPython 3.11 its own buffer is not safe against a thread that prints meanwhile.
            stream.flush()
            stream.buffer.write(encoded)
        else:
            stream.write(encoded.decode(encoding))
        stream.flush()


def credit(attempt: int, data: bytes) -> None:
    """Take what a task has added to accumulators; it counts when the task has succeeded."""
    accumulators.take_partial(attempt, loads(data))


# --- exceptions ---------------------------------------------------------------------------------


def rebuilt(data: bytes) -> BaseException:
    """Return the exception that ``swiftwater._workers.serving.describe`` has written."""
    return _rebuilt(loads(data)) if data else RuntimeError("a task failed in a worker process")


def _rebuilt(parts: dict[str, Any]) -> BaseException:
    error: BaseException
    try:
        error = loads(parts["pickled"])
        if not isinstance(error, BaseException):
            raise TypeError(parts["kind"])  # noqa: TRY301
    except Exception:  # noqa: BLE001 - whatever unpickling raises, the text is there
        error = RuntimeError(f"{parts['kind']}: {parts['text']}")
    # Whatever the class makes of its attributes.
    put = BaseException.__setattr__
    if list(error.__dict__.get("__notes__", ())) != parts["notes"]:
        put(error, "__notes__", list(parts["notes"]))
    if parts["cause"] is not None:
        put(error, "__cause__", _rebuilt(parts["cause"]))
    if parts["context"] is not None:
        put(error, "__context__", _rebuilt(parts["context"]))
    put(error, "__suppress_context__", parts["suppresses"])
    return BaseException.with_traceback(error, tracebacks.made_of(parts["frames"]))


def without_init(
    kind: type[BaseException], arguments: tuple[Any, ...], state: Any
) -> BaseException:
    """Return an exception as it was, where its class makes another one of the same arguments."""
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


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
