"""RDDs that forget what they were computed from, after the first action that needs them.

``RDD.checkpoint`` writes the records to files, ``RDD.localCheckpoint`` keeps them in memory.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

from swiftwater._claimed_folders import ClaimedFolder, remove_abandoned
from swiftwater._native import engine
from swiftwater._rdd.core import waiting
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater.rdd import RDD

__all__ = ["give_back", "keep", "mark", "new_folder"]

_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What ``write_folder`` calls a folder of an RDD that it has not completed; the digits are those
# of older versions.
_UNFINISHED = re.compile(r"\.rdd-\d+\.(writing-\d+|[0-9a-f]+)")


def new_folder(parent: str) -> ClaimedFolder:
    """Make a folder for a context below ``parent``, which only the user can read.

    Those are removed in which a context that is gone has left nothing.
    """
    import uuid

    def make() -> str:
        folder = os.path.join(parent, str(uuid.uuid4()))
        os.makedirs(parent, exist_ok=True)
        os.mkdir(folder, 0o700)
        return folder

    remove_abandoned(parent, _FOLDER, _remove_empty)
    return ClaimedFolder(make)


def give_back(folders: list[ClaimedFolder]) -> None:
    """Remove those folders of a context that are empty."""
    for folder in folders:
        with suppress(OSError):
            os.rmdir(folder.path)
        folder.release()
    folders.clear()


def _remove_empty(folder: str) -> None:
    import shutil

    for name in os.listdir(folder):
        # Nothing else that is hidden: it may be somebody's.
        if _UNFINISHED.fullmatch(name):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    os.rmdir(folder)


def mark(rdd: RDD[Any], local: bool) -> None:
    """Have ``rdd`` kept after the next action on it. Raises ``SparkException`` without a folder."""
    if not local and rdd.ctx._checkpoint_dir is None:
        from swiftwater.errors import SparkException

        raise SparkException("Checkpoint directory has not been set in the SparkContext")
    if rdd._kept is None:
        rdd._kept = "local" if local else "files"
        if not rdd.is_cached:
            # A node of its own: what is derived from it from now on depends on it, where functions
            # in a row would become one node that does not.
            rdd._handle = engine.apart(rdd._live, "checkpoint")
        waiting[:] = [other for other in waiting if other.ctx is rdd.ctx]
        waiting.append(rdd)


def keep(rdd: RDD[Any]) -> None:
    """Keep what an action has computed."""
    try:
        waiting.remove(rdd)
    except ValueError:
        return  # another thread is at it
    parts = engine.encode(rdd._handle)
    if rdd._kept == "files":
        rdd._checkpoint_file = _written(rdd, parts)
    engine.cut_lineage(rdd._handle, engine.decode(rdd.ctx._engine, parts))
    rdd._is_settled = True
    rdd._origin = None


def _written(rdd: RDD[Any], parts: list[bytes]) -> str:
    from swiftwater._paths import output_path
    from swiftwater._rdd.part_files import write_folder

    folder = rdd.ctx._checkpoint_dir
    if folder is None:
        raise RuntimeError("the checkpoint folder of the context is gone")
    target = os.path.join(output_path(folder, "checkpoint"), f"rdd-{rdd.id()}")

    def write(place: str) -> None:
        for number, data in enumerate(parts):
            with open(os.path.join(place, f"part-{number:05d}"), "xb", opener=_private) as file:
                file.write(data)

    write_folder(target, write, mode=0o700)
    return f"file:{target}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
