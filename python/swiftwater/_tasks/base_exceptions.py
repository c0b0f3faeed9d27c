"""Where an exception that is no ``Exception`` came from: from a function, or from outside of it.

``SystemExit``, ``KeyboardInterrupt`` and their like that a user's function raises itself are errors
of its task, as in Spark. Not so what a signal's handler has raised, which Python runs in whatever
the main thread is at, nor what wants the function to end. Only asked when one has been raised.
"""

from __future__ import annotations

import functools
import opcode
import signal
import threading
from collections.abc import Iterator
from types import CodeType, TracebackType

__all__ = ["WantedEnd", "comes_from_outside"]

_RAISE = opcode.opmap["RAISE_VARARGS"]


class WantedEnd(BaseException):
    """The engine ends a function early, for a reason that it knows: nobody should catch it."""


def comes_from_outside(error: BaseException) -> bool:
    """Return whether ``error``, or what it was raised in answer to, came from outside."""
    handlers = set(_handlers()) if _is_main_thread() else set()
    return any(_is_outer(each, handlers) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
        # Another thread's functions have no say in how the program ends.
        if not _is_main_thread():
            return


def _is_main_thread() -> bool:
    return threading.get_ident() == threading.main_thread().ident


def _is_outer(error: BaseException, handlers: set[CodeType]) -> bool:
    if isinstance(error, WantedEnd):
        return True
    innermost: TracebackType | None = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return True
        innermost, trace = trace, trace.tb_next
    if not isinstance(error, KeyboardInterrupt):
        return False
    # Python's own handler is C, and raises between two instructions; as do requests to a thread.
    return innermost is None or not _raises(innermost)


def _raises(trace: TracebackType) -> bool:
    """Return whether the program itself raises there."""
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == _RAISE


def _handlers() -> Iterator[CodeType]:
    """The code of the signal handlers that are written in Python."""
    for number in signal.valid_signals():
        handler: object = signal.getsignal(number)
        while isinstance(handler, functools.partial):
            handler = handler.func
        handler = getattr(handler, "__func__", handler)
        code = getattr(handler, "__code__", None)
        if code is None and callable(handler):
            # An object that can be called.
            code = getattr(type(handler).__call__, "__code__", None)
        if isinstance(code, CodeType):
            yield code
