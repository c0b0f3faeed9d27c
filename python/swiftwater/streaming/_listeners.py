"""The listeners of a context, between the engine and the program."""

from __future__ import annotations

import sys
from threading import Lock

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming._events import event

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle

__all__ = ["Listeners"]


class Listeners:
    """Those who are told of the engine's events; without any, none is made."""

    def __init__(self, handle: Handle) -> None:
        """Begin without any for a streaming context."""
        self._handle = handle
        self._changing = Lock()
        # Replaced, never changed: the engine's thread reads it.
        self._all: tuple[Any, ...] = ()

    def add(self, listener: Any) -> None:
        """Tell ``listener`` from now on."""
        with self._changing:
            if not self._all:
                engine.set_listener(self._handle, self.tell)
            self._all = (*self._all, listener)

    def remove(self, listener: Any) -> None:
        """Tell ``listener`` nothing any more."""
        with self._changing:
            rest = tuple(each for each in self._all if each is not listener)
            if self._all and not rest:
                engine.set_listener(self._handle, None)
            self._all = rest

    def tell(self, given: tuple[Any, ...]) -> None:
        """Tell all of an event of the engine."""
        kind, row = given
        name = f"on{kind[0].upper()}{kind[1:]}"
        for listener in self._all:
            # PySpark does not ask for the base class.
            method = getattr(listener, name, None)
            if method is None:
                continue
            try:
                method(event(kind, row))
            except BaseException:  # noqa: BLE001 - a listener must not disturb the job
                import traceback

                text = "".join(traceback.format_exception(*sys.exc_info())).rstrip()
                engine.notice(
                    "error", f"listener {name}", f"a streaming listener failed in {name}: {text}"
                )
