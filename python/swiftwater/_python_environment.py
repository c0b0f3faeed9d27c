"""Which Python environment a job runs in, and how to get into the one that was asked for.

A venv made by another minor version of Python is half honoured in silence: its folder is put on
the path, its compiled modules do not load. So versions are compared first and refused in words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from swiftwater._native import engine
from swiftwater._python_command import flags, loading

__all__ = ["EnvironmentProblem", "borrow_packages", "switch"]

# Set for the process that is started in the other environment, so that it does not start another.
_GUARD = "_SWIFTWATER_SWITCHED"


class EnvironmentProblem(Exception):
    """A sentence for the user: what is wrong with the environment, and what to do."""


def switch(path: str, arguments: Sequence[str]) -> None:
    """Return where this process runs in the environment ``path``; else start again in it.

    ``path`` is an interpreter or the folder of an environment; ``arguments`` are those of the
    command line, without the program. Raises ``EnvironmentProblem``.
    """
    switched = os.environ.pop(_GUARD, None)
    interpreter = _interpreter(path)
    prefix, version = _described(interpreter)
    if os.path.realpath(prefix) == os.path.realpath(sys.prefix):
        return
    if switched is not None:
        raise EnvironmentProblem(
            f"could not switch to the Python environment {path}: this process still runs in "
            f"{sys.prefix}"
        )
    host: str | None = getattr(sys, "_swiftwater_host", None)
    _check_version(path, version, host is not None)
    environment = dict(os.environ)
    environment[_GUARD] = path
    sys.stdout.flush()
    sys.stderr.flush()
    if host is not None:
        environment["SWIFTWATER_PYTHON"] = path
        os.execve(host, [host, *arguments], environment)
    command = ["-m", "swiftwater"]
    folder = _clone_folder(prefix, path)
    if folder is not None:
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{folder}{os.pathsep}{inherited}" if inherited else folder
        command = ["-c", loading("from swiftwater._cli import main; main()")]
    words = [interpreter, *flags(), *command, *arguments]
    os.execve(interpreter, words, environment)


def borrow_packages() -> None:
    """Take the packages of the interpreter ``sys.executable`` in place of this one's own.

    In the host, for an interpreter that is in no virtual environment. The standard library stays
    the host's.
    """
    import site

    prefix = os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folder = os.path.join(prefix, "lib", name, "site-packages")
    if os.path.realpath(sys.base_prefix) == prefix or not os.path.isdir(folder):
        return
    own = {*site.getsitepackages(), site.getusersitepackages()}
    sys.path[:] = [place for place in sys.path if place not in own]
    sys.prefix = sys.exec_prefix = prefix
    site.PREFIXES[:] = [prefix]
    site.addsitedir(folder)


def _interpreter(path: str) -> str:
    """Return the interpreter that ``path`` names."""
    if os.path.isdir(path):
        for name in ("python3", "python"):
            candidate = os.path.join(path, "bin", name)
            if os.path.exists(candidate):
                return os.path.abspath(candidate)
        raise EnvironmentProblem(
            f"{path} is a folder without bin/python3: give an interpreter, or an environment that "
            f"was made with: python3 -m venv {path}"
        )
    if not os.path.exists(path):
        raise EnvironmentProblem(f"the Python environment {path} is not there")
    if not os.access(path, os.X_OK):
        raise EnvironmentProblem(f"{path} is not an interpreter: it cannot be executed")
    return os.path.abspath(path)


def _described(interpreter: str) -> tuple[str, tuple[int, int]]:
    """Return prefix and minor version of ``interpreter``, from its venv's file or from itself."""
    prefix = os.path.dirname(os.path.dirname(interpreter))
    version = _venv_version(os.path.join(prefix, "pyvenv.cfg"))
    if version is not None:
        return prefix, version
    import subprocess

    question = "import sys; print(sys.prefix); print(*sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [interpreter, "-I", "-c", question],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout.splitlines()
        major, minor = answer[1].split()
        return answer[0], (int(major), int(minor))
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        raise EnvironmentProblem(
            f"{interpreter} does not answer as a Python does: {error}"
        ) from None


def _venv_version(path: str) -> tuple[int, int] | None:
    """Return the minor version that a ``pyvenv.cfg`` tells of; ``None`` where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition("=")
        # venv writes "version", virtualenv and uv write "version_info".
        if name.strip().lower() in ("version", "version_info"):
            numbers = value.strip().split(".")
            try:
                return int(numbers[0]), int(numbers[1])
            except (IndexError, ValueError):
                return None
    return None


def _check_version(path: str, version: tuple[int, int], in_host: bool) -> None:
    """Refuse an environment whose Python cannot load what this one runs."""
    mine = (sys.version_info[0], sys.version_info[1])
    # The host holds one interpreter; a stock interpreter can be any that the module loads into.
    fits = version == mine if in_host else version >= tuple(engine.python_version)
    if fits:
        return
    needed = mine if in_host else engine.python_version
    name = f"Python {needed[0]}.{needed[1]}" + ("" if in_host else " or newer")
    raise EnvironmentProblem(
        f"the Python environment {path} is of Python {version[0]}.{version[1]}, and this "
        f"swiftwater needs {name}: make one with python{needed[0]}.{needed[1]} -m venv FOLDER and "
        "give it with --python FOLDER, or build swiftwater for "
        f"Python {version[0]}.{version[1]}"
    )


def _clone_folder(prefix: str, path: str) -> str | None:
    """Return what the other interpreter needs on its path to find this package, if anything."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if os.path.basename(folder) not in ("site-packages", "dist-packages"):
        return folder
    import glob

    # Another environment's site-packages must not shadow this one's, so it has to have its own.
    pattern = os.path.join(glob.escape(prefix), "lib", "python3*", "*-packages", "swiftwater")
    if not glob.glob(pattern):
        raise EnvironmentProblem(
            f"swiftwater is not installed in the Python environment {path}: "
            "install it there, or leave --python out"
        )
    return None
