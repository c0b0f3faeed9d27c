"""From the newest readable checkpoint of a folder to a context that goes on."""

from __future__ import annotations

import os
from contextlib import suppress

from swiftwater._native import engine
from swiftwater._paths import local_path
from swiftwater._typing import TYPE_CHECKING, Any
from swiftwater.conf import SparkConf
from swiftwater.context import SparkContext
from swiftwater.rdd import RDD
from swiftwater.streaming._checkpoints import file_streams
from swiftwater.streaming._checkpoints import format as files
from swiftwater.streaming._checkpoints.calls import python_version, replayed, unpickled
from swiftwater.streaming._checkpoints.folder import CheckpointFolder, UntrustedFileError, opened
from swiftwater.streaming._checkpoints.writer import NOT_RECOVERABLE, CheckpointWriter

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.streaming.context import StreamingContext

__all__ = ["last_batch_ms", "recovered"]

# Of the settings in a checkpoint: what belongs to the run that has ended.
_OF_ONE_RUN = frozenset({"spark.app.id", "spark.app.startTime"})


class _Checkpoint:
    """A checkpoint that has been read and found complete."""

    def __init__(self, folder: CheckpointFolder, time_ms: int) -> None:
        self.folder = folder
        self.facts, self.functions = files.read_checkpoint(folder, time_ms)
        facts = self.facts
        for method, site in facts["calls"]:
            if method in NOT_RECOVERABLE:
                raise files.CheckpointError(f"{NOT_RECOVERABLE[method]} ({site})")
        if facts["python"] != python_version():
            theirs, ours = (".".join(map(str, v)) for v in (facts["python"], python_version()))
            raise files.CheckpointError(
                f"its functions are in the code of Python {theirs}, and this is Python {ours}"
            )
        # Everything is read now: a file that is not there makes another checkpoint the newest.
        self._content = {
            file: files.read_data(folder, file) for file in files.named_in(files.rows_in(facts))
        }
        self.data = self._filled(facts["data"])
        # Batches behind the data run again as they are, with all of their outputs; with what
        # receivers took in for them, where it was kept since they failed.
        self.inputs = [
            entry
            for batch in facts.get("failed", ())
            for entry in self._filled(batch["data"])
            if entry[0]["parent"] == "input" and entry[0]["time_ms"] > facts["data_ms"]
        ]
        self.failed = [
            (batch["time_ms"], batch["outputs"], self._filled(batch["data"]))
            for batch in facts.get("failed", ())
            if batch["time_ms"] <= facts["data_ms"]
        ]

    def _filled(self, rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[bytes]]]:
        return [(row, _part(row, self._content.get(row["file"], []))) for row in rows]


def _part(row: dict[str, Any], sections: list[bytes]) -> list[bytes]:
    if row["file"] is None:
        return []
    first, count = row["first"], row["count"]
    if not 0 <= first <= first + count <= len(sections):
        raise files.CheckpointError(f"{row['file']} has no sections {first} to {first + count}")
    return sections[first : first + count]


def recovered(
    kind: type[StreamingContext], path: str, sc: SparkContext | None = None
) -> StreamingContext | None:
    """Return a context that goes on where the newest readable checkpoint ends.

    ``None`` where the folder holds none. Raises ``SparkException`` where none can be read.
    """
    try:
        folder = CheckpointFolder(local_path(path, "getOrCreate"))
    except FileNotFoundError:
        return None
    try:
        if not (times := files.checkpoint_times(folder)):
            folder.close()
            return None
        # Before anything is read: what another process still writes would be missing.
        folder.lock()
        ssc = _newest(kind, folder, times, path, sc)
        ssc._use_checkpoints(folder)
    except BaseException:
        folder.close()
        raise
    return ssc


def _newest(
    kind: type[StreamingContext],
    folder: CheckpointFolder,
    times: list[int],
    path: str,
    sc: SparkContext | None,
) -> StreamingContext:
    from swiftwater.errors import SparkException

    reasons: list[str] = []
    for time_ms in times:
        name = files.checkpoint_name(time_ms)
        place = os.path.join(folder.path, name)
        try:
            ssc = _reopened(kind, _Checkpoint(folder, time_ms), sc)
        except _MismatchError as error:
            raise SparkException(f"Cannot go on from {place}: {error}") from None
        except UntrustedFileError:
            # Whoever wrote it could write here: then none is believed.
            raise
        except Exception as error:  # noqa: BLE001 - unpickling raises what the objects raise
            reasons.append(f"{name}: {_reason(error)}")
            engine.notice("warning", None, f"skipped the checkpoint {place}: {error}")
            continue
        engine.notice("info", None, f"recovered from {place}")
        return ssc
    raise SparkException(f"Failed to read checkpoint from directory {path}: {'; '.join(reasons)}")


def last_batch_ms(path: str) -> int:
    """Return the time of the last batch in the newest checkpoint that can be read."""
    with suppress(FileNotFoundError), opened(path) as folder:
        for time_ms in files.checkpoint_times(folder):
            try:
                return int(_Checkpoint(folder, time_ms).facts["last_ms"])
            except UntrustedFileError:
                raise
            except (OSError, ValueError):
                continue
    return 0


class _MismatchError(Exception):
    """A checkpoint is whole, and this program cannot go on from it."""


def _reason(error: Exception) -> str:
    text = str(error)
    return text if isinstance(error, files.CheckpointError) else f"{type(error).__name__}: {text}"


def _reopened(
    kind: type[StreamingContext], checkpoint: _Checkpoint, sc: SparkContext | None
) -> StreamingContext:
    facts = checkpoint.facts
    active = sc or SparkContext._active_spark_context
    own = active is None
    if active is None:
        settings = [
            (name, value) for name, value in facts["settings"].items() if name not in _OF_ONE_RUN
        ]
        active = SparkContext(conf=SparkConf().setAll(settings))
    try:
        ssc = kind(active, (facts["interval_ms"] + 0.5) / 1000)
        _fill(ssc, checkpoint)
    except BaseException:
        if own:
            active.stop()
        raise
    return ssc


def _fill(ssc: StreamingContext, checkpoint: _Checkpoint) -> None:
    facts = checkpoint.facts
    context = ssc._sc._engine
    initial: dict[str, RDD[Any]] = {}
    # By the name of the operator; the pickled references have its key, which a rename keeps.
    for row, partitions in checkpoint.data:
        if row["parent"] == "initial":
            initial[row["key"]] = RDD(engine.decode(context, partitions), ssc._sc)
    replayed(unpickled(checkpoint.functions, ssc, initial.get), ssc)
    for row, partitions in checkpoint.data:
        _restore(ssc, row, partitions)
    for time_ms, outputs, data in checkpoint.failed:
        for row, partitions in data:
            _restore(ssc, row, partitions)
        engine.run_again(ssc._handle, time_ms, outputs)
    for row, partitions in checkpoint.inputs:
        _restore(ssc, row, partitions)
    for stream, known in zip(ssc._file_streams, facts["files"], strict=True):
        file_streams.go_on(stream, known)
    # Where the data is older than the last batch, the batches in between run again.
    engine.resume(ssc._handle, facts["zero_ms"], facts["data_ms"])
    ssc._recovered_calls = len(ssc._definitions.calls)
    ssc._writer = CheckpointWriter(ssc)
    ssc._writer.go_on(checkpoint.folder, facts)


def _restore(ssc: StreamingContext, row: dict[str, Any], partitions: list[bytes]) -> None:
    """Give the context an RDD of a time that is over."""
    time_ms, parent = row["time_ms"], row["parent"]
    if parent == "input":
        rdd = engine.decode(ssc._sc._engine, partitions)
        engine.restore_input(ssc._handle, row["key"], time_ms, rdd)
        return
    key = ssc._stateful.names.get(row["operator"])
    if key is None:
        raise _MismatchError(
            f"it has data of the operator {row['operator']!r}, and no operator of the job has "
            "this name"
        )
    if parent != "initial":
        rdd = engine.decode(ssc._sc._engine, partitions)
        if row.get("placement") != files.PLACEMENT:
            rdd = _placed_anew(rdd, ssc, engine.stream_partitioner(ssc._handle, key, parent))
        engine.restore(ssc._handle, key, parent, time_ms, rdd)


def _placed_anew(rdd: Handle, ssc: StreamingContext, known: tuple[int, object] | None) -> Handle:
    """Return what an older version has stored with its keys where they belong now.

    Raises ``UnplaceableKeyError`` for keys that have no place which stays.
    """
    if known is None:
        return rdd
    count, function = known
    if function is not None or engine.partition_count(rdd) != count:
        return rdd
    moved = engine.partition_by(rdd, count, None, "getOrCreate", "", None, True)
    placed, _ = moved or (rdd, -1)
    # Nothing of the older one is kept.
    return engine.decode(ssc._sc._engine, engine.encode(placed))
