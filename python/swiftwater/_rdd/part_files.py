"""Folders of part files: what ``saveAsTextFile``, ``saveAsPickleFile`` and checkpoints write.

When such a folder is complete is the subject of ``prepared_folders``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from swiftwater._native import engine
from swiftwater._numbers import whole
from swiftwater._paths import output_path
from swiftwater._rdd.prepared_folders import PreparedFolder, commit_way, prepared
from swiftwater._typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = [
    "PreparedFolder",
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
_CODEC_PACKAGE = "org.apache.hadoop.io.compress."


def write_folder(
    target: str,
    write: Callable[[str], None],
    overwrite: bool = False,
    mode: int = 0o777,
    keep: bool = False,
    way: str = "rename",
) -> None:
    """Make the folder ``target`` of what ``write(folder)`` puts into the folder that it is given.

    ``mode`` says who may use the folder, less what the process's mask takes away. Raises
    ``FileAlreadyExistsException`` where ``target`` is there, unless ``overwrite`` is set and it is
    a folder: then what an earlier call has put there goes, unless ``keep`` is set, and other files
    stay. Where ``way`` is ``manifest``, files have names that are not there yet.
    """

    def written(folder: str, _: str) -> None:
        write(folder)

    prepared(target, written, way, overwrite=overwrite, mode=mode, keep=keep).publish()


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
    batch: str | None = None,
    is_durable: bool = False,
) -> PreparedFolder:
    """Write what ``save_text`` does, and return it without putting it in its place.

    For ``batch`` and ``is_durable`` see ``prepared_folders.prepared``.
    """
    suffix = _suffix(codec)
    target = output_path(path, name)
    return prepared(
        target,
        _saving(rdd, suffix, _write_lines, name),
        commit_way(rdd.ctx._settings),
        overwrite=overwrite,
        batch=batch,
        is_durable=is_durable,
    )


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
    save = _saving(rdd, "", pickles, "saveAsPickleFile")
    prepared(target, save, commit_way(rdd.ctx._settings), overwrite=overwrite).publish()


def _saving(
    rdd: RDD[Any],
    suffix: str,
    write: Callable[[Iterator[Any], IO[bytes]], None],
    name: str,
) -> Callable[[str, str], None]:
    """Return what writes each partition as a file of its own."""

    def save(folder: str, ending: str) -> None:
        def written(partition: int, records: Iterator[Any]) -> Iterable[Any]:
            file_name = f"part-{partition:05d}{ending}{suffix}"
            with _opened(os.path.join(folder, file_name), suffix) as file:
                write(records, file)
            return ()

        rdd._piped("mapPartitionsWithIndex", written, name).collect()

    return save


def _suffix(codec: str | None) -> str:
    if not codec:
        return ""
    suffix = _SUFFIXES.get(codec.removeprefix(_CODEC_PACKAGE))
    if suffix is None:
        known = ", ".join(_CODEC_PACKAGE + name for name in _SUFFIXES)
        raise ValueError(f"there is no compression codec {codec}; there are: {known}")
    return suffix


def _opened(path: str, suffix: str) -> IO[bytes]:
    """Open a file that compresses as its suffix says.

    It may be there: of a task that is tried again, as its worker process was killed.
    """
    if suffix == ".gz":
        import gzip

        # A gzip file carries a time: without one, equal records give equal files.
        return gzip.GzipFile(path, "wb", mtime=0)  # type: ignore[return-value]
    if suffix == ".bz2":
        import bz2

        return bz2.BZ2File(path, "wb")
    if suffix == ".deflate":
        return _Deflated(path)  # type: ignore[return-value]
    return open(path, "wb")


class _Deflated:
    """A file in the format of zlib."""

    def __init__(self, path: str) -> None:
        import zlib

        self._file = open(path, "wb")  # noqa: SIM115
        self._packer = zlib.compressobj()

    def write(self, data: bytes) -> None:
        self._file.write(self._packer.compress(data))

    def __enter__(self) -> _Deflated:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._file.write(self._packer.flush())
