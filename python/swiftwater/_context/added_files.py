"""The folder of the files that a program has added to its context."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from threading import Lock

from swiftwater._claimed_folders import ClaimedFolder, remove_abandoned
from swiftwater._context.archives import is_inside, unpack
from swiftwater._paths import local_path
from swiftwater.errors import Py4JJavaError, SparkException

__all__ = ["AddedFiles"]

_REMOTE = ("http", "https", "ftp")
_FOLDER = re.compile(r"swiftwater-files-\w+")


class MissingFileError(Py4JJavaError, FileNotFoundError):
    """A file to add is not there."""

    _java_class = "java.io.FileNotFoundException"


class AddedFiles:
    """Copies of added files, under their names, in a temporary folder of the context."""

    def __init__(self, parent: str | None) -> None:
        """Begin without files; ``parent`` is where the folder is made, once it is needed."""
        self._parent = parent
        self._root: str | None = None
        self._claimed: ClaimedFolder | None = None
        self._lock = Lock()
        self._sources: dict[str, str] = {}
        self._archives: dict[str, str] = {}

    def root(self) -> str:
        """Return the folder; it is made now where it is not there."""
        with self._lock:
            if self._root is None:
                import tempfile

                # Spark: several folders with commas between them; the first is as good as any.
                parent = self._parent.split(",")[0].strip() if self._parent else None
                remove_abandoned(parent or tempfile.gettempdir(), _FOLDER)
                self._claimed = ClaimedFolder(
                    lambda: os.path.abspath(
                        tempfile.mkdtemp(prefix="swiftwater-files-", dir=parent)
                    )
                )
                self._root = self._claimed.path
            return self._root

    def delete(self) -> None:
        """Delete the folder with all that is in it."""
        with self._lock:
            root, self._root = self._root, None
            claimed, self._claimed = self._claimed, None
        if root is not None:
            import shutil

            inside = root + os.sep
            sys.path[:] = [place for place in sys.path if not f"{place}{os.sep}".startswith(inside)]
            shutil.rmtree(root, ignore_errors=True)
        if claimed is not None:
            claimed.release()

    def listed(self) -> list[str]:
        """Return what was added, as URLs."""
        return list(self._sources)

    def archives(self) -> list[str]:
        """Return the archives that were added, as URLs."""
        return list(self._archives)

    def add(self, path: str, recursive: bool) -> str:
        """Copy a file, or with ``recursive`` a folder; return the copy's path."""
        if _scheme(path) in _REMOTE:
            url, source = path, self._fetched(path)
        else:
            source = os.path.abspath(local_path(path, "addFile"))
            if not os.path.exists(source):
                raise MissingFileError(f"File file:{source} does not exist")
            url = f"file:{source}"
        if os.path.isdir(source):
            if not recursive:
                raise SparkException(
                    f"[UNSUPPORTED_ADD_FILE.DIRECTORY] {url} is a directory: "
                    "use addFile(path, recursive=True)"
                )
            url += "/"
        target = os.path.join(self.root(), os.path.basename(source))
        if url not in self._sources:
            _copy(source, target, url)
            self._sources[url] = target
        return target

    def add_archive(self, path: str) -> str:
        """Unpack an archive into a folder of its name, or of the name behind ``#``."""
        place, _, name = path.partition("#")
        if _scheme(place) in _REMOTE:
            url, source = path, self._fetched(place)
        else:
            source = os.path.abspath(local_path(place, "addArchive"))
            url = f"file:{source}" + (f"#{name}" if name else "")
        if url in self._archives:
            return self._archives[url]
        if not os.path.exists(source):
            raise MissingFileError(f"File file:{source} does not exist")
        target = self._place_of(name or os.path.basename(source), url)
        unpack(source, target)
        self._archives[url] = target
        return target

    def _place_of(self, name: str, url: str) -> str:
        """Return where ``name`` is in the folder. Raises ``SparkException`` for a name outside."""
        if not is_inside(name):
            raise SparkException(f"{url}: the name behind # leads out of the folder of added files")
        return os.path.join(self.root(), name)

    def _fetched(self, url: str) -> str:
        import tempfile
        import urllib.parse
        import urllib.request

        folder = tempfile.mkdtemp(prefix="fetched-", dir=self.root())
        name = os.path.basename(urllib.parse.urlparse(url).path)
        if name in ("", os.curdir, os.pardir):
            name = "index"
        source = os.path.join(folder, name)
        with urllib.request.urlopen(url) as answer, open(source, "wb") as file:  # noqa: S310
            while piece := answer.read(1 << 20):
                file.write(piece)
        return source


def _scheme(path: object) -> str:
    return path.partition("://")[0].lower() if isinstance(path, str) and "://" in path else ""


def _copy(source: str, target: str, url: str) -> None:
    import filecmp
    import shutil

    if os.path.isdir(source):
        _require_files(source, os.path.realpath(os.path.dirname(target)), url, [])
        if os.path.exists(target) and not os.path.isdir(target):
            raise SparkException(f"File {target} exists and does not match contents of {url}")
        shutil.copytree(source, target, dirs_exist_ok=True)
        return
    if not os.path.isfile(source):
        raise SparkException(f"{url} is not a file")
    if os.path.exists(target):
        # Spark: a name stands for one file, whose contents do not change.
        if os.path.isdir(target) or not filecmp.cmp(source, target, shallow=False):
            raise SparkException(f"File {target} exists and does not match contents of {url}")
        return
    try:
        shutil.copyfile(source, target)
    except BaseException:
        # Half of a file would stand for it from now on, and keep a full disk full.
        with contextlib.suppress(OSError):
            os.remove(target)
        raise


def _require_files(folder: str, copies: str, url: str, above: list[str]) -> None:
    """Raise ``SparkException`` where a copy of ``folder`` would have no end.

    ``copies`` is the folder of all copies, and ``above`` are those that ``folder`` is in.
    """
    place = os.path.realpath(folder)
    if place == copies or place in above:
        what = "the folder of added files" if place == copies else "itself, by a link"
        raise SparkException(f"{url} cannot be copied: it holds {what} ({folder})")
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                _require_files(entry.path, copies, url, [*above, place])
            elif not entry.is_file():
                raise SparkException(f"{url} cannot be copied: {entry.path} is not a file")
