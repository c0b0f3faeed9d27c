"""Starting worker processes: their command, and what they must know of the driver.

Apart from ``_pickling``, so that a worker starts while that is loaded here.
"""

from __future__ import annotations

import os
import sys

from swiftwater._active import active_context
from swiftwater._typing import Any

__all__ = ["launch", "pickled", "session"]


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


def launch() -> tuple[list[str], str | None]:
    """Return the command of a worker, and a variable for its environment.

    Raises ``ImportError`` where functions cannot be pickled, ``RuntimeError`` where there is no
    interpreter to start.
    """
    # A job asks for `session` at its start, and for a worker seldom.
    from importlib.util import find_spec

    from swiftwater._interpreter import flags, loading

    found = find_spec("cloudpickle")
    if found is None or found.origin is None:
        raise ImportError("worker processes need the package cloudpickle: pip install cloudpickle")
    host = getattr(sys, "_swiftwater_host", None)
    if host:
        return [host, "--worker"], None
    if not sys.executable:
        raise RuntimeError("sys.executable does not say which interpreter runs")
    places = [os.path.dirname(os.path.dirname(os.path.abspath(found.origin)))]
    code = loading(f"sys.path += {places!r}; from swiftwater._worker import main; main()")
    # What Spark gives its workers, where nothing else is said: sets have one order in all of them.
    seed = os.environ.get("PYTHONHASHSEED", "0")
    command = [sys.executable, *flags(), "-c", code, "--worker"]
    return command, f"PYTHONHASHSEED={seed}"
