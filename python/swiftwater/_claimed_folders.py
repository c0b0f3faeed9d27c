"""Folders that a process has for itself, and those that a process has left which was killed.

Whoever has one keeps a lock on it, which the system takes back with the process. A folder without
a lock is nobody's, and the next process that makes one of its kind removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from weakref import finalize

__all__ = ["ClaimedFolder", "remove_abandoned", "remove_if_abandoned"]


class ClaimedFolder:
    """A folder that is this process's until it is released, or the process ends."""

    def __init__(self, make: Callable[[], str]) -> None:
        """Claim the folder that ``make`` makes; it is called again where that one is taken."""
        while True:
            self.path = make()
            with suppress(FileNotFoundError):
                descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
                self._closing = finalize(self, os.close, descriptor)
                # It is used by what stops at the exit: the system closes it.
                self._closing.atexit = False
                # Somebody may have found it before it was claimed.
                if _claim(descriptor) and os.path.isdir(self.path):
                    return
                self._closing()

    def release(self) -> None:
        """Let go of the folder. Again: nothing happens."""
        self._closing()


def _claim(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        # It is being removed.
        return False
    except OSError:
        # Where a file system knows no locks nothing is removed either.
        return True
    return True


def remove_abandoned(
    parent: str, name: re.Pattern[str], remove: Callable[[str], None] = shutil.rmtree
) -> None:
    """Remove the user's folders in ``parent`` with such names that no process has claimed.

    ``remove`` takes the path of one; what cannot be removed stays.
    """
    with suppress(OSError), os.scandir(parent) as entries:
        found = [entry.path for entry in entries if name.fullmatch(entry.name)]
        for path in found:
            remove_if_abandoned(path, remove)


def remove_if_abandoned(path: str, remove: Callable[[str], None] = shutil.rmtree) -> None:
    """Do for one folder what ``remove_abandoned`` does; it need not be there."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(path)
        finally:
            os.close(descriptor)
