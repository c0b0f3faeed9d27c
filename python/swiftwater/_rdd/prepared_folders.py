"""Folders that are there with all their files or do not count, and how they become complete.

By ``rename``: a folder is written under another name beside its place, and renamed. By
``manifest``, for file systems that cannot rename a folder in one step: files are written in their
place, under names that no other attempt has, and then ``_SUCCESS``, which names them. The setting
``swiftwater.files.commit`` chooses.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count

from swiftwater._claimed_folders import ClaimedFolder, remove_abandoned, remove_if_abandoned
from swiftwater._native import engine
from swiftwater._paths import DONE, named_by_manifest
from swiftwater._typing import Any

__all__ = ["PreparedFolder", "commit_way", "is_complete", "prepared", "remove_unfinished"]

_PART = re.compile(r"part-\d{5,}(-[-0-9a-f]+)?(\.\w+)*")
# What a folder is called that is being written; older versions had a number of 32 digits.
_WRITING = r"\.(writing-\d+|[0-9a-f]{32})"

# Puts the files into a folder: its path, and what their names end with in front of the suffix.
Write = Callable[[str, str], None]


class PreparedFolder:
    """A folder that is complete, but not in its place."""

    def __init__(self, target: str, overwrite: bool, keep: bool, is_durable: bool) -> None:
        """Prepare for ``target``; ``write`` comes next."""
        self._target = target
        self._overwrite = overwrite
        self._keep = keep
        self._is_durable = is_durable
        self._claim: ClaimedFolder | None = None
        self._work = ""

    def write(self, write: Write, mode: int) -> None:
        """Make it of what ``write`` puts there. Where that fails nothing is left."""
        parent = os.path.dirname(self._target)
        os.makedirs(parent, exist_ok=True)
        self._claim = ClaimedFolder(lambda: _new_work(self._target, mode))
        self._work = self._claim.path
        try:
            write(self._work, "")
            marker = os.open(os.path.join(self._work, DONE), os.O_CREAT | os.O_EXCL, mode & 0o666)
            os.close(marker)
        except BaseException:
            self.abandon()
            raise

    def publish(self) -> None:
        """Put it in its place, or let it go where that fails."""
        try:
            if self._is_durable:
                _force([os.path.join(self._work, name) for name in os.listdir(self._work)])
                _force([self._work])
            if self._overwrite and os.path.isdir(self._target):
                _replace(self._target, self._work, self._keep)
            else:
                os.rename(self._work, self._target)
            engine.pass_kill_point("folder.published")
            if self._is_durable:
                _force([os.path.dirname(self._target)])
        except BaseException:
            self.abandon()
            raise
        self._release()

    def abandon(self) -> None:
        """Let it go."""
        import shutil

        shutil.rmtree(self._work, ignore_errors=True)
        self._release()

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()


class _NamedFiles(PreparedFolder):
    """Files that are in their place, and that no manifest names yet."""

    def __init__(
        self, target: str, overwrite: bool, keep: bool, is_durable: bool, batch: str | None
    ) -> None:
        super().__init__(target, overwrite, keep, is_durable)
        self._batch = batch
        self._is_new = False
        self._files: list[str] = []

    def write(self, write: Write, mode: int) -> None:
        import uuid

        os.makedirs(os.path.dirname(self._target), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(self._target, mode)
            self._is_new = True
        self._work = self._target
        # What an attempt has left that was killed.
        _remove_parts(self._target, but=self._valid())
        before = set(os.listdir(self._target))
        try:
            write(self._target, f"-{uuid.uuid4().hex}")
        except BaseException:
            self._files = sorted(set(os.listdir(self._target)) - before)
            self.abandon()
            raise
        self._files = sorted(set(os.listdir(self._target)) - before)

    def _valid(self) -> set[str]:
        """Return the names of the files that count now."""
        if not os.path.exists(os.path.join(self._target, DONE)):
            return set()
        named = named_by_manifest(self._target)
        return set(os.listdir(self._target) if named is None else named)

    def publish(self) -> None:
        """Name the files: from that moment on they count, and no others."""
        kept = self._valid() if self._keep else set()
        kept = {name for name in kept if _PART.fullmatch(name)}
        named = sorted({*kept, *self._files})
        marker = os.path.join(self._target, DONE)
        writing = os.path.join(self._target, f".{DONE}.writing")
        lines = ["swiftwater manifest 1", f"batch {self._batch or ''}".rstrip()]
        try:
            if self._is_durable:
                _force([os.path.join(self._target, name) for name in self._files])
            with open(writing, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in [*lines, *named])
            if self._is_durable:
                _force([writing, self._target])
            os.replace(writing, marker)
            engine.pass_kill_point("folder.published")
            if self._is_durable:
                _force([self._target, os.path.dirname(self._target)])
        except BaseException:
            with suppress(OSError):
                os.unlink(writing)
            self.abandon()
            raise
        _remove_parts(self._target, but=set(named))

    def abandon(self) -> None:
        """Let the files go that this attempt has written."""
        # Unless the manifest has come to be, whatever was raised after that.
        if not set(self._files) & set(named_by_manifest(self._target) or ()):
            _remove(self._target, self._files)
        if self._is_new:
            with suppress(OSError):
                os.rmdir(self._target)


def prepared(
    target: str,
    write: Write,
    way: str,
    *,
    overwrite: bool = False,
    mode: int = 0o777,
    keep: bool = False,
    batch: str | None = None,
    is_durable: bool = False,
) -> PreparedFolder:
    """Return the folder of what ``write`` puts there, not yet in its place.

    ``way`` is ``rename`` or ``manifest``; ``batch`` names the batch that it belongs to, where the
    folder is that batch's alone: what an attempt of it has left that was killed is no obstacle.
    ``is_durable``: when it is published it outlives the end of the machine, too. For the others
    see ``part_files.write_folder``.
    """
    is_by_manifest = way == "manifest"
    if os.path.lexists(target):
        is_left_over = is_by_manifest and batch is not None and not is_complete(target, way)
        if not ((overwrite or is_left_over) and os.path.isdir(target)):
            raise _exists(target)
    folder = (
        _NamedFiles(target, overwrite, keep, is_durable, batch)
        if is_by_manifest
        else PreparedFolder(target, overwrite, keep, is_durable)
    )
    folder.write(write, mode)
    engine.pass_kill_point("folder.written")
    return folder


def commit_way(settings: Any) -> str:
    """Return what the setting ``swiftwater.files.commit`` says."""
    return settings.get("swiftwater.files.commit") or "rename"


def is_complete(target: str, way: str) -> bool:
    """Return whether a folder is there with all of its files."""
    marker = target if way == "rename" else os.path.join(target, DONE)
    return os.path.lexists(marker)


def remove_unfinished(prefix: str, suffix: str | None) -> None:
    """Remove what processes have left that were killed while they wrote a batch's folder.

    Of folders ``prefix-<time in ms>[.suffix]``; those that a living process writes stay.
    """
    parent, name = os.path.split(prefix)
    end = "" if suffix is None else re.escape(f".{suffix}")
    remove_abandoned(parent, re.compile(rf"\.{re.escape(name)}-\d+{end}{_WRITING}"))


def _new_work(target: str, mode: int) -> str:
    """Make the folder that becomes ``target``, in place of what a killed process has left."""
    parent, name = os.path.split(target)
    for number in count():
        # Hidden, so that nobody who watches the parent folder takes it for input.
        path = os.path.join(parent, f".{name}.writing-{number}")
        with suppress(FileExistsError):
            remove_if_abandoned(path)
            os.mkdir(path, mode)
            return path
    raise AssertionError("numbers do not end")


def _replace(target: str, work: str, keep: bool) -> None:
    """Move the files in ``work`` to ``target``, in place of those that an earlier call wrote.

    With ``keep`` they stay too.
    """
    new = set(os.listdir(work))
    for name in os.listdir(target):
        # First of all the mark that says that it is complete.
        if name == DONE or (not keep and name not in new and _PART.fullmatch(name)):
            os.unlink(os.path.join(target, name))
    for name in [*sorted(new - {DONE}), DONE]:
        os.replace(os.path.join(work, name), os.path.join(target, name))
    os.rmdir(work)


def _remove_parts(folder: str, but: set[str]) -> None:
    _remove(folder, [name for name in os.listdir(folder) if _PART.fullmatch(name)], but)


def _remove(folder: str, names: Iterable[str], but: Iterable[str] = ()) -> None:
    for name in set(names).difference(but):
        with suppress(OSError):
            os.unlink(os.path.join(folder, name))


def _force(paths: Iterable[str]) -> None:
    """Have files and folders written to the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(target: str) -> BaseException:
    from swiftwater.errors import FileAlreadyExistsException

    return FileAlreadyExistsException(
        "org.apache.hadoop.mapred.FileAlreadyExistsException: "
        f"Output directory file:{target} already exists"
    )
