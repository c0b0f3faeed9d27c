"""When checkpoints are written, and what is in them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from swiftwater._native import engine
from swiftwater.streaming import _checkpoint_files as files
from swiftwater.streaming._pickled_calls import pickled, python_version

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext

__all__ = ["NOT_RECOVERABLE", "CheckpointWriter"]

_KEPT = 10

# Methods whose streams cannot be made again, and Spark's words for that.
NOT_RECOVERABLE = {
    "_queue": "queueStream doesn't support checkpointing. Please don't use queueStream when "
    "checkpointing is enabled."
}


class CheckpointWriter:
    """Writes a context's checkpoints into a folder: after every batch, and after the stop.

    The data of windows and states has files of its own, written less often; a checkpoint names
    those that belong to it.
    """

    def __init__(self, ssc: StreamingContext) -> None:
        """Write for ``ssc``; nothing happens before ``prepare``."""
        self._ssc = ssc
        self._folder = ""
        self._data_folder = ""
        self._lock = Lock()
        self._functions = b""
        self._facts: dict[str, Any] = {}
        self._is_over = False
        # The batch that was finished last, and the one that the data belongs to.
        self._last_ms = -1
        self._data_ms = -1
        self._data: list[dict[str, Any]] = []
        self._intervals_ms: list[int] = []
        # Which data files the checkpoints in the folder name.
        self._referred: dict[int, set[str]] = {}

    def go_on(self, folder: str, last_ms: int, data: list[dict[str, Any]]) -> None:
        """Begin with what a checkpoint has given to the context."""
        self._data_folder = folder
        self._last_ms = self._data_ms = last_ms
        self._data = data

    # --- before the start ---------------------------------------------------------------------

    def prepare(self, folder: str) -> None:
        """Pickle what will be written, so that a mistake shows before the first batch."""
        ssc = self._ssc
        self._folder = folder
        files.require_private(folder)
        self._functions = pickled(ssc)
        calls = ssc._definitions.calls
        for call in calls:
            if call.method in NOT_RECOVERABLE:
                engine.log(
                    "warning",
                    f"nothing can be recovered from the checkpoints of this job "
                    f"({call.method.lstrip('_')} at {call.site}): {NOT_RECOVERABLE[call.method]}",
                )
        from swiftwater import __version__

        self._facts = {
            "application": ssc._sc.appName,
            "swiftwater": __version__,
            "python": python_version(),
            "interval_ms": ssc._interval_ms,
            "settings": dict(ssc._sc.getConf().getAll()),
            "calls": [[call.method, call.site] for call in calls],
            "operators": list(ssc._stateful.names),
        }
        self._intervals_ms = list(self._data_intervals())
        files.remove_temporary_files(self._folder)
        for time_ms in files.checkpoint_times(self._folder):
            self._referred[time_ms] = self._files_of(time_ms)
        if self._data_folder != folder:
            # The program has chosen another folder than the one that it goes on from.
            for file in files.named_in(self._data):
                files.write_data(folder, file, files.read_data(self._data_folder, file))

    def _data_intervals(self) -> Iterator[int]:
        given = {
            stream._state_key: stream._checkpoint_ms
            for stream in self._ssc._checkpointed
            if stream._state_key is not None
        }
        for key in self._ssc._stateful.slides_ms:
            yield given.get(key) or self._ssc._stateful.checkpoint_interval_ms(key)

    def _files_of(self, time_ms: int) -> set[str]:
        try:
            facts, _ = files.read_checkpoint(self._folder, time_ms)
        except (OSError, ValueError):
            return set()
        return files.named_in(facts.get("data", []))

    # --- while it runs ------------------------------------------------------------------------

    def begin(self) -> None:
        """Write the first checkpoint: from here on the job can be recovered."""
        with self._lock:
            # Unless a first batch is over already.
            if "zero_ms" not in self._facts:
                self._write_first()

    def _write_first(self) -> None:
        zero = engine.zero_ms(self._ssc._handle)
        self._facts["zero_ms"] = zero
        if self._last_ms < 0:
            self._last_ms = self._data_ms = zero or 0
            self._guarded(lambda: self._write_data(has_run=False))
        self._guarded(self._write)

    def batch_is_over(self, time_ms: int) -> None:
        """Write the checkpoint after a batch. Called by the engine, on the batches' thread."""
        with self._lock:
            if "zero_ms" not in self._facts:
                self._write_first()
            self._last_ms = time_ms
            since = time_ms - int(self._facts["zero_ms"])
            if any(since % interval == 0 for interval in self._intervals_ms):
                self._guarded(self._write_data)
            self._guarded(self._write)

    def end(self) -> None:
        """Write the last checkpoint, with all data, after the stop. Again: nothing happens."""
        with self._lock:
            if self._is_over or "zero_ms" not in self._facts:
                return
            self._is_over = True
            if self._data_ms < self._last_ms:
                self._guarded(self._write_data)
            self._guarded(self._write)

    def _guarded(self, write: Callable[[], None]) -> None:
        # Spark: a job outlives a checkpoint that could not be written.
        try:
            write()
        except Exception as error:  # noqa: BLE001 - whatever a user's object raises when encoded
            engine.log(
                "error",
                f"could not write the checkpoint of batch {self._last_ms} ms into {self._folder}: "
                f"{type(error).__name__}: {error}",
            )

    def _write_data(self, has_run: bool = True) -> None:
        """Write what windows and states look back on. What has not changed stays as it is."""
        stateful, handle = self._ssc._stateful, self._ssc._handle
        known = {(row["operator"], row["parent"], row["time_ms"]): row for row in self._data}
        file = f"data-{self._last_ms}-retained"
        rows: list[dict[str, Any]] = []
        sections: list[bytes] = []

        def add(key: str, parent: int | str, time_ms: int, rdd: Handle) -> None:
            name = stateful.name(key)
            row = known.get((name, parent, time_ms))
            if row is None:
                first = len(sections)
                sections.extend(engine.encode(rdd))
                row = {"operator": name, "key": key, "parent": parent, "time_ms": time_ms}
                count = len(sections) - first
                # An RDD without partitions is in no file.
                row |= {"file": file if count else None, "first": first, "count": count}
            rows.append(row)

        have_state = set()
        for key, parent, time_ms, rdd in engine.retained(handle, self._last_ms) if has_run else ():
            # A batch that was stopped in its midst has left something, too.
            if time_ms <= self._last_ms:
                add(key, parent, time_ms, rdd)
                if parent == -1:
                    have_state.add(key)
        for key, initial in stateful.all_initial():
            if key in have_state:
                stateful.forget_initial(key)
            else:
                add(key, "initial", int(self._facts["zero_ms"]), initial._handle)
        if sections:
            files.write_data(self._folder, file, sections)
            files.sync_folder(self._folder)
        self._data = rows
        self._data_ms = self._last_ms

    def _write(self) -> None:
        facts = {
            **self._facts,
            "last_ms": self._last_ms,
            "data_ms": self._data_ms if self._ssc._stateful.slides_ms else self._last_ms,
            "written_ms": int(time.time() * 1000),
            "data": self._data,
            "files": [chooser.facts() for chooser in self._ssc._file_choosers],
        }
        files.write_checkpoint(self._folder, self._last_ms, facts, self._functions)
        self._referred[self._last_ms] = files.named_in(self._data)
        self._remove_old()

    def _remove_old(self) -> None:
        for old in sorted(self._referred, reverse=True)[_KEPT:]:
            del self._referred[old]
            self._remove(files.checkpoint_name(old))
        needed = set().union(*self._referred.values())
        for name in os.listdir(self._folder):
            if name.startswith("data-") and name not in needed:
                self._remove(name)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._folder, name))
