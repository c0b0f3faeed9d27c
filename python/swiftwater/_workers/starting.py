"""The command that starts a worker process.

Apart from ``pickling``, so that a worker starts while that is loaded here.
"""

from __future__ import annotations

import importlib.util
import os
import sys

from swiftwater._python_command import flags, loading

__all__ = ["launch"]


def launch() -> tuple[list[str], str | None]:
    """Return the command of a worker, and a variable for its environment.

    Raises ``ImportError`` where functions cannot be pickled, ``RuntimeError`` where there is no
    interpreter to start.
    """
    found = importlib.util.find_spec("cloudpickle")
    if found is None or found.origin is None:
        raise ImportError("worker processes need the package cloudpickle: pip install cloudpickle")
    host = getattr(sys, "_swiftwater_host", None)
    if host:
        return [host, "--worker"], None
    if not sys.executable:
        raise RuntimeError("sys.executable does not say which interpreter runs")
    places = [os.path.dirname(os.path.dirname(os.path.abspath(found.origin)))]
    code = loading(f"sys.path += {places!r}; from swiftwater._workers.serving import main; main()")
    # What Spark gives its workers, where nothing else is said: sets have one order in all of them.
    seed = os.environ.get("PYTHONHASHSEED", "0")
    command = [sys.executable, *flags(), "-c", code, "--worker"]
    return command, f"PYTHONHASHSEED={seed}"
