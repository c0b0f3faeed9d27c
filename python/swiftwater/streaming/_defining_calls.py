"""What a program has said to define its streams, so that a checkpoint can say it again.

Every public method that defines something is marked with ``defines``. A call of such a method by
the program (not one from inside another) is noted as a ``Definition``. To recover, the same
methods are called again, in the same order, with the same arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from swiftwater._operator_calls import call_site
from swiftwater._typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from swiftwater.streaming.dstream import DStream

__all__ = ["Definition", "Definitions", "defines", "defines_for_once", "defining_methods"]

F = TypeVar("F", bound=Callable[..., Any])

# The names that a checkpoint may call.
defining_methods: set[str] = set()


class Definition:
    """One call that defined something."""

    __slots__ = ("arguments", "keywords", "method", "owner", "site")

    def __init__(
        self,
        owner: object,
        method: str,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        site: str,
    ) -> None:
        """Note ``owner.method(*arguments, **keywords)``, called by the program at ``site``."""
        self.owner = owner
        self.method = method
        self.arguments = arguments
        self.keywords = keywords
        self.site = site


class Definitions:
    """The calls that have defined a context's streams, in their order."""

    def __init__(self) -> None:
        """Begin without any."""
        self.calls: list[Definition] = []
        # While a checkpoint is read: streams that functions refer to before they are made.
        self.promised: dict[int, DStream[Any]] = {}
        self._site: str | None = None

    @property
    def site(self) -> str:
        """The place of the program's call that is being worked on."""
        return self._site or call_site()

    def call(
        self,
        method: Callable[..., Any],
        owner: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        site: str | None = None,
        keeps_arguments: bool = True,
    ) -> Any:
        """Call ``method``, and note it unless it is part of another such call."""
        if self._site is not None:
            return method(owner, *arguments, **keywords)
        self._site = site or call_site()
        try:
            result = method(owner, *arguments, **keywords)
            if not keeps_arguments:
                arguments, keywords = (), {}
            note = Definition(owner, method.__name__, arguments, keywords, self._site)
        finally:
            self._site = None
        # By duck typing: the module of DStream imports this one.
        if getattr(result, "_number", 0) is None:
            cast("DStream[Any]", result)._number = len(self.calls)
        self.calls.append(note)
        return result


def defines(method: F) -> F:
    """Mark a method of a stream or a context that defines something."""
    defining_methods.add(method.__name__)

    @functools.wraps(method)
    def noted(self: Any, *arguments: Any, **keywords: Any) -> Any:
        definitions: Definitions = self._definitions
        return definitions.call(method, self, arguments, keywords)

    return cast("F", noted)


def defines_for_once(method: F) -> F:
    """Mark a method as ``defines`` does, whose arguments are not kept: it cannot be repeated."""
    defining_methods.add(method.__name__)

    @functools.wraps(method)
    def noted(self: Any, *arguments: Any, **keywords: Any) -> Any:
        definitions: Definitions = self._definitions
        return definitions.call(method, self, arguments, keywords, keeps_arguments=False)

    return cast("F", noted)
