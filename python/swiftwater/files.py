"""SparkFiles: where the files are that a program has added to its context."""

from __future__ import annotations

import os

from swiftwater._active_contexts import active_context
from swiftwater._typing import NoReturn

__all__ = ["SparkFiles"]


class SparkFiles:
    """Finds files added with ``SparkContext.addFile``, ``addPyFile`` and ``addArchive``.

    There is nothing to construct: both methods belong to the class and answer for the active
    context.

    Example::

        >>> from pathlib import Path
        >>> _ = Path(tmp, "stop.txt").write_text("the")
        >>> sc.addFile(f"{tmp}/stop.txt")
        >>> sc.parallelize([1]).map(lambda n: Path(SparkFiles.get("stop.txt")).read_text()).first()
        'the'
    """

    def __init__(self) -> NoReturn:
        """Refuse to be made."""
        raise NotImplementedError("Do not construct SparkFiles objects")

    @classmethod
    def get(cls, filename: str) -> str:
        """Return the path of an added file; it need not be there.

        Example::

            >>> sc.listFiles
            []
            >>> SparkFiles.get("a.txt") == SparkFiles.getRootDirectory() + "/a.txt"
            True
        """
        return os.path.abspath(os.path.join(cls.getRootDirectory(), filename))

    @classmethod
    def getRootDirectory(cls) -> str:
        """Return the folder of the added files. It is deleted when the context stops.

        Raises ``IllegalStateException`` where no context is active.

        Example::

            >>> import os
            >>> sc.listFiles
            []
            >>> os.path.isdir(SparkFiles.getRootDirectory())
            True
        """
        from swiftwater import _workers

        if _workers.root is not None:
            return _workers.root
        active = active_context()
        if active is None:
            from swiftwater.errors import IllegalStateException

            raise IllegalStateException("there is no active SparkContext that has files")
        return active._files.root()
