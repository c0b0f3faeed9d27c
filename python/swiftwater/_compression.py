"""Compressed files: which are, and what is in them.

The name tells, as for Hadoop: ``.gz``, ``.bz2``, ``.deflate`` (zlib's format), ``.zst``, ``.xz``.
A file may hold several compressed parts, one behind the other. It is read piece by piece, so that
memory does not depend on how much is in it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, Protocol

__all__ = ["content", "is_compressed", "pieces", "refuse_compressed"]

_READ = 1 << 17
_PIECE = 1 << 18
# What xz -9 makes needs 65 MiB; a file could ask for 4 GiB.
_MOST_FOR_XZ = 256 << 20


class _Unpacker(Protocol):
    """Unpacks one part, as ``bz2.BZ2Decompressor`` does."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Format(NamedTuple):
    name: str
    unpacker: Callable[[], _Unpacker]
    #: What it raises for data that is damaged, or something else.
    errors: tuple[type[Exception], ...]


class _Inflating:
    """zlib's decompressor, with the interface of the others."""

    def __init__(self, window_bits: int) -> None:
        self._inner = importlib.import_module("zlib").decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        data: bytes = self._inner.unused_data
        return data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked: bytes = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        return unpacked


class _ZstandardFrame:
    """The decompressor of the package ``zstandard``, with the interface of the others.

    It gives all that comes out, at most some 16 MB for so little as it gets at a time.
    """

    _STEP = 512

    def __init__(self, package: Any) -> None:
        self._inner = package.ZstdDecompressor().decompressobj()
        self._waiting = memoryview(b"")

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data) + bytes(self._waiting)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._waiting = memoryview(bytes(self._waiting) + data)
        parts: list[bytes] = []
        count = 0
        while self._waiting and count < max_length and not self.eof:
            part = self._inner.decompress(self._waiting[: self._STEP])
            self._waiting = self._waiting[self._STEP :]
            parts.append(part)
            count += len(part)
        return b"".join(parts)


def _zlib(name: str, window_bits: int) -> _Format:
    zlib = importlib.import_module("zlib")
    return _Format(name, lambda: _Inflating(window_bits), (zlib.error,))


def _bzip2() -> _Format:
    return _Format("bzip2", importlib.import_module("bz2").BZ2Decompressor, (OSError, ValueError))


def _xz() -> _Format:
    lzma = importlib.import_module("lzma")
    return _Format(
        "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_FOR_XZ), (lzma.LZMAError,)
    )


def _zstandard() -> _Format:
    if sys.version_info >= (3, 14):
        module: Any = importlib.import_module("compression.zstd")
        return _Format("Zstandard", module.ZstdDecompressor, (module.ZstdError,))
    package: Any = importlib.import_module("zstandard")
    return _Format("Zstandard", lambda: _ZstandardFrame(package), (package.ZstdError,))


_FORMATS: dict[str, Callable[[], _Format]] = {
    ".gz": lambda: _zlib("gzip", 31),
    ".bz2": _bzip2,
    ".deflate": lambda: _zlib("zlib", 15),
    ".xz": _xz,
    ".zst": _zstandard,
}
# Spark reads these, in a form of Hadoop's own.
_UNREADABLE = (".lz4", ".snappy")


def is_compressed(path: str) -> bool:
    """Say whether a file's name is that of a compressed one.

    Example::

        >>> [is_compressed(name) for name in ("a.txt", "a.txt.gz", "gz")]
        [False, True, False]
    """
    return path.endswith((*_FORMATS, *_UNREADABLE))


def content(path: str) -> bytes:
    """Return all that is in a file, unpacked where it is compressed.

    Raises ``OSError`` where it is damaged, and ``ImportError`` where what unpacks it is missing.
    """
    if is_compressed(path):
        return b"".join(pieces(path))
    with open(path, "rb") as file:
        return file.read()


def refuse_compressed(path: str, call: str) -> None:
    """Raise ``ValueError`` where a file is compressed."""
    if is_compressed(path):
        raise ValueError(f"{call} does not read compressed files: {path}")


def pieces(path: str) -> Iterator[bytes]:
    """Hand out what is in a compressed file; every piece but the last one has 256 KiB or more.

    Raises ``OSError`` where it is damaged, ends too early or is something else, and ``ImportError``
    where what unpacks it is missing.
    """
    form = _format(path)
    with open(path, "rb", buffering=0) as file:
        parts: list[bytes] = []
        count = 0
        for part in _parts(path, file, form):
            parts.append(part)
            count += len(part)
            if count >= _PIECE:
                yield b"".join(parts)
                parts.clear()
                count = 0
        if parts:
            yield b"".join(parts)


def _format(path: str) -> _Format:
    suffix = path[path.rindex(".") :]
    if suffix in _UNREADABLE:
        raise OSError(
            f"{path}: files of Hadoop's codec for {suffix} are not read: decompress it, or have it "
            "written with GzipCodec"
        )
    try:
        return _FORMATS[suffix]()
    except ModuleNotFoundError as error:
        advice = (
            "pip install 'swiftwater[zstd]' (the package zstandard), or use Python 3.14"
            if suffix == ".zst"
            else "use a Python that was built with it"
        )
        raise ModuleNotFoundError(
            f"{path} cannot be read without the module {error.name}: {advice}", name=error.name
        ) from None


def _parts(path: str, file: IO[bytes], form: _Format) -> Iterator[bytes]:
    data = file.read(_READ)
    while data:
        unpacker = form.unpacker()
        while not unpacker.eof:
            is_at_end = False
            if unpacker.needs_input and not data:
                data = file.read(_READ)
                is_at_end = not data
            part = _unpacked(path, unpacker, data, form)
            # All may have been read while some of the result is still to come.
            if is_at_end and not part and not unpacker.eof:
                raise OSError(
                    f"{path} ends in the middle of its {form.name} data: it was cut off, or was "
                    "not complete yet when it was read"
                )
            data = b""
            if part:
                yield part
        # Between parts, and behind the last one, there may be zeros, as on a tape.
        data = unpacker.unused_data.lstrip(b"\0")
        while not data and (more := file.read(_READ)):
            data = more.lstrip(b"\0")


def _unpacked(path: str, unpacker: _Unpacker, data: bytes, form: _Format) -> bytes:
    try:
        return unpacker.decompress(data, _PIECE)
    except form.errors as error:
        raise OSError(f"{path} is damaged, or is not {form.name} data: {error}") from None
