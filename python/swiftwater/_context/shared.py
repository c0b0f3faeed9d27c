"""What functions on records share: variables, files, the folder of checkpoints."""

from __future__ import annotations

import os
import sys

from swiftwater._context.core import SparkContextCore
from swiftwater._typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from swiftwater.accumulators import Accumulator, AccumulatorParam
    from swiftwater.broadcast import Broadcast

__all__ = ["Shared"]

T = TypeVar("T")


class Shared(SparkContextCore):
    """Shared variables, files and folders."""

    PACKAGE_EXTENSIONS: ClassVar[tuple[str, ...]] = (".zip", ".egg", ".jar")

    def broadcast(self, value: T) -> Broadcast[T]:
        """Return an object through which functions share ``value`` instead of copying it each.

        What can be changed in it is copied once, here. Raises ``pickle.PicklingError`` for an RDD
        or a context.

        Example::

            >>> stop = sc.broadcast({"the", "a"})
            >>> sc.parallelize(["the", "end"]).filter(lambda w: w not in stop.value).collect()
            ['end']
        """
        _ = self._engine
        from swiftwater.broadcast import Broadcast

        return Broadcast(self._itself, value)

    def accumulator(
        self, value: T, accum_param: AccumulatorParam[T] | None = None
    ) -> Accumulator[T]:
        """Return a variable that tasks add to and the driver reads.

        Numbers are added with ``+``; for anything else ``accum_param`` says how. Raises
        ``TypeError`` where it is missing.

        Example::

            >>> records = sc.accumulator(0)
            >>> sc.parallelize("abc").foreach(lambda record: records.add(1))
            >>> records.value
            3
        """
        from swiftwater import accumulators

        param = accum_param if accum_param is not None else accumulators.default_param(value)
        return accumulators.Accumulator(next(accumulators.numbers), value, param)

    def addFile(self, path: str, recursive: bool = False) -> None:
        """Copy a file into the folder of ``SparkFiles``, where functions find it by its name.

        ``path`` is a path or a URL (``file:``, ``http:``, ``https:``, ``ftp:``). A folder needs
        ``recursive=True``. The same path again is ignored; raises ``SparkException`` for another
        file of the same name, and ``OSError`` where there is none.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "limit.txt").write_text("7")
            >>> sc.addFile(f"{tmp}/limit.txt")
            >>> Path(SparkFiles.get("limit.txt")).read_text()
            '7'
        """
        self._files.add(path, recursive)

    @property
    def listFiles(self) -> list[str]:
        """What ``addFile`` and ``addPyFile`` have added, as URLs.

        Example::

            >>> sc.listFiles
            []
        """
        return self._files.listed()

    def addPyFile(self, path: str) -> None:
        """Copy a Python file or an archive of modules, from which ``import`` then finds them.

        Raises what ``addFile`` raises.

        Example::

            >>> from pathlib import Path
            >>> _ = Path(tmp, "answers.py").write_text("ANSWER = 42")
            >>> sc.addPyFile(f"{tmp}/answers.py")
            >>> import answers
            >>> answers.ANSWER
            42
        """
        import importlib

        copy = self._files.add(path, recursive=False)
        packed = copy[-4:].lower() in self.PACKAGE_EXTENSIONS
        for place in [copy, self._files.root()] if packed else [self._files.root()]:
            if place not in sys.path:
                sys.path.insert(1, place)
        importlib.invalidate_caches()

    def addArchive(self, path: str) -> None:
        """Unpack an archive into a folder of ``SparkFiles`` that has its name.

        ``path`` is as in ``addFile``; behind a ``#`` there may be another name for the folder. The
        archive is a ``.zip``, ``.jar``, ``.tar``, ``.tar.gz`` or ``.tgz``.

        Example::

            >>> import zipfile
            >>> from pathlib import Path
            >>> with zipfile.ZipFile(f"{tmp}/words.zip", "w") as archive:
            ...     archive.writestr("en.txt", "the")
            >>> sc.addArchive(f"{tmp}/words.zip#words")
            >>> Path(SparkFiles.get("words/en.txt")).read_text()
            'the'
        """
        self._files.add_archive(path)

    @property
    def listArchives(self) -> list[str]:
        """What ``addArchive`` has added, as URLs.

        Example::

            >>> sc.listArchives
            []
        """
        return self._files.archives()

    def setCheckpointDir(self, dirName: str) -> None:
        """Have ``RDD.checkpoint`` write into a new folder below ``dirName``, which is made now.

        Example::

            >>> sc.setCheckpointDir(f"{tmp}/checkpoints")
            >>> sc.getCheckpointDir().startswith(f"file:{tmp}/checkpoints/")
            True
        """
        from swiftwater._paths import local_path
        from swiftwater._rdd.kept import new_folder

        folder = new_folder(os.path.abspath(local_path(dirName, "setCheckpointDir")))
        self._checkpoint_folders.append(folder)
        self._checkpoint_dir = folder.path

    def getCheckpointDir(self) -> str | None:
        """Return the folder for checkpoints as a URL; ``None`` where none was set.

        Example::

            >>> sc.getCheckpointDir() is None
            True
        """
        return None if self._checkpoint_dir is None else f"file:{self._checkpoint_dir}"
