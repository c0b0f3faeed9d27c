"""Settings with their origin: what wins, and what is said about it.

Layers from the weakest to the strongest: the default, the script's code, the properties file, the
environment, the command line. Everything here is a plain value: a layer is a dictionary from a
setting's name to an ``Entry``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from swiftwater._native import engine
from swiftwater._terminal_text import visible

__all__ = [
    "Entry",
    "Layers",
    "Settings",
    "command_line",
    "default_entries",
    "is_secret",
    "merge",
    "parse_flag",
    "read_environment",
    "read_properties",
    "shown",
    "table",
]

Entry = tuple[str, str]
"""A setting's value and its origin in words: ``("local[2]", "flag --master")``."""

# Names that carry no behaviour here but that every Spark program may set.
_ACCEPTED = frozenset(
    {"spark.master", "spark.app.name", "spark.home", "spark.submit.pyFiles", "spark.app.id"}
)

# Variables of the environment that do not stand for a setting of the same name.
_VARIABLES = {"SWIFTWATER_MASTER": "spark.master", "SWIFTWATER_NAME": "spark.app.name"}
_OTHER_VARIABLES = frozenset({"SWIFTWATER_PYTHON", "SWIFTWATER_TEST_KILL"})

# As Spark's spark.redaction.regex, and what that leaves out: spark.authenticate.pass,
# spark.redis.auth, fs.azure.account.key...
_HIDDEN_NAMES = (
    r"(?i)secret|pass|pwd|token|credential|auth|cookie|jaas|signature|(^|[._-])sas([._-]|$)"
    r"|(access|account|api|encryption|master|private|shared|signing|ssh|storage)[._-]?key"
)
# A secret may also stand in a value: an option of another program, or an address with a password.
_HIDDEN_VALUES = (
    r"(?i)(secret|passw(or)?d|pwd|token|credentials?|(access|account|api)[._-]?key)[\"']?\s*[=:]"
    r"|://[^/\s:@]*:[^/\s@]+@"
)


# Settings of yes or no that this package reads itself; the engine checks its own.
_FLAGS = ("swiftwater.errors.full", "spark.streaming.stopGracefullyOnShutdown")
# Others that it reads, with what they may be.
_CHOICES = {"swiftwater.files.commit": ("rename", "manifest")}


class Layers:
    """What was said outside the script's code; one object a process, filled by the command line."""

    def __init__(self) -> None:
        """Make empty layers; the environment is read when a context is made."""
        self.file: dict[str, Entry] = {}
        self.flags: dict[str, Entry] = {}
        # A job under --print-config ends where its settings are known.
        self.print_config = False
        # A job under --explain ends where its streams are known.
        self.explain = False


command_line = Layers()


class Settings:
    """The outcome of ``merge``: effective values with their origin, and what is worth saying."""

    def __init__(self) -> None:
        """Make an empty outcome."""
        self.entries: dict[str, Entry] = {}
        self.messages: list[tuple[str, str]] = []

    def values(self) -> dict[str, str]:
        """Return what somebody set, without the defaults."""
        return {
            name: value for name, (value, origin) in self.entries.items() if origin != "default"
        }

    def get(self, name: str) -> str | None:
        """Return the effective value of ``name``; ``None`` where it has none."""
        entry = self.entries.get(name)
        return entry[0] if entry else None

    def flag(self, name: str) -> bool:
        """Return the effective value of a setting of yes or no. Raises ``ValueError``."""
        return parse_flag(name, self.get(name))

    def check_flags(self) -> None:
        """Raise ``ValueError`` where a setting that this package reads itself makes no sense."""
        for name in _FLAGS:
            self.flag(name)
        for name, choices in _CHOICES.items():
            value = self.get(name)
            if value and value not in choices:
                raise ValueError(f"{name}: '{value}' is not {' or '.join(choices)}")


def parse_flag(name: str, value: str | None) -> bool:
    """Return what ``value`` means for the setting ``name``; empty means no, as in the engine."""
    word = (value or "").strip().lower()
    if word in ("true", "yes", "1"):
        return True
    if word in ("false", "no", "0", ""):
        return False
    raise ValueError(f"{name}: '{value}' is not true or false")


def default_entries() -> dict[str, Entry]:
    """Return all known settings at their defaults, by name."""
    found = {name: (default, "default") for name, default, _ in engine.setting_definitions()}
    for name, default in (("spark.master", "local[*]"), ("spark.app.name", _script_name())):
        if not found.get(name, ("", ""))[0]:
            found[name] = (default, "default")
    return found


def merge(code: Mapping[str, str], layers: Layers, environ: Mapping[str, str]) -> Settings:
    """Lay the layers over each other.

    ``code`` is what the script set. Raises ``ValueError`` for an unknown ``swiftwater.*`` name;
    values are checked by the engine, when a context is opened with them.
    """
    result = Settings()
    defaults = default_entries()
    result.entries.update(defaults)
    environment, unknown = read_environment(environ, defaults)
    for variable in unknown:
        result.messages.append(("warning", _unknown_variable(variable, defaults)))
    for layer in (
        {name: (value, "code") for name, value in code.items()},
        layers.file,
        environment,
        layers.flags,
    ):
        for name, entry in layer.items():
            _lay(result, name, entry, defaults)
    return result


def _lay(result: Settings, name: str, entry: Entry, defaults: Mapping[str, Entry]) -> None:
    """Put one entry over what is there, and record what the user should hear about it."""
    if name not in defaults and name not in _ACCEPTED:
        if name.startswith("swiftwater."):
            raise ValueError(_unknown_setting(name, entry[1], defaults))
        if name.startswith("spark."):
            hint = _nearest(name, defaults, cutoff=0.85)
            text = f"the setting {name} ({entry[1]}) has no effect in Swiftwater"
            result.messages.append(("warning", f"{text}; did you mean {hint}?" if hint else text))
        elif entry[1] != "code":
            # Spark: what does not begin with "spark." is not handed to the program either.
            text = f"ignoring {name} ({entry[1]}): a setting begins with spark. or swiftwater."
            result.messages.append(("warning", text))
            return
    below = result.entries.get(name)
    if below is not None and below[1] == "code" and below[0] != entry[0]:
        ours, theirs = shown(name, entry[0]), shown(name, below[0])
        text = f"{name} is {ours} ({entry[1]}), not {theirs} as the code says"
        result.messages.append(("info", text))
    result.entries[name] = entry


def read_environment(
    environ: Mapping[str, str], known: Iterable[str]
) -> tuple[dict[str, Entry], list[str]]:
    """Return the settings that ``SWIFTWATER_*`` variables give, and the variables nobody knows.

    ``swiftwater.receiver.maxBuffered`` is ``SWIFTWATER_RECEIVER_MAXBUFFERED``.
    """
    names = dict(_VARIABLES)
    for name in known:
        if name.startswith("swiftwater."):
            names[name.upper().replace(".", "_")] = name
    found: dict[str, Entry] = {}
    unknown: list[str] = []
    for variable, value in environ.items():
        if not variable.startswith("SWIFTWATER_") or variable in _OTHER_VARIABLES:
            continue
        if variable in names:
            found[names[variable]] = (value, f"environment {variable}")
        else:
            unknown.append(variable)
    return found, unknown


def read_properties(path: str) -> dict[str, Entry]:
    r"""Read a file in the format of ``spark-defaults.conf``.

    One setting a line; name and value are separated by white space, ``=`` or ``:``; ``#`` and
    ``!`` begin a comment line; a line that ends in ``\`` goes on in the next. Raises ``OSError``
    where the file cannot be read and ``ValueError`` where it is not UTF-8 text.
    """
    import re

    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    found: dict[str, Entry] = {}
    text = ""
    for number, line in enumerate(lines, 1):
        text += line.strip()
        if text.endswith("\\") and not text.startswith(("#", "!")) and number < len(lines):
            text = text[:-1]
            continue
        match = re.match(r"([^\s=:#!][^\s=:]*)\s*[=:]?\s*(.*)", text)
        if match:
            found[match[1]] = (match[2].strip(), f"file {os.path.basename(path)}:{number}")
        text = ""
    return found


def shown(name: str, value: str) -> str:
    """Return ``value`` as logs and tables may show it: secrets are hidden."""
    return "(hidden)" if is_secret(name, value) else visible(value)


def is_secret(name: str, value: str) -> bool:
    """Return whether nobody should read ``value``, because of its setting's name or of itself."""
    # Whether something is on is no secret, such as spark.authenticate.
    if value.strip().lower() in ("", "true", "false"):
        return False
    import re  # which a job without secrets does not load

    return bool(re.search(_HIDDEN_NAMES, name) or re.search(_HIDDEN_VALUES, value))


def table(entries: Mapping[str, Entry]) -> str:
    """Return settings as a table of name, value and origin, by name, one a line."""
    rows = [("setting", "value", "origin")]
    for name in sorted(entries):
        value, origin = entries[name]
        rows.append((visible(name), shown(name, value), visible(origin)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows)


def _script_name() -> str:
    name = os.path.basename(sys.argv[0]) if sys.argv else ""
    return name if name not in ("", "-c", "-m", "__main__.py") else "swiftwater"


def _unknown_setting(name: str, origin: str, known: Iterable[str]) -> str:
    text = f"unknown setting {name} ({origin})"
    hint = _nearest(name, known)
    return f"{text}; did you mean {hint}?" if hint else f"{text}: see swiftwater run --print-config"


def _unknown_variable(variable: str, known: Iterable[str]) -> str:
    text = f"the environment variable {variable} stands for no setting"
    spelled = [name.upper().replace(".", "_") for name in known if name.startswith("swiftwater.")]
    hint = _nearest(variable, [*spelled, *_VARIABLES, *_OTHER_VARIABLES])
    return f"{text}; did you mean {hint}?" if hint else text


def _nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    import difflib

    # Only what comes behind the common first word is compared: it would make anything similar.
    rests = {_without_family(each): each for each in known}
    found = difflib.get_close_matches(_without_family(name), list(rests), n=1, cutoff=cutoff)
    return rests[found[0]] if found else None


def _without_family(name: str) -> str:
    for family in ("swiftwater.", "spark.", "SWIFTWATER_"):
        if name.startswith(family):
            return name.removeprefix(family)
    return name
