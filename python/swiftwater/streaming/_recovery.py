"""From the newest readable checkpoint of a folder to a context that goes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from swiftwater._native import engine
from swiftwater.conf import SparkConf
from swiftwater.context import SparkContext
from swiftwater.rdd import RDD
from swiftwater.streaming import _checkpoint_files as files
from swiftwater.streaming._checkpoint import NOT_RECOVERABLE, CheckpointWriter
from swiftwater.streaming._pickled_calls import python_version, replayed, unpickled

if TYPE_CHECKING:
    from swiftwater.streaming.context import StreamingContext

__all__ = ["last_batch_ms", "recovered"]

# Of the settings in a checkpoint: what belongs to the run that has ended.
_OF_ONE_RUN = frozenset({"spark.app.id", "spark.app.startTime"})


class _Checkpoint:
    """A checkpoint that has been read and found complete."""

    def __init__(self, folder: str, time_ms: int) -> None:
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
        content = {file: files.read_data(folder, file) for file in files.named_in(facts["data"])}
        self.data = [(row, _part(row, content.get(row["file"], []))) for row in facts["data"]]


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
    from swiftwater._paths import local_path

    folder = local_path(path, "getOrCreate")
    times = files.checkpoint_times(folder)
    if not times:
        return None
    files.require_private(folder)
    reasons: list[str] = []
    for time_ms in times:
        name = files.checkpoint_name(time_ms)
        try:
            checkpoint = _Checkpoint(folder, time_ms)
            ssc = _reopened(kind, checkpoint, sc)
        except _MismatchError as error:
            from swiftwater.errors import SparkException

            raise SparkException(
                f"Cannot go on from {os.path.join(folder, name)}: {error}"
            ) from None
        except Exception as error:  # noqa: BLE001 - unpickling raises what the objects raise
            reasons.append(f"{name}: {_reason(error)}")
            engine.log("warning", f"skipped the checkpoint {os.path.join(folder, name)}: {error}")
            continue
        ssc.checkpoint(folder)
        engine.log("info", f"recovered from {os.path.join(folder, name)}")
        return ssc
    from swiftwater.errors import SparkException

    raise SparkException(f"Failed to read checkpoint from directory {path}: {'; '.join(reasons)}")


def last_batch_ms(folder: str) -> int:
    """Return the time of the last batch in the newest checkpoint that can be read."""
    for time_ms in files.checkpoint_times(folder):
        try:
            return int(_Checkpoint(folder, time_ms).facts["last_ms"])
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
    keys = ssc._stateful.names
    for row, partitions in checkpoint.data:
        key = keys.get(row["operator"])
        if key is None:
            raise _MismatchError(
                f"it has data of the operator {row['operator']!r}, and no operator of the job has "
                "this name"
            )
        if row["parent"] != "initial":
            rdd = engine.decode(context, partitions)
            engine.restore(ssc._handle, key, row["parent"], row["time_ms"], rdd)
    for chooser, known in zip(ssc._file_choosers, facts["files"], strict=True):
        chooser.go_on(known)
    # Where the data is older than the last batch, the batches in between run again.
    engine.resume(ssc._handle, facts["zero_ms"], facts["data_ms"])
    ssc._writer = CheckpointWriter(ssc)
    ssc._writer.go_on(checkpoint.folder, facts["data_ms"], facts["data"])
