"""The command line, the same for the host and for ``python3 -m swiftwater``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from swiftwater import __version__, _settings
from swiftwater._native import engine
from swiftwater._python_environment import EnvironmentProblem, switch
from swiftwater._script import ScriptProblem, run_script
from swiftwater._terminal_text import complain
from swiftwater._typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse

__all__ = ["main"]

_EXAMPLES = """\
examples:
  swiftwater run wordcount.py localhost 9999
  swiftwater run --master 'local[4]' --name words wordcount.py localhost 9999
  swiftwater run --conf spark.default.parallelism=8 --py-files lib.zip job.py
  swiftwater run --python ./venv job.py          (the job's own environment)
  swiftwater run --print-config job.py           (every setting and where it comes from)
  swiftwater run --explain job.py                (which functions run natively, and why not)

Settings come, from the weakest to the strongest, from: the script's code, --properties-file, the
environment (SWIFTWATER_MASTER, SWIFTWATER_NAME, SWIFTWATER_RECEIVER_MAXBUFFERED, ...), the flags.
"""

# spark-submit's flags that mean nothing on one machine. A habit must not stop a job, but neither
# must it look as if it had worked.
_WITHOUT_EFFECT = (
    *("--deploy-mode", "--class", "--jars", "--packages", "--exclude-packages", "--repositories"),
    *("--driver-memory", "--driver-java-options", "--driver-cores", "--driver-library-path"),
    *("--driver-class-path", "--executor-memory", "--executor-cores", "--total-executor-cores"),
    *("--num-executors", "--queue", "--principal", "--keytab", "--proxy-user"),
)
# Those that stand for a setting; they win over --conf, as in Spark.
_SETTINGS_OF_FLAGS = {
    "master": "spark.master",
    "name": "spark.app.name",
    "files": "spark.files",
    "archives": "spark.archives",
}
_WITHOUT_EFFECT_OR_VALUE = ("--supervise", "--verbose", "-v")

_WITH_VALUE = frozenset(
    {
        *("--master", "--name", "--conf", "-c", "--properties-file", "--py-files", "--python"),
        *("--files", "--archives"),
        *_WITHOUT_EFFECT,
    }
)


def _layout(prog: str) -> argparse.HelpFormatter:
    """Return what lays out the help of a command, as wide as the terminal.

    One is made for each argument, and would load ``shutil`` with all that it packs archives with.
    """
    import argparse

    return argparse.RawDescriptionHelpFormatter(prog, width=_columns() - 2)


def _columns() -> int:
    """Return the width of the terminal, as ``shutil.get_terminal_size`` does."""
    from contextlib import suppress

    with suppress(KeyError, ValueError):
        if (columns := int(os.environ["COLUMNS"])) > 0:
            return columns
    with suppress(ValueError, OSError):
        if sys.__stdout__ is not None:
            return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80
    return 80


class _Options:
    """What the flags say: without any, this."""

    master: str | None = None
    name: str | None = None
    properties_file: str | None = None
    py_files: str = ""
    files: str | None = None
    archives: str | None = None
    python: str | None = None
    print_config: bool = False
    explain: bool = False

    def __init__(self) -> None:
        """Begin without settings."""
        self.conf: list[str] = []


class _UsageError(Exception):
    """A sentence for the user: what is wrong with the command line."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end with ``SystemExit``, which has the exit status.

    ``argv`` are the arguments without the program's name; left out, they are those of the process
    and ``sys.path[0]``, which then belongs to the program and not to the job, is dropped.
    """
    sys.exit(_status(argv))


def _status(argv: Sequence[str] | None) -> int:
    if argv is None:
        argv = sys.argv[1:]
        if sys.path and not sys.flags.safe_path:
            del sys.path[0]
    try:
        return _command(list(argv))
    except SystemExit as end:  # argparse: --help, --version and mistakes
        return end.code if isinstance(end.code, int) else 0
    except (_UsageError, ScriptProblem, EnvironmentProblem) as problem:
        complain(f"swiftwater: error: {problem}")
        return 2


def _command(argv: list[str]) -> int:
    if argv[:1] == ["run"]:
        return _run(argv)
    import argparse

    parser = argparse.ArgumentParser(
        prog="swiftwater",
        description="Run streaming jobs written in Python, in small batches, on one machine.",
        epilog=_EXAMPLES,
        formatter_class=_layout,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument("command", choices=["run"], help="run a script; see swiftwater run --help")
    if argv and not argv[0].startswith("-") and os.path.exists(argv[0]):
        raise _UsageError(f"unknown command {argv[0]}; did you mean: swiftwater run {argv[0]}")
    parser.parse_args(argv or ["--help"])
    return 0


def _run(argv: list[str]) -> int:
    flags, script, arguments = _split(argv[1:])
    options = _Options()
    if flags:
        # Else there is nothing to parse, and a start need not wait for what parses.
        _parser().parse_args(flags, options)
    _enter_environment(options.python, argv)
    for flag in _WITHOUT_EFFECT + _WITHOUT_EFFECT_OR_VALUE:
        if any(given == flag or given.startswith(flag + "=") for given in flags):
            engine.notice("warning", None, f"the flag {flag} has no effect in Swiftwater")
    layers = _settings.command_line
    layers.file = _properties(options.properties_file)
    layers.flags = _flag_settings(options)
    if script is None:
        if not options.print_config:
            raise _UsageError("which script? swiftwater run [flags] JOB.py ARGS...")
        return _print_settings()
    layers.print_config = options.print_config
    layers.explain = options.explain
    status = run_script(script, arguments, [path for path in options.py_files.split(",") if path])
    if options.print_config and status == 0 and layers.print_config:
        # The script came to its end without a context: show what one would have had.
        return _print_settings()
    if layers.explain and status == 0:
        complain(f"swiftwater: --explain: {script} has started no stream")
    return status


def _split(arguments: list[str]) -> tuple[list[str], str | None, list[str]]:
    """Return the flags, the script and what belongs to the script."""
    flags: list[str] = []
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if word == "--":
            rest = arguments[index + 1 :]
            return flags, rest[0] if rest else None, rest[1:]
        if not word.startswith("-") or word == "-":
            return flags, word, arguments[index + 1 :]
        flags.append(word)
        index += 1
        if word in _WITH_VALUE and index < len(arguments):
            # In one piece, so that a value may begin with a dash: --driver-java-options -Xmx1g
            flags[-1] += f"={arguments[index]}"
            index += 1
    return flags, None, []


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(
        prog="swiftwater run",
        usage="swiftwater run [flags] JOB.py ARGS...",
        description="Run JOB.py with the arguments ARGS, which may begin with dashes.",
        epilog=_EXAMPLES + "\nspark-submit's other flags are accepted, with a warning.\n",
        formatter_class=_layout,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--master", metavar="MASTER", help="cores to use: local, local[4], local[*] (the default)")
    add("--name", metavar="NAME", help="the job's name in logs")
    add(
        "--conf",
        "-c",
        metavar="NAME=VALUE",
        action="append",
        help="one setting; may be given again",
    )
    add("--properties-file", metavar="FILE", help="settings, one a line: name and value")
    add(
        "--py-files",
        metavar="FILES",
        help="modules of the job, with commas between: .py, .zip, .egg, folders",
    )
    add("--files", metavar="FILES", help="files that SparkFiles.get finds, with commas between")
    add("--archives", metavar="FILES", help="the same for archives, which are unpacked")
    add("--python", metavar="PATH", help="the job's environment: an interpreter or a venv's folder")
    add(
        "--print-config",
        action="store_true",
        help="print every setting with its origin and end; with JOB.py, as it is once the script "
        "has made its SparkContext",
    )
    add(
        "--explain",
        action="store_true",
        help="print how the streams would be computed, with the reason where a function stays "
        "Python, and end; nothing is received",
    )
    add("--version", action="version", version=_version())
    for flag in _WITHOUT_EFFECT:
        add(flag, action="append", help=argparse.SUPPRESS)
    for flag in _WITHOUT_EFFECT_OR_VALUE:
        add(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


def _version() -> str:
    return f"swiftwater {__version__} (Python {sys.version.split()[0]})"


def _enter_environment(path: str | None, argv: list[str]) -> None:
    """Make sure that the job runs in the environment that was asked for."""
    # The host reads SWIFTWATER_PYTHON before it starts Python; here it counts as the flag does.
    if path is None and not hasattr(sys, "_swiftwater_host"):
        path = os.environ.get("SWIFTWATER_PYTHON") or None
    if path is not None:
        switch(path, argv)
    else:
        problem: str | None = getattr(sys, "_swiftwater_environment_problem", None)
        if problem:
            raise EnvironmentProblem(problem)


def _properties(path: str | None) -> dict[str, _settings.Entry]:
    if path is None:
        return {}
    try:
        return _settings.read_properties(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _UsageError(f"cannot read the properties file {path}: {reason}") from None


def _flag_settings(options: _Options) -> dict[str, _settings.Entry]:
    found: dict[str, _settings.Entry] = {}
    for text in options.conf:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise _UsageError(f"--conf takes NAME=VALUE, not {text}")
        found[name.strip()] = (value.strip(), "flag --conf")
    for flag, name in _SETTINGS_OF_FLAGS.items():
        value = getattr(options, flag)
        if value:
            found[name] = (value, f"flag --{flag}")
    return found


def _print_settings() -> int:
    try:
        settings = _settings.merge({}, _settings.command_line, os.environ)
    except ValueError as error:
        raise _UsageError(str(error)) from None
    for level, message in settings.messages:
        engine.notice(level, None, message)
    print(_settings.table(settings.entries))
    return 0
