"""When checkpoints are written, and what is in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.streaming._checkpoints import file_streams
from swiftwater.streaming._checkpoints import format as files
from swiftwater.streaming._checkpoints.calls import pickled, python_version
from swiftwater.streaming._checkpoints.failed_batches import FailedBatches
from swiftwater.streaming._checkpoints.folder import CheckpointFolder, UntrustedFileError

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming._ssc.core import StreamingContextCore

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

    def __init__(self, ssc: StreamingContextCore) -> None:
        """Write for ``ssc``; nothing happens before ``prepare``."""
        self._ssc = ssc
        self._opened: CheckpointFolder | None = None
        # Of the checkpoint that the context goes on from.
        self._data_folder: CheckpointFolder | None = None
        self._lock = Lock()
        self._functions = b""
        self._facts: dict[str, Any] = {}
        self._is_over = False
        self._is_recoverable = True
        # The batch that was finished last, and the one that the data belongs to.
        self._last_ms = -1
        self._data_ms = -1
        self._data: list[dict[str, Any]] = []
        self._intervals_ms: list[int] = []
        self._failed = FailedBatches()
        # Which data files the checkpoints in the folder name.
        self._referred: dict[int, set[str]] = {}
        # The checkpoint that the context goes on from. What has changed is written in its place
        # until batches behind it are finished: under an earlier time it would not be the newest.
        self._newest_ms = -1
        # How far the log has come.
        self._log_ms: int | None = None
        # The time behind which a recovery from each of them goes on.
        self._goes_on: dict[int, int] = {}

    @property
    def _folder(self) -> CheckpointFolder:
        if self._opened is None:
            raise RuntimeError("the checkpoints of this context have no folder yet")
        return self._opened

    def go_on(self, folder: CheckpointFolder, facts: dict[str, Any]) -> None:
        """Begin with what a checkpoint has given to the context."""
        self._data_folder = folder
        self._last_ms = self._data_ms = facts["data_ms"]
        self._data = facts["data"]
        self._log_ms = facts.get("log_ms")
        self._newest_ms = facts["last_ms"]
        self._failed.go_on(facts.get("failed", ()), self._data_ms)

    # --- before the start ---------------------------------------------------------------------

    def prepare(self, folder: CheckpointFolder) -> None:
        """Pickle what will be written, so that a mistake shows before the first batch.

        Raises ``SparkException`` where another process uses the folder.
        """
        ssc = self._ssc
        self._opened = folder
        folder.lock()
        self._functions = pickled(ssc)
        calls = ssc._definitions.calls
        for call in calls:
            if call.method in NOT_RECOVERABLE:
                engine.notice(
                    "warning",
                    None,
                    f"nothing can be recovered from the checkpoints of this job "
                    f"({call.method.lstrip('_')} at {call.site}): {NOT_RECOVERABLE[call.method]}",
                )
                self._is_recoverable = False
        self._facts = {
            "application": ssc._sc.appName,
            "swiftwater": engine.__version__,
            "python": python_version(),
            "interval_ms": ssc._interval_ms,
            "settings": dict(ssc._sc.getConf().getAll()),
            "calls": [[call.method, call.site] for call in calls],
            "operators": list(ssc._stateful.names),
        }
        self._intervals_ms = list(self._data_intervals())
        folder.remove_unfinished()
        for time_ms in files.checkpoint_times(folder):
            self._referred[time_ms] = self._files_of(time_ms)
        before = self._data_folder
        is_moving = before is not None and before.identity != folder.identity
        if self._is_recoverable:
            source = before if is_moving else None
            engine.keep_log(
                ssc._handle,
                folder.descriptor,
                folder.path,
                None if source is None else source.descriptor,
                None if source is None else source.path,
                self._log_ms,
            )
        if before is not None and is_moving:
            # The program has chosen another folder than the one that it goes on from.
            for file in files.named_in([*self._data, *self._failed.rows()]):
                files.write_data(folder, file, files.read_data(before, file))
            before.close()
        self._hold_files()

    def _data_intervals(self) -> Iterator[int]:
        given = {
            stream._stable_name: stream._checkpoint_ms
            for stream in self._ssc._checkpointed
            if stream._stable_name is not None
        }
        for key in self._ssc._stateful.slides_ms:
            yield given.get(key) or self._ssc._stateful.checkpoint_interval_ms(key)

    def _files_of(self, time_ms: int) -> set[str]:
        try:
            facts, _ = files.read_checkpoint(self._folder, time_ms)
        except UntrustedFileError:
            raise
        except (OSError, ValueError):
            return set()
        self._goes_on[time_ms] = int(facts["data_ms"])
        return files.named_in(files.rows_in(facts))

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

    def batch_is_over(self, time_ms: int, has_failed: bool) -> None:
        """Write the checkpoint after a batch. Called by the engine, on the batches' thread."""
        with self._lock:
            if self._is_over:
                return
            if "zero_ms" not in self._facts:
                self._write_first()
            if not has_failed:
                self._failed.has_run(time_ms)
            # One that ran again is older than what is written already.
            if time_ms > self._last_ms:
                self._last_ms = time_ms
                self._failed.is_over(time_ms)
                since = time_ms - int(self._facts["zero_ms"])
                if any(since % interval == 0 for interval in self._intervals_ms):
                    self._guarded(self._write_data)
            self._guarded(self._write)

    def batch_has_failed(self, time_ms: int, outputs: list[int]) -> None:
        """Note the outputs of a batch that have failed: they run again after a recovery.

        Called by the engine before ``batch_is_over``, while it still has what the batch had.
        """
        with self._lock:
            if self._is_over:
                return
            if time_ms in self._failed:
                self._failed.failed_again(time_ms, outputs)
            else:
                self._guarded(lambda: self._write_failed(time_ms, outputs), time_ms)

    def end(self) -> None:
        """Write the last checkpoint, with all data, after the stop. Again: nothing happens."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            if "zero_ms" in self._facts:
                if self._data_ms < self._last_ms:
                    self._guarded(self._write_data)
                self._guarded(self._write)
            # From here on another process may go on.
            for folder in (self._opened, self._data_folder):
                if folder is not None:
                    folder.close()

    def _guarded(self, write: Callable[[], None], time_ms: int | None = None) -> None:
        # Spark: a job outlives a checkpoint that could not be written.
        try:
            write()
        except Exception as error:  # noqa: BLE001 - whatever a user's object raises when encoded
            batch_ms = self._last_ms if time_ms is None else time_ms
            engine.notice(
                "error",
                "checkpoint",
                f"could not write the checkpoint of batch {batch_ms} ms into "
                f"{self._folder.path}: {type(error).__name__}: {error}",
            )
            # A full disk must not be kept full by what no checkpoint names.
            with suppress(OSError):
                self._remove_unnamed()

    def _write_data(self, has_run: bool = True) -> None:
        """Write what windows and states look back on. What has not changed stays as it is."""
        stateful, handle = self._ssc._stateful, self._ssc._handle
        known = self._known_rows()
        file = f"data-{self._last_ms}-retained"
        rows: list[dict[str, Any]] = []
        sections: list[bytes] = []

        def add(key: str, parent: int | str, time_ms: int, rdd: Handle) -> None:
            name = stateful.name(key)
            row = known.get((name, parent, time_ms))
            if row is None:
                row = _row(sections, engine.encode(rdd), file)
                row |= {"operator": name, "key": key, "parent": parent, "time_ms": time_ms}
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
            self._folder.sync()
        self._data = rows
        self._data_ms = self._last_ms
        self._hold_files()

    def _known_rows(self) -> dict[tuple[Any, Any, int], dict[str, Any]]:
        """Return the rows of what is in a data file already, as it is in the context."""
        return {
            (row["operator"], row["parent"], row["time_ms"]): row
            for row in (*self._failed.rows(), *self._data)
            # Others were placed anew when they were read.
            if row.get("placement") == files.PLACEMENT
        }

    def _write_failed(self, time_ms: int, outputs: list[int]) -> None:
        """Write what the failed outputs of a batch stand on.

        It is what receivers took in, and what windows and states look back on: the rest can be
        computed, or read from its files.
        """
        known = self._known_rows()
        file = self._free_name(time_ms)
        rows: list[dict[str, Any]] = []
        sections: list[bytes] = []

        def take(offer: tuple[str | int, int, int, Handle]) -> bool:
            key, parent, at_ms, rdd = offer
            # A source has no key but a number.
            is_input = isinstance(key, int)
            name = key if isinstance(key, int) else self._ssc._stateful.name(key)
            place = "input" if is_input else parent
            row = known.get((name, place, at_ms))
            if row is None:
                try:
                    partitions = engine.encode(rdd)
                except Exception:  # noqa: BLE001 - most likely what the output has failed of
                    return False
                row = _row(sections, partitions, file)
                row |= {"operator": name, "key": key, "parent": place, "time_ms": at_ms}
            rows.append(row)
            return True

        most = self._failed.most_bytes
        if self._is_recoverable:
            engine.needed(self._ssc._handle, outputs, time_ms, most, take)
        self._failed.add(time_ms, outputs, rows)
        self._failed.has_written(file, sum(map(len, sections)))
        for old in self._failed.given_up():
            engine.notice(
                "error",
                "given up",
                f"the batch {old} ms, of which an output has failed, will not run again after a "
                "recovery: too many have failed, or they need too much data",
            )
        if sections and time_ms in self._failed:
            try:
                files.write_data(self._folder, file, sections)
                self._folder.sync()
            except BaseException:
                self._failed.has_run(time_ms)
                raise

    def _free_name(self, time_ms: int) -> str:
        """Return a name for what a failed batch needs that no checkpoint knows already.

        A batch that runs again after a crash may fail with other outputs than before, while the
        checkpoint from before is still the newest one.
        """
        taken = files.named_in([*self._data, *self._failed.rows()])
        taken = taken.union(*self._referred.values())
        while (name := f"data-{time_ms}-failed") in taken:
            time_ms += 1
        return name

    def _hold_files(self) -> None:
        """Have streams of files remember what a recovery would need of them."""
        recovery_ms = self._recovery_ms()
        oldest_ms = self._failed.oldest_ms
        held_ms = recovery_ms if oldest_ms is None else min(recovery_ms, oldest_ms)
        for stream in self._ssc._file_streams:
            engine.hold_files(stream, held_ms)

    def _recovery_ms(self) -> int:
        return self._data_ms if self._ssc._stateful.slides_ms else self._last_ms

    def _write(self) -> None:
        # Behind the end there is none any more.
        reached_ms = engine.log_reached(self._ssc._handle)
        self._log_ms = self._log_ms if reached_ms is None else reached_ms
        name_ms = max(self._last_ms, self._newest_ms)
        facts = {
            **self._facts,
            "last_ms": name_ms,
            "data_ms": self._recovery_ms(),
            "log_ms": self._log_ms,
            "written_ms": int(time.time() * 1000),
            "data": self._data,
            "failed": self._failed.facts(),
            "files": [
                file_streams.chosen(stream, self._failed.times)
                for stream in self._ssc._file_streams
            ],
        }
        files.write_checkpoint(self._folder, name_ms, facts, self._functions)
        self._referred[name_ms] = files.named_in(files.rows_in(facts))
        self._goes_on[name_ms] = facts["data_ms"]
        self._hold_files()
        self._remove_old()

    def _remove_old(self) -> None:
        for old in sorted(self._referred, reverse=True)[_KEPT:]:
            del self._referred[old]
            self._goes_on.pop(old, None)
            self._folder.remove(files.checkpoint_name(old))
        self._remove_unnamed()
        if self._goes_on:
            engine.forget_logged(self._ssc._handle, min(self._goes_on.values()))

    def _remove_unnamed(self) -> None:
        """Remove the data files that no checkpoint needs, nor the next one."""
        needed = files.named_in([*self._data, *self._failed.rows()])
        needed = needed.union(*self._referred.values())
        for name in files.data_files(self._folder):
            if name not in needed:
                self._folder.remove(name)


def _row(sections: list[bytes], partitions: list[bytes], file: str) -> dict[str, Any]:
    """Add the partitions of an RDD to a file; return where they are."""
    first, count = len(sections), len(partitions)
    sections.extend(partitions)
    # An RDD without partitions is in no file.
    where = {"file": file if count else None, "first": first, "count": count}
    return where | {"placement": files.PLACEMENT}
