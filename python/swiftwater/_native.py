"""The one place that finds the native module.

Three homes, in this order: built into the host (or put on the path) as ``_swiftwater``; beside
this file, as an installed package has it; in a clone's release build. Everything else writes
``from swiftwater._native import engine`` and calls ``engine.parallelize(...)``.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import ModuleType

    from swiftwater import _swiftwater as engine

__all__ = ["engine"]

_OLDEST_PYTHON = (3, 11)
_FOLDER = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = os.path.join(_FOLDER, "_swiftwater.abi3.so")
_BUILDS = tuple(
    os.path.join(os.path.dirname(os.path.dirname(_FOLDER)), ".build", "release", name)
    for name in ("lib_swiftwater.so", "lib_swiftwater.dylib")
)


def _find() -> ModuleType:
    """Return the native module, or raise ``ImportError`` saying what to run."""
    try:
        import _swiftwater
    except ModuleNotFoundError:
        pass
    else:
        module: ModuleType = _swiftwater
        return module
    if os.path.exists(_INSTALLED):
        from swiftwater import _swiftwater as installed

        return installed
    for path in _BUILDS:
        if os.path.exists(path):
            return _load(path)
    raise ImportError(
        "the native module of swiftwater is not there: in a clone run scripts/quickstart, "
        "for a virtual environment run: pip install ./python"
    )


def _load(path: str) -> ModuleType:
    """Load the library at ``path``, whose file name is not one that imports look for."""
    from importlib.machinery import ExtensionFileLoader, ModuleSpec

    loader = ExtensionFileLoader("_swiftwater", path)
    spec = ModuleSpec("_swiftwater", loader, origin=path)
    module = loader.create_module(spec)
    # One interpreter must not hold the engine twice: whoever asks next finds this one.
    sys.modules["_swiftwater"] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules["_swiftwater"]
        raise
    return module


def _require(oldest: tuple[int, int], what: str, advice: str) -> None:
    """Refuse an interpreter that is older than ``oldest``."""
    if sys.version_info[:2] < oldest:
        raise ImportError(
            f"{what} needs Python {oldest[0]}.{oldest[1]} or newer, and this is "
            f"Python {sys.version_info[0]}.{sys.version_info[1]}: {advice}"
        )


if not TYPE_CHECKING:
    # Before the module is loaded: an older interpreter has not the functions that it calls.
    _require(_OLDEST_PYTHON, "swiftwater", "use a newer interpreter")
    engine = _find()
    if sys.__stderr__ is None:
        # What has the number of standard error by now is a file or a socket of the program's.
        engine.silence_log()
    _require(
        engine.python_version,
        "this build of swiftwater",
        "use a newer interpreter, or build swiftwater with this one",
    )
