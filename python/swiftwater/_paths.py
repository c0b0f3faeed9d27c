"""Paths of input and output: which scheme, which files."""

from __future__ import annotations

import os
from collections.abc import Sequence

from swiftwater._native import engine

__all__ = [
    "DONE",
    "input_files",
    "local_path",
    "matching_paths",
    "named_by_manifest",
    "output_path",
]

# What says that a folder is complete. It is empty, or names the files that count.
DONE = "_SUCCESS"

_PATTERN = ("*", "?", "[", "{")


def local_path(name: object, call: str, does: str = "reads") -> str:
    """Return the path that ``name`` (a path or a ``file:`` URL) stands for.

    Raises ``TypeError`` where it is neither, and ``ValueError`` for another scheme.

    Example::

        >>> local_path("file:///data/a.txt", "textFile")
        '/data/a.txt'
    """
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"{call} needs a path, not {type(name).__name__}: {name!r}")
    path = os.fspath(name)
    if not isinstance(path, str):
        raise TypeError(f"{call} needs a path, not bytes: {path!r}")
    scheme, colon, rest = path.partition(":")
    if colon and scheme == "file":
        return "/" + rest.lstrip("/")
    if "://" in path:
        raise ValueError(f"{call} {does} local files only, not {scheme}: {path}")
    return path


def output_path(name: object, call: str) -> str:
    """Return the absolute path of what is written to a path or ``file:`` URL.

    Raises what ``local_path`` does.

    Example::

        >>> output_path("file:///data/counts", "saveAsTextFile")
        '/data/counts'
    """
    return os.path.abspath(local_path(name, call, "writes"))


def input_files(name: object, call: str) -> list[str]:
    """Return the absolute paths of the files that ``name`` stands for, sorted.

    ``name`` is a file, a folder, a pattern (``*``, ``?``, ``[ab]``, ``{a,b}``), or several with
    commas between them. Of a folder, the files count, not its folders, and none whose name begins
    with ``_`` or ``.``; where it has a manifest, those that this one names. Raises
    ``FileNotFoundError`` where there is nothing of that name.

    Example::

        >>> for file in ("b.txt", "a.txt", "_SUCCESS"):
        ...     _ = open(f"{tmp}/{file}", "w")
        >>> [path.rpartition("/")[2] for path in input_files(tmp, "textFile")]
        ['a.txt', 'b.txt']
    """
    whole = local_path(name, call)
    found: list[str] = []
    for part in [whole] if os.path.exists(whole) else _parts(whole):
        path = os.path.abspath(local_path(part, call))
        for match in _matches(path):
            if os.path.isdir(match):
                named = named_by_manifest(match)
                inside = [entry for entry in os.scandir(match) if not entry.is_dir()]
                found += sorted(
                    entry.path
                    for entry in inside
                    if _counts(entry.name) and (named is None or entry.name in named)
                )
            else:
                found.append(match)
    return found


def named_by_manifest(folder: str) -> set[str] | None:
    r"""Return the names of the files that count in a folder; ``None`` where they are not named.

    The file ``_SUCCESS`` of a folder that was committed by its manifest (see the setting
    ``swiftwater.files.commit``) has a line that says so, one for the batch, and one for each file.

    Example::

        >>> with open(f"{tmp}/_SUCCESS", "w") as file:
        ...     _ = file.write("swiftwater manifest 1\nbatch\npart-00000-5f\n")
        >>> named_by_manifest(tmp)
        {'part-00000-5f'}
    """
    try:
        with open(os.path.join(folder, DONE), encoding="utf-8", errors="replace") as file:
            if file.readline() != "swiftwater manifest 1\n":
                return None
            return set(file.read().splitlines()[1:])
    except OSError:
        return None


def _parts(whole: str) -> list[str]:
    """Cut at commas that are not inside of braces."""
    parts = [""]
    depth = 0
    for letter in whole:
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _matches(path: str) -> Sequence[str]:
    if os.path.exists(path):
        return [path]
    if any(sign in path for sign in _PATTERN):
        names = matching_paths(path)
        found = [match for match in names if _counts(os.path.basename(match))]
        if found:
            return found
        raise FileNotFoundError(f"Input Pattern file:{path} matches 0 files")
    raise FileNotFoundError(f"Input path does not exist: file:{path}")


def matching_paths(pattern: str) -> list[str]:
    """Return what a pattern stands for, as Hadoop has it: once each, sorted, hidden names too.

    Example::

        >>> for file in ("c.txt", "a.txt", "b.txt"):
        ...     _ = open(f"{tmp}/{file}", "w")
        >>> [path.rpartition("/")[2] for path in matching_paths(tmp + "/{b,a}.txt")]
        ['a.txt', 'b.txt']
    """
    return engine.matching_paths(pattern)


def _counts(name: str) -> bool:
    return not name.startswith(("_", "."))
