"""The folder of checkpoints: whose it may be, how its files are opened, and who may use it.

A checkpoint holds functions, which are run: whoever writes one runs code here. So a folder and its
files are believed only where nobody but the user and root can have written them. Both are looked
at by the descriptors through which they are read and written, and the folder is opened once: what
somebody puts in the place of its path later is not looked at.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from weakref import WeakValueDictionary, finalize

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CheckpointError", "CheckpointFolder", "UntrustedFileError", "opened"]

_TEMPORARY = ".writing-"
_LOCK = "lock"


class CheckpointError(ValueError):
    """A file is not what a checkpoint must be."""


class UntrustedFileError(PermissionError):
    """A file in the folder may be somebody else's work."""


class CheckpointFolder:
    """A folder of checkpoints that is open, and that others cannot write to."""

    def __init__(self, path: str) -> None:
        """Open the folder at ``path``.

        Raises ``PermissionError`` where others could put a file into it, ``NotADirectoryError``
        and ``FileNotFoundError``.
        """
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except NotADirectoryError:
            raise NotADirectoryError(
                f"the checkpoint directory {path} is not a directory"
            ) from None
        self._closing = finalize(self, os.close, self._descriptor)
        # A context that is stopped at the exit writes its last checkpoint then.
        self._closing.atexit = False
        self._lock: _Lock | None = None
        status = os.fstat(self._descriptor)
        if reason := _distrust(status):
            self.close()
            advice = f": chmod go-w {path}" if status.st_mode & 0o022 else ""
            raise PermissionError(f"the checkpoint directory {path} {reason}{advice}")
        # The same folder has the same one, whatever it is called.
        self.identity = (status.st_dev, status.st_ino)

    @classmethod
    def made(cls, path: str) -> CheckpointFolder:
        """Open the folder at ``path``; where there is none, make one for this user alone."""
        os.makedirs(path, mode=0o700, exist_ok=True)
        return cls(path)

    def close(self) -> None:
        """Let go of the folder and of its lock. Again: nothing happens."""
        self._lock = None
        self._closing()
        self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """Of the open folder."""
        return self._descriptor

    # --- who may use it -----------------------------------------------------------------------

    def lock(self) -> None:
        """Keep other processes out until this folder is closed here. Again: nothing happens.

        Raises ``SparkException`` that names the other process where there is one.
        """
        if self._lock is None:
            # A process has one lock on a folder, however often it is opened.
            held = _locks.get(self.identity)
            self._lock = held or _Lock(self)
            _locks[self.identity] = self._lock

    # --- its files ----------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of the files in it. Folders and links are not believed, nor touched."""
        with os.scandir(self._descriptor) as entries:
            return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]

    def read(self, name: str) -> bytes:
        """Return what is in a file of the folder.

        Raises ``UntrustedFileError`` where others can have written it, ``CheckpointError`` where it
        is no file, and ``OSError``.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(name, flags, dir_fd=self._descriptor)
        with os.fdopen(descriptor, "rb") as file:
            self.require_own(descriptor, name)
            return file.read()

    def require_own(self, descriptor: int, name: str) -> None:
        """Raise ``UntrustedFileError`` for an open file that somebody else can have written."""
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointError(f"{name} is not a file")
        if reason := _distrust(status):
            raise UntrustedFileError(
                f"the file {os.path.join(self.path, name)} {reason}: remove it, unless you know "
                "where it comes from"
            )

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file that is complete or not there: under another name first.

        Where that fails, what was written is removed, so that a full disk does not stay full.
        """
        temporary = f"{_TEMPORARY}{name}"
        kind = name.partition("-")[0]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o600, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                engine.pass_kill_point(f"{kind} file.made")
                file.writelines(pieces)
                file.flush()
                os.fsync(descriptor)
            engine.pass_kill_point(f"{kind} file.written")
            os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            engine.pass_kill_point(f"{kind} file.renamed")
        except BaseException:
            self.remove(temporary)
            raise

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone, or cannot be removed, is left to the next time."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self._descriptor)

    def remove_unfinished(self) -> None:
        """Remove what a process has left that ended while it wrote."""
        for name in self.names():
            if name.startswith(_TEMPORARY):
                self.remove(name)

    def sync(self) -> None:
        """Force names to the disk: a checkpoint must not be there without the data it names."""
        os.fsync(self._descriptor)

    def open_lock(self) -> int:
        """Return a descriptor of the file that locks the folder."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(_LOCK, flags, 0o600, dir_fd=self._descriptor)
        try:
            self.require_own(descriptor, _LOCK)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


@contextmanager
def opened(folder: CheckpointFolder | str) -> Iterator[CheckpointFolder]:
    """Give the folder, or the one at a path for as long as the block runs."""
    if isinstance(folder, CheckpointFolder):
        yield folder
        return
    own = CheckpointFolder(folder)
    try:
        yield own
    finally:
        own.close()


def _distrust(status: os.stat_result) -> str | None:
    """Return why a folder or a file may be somebody else's work, or None."""
    # A group counts as others, whoever is in it today: who is cannot be found out for certain.
    if status.st_mode & 0o022:
        return "can be written to by others, who could have their code run by this job"
    if status.st_uid not in (os.geteuid(), 0):
        return f"belongs to another user (uid {status.st_uid}), who could have code run by this job"
    return None


# --- one process a folder -------------------------------------------------------------------


class _Lock:
    """The lock of this process on a folder; it goes with the last folder that holds it."""

    def __init__(self, folder: CheckpointFolder) -> None:
        descriptor = folder.open_lock()
        try:
            _take(descriptor, folder.path)
        except BaseException:
            os.close(descriptor)
            raise
        self._closing = finalize(self, _give_up, descriptor, os.getpid())
        # Until the process is gone: it may write at the exit.
        self._closing.atexit = False

    def forget(self) -> None:
        """Close the descriptor, in a forked process: the lock is not that one's."""
        self._closing()


_locks: WeakValueDictionary[tuple[int, int], _Lock] = WeakValueDictionary()


def _give_up(descriptor: int, owner: int) -> None:
    # A child that was forked a moment ago may not have closed its copy of the descriptor yet, and
    # would hold the lock; a child itself only closes.
    if os.getpid() == owner:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _take(descriptor: int, path: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 300, 0).decode(errors="replace").strip()
        from swiftwater.errors import SparkException

        raise SparkException(
            f"the checkpoint directory {path} is in use by another process"
            f"{f': {holder}' if holder else ''}. Stop that one first, or use another folder"
        ) from None
    except OSError as error:
        engine.notice(
            "warning",
            None,
            f"the checkpoint directory {path} cannot be locked ({error.strerror}): see to it that "
            "one process uses it at a time",
        )
        return
    # For people: a disk without room for it keeps nobody from working.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _own_name().encode(errors="replace"), 0)


def _own_name() -> str:
    from socket import gethostname

    script = sys.argv[0] if sys.argv and sys.argv[0] else "python"
    return f"process {os.getpid()} on {gethostname()} ({script})\n"


def _forget_locks() -> None:
    # A lock belongs to whoever holds a descriptor of it: a forked process that outlives its parent
    # would keep the folder locked.
    for lock in list(_locks.values()):
        lock.forget()
    _locks.clear()


os.register_at_fork(after_in_child=_forget_locks)
