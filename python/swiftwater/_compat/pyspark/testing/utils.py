"""PySpark's base classes for tests with a context, and helpers of tests that wait."""

from __future__ import annotations

import functools
import os
import sys
import time
import unittest
from collections.abc import Callable, Iterable

from pyspark import SparkConf, SparkContext
from swiftwater._typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "SPARK_HOME",
    "PySparkBaseTestCase",
    "PySparkTestCase",
    "QuietTest",
    "ReusedPySparkTestCase",
    "eventually",
    "timeout",
]

SPARK_HOME = os.environ.get("SPARK_HOME", "")

F = TypeVar("F", bound=Callable[..., Any])


class QuietTest:
    """A block in which the log shows nothing."""

    def __init__(self, sc: SparkContext) -> None:
        """Take the context whose log it is."""
        self._sc = sc
        self._level = ""

    def __enter__(self) -> None:
        """Begin the block."""
        self._level = self._sc._log_level
        self._sc.setLogLevel("OFF")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the block."""
        self._sc.setLogLevel(self._level)


class PySparkBaseTestCase(unittest.TestCase):
    """The base of both classes with a context."""


class PySparkTestCase(PySparkBaseTestCase):
    """Gives each test a context of its own, ``self.sc``."""

    sc: SparkContext

    def setUp(self) -> None:
        """Make the context."""
        self._module_path = list(sys.path)
        self.sc = SparkContext("local[4]", type(self).__name__)

    def tearDown(self) -> None:
        """Stop the context."""
        self.sc.stop()
        sys.path = self._module_path


class ReusedPySparkTestCase(PySparkBaseTestCase):
    """Gives the tests of a class one context, ``self.sc``."""

    sc: ClassVar[SparkContext]

    @classmethod
    def conf(cls) -> SparkConf:
        """Return the context's settings; for subclasses to replace."""
        return SparkConf()

    @classmethod
    def master(cls) -> str:
        """Return the context's master; for subclasses to replace."""
        return "local[4]"

    @classmethod
    def setUpClass(cls) -> None:
        """Make the context."""
        super().setUpClass()
        cls.sc = SparkContext(cls.master(), cls.__name__, conf=cls.conf())

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop the context."""
        try:
            cls.sc.stop()
        finally:
            super().tearDownClass()

    def quiet(self) -> QuietTest:
        """Return a block in which the log shows nothing."""
        return QuietTest(self.sc)


def eventually(
    timeout: float = 30.0,
    catch_assertions: bool = False,
    catch_timeout: bool = False,
    quiet: bool = True,
    interval: float = 0.1,
    expected_exceptions: Iterable[type[BaseException]] = (),
) -> Callable[[F], Callable[..., None]]:
    """Return a decorator: the function is called until it returns True or None.

    After ``timeout`` seconds that is an ``AssertionError``. Some errors count as "not yet", and are
    raised at the end: those of ``expected_exceptions``, ``AssertionError`` and ``TimeoutError``
    where the arguments say so.
    """
    passed_over = tuple(expected_exceptions)
    if catch_assertions:
        passed_over += (AssertionError,)
    if catch_timeout:
        passed_over += (TimeoutError,)

    def repeated(condition: F) -> Callable[..., None]:
        @functools.wraps(condition)
        def wait(*arguments: Any, **named: Any) -> None:
            end = time.monotonic() + timeout
            while True:
                last: Any
                try:
                    last = condition(*arguments, **named)
                except passed_over as error:
                    last = error
                if last is True or last is None:
                    return
                if not quiet:
                    print(f"not yet: {last}")
                if time.monotonic() >= end:
                    break
                time.sleep(interval)
            if isinstance(last, passed_over):
                raise last
            raise AssertionError(f"after {timeout:g} s the condition still returns {last!r}")

        return wait

    return repeated


def timeout(timeout: int) -> Callable[[F], F]:
    """Return a decorator: the function raises ``TimeoutError`` after so many seconds.

    It works in the main thread, by the signal ``SIGALRM``.
    """
    import signal

    def limited(function: F) -> F:
        def interrupt(number: int, frame: object) -> None:
            raise TimeoutError(f"Function {function.__name__} timed out after {timeout} seconds")

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            before = signal.signal(signal.SIGALRM, interrupt)
            signal.alarm(timeout)
            try:
                return function(*arguments, **named)
            finally:
                signal.alarm(0)
                signal.signal(signal.SIGALRM, before)

        return cast("F", call)

    return limited
