"""Tracebacks that hold on to nothing.

An exception refers to its traceback, that to the frames of functions, and these to their callers,
to their variables and to what the functions have captured: records, the iterators of partitions,
RDDs with the memory of their blocks. Whoever keeps the exception of a failed job would keep all of
that, and the engine itself keeps the latest one of a stream. So the traceback of what is over is
replaced by one of the same files, lines and names. It is printed as before, part of the line and
all; variables are gone, as they are in Spark, where a function fails in another process.
"""

from __future__ import annotations

import opcode
import sys
import types

from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType, TracebackType

__all__ = ["let_all_go", "let_go", "made_of"]

# References to an error in a list that is gone through, when nobody else has one: the list's, the
# loop's, and that of the call which counts them.
_OWN_REFERENCES = 3

# What looks up the lines of a module that is in no file asks its variables for these.
_NAMES_OF_MODULES = ("__name__", "__file__", "__loader__", "__spec__")
_GENERATOR = "<the generator of this frame>"

# What every exception has, whatever its class makes of the names.
_TRACEBACK = vars(BaseException)["__traceback__"].__get__
_CAUSE = vars(BaseException)["__cause__"].__get__
_CONTEXT = vars(BaseException)["__context__"].__get__
_PARTS = vars(BaseExceptionGroup)["exceptions"].__get__
_OBJECT = vars(AttributeError)["obj"].__get__
_SET_OBJECT = vars(AttributeError)["obj"].__set__

# Attributes of such objects are spelled wrong without records being at stake.
_HARMLESS = (types.ModuleType, type)


def let_go(raised: list[BaseException] | None, error: BaseException) -> None:
    """Have ``error``, its causes and contexts let go of what they hold: their job is over.

    Exceptions that this thread is handling are not the job's, and stay as they are. ``raised`` are
    the errors of jobs in the function that runs: ``error`` becomes one of them.
    """
    _lighten(error)
    if raised is not None:
        raised[:] = [one for one in raised if sys.getrefcount(one) > _OWN_REFERENCES]
        if not any(one is error for one in raised):
            raised.append(error)


def let_all_go(raised: list[BaseException], _: object) -> None:
    """Do the same with all of ``raised``, when the function in which they were raised is over."""
    for error in raised:
        _lighten(error)
    raised.clear()


def _lighten(error: BaseException) -> None:
    left_alone = {id(handled) for handled in _related(sys.exception())}
    for one in _related(error):
        if id(one) in left_alone:
            continue
        # Not as attributes: a class may have its own idea of asking for those, and of setting them.
        BaseException.with_traceback(one, _light(_TRACEBACK(one)))
        if isinstance(one, AttributeError) and not isinstance(_OBJECT(one), _HARMLESS):
            _SET_OBJECT(one, None)


def _related(error: BaseException | None) -> Iterator[BaseException]:
    """Give ``error``, and all that it refers to as causes, contexts and parts."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += (_CAUSE(one), _CONTEXT(one), _original(one))
        if isinstance(one, BaseExceptionGroup):
            waiting += _PARTS(one)


def _original(error: BaseException) -> object:
    """Return the error that ``error`` stands for in a program with Py4J."""
    try:
        return getattr(error, "_swiftwater_original", None)
    except Exception:  # noqa: BLE001 - a class with rules of its own
        return None


def _light(trace: TracebackType | None) -> TracebackType | None:
    places: list[TracebackType] = []
    while trace is not None:
        places.append(trace)
        trace = trace.tb_next
    made: TracebackType | None = None
    for place in reversed(places):
        frame = place.tb_frame
        if _GENERATOR not in frame.f_globals:
            frame = _stand_in(frame)
        made = types.TracebackType(made, frame, place.tb_lasti, place.tb_lineno)
    return made


def made_of(places: list[tuple[str, int, str]]) -> TracebackType | None:
    """Return a traceback with these places: (file, line, function), the outermost first."""
    made: TracebackType | None = None
    for filename, line, name in reversed(places):
        code = _TEMPLATE.replace(co_filename=filename, co_name=name, co_qualname=name)
        # Without a place in the code no part of the line is marked.
        made = types.TracebackType(made, _frame(code, {}), -1, line)
    return made


def _pause() -> Iterator[None]:
    yield


_TEMPLATE = _pause.__code__
_NOTHING = bytes((opcode.opmap["NOP"], 0))


def _stand_in(frame: FrameType) -> FrameType:
    """Return a frame that looks like ``frame`` in a traceback, and has no variables."""
    space = {name: frame.f_globals[name] for name in _NAMES_OF_MODULES if name in frame.f_globals}
    return _frame(_code_like(frame.f_code), space)


def _frame(code: CodeType, space: dict[str, Any]) -> FrameType:
    """Return the frame of a generator that has not begun: others refer to who has called them."""
    generator = types.FunctionType(code, space)()
    space[_GENERATOR] = generator
    made: FrameType = generator.gi_frame
    return made


def _code_like(code: CodeType) -> CodeType:
    # As long as the other, so that places in the one are places in the other.
    missing = max(0, len(code.co_code) - len(_TEMPLATE.co_code)) // len(_NOTHING)
    return _TEMPLATE.replace(
        co_code=_TEMPLATE.co_code + _NOTHING * missing,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
        co_linetable=code.co_linetable,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
    )
