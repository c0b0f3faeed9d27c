"""Threads that take the local properties of a context along."""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import Thread

from swiftwater._active_contexts import active_context
from swiftwater._typing import Any, TypeVar

__all__ = ["InheritableThread", "inheritable_thread_target"]

F = TypeVar("F", bound=Callable[..., Any])


class InheritableThread(Thread):
    """A thread that begins with the local properties of the thread that makes it.

    Example::

        >>> sc.setLocalProperty("user", "ada")
        >>> seen = []
        >>> thread = InheritableThread(target=lambda: seen.append(sc.getLocalProperty("user")))
        >>> thread.start()
        >>> thread.join()
        >>> seen
        ['ada']
    """

    def __init__(self, target: Callable[..., Any] | None = None, *args: Any, **kwargs: Any) -> None:
        """Take what ``threading.Thread`` takes behind its group; ``session`` is accepted."""
        kwargs.pop("session", None)
        inherited = None if target is None else inheritable_thread_target(target)
        super().__init__(None, inherited, *args, **kwargs)


def inheritable_thread_target(f: F) -> F:
    """Return ``f`` as a thread's target that has the local properties of this thread.

    Example::

        >>> from threading import Thread
        >>> sc.setLocalProperty("user", "ada")
        >>> seen = []
        >>> target = inheritable_thread_target(lambda: seen.append(sc.getLocalProperty("user")))
        >>> thread = Thread(target=target)
        >>> thread.start()
        >>> thread.join()
        >>> seen
        ['ada']
    """
    active = active_context()
    if not callable(f):
        # PySpark 4: the decorator of a session's thread, inheritable_thread_target(session).
        return inheritable_thread_target
    given = {} if active is None else dict(active._properties())

    @functools.wraps(f)
    def inherited(*args: Any, **kwargs: Any) -> Any:
        if active is not None:
            for key, value in given.items():
                active.setLocalProperty(key, value)
        return f(*args, **kwargs)

    return inherited  # type: ignore[return-value]
