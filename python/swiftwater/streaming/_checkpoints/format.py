"""The files of a checkpoint folder: their names, and what is in them.

``docs/checkpoints.md`` describes the format. Every file is complete or not there, and says what it
is called, so that one in the place of another is noticed. A folder is given as it was opened, or
as a path that is opened for the call.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

from swiftwater._typing import Any
from swiftwater.streaming._checkpoints.folder import CheckpointError, CheckpointFolder, opened

__all__ = [
    "CheckpointError",
    "checkpoint_name",
    "checkpoint_times",
    "data_files",
    "named_in",
    "read_checkpoint",
    "read_data",
    "rows_in",
    "write_checkpoint",
    "write_data",
]

_MAGIC = b"SWCHKPT\n"
_DATA_MAGIC = b"SWDATA\r\n"
# Since these versions a checksum also covers what stands in front of its section: sections that
# have changed places, or come from another file, do not match. Older files are still read.
_VERSION = _CHAINED = 2
_DATA_VERSION = _DATA_CHAINED = 3
# Since this version a data file begins with its name.
_DATA_NAMED = 2
# How keys were placed among the partitions of what is in a data file. Rows of the facts that do not
# say so are older: places depended on where None was in memory then.
PLACEMENT = 1

_HEAD = struct.Struct("<8sII")  # magic, version, number of sections
_SECTION = struct.Struct("<4sQI")  # name, length, checksum
_FACTS, _FUNCTIONS, _PARTITION, _NAME = b"JSON", b"FUNC", b"PART", b"NAME"
_PREFIX = "checkpoint-"
# As they are written: no other digits than these, and no zeros in front.
_CHECKPOINT = re.compile(r"checkpoint-(0|[1-9][0-9]{0,17})")
_DATA = re.compile(r"data-[0-9]+-(retained|failed)")

Folder = CheckpointFolder | str


def checkpoint_name(time_ms: int) -> str:
    """Return the name of the checkpoint after the batch at ``time_ms``."""
    return f"{_PREFIX}{time_ms}"


def checkpoint_times(folder: Folder) -> list[int]:
    """Return the times of the checkpoints in a folder, the newest first; none without a folder."""
    try:
        with opened(folder) as place:
            found = [_CHECKPOINT.fullmatch(name) for name in place.names()]
    except FileNotFoundError:
        return []
    return sorted((int(match[1]) for match in found if match), reverse=True)


def data_files(folder: CheckpointFolder) -> list[str]:
    """Return the names of the data files in a folder."""
    return [name for name in folder.names() if _DATA.fullmatch(name)]


def named_in(data: Iterable[dict[str, Any]]) -> set[str]:
    """Return the names of the data files that a checkpoint's facts name."""
    return {row["file"] for row in data if row["file"] is not None}


def rows_in(facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a checkpoint's rows of data: what all goes on from, and what failed batches need."""
    yield from facts["data"]
    for batch in facts.get("failed", ()):
        yield from batch["data"]


# --- writing --------------------------------------------------------------------------------


def write_checkpoint(folder: Folder, time_ms: int, facts: dict[str, Any], functions: bytes) -> None:
    """Write what is known after a batch."""
    import json

    name = checkpoint_name(time_ms)
    # In ASCII: a path may hold what is not UTF-8.
    text = json.dumps({**facts, "name": name}).encode()
    sections = [(_FACTS, text), (_FUNCTIONS, functions)]
    with opened(folder) as place:
        place.write(name, _pieces(_MAGIC, _VERSION, sections))


def write_data(folder: Folder, name: str, partitions: Sequence[bytes]) -> None:
    """Write partitions of RDDs, in the engine's encoding."""
    sections = [(_NAME, name.encode()), *((_PARTITION, records) for records in partitions)]
    with opened(folder) as place:
        place.write(name, _pieces(_DATA_MAGIC, _DATA_VERSION, sections))


def _pieces(magic: bytes, version: int, sections: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    head = _HEAD.pack(magic, version, len(sections))
    yield head
    checksum = zlib.crc32(head)
    for kind, content in sections:
        checksum = _chained(checksum, kind, content)
        yield _SECTION.pack(kind, len(content), checksum)
        yield content


def _chained(before: int, kind: bytes, content: bytes) -> int:
    """Return the checksum of a section behind what has the checksum ``before``."""
    return zlib.crc32(content, zlib.crc32(kind, before))


# --- reading --------------------------------------------------------------------------------


def read_checkpoint(folder: Folder, time_ms: int) -> tuple[dict[str, Any], bytes]:
    """Return the facts and the pickled functions of a checkpoint.

    Raises ``CheckpointError`` where the file is damaged or another one, ``UntrustedFileError``, and
    ``OSError``.
    """
    import json

    name = checkpoint_name(time_ms)
    with opened(folder) as place:
        sections, _ = _sections(name, place.read(name), _MAGIC, _VERSION, _CHAINED)
    found = dict(sections)
    if len(sections) != len(found) or _FACTS not in found or _FUNCTIONS not in found:
        raise CheckpointError("its sections are not those of a checkpoint")
    facts = json.loads(found[_FACTS])
    if not isinstance(facts, dict):
        raise CheckpointError("its facts are not an object")
    _require_name(name, facts.get("name", name))
    return facts, found[_FUNCTIONS]


def read_data(folder: Folder, name: str) -> list[bytes]:
    """Return what ``write_data`` was given.

    Raises ``CheckpointError`` where the file is damaged or another one, ``UntrustedFileError``, and
    ``OSError``.
    """
    if not _DATA.fullmatch(name):
        raise CheckpointError(f"{name!r} is not the name of a data file")
    with opened(folder) as place:
        content = place.read(name)
    sections, version = _sections(name, content, _DATA_MAGIC, _DATA_VERSION, _DATA_CHAINED)
    if version >= _DATA_NAMED:
        if not sections or sections[0][0] != _NAME:
            raise CheckpointError(f"{name} does not say what it is called")
        _require_name(name, sections[0][1].decode(errors="replace"))
        del sections[0]
    return [content for _, content in sections]


def _require_name(name: str, written: object) -> None:
    if written != name:
        raise CheckpointError(f"{name} was written as {written}: files have been exchanged")


def _sections(
    name: str, content: bytes, magic: bytes, newest: int, chained: int
) -> tuple[list[tuple[bytes, bytes]], int]:
    """Return the sections of a file and its version; ``chained`` is the first of such checksums."""
    if len(content) < _HEAD.size:
        raise CheckpointError(f"{name} ends before its head does")
    found, version, count = _HEAD.unpack_from(content)
    if found != magic:
        raise CheckpointError(f"{name} is not a file of a checkpoint")
    if not 1 <= version <= newest:
        raise CheckpointError(f"{name} has version {version} of the format, known is {newest}")
    sections: list[tuple[bytes, bytes]] = []
    place = _HEAD.size
    before = zlib.crc32(content[:place])
    for _ in range(count):
        if len(content) < place + _SECTION.size:
            raise CheckpointError(f"{name} ends early")
        kind, length, checksum = _SECTION.unpack_from(content, place)
        place += _SECTION.size
        section = content[place : place + length]
        place += length
        if len(section) != length:
            raise CheckpointError(f"{name} ends early")
        before = _chained(before, kind, section) if version >= chained else zlib.crc32(section)
        if before != checksum:
            raise CheckpointError(f"{name} is damaged: a checksum does not match")
        sections.append((kind, section))
    if place != len(content):
        raise CheckpointError(f"{name} goes on behind its end")
    return sections, version
