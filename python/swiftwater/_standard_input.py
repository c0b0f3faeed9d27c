"""Standard input belongs to the script: functions on records meet its end at once, as in Spark.

Spark's functions run in workers, whose standard input is ``/dev/null``, and so it is in workers
here. Tasks in the job's own process are told apart from the script by their thread. ``sys.stdin``
is at its end in a task, and a program or process that a task starts has ``/dev/null``; the script,
and the functions of ``foreachRDD`` and ``transform``, go on with the real one. Descriptor 0 stays
as it is: the script's own programs, ``input()`` on a terminal and debuggers need it.
"""

from __future__ import annotations

import _posixsubprocess
import functools
import os
import sys
from collections.abc import Callable
from threading import local

from swiftwater._native import engine
from swiftwater._typing import Any, TextIO

__all__ = ["install"]

_installed = False
_forking = local()

# Where descriptors of standard input stand in the arguments of _posixsubprocess.fork_exec.
_STDIN_ARGUMENT = 6


def install() -> None:
    """Make sure that tasks of this process do not read the script's input."""
    global _installed
    given = sys.stdin
    if given is not None and type(given) is not _ScriptsInput:
        sys.stdin = _ScriptsInput(given)
    if _installed:
        return
    _installed = True
    _replace(_posixsubprocess, "fork_exec", _fork_exec)
    subprocess: Any = sys.modules.get("subprocess")
    if hasattr(subprocess, "_fork_exec"):
        subprocess._fork_exec = _posixsubprocess.fork_exec
    _replace(os, "posix_spawn", _posix_spawn)
    _replace(os, "posix_spawnp", _posix_spawn)
    _replace(os, "system", _system)
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _replace(module: Any, name: str, replacement: Callable[..., Any]) -> None:
    original = getattr(module, name)
    made = functools.update_wrapper(functools.partial(replacement, original), original)

    @functools.wraps(original)
    def called(*arguments: Any, **options: Any) -> Any:
        return made(*arguments, **options)

    # Where pickling finds it, by its name; in another process that is what is there.
    called.__module__ = module.__name__
    called.__qualname__ = name
    setattr(module, name, called)


# This process was forked by a task: the engine, which knows of tasks, is not there.
_child_of_task = False


def _is_task() -> bool:
    return _child_of_task or engine.current_task() is not None


# --- what a task reads ---------------------------------------------------------------------------


class _ScriptsInput:
    """The script's ``sys.stdin``; in a task, an input that is at its end."""

    __slots__ = ("_given",)

    def __init__(self, given: TextIO) -> None:
        object.__setattr__(self, "_given", given)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # For isinstance.
        return type(_stream(self))

    def __getattr__(self, name: str) -> Any:
        return getattr(_stream(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_stream(self), name, value)

    def __iter__(self) -> Any:
        return iter(_stream(self))

    def __next__(self) -> str:
        return next(_stream(self))

    def __enter__(self) -> Any:
        _stream(self).__enter__()
        return self

    def __exit__(self, *raised: Any) -> Any:
        return _stream(self).__exit__(*raised)

    def __repr__(self) -> str:
        return repr(_stream(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Who unpickles it has an input of its own.
        return getattr, (sys, "stdin")


_empty: TextIO | None = None


def _stream(proxy: _ScriptsInput) -> TextIO:
    global _empty
    if not _is_task():
        given: TextIO = object.__getattribute__(proxy, "_given")
        return given
    if _empty is None or _empty.closed:
        _empty = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as the process
    return _empty


# --- what a task starts --------------------------------------------------------------------------


def _fork_exec(original: Callable[..., int], /, *arguments: Any) -> int:
    if arguments[_STDIN_ARGUMENT] != -1 or not _is_task():
        return original(*arguments)
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        before, after = arguments[:_STDIN_ARGUMENT], arguments[_STDIN_ARGUMENT + 1 :]
        return original(*before, null, *after)
    finally:
        os.close(null)


def _posix_spawn(
    original: Callable[..., int], /, *arguments: Any, file_actions: Any = None, **options: Any
) -> int:
    if _is_task():
        # In front of what the caller wants for it.
        null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        file_actions = [null, *(file_actions or ())]
    if file_actions is not None:
        options["file_actions"] = file_actions
    return original(*arguments, **options)


def _system(original: Callable[[Any], int], /, command: Any) -> int:
    if not _is_task():
        return original(command)
    null = b"exec </dev/null\n" if isinstance(command, bytes) else "exec </dev/null\n"
    return original(null + command)


def _before_fork() -> None:
    _forking.in_task = _is_task()


def _after_fork() -> None:
    global _child_of_task
    if getattr(_forking, "in_task", False):
        _child_of_task = True
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
