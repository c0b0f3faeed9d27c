"""The checks of the lowering without pytest and without the engine.

Run as a program, it checks the interpreter that runs it. The package is loaded by its path, as any
version of Python can have it that the engine is not built for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    """Return 0 where all checks hold; print those that do not."""
    package = ModuleType("swiftwater")
    package.__path__ = [str(FOLDER.parents[1] / "swiftwater")]
    sys.modules["swiftwater"] = package
    if "--unknown" in sys.argv:
        return _unknown()
    import lowering_checks

    failures = lowering_checks.failures(int(sys.argv[1]))
    for failure in failures:
        print(failure)
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {version}: {len(failures)} failures")
    return 1 if failures else 0


def _unknown() -> int:
    """Return 0 where the lowering refuses this version with these words."""
    from swiftwater._lowering import lowered

    answer = lowered(lambda value: value, 1)
    version = ".".join(map(str, sys.version_info[:2]))
    reason = f"Python {version}'s bytecode is not known to this version of Swiftwater"
    print(answer)
    return 0 if answer == ("refused", "", 0, "", reason) else 1


if __name__ == "__main__":
    sys.exit(main())
