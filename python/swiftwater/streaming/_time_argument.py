"""What a user's function for ``transform`` and ``foreachRDD`` takes: RDDs, or the time as well."""

from __future__ import annotations

from collections.abc import Callable

from swiftwater._typing import Any

__all__ = ["declared_arguments", "with_time", "without_time"]


def declared_arguments(function: Callable[..., Any]) -> int:
    """Return how many positional arguments the definition of ``function`` names.

    Spark counts ``co_argcount``: with arguments that have a default, without ``*args``. So does
    this, but where a method is bound, ``self`` is not counted. Of a callable without Python code
    (a partial, an object, a built-in) the signature is counted; one argument where it has none.
    """
    code = getattr(function, "__code__", None)
    if code is not None:
        bound = getattr(function, "__self__", None) is not None
        return int(code.co_argcount) - bound
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in parameters)


def without_time(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is called with the batch time in ms and RDDs, and gives ``func`` the RDDs."""
    return lambda time_ms, *rdds: func(*rdds)


def with_time(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return what gives ``func`` the batch time as a local ``datetime``, and the RDDs."""
    from datetime import datetime

    return lambda time_ms, *rdds: func(datetime.fromtimestamp(time_ms / 1000.0), *rdds)
