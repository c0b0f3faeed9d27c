"""The parts of ``pyspark.util`` that programs use."""

import functools
import re
import sys
from collections.abc import Callable

from swiftwater._operator_calls import stop_iteration
from swiftwater._typing import Any, TextIO, TypeVar
from swiftwater.threads import InheritableThread, inheritable_thread_target

__all__ = [
    "InheritableThread",
    "VersionUtils",
    "fail_on_stopiteration",
    "inheritable_thread_target",
    "keyword_only",
    "print_exec",
    "since",
]

F = TypeVar("F", bound=Callable[..., Any])


class VersionUtils:
    """Versions as numbers."""

    @staticmethod
    def majorMinorVersion(sparkVersion: str) -> tuple[int, int]:
        """Return the first two numbers of a version: ``(4, 3)`` of ``"4.3.0"``."""
        match = re.match(r"(\d+)\.(\d+)(\..*)?$", sparkVersion)
        if match is None:
            raise ValueError(f"{sparkVersion!r} is no version: it needs two numbers")
        return int(match[1]), int(match[2])


def fail_on_stopiteration(f: F) -> F:
    """Return ``f`` so that a ``StopIteration`` it raises does not end somebody else's loop.

    It becomes a ``PySparkRuntimeError``.
    """

    @functools.wraps(f)
    def checked(*arguments: Any, **named: Any) -> Any:
        try:
            return f(*arguments, **named)
        except StopIteration as error:
            raise stop_iteration(error) from error

    return checked  # type: ignore[return-value]


def keyword_only(func: F) -> F:
    """Return a method that takes arguments by name only and keeps them in ``_input_kwargs``."""

    @functools.wraps(func)
    def checked(self: Any, *arguments: Any, **named: Any) -> Any:
        if arguments:
            raise TypeError(f"Method {func.__name__} forces keyword arguments.")
        self._input_kwargs = named
        return func(self, **named)

    return checked  # type: ignore[return-value]


def since(version: str | float) -> Callable[[F], F]:
    """Return a decorator that notes in the docstring since when a function is there."""

    def noted(f: F) -> F:
        f.__doc__ = f"{(f.__doc__ or '').rstrip()}\n\n.. versionadded:: {version}"
        return f

    return noted


def print_exec(stream: TextIO) -> None:
    """Print the error that is being handled."""
    import traceback

    traceback.print_exception(*sys.exc_info(), file=stream)


def is_remote_only() -> bool:
    """Return False: the engine is in this process."""
    return False
