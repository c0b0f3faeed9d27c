"""The files of a checkpoint folder: how they are written, and what is believed of what is read.

``docs/checkpoints.md`` describes the format. Every file is complete or not there: it is written
under another name, forced to the disk, and renamed.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from typing import Any

__all__ = [
    "CheckpointError",
    "checkpoint_name",
    "checkpoint_times",
    "make_private_folder",
    "named_in",
    "read_checkpoint",
    "read_data",
    "remove_temporary_files",
    "require_private",
    "sync_folder",
    "write_checkpoint",
    "write_data",
]

_MAGIC = b"SWCHKPT\n"
_DATA_MAGIC = b"SWDATA\r\n"
_VERSION = 1
_HEAD = struct.Struct("<8sII")  # magic, version, number of sections
_SECTION = struct.Struct("<4sQI")  # name, length, checksum
_FACTS, _FUNCTIONS, _PARTITION = b"JSON", b"FUNC", b"PART"
_PREFIX = "checkpoint-"
_TEMPORARY = ".writing-"


class CheckpointError(ValueError):
    """A file is not what a checkpoint must be."""


# --- the folder -----------------------------------------------------------------------------


def make_private_folder(path: str) -> None:
    """Make a folder that only this user can write to; refuse one that others can."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    require_private(path)


def require_private(path: str) -> None:
    """Raise ``PermissionError`` where others could put a file into the folder.

    A checkpoint holds functions, which are run: whoever writes one runs code here.
    """
    status = os.stat(path)
    if not os.path.isdir(path):
        raise NotADirectoryError(f"the checkpoint directory {path} is not a directory")
    # The user's own group, which many systems let write by default, is the user.
    group = bool(status.st_mode & 0o020) and status.st_gid != os.getegid()
    if status.st_mode & 0o002 or group:
        raise PermissionError(
            f"the checkpoint directory {path} can be written to by others, who could have their "
            f"code run by this job: chmod go-w {path}"
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"the checkpoint directory {path} belongs to another user")


def checkpoint_name(time_ms: int) -> str:
    """Return the name of the checkpoint after the batch at ``time_ms``."""
    return f"{_PREFIX}{time_ms}"


def checkpoint_times(folder: str) -> list[int]:
    """Return the times of the checkpoints in a folder, the newest first."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    texts = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    return sorted((int(text) for text in texts if text.isdigit()), reverse=True)


def remove_temporary_files(folder: str) -> None:
    """Remove what a process has left that ended while it wrote."""
    for name in os.listdir(folder):
        if name.startswith(_TEMPORARY):
            os.unlink(os.path.join(folder, name))


def named_in(data: Sequence[dict[str, Any]]) -> set[str]:
    """Return the names of the data files that a checkpoint's facts name."""
    return {row["file"] for row in data if row["file"] is not None}


# --- writing --------------------------------------------------------------------------------


def write_checkpoint(folder: str, time_ms: int, facts: dict[str, Any], functions: bytes) -> None:
    """Write what is known after a batch."""
    import json

    text = json.dumps(facts, ensure_ascii=False).encode()
    sections = [(_FACTS, text), (_FUNCTIONS, functions)]
    _write(folder, checkpoint_name(time_ms), _MAGIC, sections)


def write_data(folder: str, name: str, partitions: Sequence[bytes]) -> None:
    """Write partitions of RDDs, in the engine's encoding."""
    _write(folder, name, _DATA_MAGIC, [(_PARTITION, records) for records in partitions])


def _write(folder: str, name: str, magic: bytes, sections: Sequence[tuple[bytes, bytes]]) -> None:
    temporary = os.path.join(folder, f"{_TEMPORARY}{name}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_HEAD.pack(magic, _VERSION, len(sections)))
        for kind, content in sections:
            file.write(_SECTION.pack(kind, len(content), zlib.crc32(content)))
            file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, os.path.join(folder, name))


def sync_folder(folder: str) -> None:
    """Force names to the disk: a checkpoint must not be there without the data that it names."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# --- reading --------------------------------------------------------------------------------


def read_checkpoint(folder: str, time_ms: int) -> tuple[dict[str, Any], bytes]:
    """Return the facts and the pickled functions of a checkpoint.

    Raises ``CheckpointError`` where the file is damaged, and ``OSError``.
    """
    import json

    sections = _read(os.path.join(folder, checkpoint_name(time_ms)), _MAGIC)
    found = dict(sections)
    if len(sections) != len(found) or _FACTS not in found or _FUNCTIONS not in found:
        raise CheckpointError("its sections are not those of a checkpoint")
    facts = json.loads(found[_FACTS])
    if not isinstance(facts, dict):
        raise CheckpointError("its facts are not an object")
    return facts, found[_FUNCTIONS]


def read_data(folder: str, name: str) -> list[bytes]:
    """Return what ``write_data`` was given.

    Raises ``CheckpointError`` where the file is damaged, and ``OSError``.
    """
    if os.path.basename(name) != name:
        raise CheckpointError(f"{name!r} is not the name of a data file")
    return [content for _, content in _read(os.path.join(folder, name), _DATA_MAGIC)]


def _read(path: str, magic: bytes) -> list[tuple[bytes, bytes]]:
    with open(path, "rb") as file:
        content = file.read()
    name = os.path.basename(path)
    if len(content) < _HEAD.size:
        raise CheckpointError(f"{name} ends before its head does")
    found, version, count = _HEAD.unpack_from(content)
    if found != magic:
        raise CheckpointError(f"{name} is not a file of a checkpoint")
    if version != _VERSION:
        raise CheckpointError(f"{name} has version {version} of the format, known is {_VERSION}")
    sections: list[tuple[bytes, bytes]] = []
    place = _HEAD.size
    for _ in range(count):
        if len(content) < place + _SECTION.size:
            raise CheckpointError(f"{name} ends early")
        kind, length, checksum = _SECTION.unpack_from(content, place)
        place += _SECTION.size
        section = content[place : place + length]
        place += length
        if len(section) != length:
            raise CheckpointError(f"{name} ends early")
        if zlib.crc32(section) != checksum:
            raise CheckpointError(f"{name} is damaged: a checksum does not match")
        sections.append((kind, section))
    if place != len(content):
        raise CheckpointError(f"{name} goes on behind its end")
    return sections
