"""Where ``import pyspark`` finds this package: PySpark's names, and those of what comes with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

__all__ = ["FOLDER", "offer", "settle"]

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_compat")

_NAMES = frozenset({"findspark", "py4j", "pyspark"})


class _Finder:
    """Finds the names here, whatever else has them: a package that is installed, or a script."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [FOLDER]) if name in _NAMES and path is None else None


def offer() -> None:
    """Make the names importable from now on, in this process and in those that get its path."""
    if FOLDER not in sys.path:
        # The first place belongs to the program: it is the folder of its script.
        sys.path.insert(1, FOLDER)
    settle()


def settle() -> None:
    """Put the names before all others, where the module path offers them."""
    if FOLDER in sys.path and _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
