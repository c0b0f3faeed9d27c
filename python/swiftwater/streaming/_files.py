"""Sources that watch a folder: each batch has the files that have appeared since the last.

Which files belong to a batch is decided by times alone, so that it can be decided again later: by
the time of the batch and by when a file was changed last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from swiftwater._compression import content, refuse_compressed
from swiftwater._native import engine
from swiftwater._numbers import whole_and_no_truth
from swiftwater._paths import matching_paths

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext
    from swiftwater.streaming.dstream import DStream

__all__ = ["FileChooser", "binary_files", "chosen", "listed", "text_files"]

# Spark: spark.streaming.fileStream.minRememberDuration, rounded up to whole batches.
_REMEMBERED_MS = 60_000
_CHUNK = 1 << 16


def chosen(
    found: Iterable[tuple[str, int]],
    time_ms: int,
    remember_ms: int,
    constructed_ms: int,
    recent: Collection[str],
) -> list[str]:
    """Return the paths of ``found`` (each with its time of change) that a batch takes.

    A file is new to the batch at ``time_ms`` if it was changed after the stream was made and
    within the last ``remember_ms``, not later than the batch, and none of the ``recent`` batches
    has taken it.
    """
    after_ms = max(constructed_ms, time_ms - remember_ms)
    return [
        path
        for path, changed_ms in found
        if after_ms < changed_ms <= time_ms and path not in recent
    ]


def listed(directory: str) -> list[tuple[str, int]]:
    """Return the entries of a folder, or of all folders that a pattern stands for, by name.

    Each with its time of change in milliseconds. Names that begin with ``.`` or ``_`` do not
    count; a folder that is not there is empty.
    """
    found: list[tuple[str, int]] = []
    for folder in _folders(directory):
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if entry.name.startswith((".", "_")):
                continue
            try:
                changed_ns = entry.stat().st_mtime_ns
            except FileNotFoundError:
                continue  # gone since it was listed
            except OSError as error:
                # One bad entry, such as a link to itself, must not keep all others from a batch.
                text = f"passed over {entry.path}: {error.strerror}"
                engine.log_repeated("warning", "folder entry", text)
                continue
            found.append((entry.path, changed_ns // 1_000_000))
    return found


def _folders(directory: str) -> list[str]:
    if os.path.isdir(directory):
        return [directory]
    return [path for path in matching_paths(directory) if os.path.isdir(path)]


class FileChooser:
    """Chooses the files of each batch of one stream, and remembers what it has chosen."""

    def __init__(self, directory: str, slide_ms: int, constructed_ms: int) -> None:
        """Choose from ``directory`` what is changed after ``constructed_ms``."""
        self._directory = directory
        self._constructed_ms = constructed_ms
        self._remember_ms = slide_ms * -(-_REMEMBERED_MS // slide_ms)
        self._batches: dict[int, list[str]] = {}
        self._is_missing = False
        # Where a recovery would go on: None without checkpoints.
        self._recovery_ms: int | None = None

    def hold_for(self, recovery_ms: int) -> None:
        """Remember what a job needs that is recovered and goes on behind ``recovery_ms``.

        Its first batches look back as far as they did when they ran, so what was chosen that long
        before is remembered too, however seldom the data of states and windows is written.
        """
        self._recovery_ms = recovery_ms

    def files_at(self, time_ms: int) -> list[str]:
        """Return the files of the batch at a time: the same ones whenever it is asked."""
        known = self._batches.get(time_ms)
        if known is not None:
            return known
        try:
            found = listed(self._directory)
        except OSError as error:
            # Spark: the batch goes on without files; the next one sees them.
            text = f"cannot list the folder {self._directory}: {error}"
            engine.log_repeated("warning", f"folder {self._directory}", text)
            return []
        self._tell_of_missing(bool(found) or bool(_folders(self._directory)))
        oldest_ms = time_ms - self._remember_ms
        self._forget_before(oldest_ms)
        # What was chosen earlier and is remembered for a recovery does not count: a batch that
        # runs again and one that runs for the first time choose alike.
        recent = {
            path for at_ms, paths in self._batches.items() if at_ms >= oldest_ms for path in paths
        }
        paths = chosen(found, time_ms, self._remember_ms, self._constructed_ms, recent)
        self._batches[time_ms] = paths
        return paths

    def _tell_of_missing(self, is_there: bool) -> None:
        # Spark says nothing, and a slip in the name is then hard to find.
        if not is_there and not self._is_missing:
            engine.log(
                "warning",
                f"there is no folder {self._directory} to take files from: it is looked for again "
                "in every batch",
            )
        self._is_missing = not is_there

    def _forget_before(self, oldest_ms: int) -> None:
        if self._recovery_ms is not None:
            oldest_ms = min(oldest_ms, self._recovery_ms - self._remember_ms)
        for old in [batch for batch in self._batches if batch < oldest_ms]:
            del self._batches[old]

    def facts(self) -> dict[str, Any]:
        """Return what a checkpoint needs to choose the same files again."""
        return {
            "constructed_ms": self._constructed_ms,
            "batches": [[time_ms, paths] for time_ms, paths in self._batches.items() if paths],
        }

    def go_on(self, facts: dict[str, Any]) -> None:
        """Choose as a stream that ``facts`` came from."""
        self._constructed_ms = facts["constructed_ms"]
        self._batches = {time_ms: list(paths) for time_ms, paths in facts["batches"]}


def text_files(ssc: StreamingContext, directory: str) -> DStream[str]:
    """Return a stream of the lines of files."""
    context = ssc._sc

    def lines(path: str, name: str, site: str) -> Handle:
        if not _is_utf_8(path):
            # The engine has no such names.
            paths = engine.file_path(context._engine, [path], f"file:{path}")
            return engine.pipeline(paths, [("flatMap", _lines, name, site)])
        # As Spark names it; programs look for the file in an RDD's lineage.
        return engine.text_file(context._engine, f"file:{path}", 1)

    return _file_stream(ssc, directory, lines, "textFileStream")


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
    context = ssc._sc

    def records(path: str, name: str, site: str) -> Handle:
        paths = engine.file_path(context._engine, [path], f"file:{path}")
        step = ("flatMap", lambda each: _records(each, length), name, site)
        return engine.pipeline(paths, [step])

    return _file_stream(ssc, directory, records, "binaryRecordsStream")


def _file_stream(ssc: StreamingContext, directory: str, read: Any, name: str) -> DStream[Any]:
    from swiftwater._paths import local_path
    from swiftwater.streaming.dstream import DStream

    context = ssc._building()
    site = ssc._definitions.site
    chooser = FileChooser(
        os.path.abspath(local_path(directory, name)), ssc._interval_ms, ssc._now_ms()
    )
    ssc._file_choosers.append(chooser)

    def contents(time_ms: int, generation: Handle) -> Handle:
        parts = []
        for path in chooser.files_at(time_ms):
            # Spark: a file without anything in it has no partition.
            filled = [file for file in _plain_files(path) if os.path.getsize(file)]
            parts += [read(file, name, site) for file in filled]
        if not parts:
            return ssc._sc.emptyRDD()._handle
        return parts[0] if len(parts) == 1 else engine.union(ssc._sc._engine, parts)

    handle = engine.stream_history(context, [], ssc._interval_ms, [], 0, contents, None, name, site)
    return DStream(handle, ssc, kind="FileInputDStream")


def _plain_files(path: str) -> list[str]:
    """Return the file itself, or the files in it where it is a folder."""
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"Input path does not exist: {path}: it was there when the batch was made. Files of a "
            "folder that is watched must stay for a while"
        )
    if not os.path.isdir(path):
        return [path]
    return sorted(
        entry.path
        for entry in os.scandir(path)
        if entry.is_file() and not entry.name.startswith((".", "_"))
    )


def _is_utf_8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lines(path: str) -> Iterator[str]:
    """Yield the lines of a text file, as the engine cuts them."""
    import io

    raw = io.BytesIO(content(path))
    # The byte order mark is left out, and every kind of line end is one.
    with io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline=None) as file:
        for line in file:
            yield line.removesuffix("\n")


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
