"""Folders of part files: what ``saveAsTextFile``, ``saveAsPickleFile`` and checkpoints write.

A folder is written under another name beside its place and renamed when it is complete: so it is
there with all its parts or not at all.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from swiftwater._native import engine
from swiftwater._numbers import whole
from swiftwater._paths import output_path
from swiftwater._typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = [
    "PreparedFolder",
    "is_there",
    "prepared_text",
    "save_pickles",
    "save_text",
    "write_folder",
]

_SUFFIXES = {
    "GzipCodec": ".gz",
    "BZip2Codec": ".bz2",
    "DefaultCodec": ".deflate",
    "DeflateCodec": ".deflate",
}
_DONE = "_SUCCESS"
_PART = re.compile(r"part-\d{5,}(-[-0-9a-f]+)?(\.\w+)*")
_CODEC_PACKAGE = "org.apache.hadoop.io.compress."


def write_folder(
    target: str,
    write: Callable[[str], None],
    overwrite: bool = False,
    mode: int = 0o777,
    keep: bool = False,
) -> None:
    """Make the folder ``target`` of what ``write(temporary folder)`` puts there.

    ``mode`` says who may use the folder, less what the process's mask takes away. Raises
    ``FileAlreadyExistsException`` where ``target`` is there, unless ``overwrite`` is set and it is
    a folder: then what an earlier call has put there goes, unless ``keep`` is set, and other files
    stay.
    """
    _prepared(target, write, overwrite, mode, keep).publish()


class PreparedFolder:
    """A folder that is complete, but not in its place."""

    def __init__(self, work: str, target: str, overwrite: bool, keep: bool) -> None:
        """Take over the folder ``work``, for ``target``."""
        self._work = work
        self._target = target
        self._overwrite = overwrite
        self._keep = keep

    def publish(self) -> None:
        """Put it in its place, or let it go where that fails."""
        try:
            if self._overwrite and os.path.isdir(self._target):
                _replace(self._target, self._work, self._keep)
            else:
                os.rename(self._work, self._target)
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Let it go."""
        import shutil

        shutil.rmtree(self._work, ignore_errors=True)


def _prepared(
    target: str,
    write: Callable[[str], None],
    overwrite: bool,
    mode: int = 0o777,
    keep: bool = False,
) -> PreparedFolder:
    import uuid

    if os.path.lexists(target) and not (overwrite and os.path.isdir(target)):
        raise _exists(target)
    parent, name = os.path.split(target)
    # Hidden, so that nobody who watches the parent folder takes it for input.
    work = os.path.join(parent, f".{name}.{uuid.uuid4().hex}")
    os.makedirs(parent, exist_ok=True)
    os.mkdir(work, mode)
    folder = PreparedFolder(work, target, overwrite, keep)
    try:
        write(work)
        marker = os.open(os.path.join(work, _DONE), os.O_CREAT | os.O_EXCL, mode & 0o666)
        os.close(marker)
    except BaseException:
        folder.abandon()
        raise
    return folder


def _replace(target: str, work: str, keep: bool) -> None:
    """Move the files in ``work`` to ``target``, in place of those that an earlier call wrote.

    With ``keep`` they stay too.
    """
    new = set(os.listdir(work))
    for name in os.listdir(target):
        # First of all the mark that says that it is complete.
        if name == _DONE or (not keep and name not in new and _PART.fullmatch(name)):
            os.unlink(os.path.join(target, name))
    for name in [*sorted(new - {_DONE}), _DONE]:
        os.replace(os.path.join(work, name), os.path.join(target, name))
    os.rmdir(work)


def _exists(target: str) -> BaseException:
    from swiftwater.errors import FileAlreadyExistsException

    return FileAlreadyExistsException(
        "org.apache.hadoop.mapred.FileAlreadyExistsException: "
        f"Output directory file:{target} already exists"
    )


def is_there(path: str, name: str = "saveAsTextFile") -> bool:
    """Return whether anything is at a path or ``file:`` URL."""
    return os.path.lexists(output_path(path, name))


def save_text(
    rdd: RDD[Any],
    path: str,
    codec: str | None,
    overwrite: bool = False,
    name: str = "saveAsTextFile",
) -> None:
    """Write each partition as a file of lines."""
    prepared_text(rdd, path, codec, overwrite, name).publish()


def prepared_text(
    rdd: RDD[Any],
    path: str,
    codec: str | None = None,
    overwrite: bool = False,
    name: str = "saveAsTextFile",
) -> PreparedFolder:
    """Write what ``save_text`` does, and return it without putting it in its place."""
    suffix = _suffix(codec)
    return _saved(rdd, output_path(path, name), suffix, _write_lines, overwrite, name)


def _write_lines(records: Iterator[Any], file: IO[bytes]) -> None:
    while lines := engine.next_lines(records):
        file.write(lines)


def save_pickles(rdd: RDD[Any], path: str, batch_size: int, overwrite: bool = False) -> None:
    """Write each partition as a file of pickled lists of up to ``batch_size`` records."""
    given = whole(batch_size, "batchSize")
    size = min(given, sys.maxsize) if given > 0 else 1000

    def pickles(records: Iterator[Any], file: IO[bytes]) -> None:
        import pickle

        while batch := list(islice(records, size)):
            pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)

    target = output_path(path, "saveAsPickleFile")
    _saved(rdd, target, "", pickles, overwrite, "saveAsPickleFile").publish()


def _saved(
    rdd: RDD[Any],
    target: str,
    suffix: str,
    write: Callable[[Iterator[Any], IO[bytes]], None],
    overwrite: bool,
    name: str,
) -> PreparedFolder:
    def save(folder: str) -> None:
        def written(partition: int, records: Iterator[Any]) -> Iterable[Any]:
            with _opened(os.path.join(folder, f"part-{partition:05d}{suffix}"), suffix) as file:
                write(records, file)
            return ()

        rdd._piped("mapPartitionsWithIndex", written, name).collect()

    return _prepared(target, save, overwrite)


def _suffix(codec: str | None) -> str:
    if not codec:
        return ""
    suffix = _SUFFIXES.get(codec.removeprefix(_CODEC_PACKAGE))
    if suffix is None:
        known = ", ".join(_CODEC_PACKAGE + name for name in _SUFFIXES)
        raise ValueError(f"there is no compression codec {codec}; there are: {known}")
    return suffix


def _opened(path: str, suffix: str) -> IO[bytes]:
    """Open a new file that compresses as its suffix says."""
    if suffix == ".gz":
        import gzip

        # A gzip file carries a time: without one, equal records give equal files.
        return gzip.GzipFile(path, "xb", mtime=0)  # type: ignore[return-value]
    if suffix == ".bz2":
        import bz2

        return bz2.BZ2File(path, "xb")
    if suffix == ".deflate":
        return _Deflated(path)  # type: ignore[return-value]
    return open(path, "xb")


class _Deflated:
    """A file in the format of zlib."""

    def __init__(self, path: str) -> None:
        import zlib

        self._file = open(path, "xb")  # noqa: SIM115
        self._packer = zlib.compressobj()

    def write(self, data: bytes) -> None:
        self._file.write(self._packer.compress(data))

    def __enter__(self) -> _Deflated:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._file.write(self._packer.flush())
