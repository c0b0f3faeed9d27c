"""An exception of a user's function, as a program that imports Py4J expects it.

In PySpark every failed job raises a ``Py4JJavaError`` whose text holds the Python traceback. Here
the exception itself comes through. A program that has imported ``py4j.protocol`` gets both in one:
an object whose class derives from ``Py4JJavaError`` and from the exception's own class.

Nothing of this is loaded before somebody imports ``py4j.protocol``; that import calls ``install``.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable

from swiftwater import _uncaught_errors
from swiftwater._native import engine
from swiftwater._typing import Any
from swiftwater.errors import JavaThrowable, Py4JJavaError

__all__ = ["install", "raising", "translated", "untranslated"]

# The native functions in which user functions run and whose errors reach the program.
_RUNNING = ("collect", "take", "count", "encode", "wait", "advance")

_SPARK_EXCEPTION = "org.apache.spark.SparkException"
_ORIGINAL = "_swiftwater_original"

# Where built-in exceptions keep what is no attribute of the object's dictionary.
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_OBJECT_SLOTS = ("__class__", "__dict__", "__weakref__")

_kinds: dict[type[BaseException], type[Py4JJavaError]] = {}
_installed = False


def install() -> None:
    """From now on what leaves an action or a wait is a ``Py4JJavaError`` too."""
    global _installed
    if _installed:
        return
    _installed = True
    for name in _RUNNING:
        function = getattr(engine, name, None)
        if function is not None:
            setattr(engine, name, _translating(function))


def _translating(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            other = translated(error)
            if other is error:
                raise
        # Outside of the except block, so that the one is not the other's context.
        try:
            raise other
        finally:
            del other

    return called


class raising:  # noqa: N801 - reads as the word that it is in a with statement
    """``with raising(): ...`` raises what leaves the block as ``translated`` gives it."""

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """Raise another error in place of the block's own."""
        if error is None:
            return
        other = translated(error)
        if other is error:
            return
        context = other.__context__
        try:
            raise other  # noqa: TRY301 - to set right what raising changes
        except BaseException:
            # Raising it here has made the error itself its own context.
            other.__context__ = context
            raise
        finally:
            del other


def translated(error: BaseException) -> BaseException:
    """Return ``error`` as an object that is a ``Py4JJavaError`` too, with everything it carries.

    Arguments, attributes, notes, cause and traceback are those of ``error``. Returns ``error``
    itself where it is one already, or is no ``Exception`` (an interrupt, an exit), or where its
    class cannot be derived from.
    """
    if isinstance(error, Py4JJavaError) or not isinstance(error, Exception):
        return error
    try:
        kind = _kinds.get(type(error)) or _class_for(type(error))
        made = kind.__new__(kind, *error.args)
        _copy_state(error, made)
    except Exception:  # noqa: BLE001 - a class with rules of its own: better as it is than not
        return error
    setattr(made, _ORIGINAL, error)
    return made


def untranslated(error: BaseException) -> BaseException:
    """Return the exception that ``translated`` was given, with the traceback gathered since."""
    original = getattr(error, _ORIGINAL, None)
    if not isinstance(original, BaseException):
        return error
    return original.with_traceback(error.__traceback__)


def _class_for(kind: type[BaseException]) -> type[Py4JJavaError]:
    members: dict[str, Any] = {
        "__module__": "py4j.protocol",
        "__doc__": kind.__doc__,
        "__init__": _no_init,
        "__str__": _text,
        "cause": None,
        "errmsg": property(_message),
        "java_exception": property(_java_exception),
    }
    made: type[Py4JJavaError] = type("Py4JJavaError", (Py4JJavaError, kind), members)
    _kinds[kind] = made
    return made


def _no_init(self: BaseException, *arguments: object) -> None:
    # What the original's constructor did is copied; to run it again could have effects.
    pass


def _copy_state(source: BaseException, target: BaseException) -> None:
    if not hasattr(source, "__notes__"):
        # One list for both: the engine may add notes to either.
        source.__notes__ = []
    for kind in type(source).__mro__:
        for name, slot in vars(kind).items():
            if name in _OBJECT_SLOTS or not isinstance(slot, _SLOTS):
                continue
            try:
                slot.__set__(target, slot.__get__(source))
            except (AttributeError, TypeError):
                continue  # not set, or not for writing
    target.__dict__.update(source.__dict__)
    # Setting the cause has said that the context is not to be shown.
    target.__suppress_context__ = source.__suppress_context__


def _message(error: BaseException) -> str:
    # The first line of the text is what logs show.
    original = getattr(error, _ORIGINAL)
    text = f"{type(original).__name__}: {original}" if str(original) else type(original).__name__
    return f"An error occurred in a job: {text}"


_uncaught_errors.untranslated = untranslated


def _python_text(error: BaseException) -> str:
    return "".join(_uncaught_errors.of_the_program(untranslated(error)).format()).rstrip("\n")


def _java_exception(error: BaseException) -> JavaThrowable:
    text = f"An exception was raised by Python:\n{_python_text(error)}"
    return JavaThrowable(_SPARK_EXCEPTION, text)


def _text(error: Py4JJavaError) -> str:
    return f"{error.errmsg}\n: {error.java_exception.toString()}"
