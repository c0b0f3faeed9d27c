"""Broadcast: a value that functions share instead of capturing a copy of it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from swiftwater._context.core import SparkContextCore
from swiftwater._native import engine
from swiftwater._operator_calls import call_site
from swiftwater._rdd.core import RDDCore
from swiftwater._typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from typing import BinaryIO

    from swiftwater.context import SparkContext

__all__ = ["Broadcast"]

T = TypeVar("T")

# Numbers begin anew in each process: what was pickled in another one must not be found here.
_PROCESS = os.urandom(8)

_numbers = itertools.count()
_by_id: WeakValueDictionary[tuple[bytes, int], Broadcast[Any]] = WeakValueDictionary()


class Broadcast(Generic[T]):
    """A value that functions on records read, made by ``SparkContext.broadcast``.

    The value is as it was when this was made: what can be changed is copied then, and what the
    program does to the original afterwards nobody sees. A value in which nothing can be changed
    (text, numbers, tuples of them, functions) is not copied, whatever its size, nor is one that
    cannot be, such as a connection. There is one value in the process. A function that changes it
    changes it for all, which Spark does not promise either way: treat it as read-only. The object
    itself pickles as a reference, which only the process that made it can follow.

    Example::

        >>> prices = sc.broadcast({"tea": 3, "milk": 1})
        >>> sc.parallelize(["tea", "milk"]).map(lambda name: prices.value[name]).sum()
        4
    """

    _value: T

    def __init__(self, sc: SparkContext, value: T, pickle_registry: object = None) -> None:
        """Make one; programs call ``SparkContext.broadcast``."""
        self._value = engine.isolated(_checked(value))
        self._key = (_PROCESS, next(_numbers))
        self._destroyed_at = ""
        _by_id[self._key] = self

    @property
    def value(self) -> T:
        """The value, as it was when it was broadcast. Raises ``SparkException`` after ``destroy``.

        Example::

            >>> sc.broadcast([1, 2]).value
            [1, 2]
        """
        try:
            return self._value
        except AttributeError:
            self._explain()

    def unpersist(self, blocking: bool = False) -> None:
        """Do nothing but check: there are no copies of the value that could be dropped.

        Raises ``SparkException`` after ``destroy``, and ``PySparkRuntimeError`` in a function that
        works on records.

        Example::

            >>> shared = sc.broadcast("kept")
            >>> shared.unpersist()
            >>> shared.value
            'kept'
        """
        self._require("unpersisted")

    def destroy(self, blocking: bool = False) -> None:
        """Let go of the value. Whoever reads it afterwards gets an error.

        Raises what ``unpersist`` raises.

        Example::

            >>> shared = sc.broadcast("once")
            >>> shared.destroy()
            >>> shared.value
            Traceback (most recent call last):
            ...
            swiftwater.errors.SparkException: Attempted to use Broadcast(...) after it was ...
        """
        self._require("destroyed")
        self._destroyed_at = call_site()
        del self._value

    def dump(self, value: T, f: BinaryIO) -> None:
        """Pickle ``value`` into the open file ``f`` and close it.

        Raises ``pickle.PicklingError`` where it cannot be pickled.

        Example::

            >>> shared = sc.broadcast([1, 2])
            >>> shared.dump(shared.value, open(f"{tmp}/value", "wb"))
            >>> shared.load_from_path(f"{tmp}/value")
            [1, 2]
        """
        import pickle

        try:
            pickle.dump(value, f, pickle.HIGHEST_PROTOCOL)
        except pickle.PickleError:
            raise
        except Exception as error:
            raise _not_picklable(error) from error
        f.close()

    def load(self, file: BinaryIO) -> T:
        """Return the value that ``dump`` has written, from an open file.

        Example::

            >>> shared = sc.broadcast({"a": 1})
            >>> shared.dump(shared.value, open(f"{tmp}/value", "wb"))
            >>> with open(f"{tmp}/value", "rb") as file:
            ...     shared.load(file)
            {'a': 1}
        """
        import pickle

        value: T = pickle.load(file)  # noqa: S301 - the caller's own file
        return value

    def load_from_path(self, path: str) -> T:
        """Return the value that ``dump`` has written, from the file at ``path``.

        Example::

            >>> shared = sc.broadcast("text")
            >>> shared.dump("other", open(f"{tmp}/value", "wb"))
            >>> shared.load_from_path(f"{tmp}/value")
            'other'
        """
        with open(path, "rb") as file:
            return self.load(file)

    def __repr__(self) -> str:
        return f"Broadcast({self._key[1]})"

    def __reduce__(self) -> tuple[Callable[..., Broadcast[T]], tuple[Any, ...]]:
        """Pickle as a reference: in this process it leads back to this object."""
        found = getattr(_noted, "found", None)
        if found is not None and not any(known is self for known in found):
            found.append(self)
        return _referred, (self._key,)

    def __copy__(self) -> Broadcast[T]:
        return self

    def __deepcopy__(self, memo: object) -> Broadcast[T]:
        return self

    def _require(self, operation: str) -> None:
        """Raise unless this is the driver and the value is there."""
        if engine.current_task() is not None:
            from swiftwater.errors import PySparkRuntimeError

            raise PySparkRuntimeError(
                f"Broadcast can only be {operation} in driver.",
                errorClass="INVALID_BROADCAST_OPERATION",
                messageParameters={"operation": operation},
            )
        if not hasattr(self, "_value"):
            self._explain()

    def _explain(self) -> NoReturn:
        from swiftwater.errors import PySparkRuntimeError, SparkException

        if self._destroyed_at:
            raise SparkException(
                f"Attempted to use {self!r} after it was destroyed "
                f"(destroy at {self._destroyed_at})"
            )
        raise PySparkRuntimeError(
            f"Broadcast variable `{self._key[1]}` not loaded. It was pickled in another process, "
            "whose values are not here: broadcast the value again in this one",
            errorClass="BROADCAST_VARIABLE_NOT_LOADED",
            messageParameters={"variable": str(self._key[1])},
        )


# What a thread has pickled while it takes notes.
_noted = threading.local()


@contextmanager
def noting() -> Iterator[list[Broadcast[Any]]]:
    """Give a list of the broadcasts that this thread pickles meanwhile."""
    found: list[Broadcast[Any]] = []
    _noted.found = found
    try:
        yield found
    finally:
        _noted.found = None


def dropped(number: int) -> tuple[bytes, int] | None:
    """Return the key of the value with this number where it is gone."""
    key = (_PROCESS, number)
    found = _by_id.get(key)
    return key if found is None or found._destroyed_at else None


def received(key: tuple[bytes, int], destroyed_at: str, value: Any) -> Broadcast[Any]:
    """Return the broadcast of this key with its value, in another process than its own."""
    known = _referred(key)
    _by_id[key] = known
    known._destroyed_at = destroyed_at
    if destroyed_at:
        known.__dict__.pop("_value", None)
    else:
        known._value = value
    return known


def _referred(key: tuple[bytes, int]) -> Broadcast[Any]:
    """Return the broadcast of this key, or one that says why it has no value."""
    found = _by_id.get(key)
    if found is None:
        found = Broadcast.__new__(Broadcast)
        found._key = key
        found._destroyed_at = ""
    return found


def _checked(value: T) -> T:
    """Return ``value``; what only the driver can use is refused, as Spark refuses to pickle it."""
    if isinstance(value, (RDDCore, SparkContextCore)):
        try:
            value.__reduce__()
        except RuntimeError as error:
            raise _not_picklable(error) from None
    return value


def _not_picklable(error: Exception) -> Exception:
    import pickle

    return pickle.PicklingError(f"Could not serialize broadcast: {type(error).__name__}: {error}")
