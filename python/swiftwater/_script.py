"""Run a job's script as ``__main__``, as ``python3 JOB.py`` would."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from swiftwater import _compat_finder, _standard_input, _uncaught_errors
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
else:
    # Without the enumerations around it, as in `_interrupts`.
    import _signal as signal

__all__ = ["ScriptProblem", "run_script"]


class ScriptProblem(Exception):
    """A sentence for the user: why the script cannot be run."""


def run_script(path: str, arguments: Sequence[str], module_files: Sequence[str]) -> int:
    """Run the script and return the exit status of the process.

    ``module_files`` are put on the module path: ``.py``, ``.zip`` and ``.egg`` files or folders.
    Raises ``ScriptProblem`` where there is nothing to run; an error of the script itself is shown
    and gives status 1.
    """
    source = _read(path)
    full_path = os.path.abspath(path)
    sys.argv = [path, *arguments]
    places = [_place(file) for file in module_files]
    # The script's folder first, as under a plain Python: scripts find what lies beside them by it.
    sys.path[:0] = [os.path.dirname(os.path.realpath(path)), _compat_finder.FOLDER, *places]
    _compat_finder.settle()
    _uncaught_errors.install(over_others=True)
    main = type(sys)("__main__")
    main.__dict__.update(__file__=full_path, __cached__=None, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    _standard_input.install()
    _let_interrupts_raise()
    try:
        exec(compile(source, full_path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    except SystemExit as end:
        return _status(end)
    except KeyboardInterrupt:
        return _uncaught_errors.end_after_interrupt()
    except BaseException as error:  # noqa: BLE001 - whatever a script raises is shown
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except SystemExit as end:
            return _status(end)
        return 1
    return 0


def _let_interrupts_raise() -> None:
    # Both front doors end at once at an interrupt that comes before the script.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _read(path: str) -> bytes:
    if os.path.isdir(path):
        raise ScriptProblem(f"{path} is a folder, not a script")
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise ScriptProblem(f"there is no script {path}") from None
    except OSError as error:
        raise ScriptProblem(f"cannot read the script {path}: {error.strerror}") from None


def _place(path: str) -> str:
    """Return what has to be on the path to import from ``path``."""
    full_path = os.path.abspath(path)
    if not os.path.exists(full_path):
        raise ScriptProblem(f"--py-files: there is no file or folder {path}")
    if os.path.isdir(full_path) or path.endswith((".zip", ".egg")):
        return full_path
    if path.endswith(".py"):
        return os.path.dirname(full_path)
    raise ScriptProblem(f"--py-files takes .py, .zip and .egg files and folders, not {path}")


def _status(end: SystemExit) -> int:
    """Return the exit status that ``SystemExit`` means; print its message, if any."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    if sys.stderr is not None:
        print(end.code, file=sys.stderr)
    return 1
