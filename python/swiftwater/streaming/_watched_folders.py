"""Sources that watch a folder: each batch has the files that have appeared since the last.

Which files these are, the engine says; see ``FileSource.swift``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from swiftwater._compression import refuse_compressed
from swiftwater._native import engine
from swiftwater._numbers import whole_and_no_truth
from swiftwater._paths import local_path
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext
    from swiftwater.streaming.dstream import DStream

__all__ = ["binary_files", "text_files"]

_CHUNK = 1 << 16


def text_files(ssc: StreamingContext, directory: str) -> DStream[str]:
    """Return a stream of the lines of files."""
    return _file_stream(ssc, directory, None, "textFileStream")


def binary_files(ssc: StreamingContext, directory: str, length: int) -> DStream[bytes]:
    """Return a stream of records of ``length`` bytes."""
    given = length
    try:
        length = whole_and_no_truth(given, "a record")
    except TypeError:
        length = 0
    if length < 1:
        raise ValueError(f"a record must have at least one byte, not {given!r}")
    if length > sys.maxsize:
        raise ValueError(f"a record cannot have {length} bytes")
    context, name, site = ssc._sc, "binaryRecordsStream", ssc._definitions.site

    def records(path: str) -> Handle:
        paths = engine.file_path(context._engine, [path], f"file:{path}")
        return engine.pipeline(
            paths, [("flatMap", lambda each: _records(each, length), name, site, False)]
        )

    return _file_stream(ssc, directory, records, name)


def _file_stream(
    ssc: StreamingContext, directory: str, read: Callable[[str], Handle] | None, name: str
) -> DStream[Any]:
    from swiftwater.streaming.dstream import DStream

    context = ssc._building()
    folder = os.path.abspath(local_path(directory, name))
    site = ssc._definitions.site
    handle = engine.file_stream(context, os.fsencode(folder), ssc._now_ms(), read, name, site)
    ssc._file_streams.append(handle)
    return DStream(handle, ssc, kind="FileInputDStream")


def _records(path: str, length: int) -> Iterator[bytes]:
    refuse_compressed(path, "binaryRecordsStream")
    with open(path, "rb") as file:
        # No buffer of a size that the file does not have.
        size = os.fstat(file.fileno()).st_size
        chunk = min(max(_CHUNK // length, 1) * length, max(size, 1))
        while block := file.read(chunk):
            for place in range(0, len(block), length):
                record = block[place : place + length]
                if len(record) < length:
                    raise EOFError(
                        f"{path} ends inside a record: {len(record)} of {length} bytes are there"
                    )
                yield record
