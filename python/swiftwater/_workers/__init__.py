"""Worker processes: what the driver tells them of itself, and what each of them knows of it."""

from __future__ import annotations

import os
import sys

from swiftwater._active_contexts import active_context
from swiftwater._typing import Any

__all__ = ["is_worker", "pickled", "session"]

# What a worker process knows of its driver; None in all others.

# Where the files are that were added to the context.
root: str | None = None

# The properties of the thread that runs the job.
properties: dict[str, str] | None = None

# The settings that the driver gave its workers.
settings: dict[str, str] | None = None


def is_worker() -> bool:
    """Return whether this is a worker process."""
    return settings is not None


def session() -> dict[str, Any]:
    """Return what functions may ask of the driver: its module path and its properties.

    For each stage that may move: so it is a copy, and pickled when a task does move.
    """
    active = active_context()
    root = None if active is None or active._added_files is None else active._files.root()
    properties = {} if active is None else dict(getattr(active._local, "properties", ()))
    return {
        "path": list(sys.path),
        "argv": list(sys.argv),
        "root": root,
        "properties": properties,
        "environ": _environment(),
        "folder": _folder(),
    }


def _environment() -> dict[Any, Any]:
    """Return the environment, as it is kept: names and values are bytes then."""
    kept = getattr(os.environ, "_data", None)
    return dict(os.environ if kept is None else kept)


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.sep


def pickled(session: dict[str, Any]) -> bytes:
    """Return what ``session`` has returned as bytes."""
    import pickle

    environment = {os.fsdecode(n): os.fsdecode(v) for n, v in session["environ"].items()}
    session = {**session, "environ": environment, "root": session["root"] or _root()}
    return pickle.dumps(session)


def _root() -> str | None:
    """Return the folder of added files: without any it is made for the first task that moves."""
    active = active_context()
    try:
        return None if active is None else active._files.root()
    except OSError:
        return None
