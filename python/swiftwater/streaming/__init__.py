"""Streams in small batches, as in ``pyspark.streaming``.

Example::

    >>> run_batches(lambda lines: lines.flatMap(str.split).count(), [["to be", "or not"]])
    [[4]]
"""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.streaming._batch_identity import BatchIdentity
    from swiftwater.streaming.context import StreamingContext
    from swiftwater.streaming.dstream import DStream
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

# Loaded when it is asked for: few jobs have a listener, and a worker process needs none of these.
_HOMES = {
    "BatchIdentity": "_batch_identity",
    "DStream": "dstream",
    "State": "state",
    "StateSpec": "state",
    "StreamingContext": "context",
    "StreamingListener": "listener",
}
# Programs find these without importing them.
_MODULES = ("context", "dstream")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_MODULES})
