"""The definitions of a context as bytes, and back.

Functions of the script itself are pickled with their code (cloudpickle), so a checkpoint goes on
with the functions that it was written with. Its classes are found by name where the script that
recovers has them, so that the objects in functions and in the data are of one class. The context,
its streams and the RDDs that states begin with are references: they are made anew.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Sequence

from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.context import SparkContext
from swiftwater.rdd import RDD
from swiftwater.streaming._defining_calls import Definition, defining_methods
from swiftwater.streaming.dstream import DStream

if TYPE_CHECKING:
    from swiftwater.streaming._ssc.core import StreamingContextCore
    from swiftwater.streaming.context import StreamingContext

__all__ = ["pickled", "python_version", "replayed", "unpickled"]

# What an unpickled call looks like: the owner, the method, arguments, keywords, the place.
Call = tuple[Any, str, tuple[Any, ...], dict[str, Any], str]


def pickled(ssc: StreamingContextCore) -> bytes:
    """Return the context's definitions as bytes.

    Raises ``PicklingError`` naming the operator that cannot be pickled.
    """
    calls = ssc._definitions.calls
    try:
        return _dumped(ssc, calls)
    except Exception as error:
        culprit, reason = _culprit(ssc, calls, error)
        raise pickle.PicklingError(
            f"{culprit} cannot be written into a checkpoint, because what its function refers to "
            f"cannot be pickled: {reason}"
        ) from error


def _culprit(
    ssc: StreamingContextCore, calls: Sequence[Definition], error: Exception
) -> tuple[str, str]:
    for call in calls:
        try:
            _dumped(ssc, [call])
        except Exception as own:  # noqa: BLE001 - whatever a user's object raises
            return f"{call.method.lstrip('_')} at {call.site}", _reason(own)
    return "a stream", _reason(error)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _dumped(ssc: StreamingContextCore, calls: Sequence[Definition]) -> bytes:
    rows: list[Call] = [
        (call.owner, call.method, call.arguments, call.keywords, call.site) for call in calls
    ]
    buffer = io.BytesIO()
    _pickler(buffer, ssc).dump(rows)
    return buffer.getvalue()


def _pickler(buffer: io.BytesIO, ssc: StreamingContextCore) -> Any:
    try:
        import cloudpickle
    except ImportError:
        raise ImportError(
            "checkpoints need the package cloudpickle: pip install cloudpickle"
        ) from None

    initial = {id(rdd): key for key, rdd in ssc._stateful.all_initial()}
    # By the class; None while it is being pickled.
    by_value: dict[type, bytes | None] = {}

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if not _is_class_of_script(value):
                return super().reducer_override(value)
            if value not in by_value:
                by_value[value] = None
                inner = io.BytesIO()
                Pickler(inner, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
                by_value[value] = inner.getvalue()
            content = by_value[value]
            if content is None:
                return super().reducer_override(value)
            return _class_of_script, (value.__qualname__, content)

        def persistent_id(self, value: Any) -> Any:
            if isinstance(value, RDD):
                key = initial.get(id(value))
                return None if key is None else ("initial", key)
            if isinstance(value, DStream) and value._ssc is ssc:
                if value._number is None:
                    raise pickle.PicklingError("a stream is used that no call has returned")
                return ("stream", value._number)
            if value is ssc:
                return ("context",)
            return ("sparkContext",) if isinstance(value, SparkContext) else None

    return Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL)


def _is_class_of_script(value: Any) -> bool:
    is_own = isinstance(value, type) and value.__module__ == "__main__"
    return is_own and _in_script(value.__qualname__) is value


def _in_script(qualified: str) -> Any:
    found: Any = sys.modules["__main__"]
    for part in qualified.split("."):
        found = getattr(found, part, None)
    return found


def _class_of_script(qualified: str, content: bytes) -> Any:
    """Return the script's class of that name; where it has none, the one in ``content``."""
    found = _in_script(qualified)
    if isinstance(found, type):
        return found
    made = _Unpickler(io.BytesIO(content)).load()
    if "." not in qualified:
        # For the data, whose objects name their class.
        setattr(sys.modules["__main__"], qualified, made)
    return made


# What checkpoints of older versions name that has moved since.
_MOVED = {("swiftwater.streaming._pickled_calls", "_class_of_script"): _class_of_script}


class _Unpickler(pickle.Unpickler):
    """Reads what was pickled of a folder that only this user can write to."""

    def find_class(self, module: str, name: str) -> Any:
        moved = _MOVED.get((module, name))
        return super().find_class(module, name) if moved is None else moved


def unpickled(
    content: bytes, ssc: StreamingContext, initial: Callable[[str], RDD[Any] | None]
) -> list[Call]:
    """Return the calls in ``content``, referring to ``ssc`` and to streams that are still empty."""
    streams: dict[int, DStream[Any]] = {}

    class Unpickler(_Unpickler):
        def persistent_load(self, reference: Any) -> Any:
            match reference:
                case ("context",):
                    return ssc
                case ("sparkContext",):
                    return ssc._sc
                case ("initial", str(key)):
                    return initial(key)
                case ("stream", int(number)):
                    # Filled by ``replayed``. Functions may hold it already.
                    stream: DStream[Any] = DStream.__new__(DStream)
                    return streams.setdefault(number, stream)
            raise pickle.UnpicklingError(f"an unknown reference: {reference!r}")

    calls: list[Call] = Unpickler(io.BytesIO(content)).load()
    ssc._definitions.promised = streams
    return calls


def replayed(calls: Sequence[Call], ssc: StreamingContext) -> None:
    """Call everything again, in the same order."""
    for number, (owner, method, arguments, keywords, site) in enumerate(calls):
        noted = getattr(type(owner), method, None) if method in defining_methods else None
        if noted is None:
            raise ValueError(f"this version of swiftwater has no operator {method} ({site})")
        function = noted.__wrapped__
        promised = ssc._definitions.promised.get(number)
        result = ssc._definitions.call(function, owner, arguments, keywords, site)
        if promised is not None:
            # The same stream, wherever a function has hold of it.
            promised.__class__ = type(result)
            promised.__dict__ = result.__dict__
    ssc._definitions.promised = {}


def python_version() -> list[int]:
    """Return the version whose code pickled functions are in."""
    return list(sys.version_info[:2])
