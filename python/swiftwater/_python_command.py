"""Starting another Python as this one was started, with this package in it.

Python puts the current folder in front of its standard library for ``-c`` and ``-m``. Whoever can
write to that folder would run code in what is started here, so it never does without ``-P``.
"""

from __future__ import annotations

import os
import sys

from swiftwater._operator_calls import PACKAGE_FOLDER

__all__ = ["flags", "loading"]


def flags() -> list[str]:
    """Return this interpreter's flags (``-I``, ``-E``, ``-O``, ``-W``, ``-X`` ...), and ``-P``."""
    # Loaded when it is needed: few jobs start another interpreter.
    import subprocess

    found: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    # The library's list names only some of what -X can say.
    for name, value in sys._xoptions.items():
        option = name if value is True else f"{name}={value}"
        if option not in found:
            found += ["-X", option]
    if "-P" not in found and "-I" not in found:
        found.append("-P")
    return found


def loading(statement: str) -> str:
    """Return code that loads this very package, wherever the module path leads, and goes on.

    The package's folder is at the end of the module path then: one of site-packages holds more
    than the package, and nothing in it may stand in for a module of the standard library.
    """
    folder = PACKAGE_FOLDER.rstrip(os.sep)
    init = os.path.join(folder, "__init__.py")
    found = f"'swiftwater', {init!r}, submodule_search_locations=[{folder!r}]"
    return "; ".join(
        [
            "import sys",
            "from importlib import util",
            f"spec = util.spec_from_file_location({found})",
            "package = sys.modules['swiftwater'] = util.module_from_spec(spec)",
            f"sys.path.append({os.path.dirname(folder)!r})",
            "spec.loader.exec_module(package)",
            "del spec, package, util",
            statement,
        ]
    )
