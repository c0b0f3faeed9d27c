"""Reading whole files, fixed-length records and pickled records into RDDs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator

from swiftwater._compression import content, refuse_compressed
from swiftwater._native import engine
from swiftwater._numbers import whole_and_no_truth
from swiftwater._operator_calls import call_site
from swiftwater._paths import input_files
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.rdd import RDD

if TYPE_CHECKING:
    from swiftwater.context import SparkContext

__all__ = ["binary_files", "binary_records", "pickle_file", "whole_text_files"]

# Spark's spark.files.openCostInBytes and spark.files.maxPartitionBytes, and Hadoop's size of a
# block of a local file.
_OPEN_COST = 4 << 20
_LARGEST_PARTITION = 128 << 20
_BLOCK = 32 << 20


def whole_text_files(
    sc: SparkContext, path: str, partitions: int | None, use_unicode: bool
) -> RDD[tuple[str, str]]:
    files = _found(path, "wholeTextFiles")
    wanted = sc._least_partitions("wholeTextFiles", partitions, sc.defaultMinPartitions)
    groups = _grouped(files, -(-sum(map(os.path.getsize, files)) // wanted))
    read = _text if use_unicode else _text_as_bytes
    return _read(sc, groups, read, path, "wholeTextFiles")


def binary_files(sc: SparkContext, path: str, partitions: int | None) -> RDD[tuple[str, bytes]]:
    files = _found(path, "binaryFiles")
    wanted = max(sc.defaultParallelism, sc._least_partitions("binaryFiles", partitions, 1))
    total = sum(os.path.getsize(file) + _OPEN_COST for file in files)
    most = min(_LARGEST_PARTITION, max(_OPEN_COST, total // wanted))
    return _read(sc, _grouped(files, most), _binary, path, "binaryFiles")


def binary_records(sc: SparkContext, path: str, length: int) -> RDD[bytes]:
    length = record_length("binaryRecords", length)
    pieces: list[list[Any]] = []
    step = max(_BLOCK // length, 1) * length
    for file in _found(path, "binaryRecords"):
        refuse_compressed(file, "binaryRecords")
        size = os.path.getsize(file)
        starts = range(0, size, step)
        pieces += [[(file, length, start, min(start + step, size))] for start in starts]
    return _read(sc, pieces, _records, path, "binaryRecords")


def pickle_file(sc: SparkContext, path: str) -> RDD[Any]:
    groups = [[file] for file in _found(path, "pickleFile")]
    return _read(sc, groups, _unpickled, path, "pickleFile")


def record_length(name: str, given: Any) -> int:
    """Return a checked number of bytes a record. Raises ``ValueError``."""
    try:
        length = whole_and_no_truth(given, name)
    except TypeError:
        length = 0
    if not 1 <= length <= sys.maxsize:
        raise ValueError(f"{name} needs a record length above 0, not {given!r}")
    return length


def _read(
    sc: SparkContext, groups: list[list[Any]], read: Callable[[Any], Any], path: str, name: str
) -> RDD[Any]:
    """Return an RDD with a partition a group: what ``read`` gives for each of its pieces."""
    site = call_site()
    # A partition must not be divided, so its pieces are one record.
    handle = engine.parallelize(sc._engine, [tuple(group) for group in groups], len(groups), 1)
    steps = [("flatMap", _itself, name, site, False), ("flatMap", read, name, site, False)]
    rdd: RDD[Any] = RDD(engine.pipeline(handle, steps), sc)
    rdd._origin = (rdd._id, name, site, -1, (), 0, os.fspath(path))
    return rdd


def _found(path: str, name: str) -> list[str]:
    try:
        return input_files(path, name)
    except FileNotFoundError as error:
        missing = error
    from swiftwater._context.added_files import MissingFileError

    raise MissingFileError(str(missing))


def _grouped(files: list[str], most: int) -> list[list[str]]:
    """Put files together until a group has ``most`` bytes; a file is never divided."""
    groups: list[list[str]] = []
    size = 0
    full = True
    for file in files:
        if full:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += os.path.getsize(file)
        full = 0 < most <= size
    return groups


def _itself(group: tuple[Any, ...]) -> tuple[Any, ...]:
    return group


def _text(file: str) -> Iterator[tuple[str, str]]:
    yield f"file:{file}", _decoded(content(file))


# Surrogates in three bytes, or two of them, are one mistake for Java; Python counts each byte.
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")


def _decoded(data: bytes) -> str:
    """Return UTF-8 as text, with U+FFFD for what is none, as Java has it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _SURROGATE.sub("\ufffd".encode(), data).decode(errors="replace")


def _text_as_bytes(file: str) -> Iterator[tuple[bytes, bytes]]:
    for name, text in _text(file):
        yield name.encode(), text.encode()


def _binary(file: str) -> Iterator[tuple[str, bytes]]:
    with open(file, "rb") as opened:
        yield f"file:{file}", opened.read()


def _records(piece: tuple[str, int, int, int]) -> Iterator[bytes]:
    file, length, start, end = piece
    with open(file, "rb") as opened:
        opened.seek(start)
        for _ in range(start, end, length):
            # No buffer of a size that the file does not have.
            record = opened.read(min(length, end - start))
            if len(record) < length:
                raise EOFError(f"{file} ends within a record: records have {length} bytes")
            yield record


def _unpickled(file: str) -> Iterator[Any]:
    import pickle

    with open(file, "rb") as opened:
        if opened.read(3) == b"SEQ":
            raise ValueError(
                f"{file} is a sequence file of Hadoop's, as Spark writes: pickleFile reads what "
                "RDD.saveAsPickleFile of Swiftwater has written"
            )
        opened.seek(0)
        while opened.peek(1):
            yield from pickle.load(opened)  # noqa: S301 - the program's own files
