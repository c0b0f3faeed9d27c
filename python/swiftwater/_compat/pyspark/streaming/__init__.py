"""PySpark's name for ``swiftwater.streaming``."""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming import DStream, StreamingContext

if TYPE_CHECKING:
    from swiftwater.streaming import BatchIdentity
    from swiftwater.streaming.listener import StreamingListener
    from swiftwater.streaming.state import State, StateSpec

__all__ = [
    "BatchIdentity",
    "DStream",
    "State",
    "StateSpec",
    "StreamingContext",
    "StreamingListener",
]


def __getattr__(name: str) -> Any:
    if name == "StreamingListener":
        from swiftwater.streaming.listener import StreamingListener

        return StreamingListener
    if name == "BatchIdentity":
        from swiftwater.streaming import BatchIdentity

        return BatchIdentity
    if name in ("State", "StateSpec"):
        from swiftwater.streaming import state

        return getattr(state, name)
    if name in ("context", "dstream", "listener", "util"):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
