"""Records that do not fit in memory: sorted and merged through temporary files.

Everything works in memory while the process is below a limit; above it, what has been gathered
goes to a file. Files have no name once they are open, so nothing is left behind whatever happens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from swiftwater import _workers
from swiftwater._active_contexts import active_context
from swiftwater._native import engine
from swiftwater._typing import Any, Generic, TypeVar

__all__ = ["MemoryLimit", "external_sorted", "limit_bytes", "merged_pairs", "resident_bytes"]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

SETTING = "swiftwater.spill.memory"

# Records between two looks at the memory, and records that are written together.
_STEP = 1000

# Files among which pairs are divided, Spark's number.
_FILES = 59

# Memory is not given back at once after writing: only where it grows further is more written.
_GROWTH = 1.05


def limit_bytes() -> int:
    """Return the resident memory of the process above which records go to files.

    It is the setting ``swiftwater.spill.memory``, by default half of the machine's memory.
    """
    return engine.spill_limit(_setting(SETTING) or "")


def resident_bytes() -> int:
    """Return the memory that the process has now."""
    return engine.process_memory()[1]


class MemoryLimit:
    """Says when records go to files: whoever gathers some asks each time that there are more."""

    def __init__(self) -> None:
        """Begin with what the settings say."""
        self._bytes = -1

    def is_exceeded(self) -> bool:
        """Return whether the process is larger than it may be."""
        if self._bytes < 0:
            self._bytes = limit_bytes()
        return resident_bytes() > self._bytes

    def relieve(self) -> None:
        """Note that records have gone to files: more of them do only where the process grows."""
        self._bytes = max(self._bytes, int(resident_bytes() * _GROWTH))


def local_folder() -> str | None:
    """Return the first folder of ``spark.local.dir``; ``None``: the system's temporary one."""
    return (_setting("spark.local.dir") or "").split(",")[0].strip() or None


def _setting(name: str) -> str | None:
    if _workers.settings is not None:
        return _workers.settings.get(name)
    active = active_context()
    return active._settings.get(name) if active is not None else None


def external_sorted(
    records: Iterable[T], key: Callable[[T], Any] | None = None, reverse: bool = False
) -> Iterable[T]:
    """Return the records in order; equal ones, also in reverse, in the order in which they came."""
    remaining = iter(records)
    run = list(islice(remaining, _STEP))
    if len(run) == _STEP:
        limit = MemoryLimit()
        runs: _Runs[T] | None = None
        while chunk := list(islice(remaining, _STEP)):
            run += chunk
            if limit.is_exceeded():
                _sort(run, key, reverse)
                if runs is None:
                    runs = _Runs(local_folder())
                runs.add(run)
                run = []
                limit.relieve()
        if runs is not None:
            _sort(run, key, reverse)
            return runs.merged([run], key, reverse)
    _sort(run, key, reverse)
    return run


def _sort(run: list[T], key: Callable[[T], Any] | None, reverse: bool) -> None:
    sort: Callable[..., None] = run.sort
    sort(key=key, reverse=reverse)


def merged_pairs(
    pairs: Iterable[tuple[K, V]], merge: Callable[[V, V], V], folder: str | None = None
) -> Iterator[tuple[K, V]]:
    """Give one pair a key, its values merged in their order; keys as they were first seen.

    ``merge(a, b)`` must be associative. ``folder`` is where temporary files are made, by default
    that of ``spark.local.dir`` or the system's.
    """
    table: dict[K, V] = {}
    files: list[_Runs[tuple[int, K, V]]] = []
    first = 0  # the number of the first key in the table
    remaining = iter(pairs)
    limit = MemoryLimit()
    while chunk := list(islice(remaining, _STEP)):
        for key, value in chunk:
            if key in table:
                table[key] = merge(table[key], value)
            else:
                table[key] = value
        if len(chunk) < _STEP:
            break
        if limit.is_exceeded():
            files = files or [_Runs(folder or local_folder()) for _ in range(_FILES)]
            _divide(table, first, files)
            first += len(table)
            table = {}
            limit.relieve()
    if not files:
        return iter(table.items())
    _divide(table, first, files)
    return _joined(files, merge, folder)


def _divide(table: dict[Any, Any], first: int, files: list[_Runs[tuple[int, Any, Any]]]) -> None:
    """Write a table to the files of its keys, each pair with the number at which it was seen."""
    parts: list[list[tuple[int, Any, Any]]] = [[] for _ in files]
    for number, (key, value) in enumerate(table.items(), first):
        parts[hash(key) % len(files)].append((number, key, value))
    for file, part in zip(files, parts, strict=True):
        if part:
            file.add(part)


def _joined(
    files: list[_Runs[tuple[int, Any, Any]]], merge: Callable[[Any, Any], Any], folder: str | None
) -> Iterator[tuple[Any, Any]]:
    """Merge one file after the other, then all of them by the numbers of their keys."""
    finished: _Runs[tuple[int, Any, Any]] = _Runs(folder or local_folder())
    for file in files:
        table: dict[Any, tuple[int, Any, Any]] = {}
        # What was written first has the smaller numbers, so the table is in their order.
        for entry in file.entries():
            key = entry[1]
            before = table.get(key)
            if before is None:
                table[key] = entry
            else:
                table[key] = (before[0], before[1], merge(before[2], entry[2]))
        file.close()
        finished.add(list(table.values()))
    for _, key, value in finished.merged([], _number, reverse=False):
        yield key, value


def _number(entry: tuple[int, Any, Any]) -> int:
    return entry[0]


class _Runs(Generic[T]):
    """Lists of records in one file that has no name any more, each readable on its own."""

    def __init__(self, folder: str | None) -> None:
        """Make the file in ``folder``."""
        import tempfile
        import weakref

        self._file, path = tempfile.mkstemp(prefix="swiftwater-", dir=folder)
        self._closing = weakref.finalize(self, os.close, self._file)
        # A batch may still use it at the exit.
        self._closing.atexit = False
        os.unlink(path)
        # For each list the places of its parts: beginning and length in bytes.
        self._runs: list[list[tuple[int, int]]] = []
        self._end = 0

    def add(self, records: list[T]) -> None:
        """Write a list."""
        import pickle

        places: list[tuple[int, int]] = []
        for start in range(0, len(records), _STEP):
            data = pickle.dumps(records[start : start + _STEP], pickle.HIGHEST_PROTOCOL)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            places.append((self._end, len(data)))
            self._end += len(data)
        self._runs.append(places)

    def _read(self, places: list[tuple[int, int]]) -> Iterator[T]:
        import pickle

        for offset, length in places:
            yield from pickle.loads(os.pread(self._file, length, offset))  # noqa: S301

    def entries(self) -> Iterator[T]:
        """Give the records of all lists, one list after the other."""
        for places in self._runs:
            yield from self._read(places)

    def merged(
        self, last: list[list[T]], key: Callable[[T], Any] | None, reverse: bool
    ) -> Iterator[T]:
        """Merge all lists, each of them sorted, and ``last`` behind them; then close the file."""
        import heapq

        merge: Callable[..., Iterator[T]] = heapq.merge
        try:
            runs = [*(self._read(places) for places in self._runs), *(iter(run) for run in last)]
            yield from merge(*runs, key=key, reverse=reverse)
        finally:
            self.close()

    def close(self) -> None:
        """Give the room of the file back."""
        self._closing()
