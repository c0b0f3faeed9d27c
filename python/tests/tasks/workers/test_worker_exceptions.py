"""Exceptions of functions in worker processes are those of the driver."""

import itertools
import re
import sys
import threading
import traceback

import pytest

from tests.tasks.workers.worker_contexts import context, spread
from tests.tasks.workers.worker_records import TwoArguments, shown


class Coded(Exception):
    """Its argument is not its text."""

    def __init__(self, code):
        super().__init__(f"code {code}")
        self.code = code


class KeywordOnly(Exception):
    def __init__(self, *, reason):
        super().__init__(reason)


class Reduced(Exception):
    """Pickled by its own rules, and without its attributes."""

    def __reduce__(self):
        return Reduced, self.args


class Below(BaseException):
    pass


def noted_error():
    error = ValueError("x")
    error.add_note("a note")
    return error


def grouped_error():
    inner = KeyError("k")
    inner.add_note("of a part")
    return ExceptionGroup("group", [ValueError(1), ExceptionGroup("inner", [inner])])


def with_attributes():
    error = ValueError("x")
    error.detail = {"a": [1]}
    return error


def calls_itself():
    return calls_itself()


ERRORS = {
    "arguments": lambda: ValueError("x", 1, None),
    "nothing": ValueError,
    "KeyError": lambda: KeyError("k"),
    "OSError": lambda: OSError(2, "no", "file"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"x", 0, 1, "why"),
    "ImportError": lambda: ImportError("m", name="n", path="p"),
    "SyntaxError": lambda: SyntaxError("bad", ("file", 1, 2, "text")),
    "AttributeError": lambda: None.missing,
    "NameError": lambda: missing,  # noqa: F821
    "RecursionError": calls_itself,
    "a note": noted_error,
    "attributes": with_attributes,
    "a group": grouped_error,
    "SystemExit": lambda: SystemExit(3),
    "sys.exit": lambda: sys.exit("bye"),
    "KeyboardInterrupt": lambda: KeyboardInterrupt("k"),
    "StopIteration": lambda: StopIteration("s"),
    "StopAsyncIteration": lambda: StopAsyncIteration("s"),
    "GeneratorExit": lambda: GeneratorExit("g"),
    "BaseException": lambda: BaseException("b"),
    "one's own base": lambda: Below("b"),
    "a text that is not the argument": lambda: Coded(5),
    "pickled by its own rules": lambda: Reduced("r"),
}


def failing(make):
    def outer(n):
        return inner(n)

    def inner(n):
        if n != 3:
            return n
        raise make()

    return outer


def told(error):
    """Type, text, notes, attributes and the user's lines of an exception and what led to it."""
    if error is None:
        return None
    frames = [
        (frame.lineno, frame.name, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == __file__ and frame.name != "raised_by"
    ]
    attributes = {k: v for k, v in vars(error).items() if k != "__notes__"}
    return (
        type(error),
        str(error),
        repr(error.args),
        getattr(error, "__notes__", None),
        shown(attributes),
        # Of a function that calls itself once.
        [frame for frame, _ in itertools.groupby(frames)],
        told(error.__cause__),
        told(error.__context__),
        error.__suppress_context__,
        [told(part) for part in getattr(error, "exceptions", ())],
    )


def raised_by(workers, function):
    with context(workers) as sc:
        try:
            spread(sc, range(6)).map(lambda n: n).map(function).collect()
        except BaseException as error:  # noqa: BLE001 - compared
            return error
        finally:
            # Whatever it was, the context goes on.
            assert spread(sc, [1, 2]).map(lambda n: -n).collect() == [-1, -2]
    return None


@pytest.mark.parametrize("name", ERRORS)
def test_exceptions_come_back(name):
    function = failing(ERRORS[name])
    never, always = raised_by("never", function), raised_by("always", function)
    assert always is not None
    assert told(always) == told(never)
    assert ("outer" in [frame.name for frame in traceback.extract_tb(always.__traceback__)]) or (
        "outer" in [frame.name for frame in traceback.extract_tb(always.__cause__.__traceback__)]
    )


def test_causes_and_contexts_come_back():
    def function(n):
        try:
            try:
                raise KeyError("first")
            finally:
                int("second")
        except ValueError as error:
            if n % 2:
                raise RuntimeError("third") from error
            raise OSError("third") from None

    assert told(raised_by("always", function)) == told(raised_by("never", function))


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: TwoArguments(1, 2), TwoArguments, "1 and 2"),
        (lambda: KeywordOnly(reason="why"), KeywordOnly, "why"),
        (
            lambda: ValueError("x", threading.Lock()),
            RuntimeError,
            r"ValueError: \('x', <unlocked _thread.lock",
        ),
    ],
)
def test_an_exception_that_pickle_would_not_bring_back(make, kind, text):
    error = raised_by("always", failing(make))
    assert type(error) is kind
    assert re.match(text, str(error))
    assert error.__notes__ == [*raised_by("never", failing(make)).__notes__]
    assert "inner" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_an_exception_of_a_local_class_has_that_class():
    class Own(Exception):
        pass

    assert type(raised_by("always", failing(lambda: Own("x")))) is Own
