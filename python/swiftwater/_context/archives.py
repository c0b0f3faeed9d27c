"""Unpacking archives: nothing in one gets a place outside its folder."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from swiftwater._typing import TYPE_CHECKING
from swiftwater.errors import SparkException

if TYPE_CHECKING:
    import tarfile

__all__ = ["is_inside", "unpack"]

_ARCHIVES = (".zip", ".jar", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def unpack(source: str, target: str) -> None:
    """Unpack the archive ``source`` into the folder ``target``.

    What is there already stays, or is replaced by what the archive has. Raises ``SparkException``
    for what is no archive, and, before anything is written, where a member has no place inside;
    also for one that is damaged or does not fit on the disk. A new folder is then gone again.
    """
    if not source.endswith(_ARCHIVES):
        raise SparkException(f"{source} is no archive: its name must end in {', '.join(_ARCHIVES)}")
    is_new = not os.path.lexists(target)
    is_done = False
    try:
        _unpack(source, target)
        is_done = True
    except SparkException:
        raise
    except Exception as error:
        # Each kind of compression has errors of its own.
        reason = str(error) or type(error).__name__
        raise SparkException(f"{source} cannot be unpacked: {reason}") from error
    finally:
        if is_new and not is_done:
            import shutil

            # Half of an archive would keep a full disk full.
            shutil.rmtree(target, ignore_errors=True)


def _unpack(source: str, target: str) -> None:
    if source.endswith((".zip", ".jar")):
        import zipfile

        with zipfile.ZipFile(source) as archive:
            _check_names(source, archive.namelist())
            # Links are written as files that hold their text.
            archive.extractall(target)  # noqa: S202 - checked above
        return
    import tarfile

    with tarfile.open(source) as packed:
        members = packed.getmembers()
        _check_names(source, [member.name for member in members])
        _check_kinds(source, members)
        for member in members:
            # Neither another user's file, nor one that runs with another user's rights.
            member.mode = member.mode & 0o755 | (0o700 if member.isdir() else 0o600)
            member.uid = member.gid = -1
            member.uname = member.gname = ""
        _extract(packed, members, target)


def is_inside(name: str) -> bool:
    """Return whether ``name`` means something inside of the folder that it is looked up in."""
    parts = name.replace("\\", "/").split("/")
    return (
        not name.startswith("/")
        and "\0" not in name
        and os.pardir not in parts
        and any(part not in ("", os.curdir) for part in parts)
    )


def _check_names(source: str, names: Iterable[str]) -> None:
    for name in names:
        # The folder itself has an entry in archives that "tar c ." makes.
        if not is_inside(name) and posixpath.normpath(name) != os.curdir:
            raise _outside(source, name)


def _check_kinds(source: str, members: Iterable[tarfile.TarInfo]) -> None:
    """Refuse links that lead out, members behind links, and what is neither file nor folder."""
    members = list(members)
    links = {posixpath.normpath(member.name) for member in members if member.issym()}
    for member in members:
        name = posixpath.normpath(member.name)
        if _passes(links, posixpath.dirname(name)):
            raise _outside(source, member.name)
        if member.issym():
            # Only the beginning may lead upwards: through another link it would lead elsewhere.
            place = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
            below = member.linkname.split("/")
            while below and below[0] in (os.curdir, os.pardir):
                del below[0]
            leads_out = member.linkname.startswith("/") or place.split("/")[0] == os.pardir
            if leads_out or os.pardir in below:
                raise _outside(source, f"{member.name} -> {member.linkname}")
        elif member.islnk():
            place = posixpath.normpath(member.linkname)
            if not is_inside(member.linkname) or _passes(links, place):
                raise _outside(source, f"{member.name} -> {member.linkname}")
        elif not (member.isdir() or member.isreg()):
            raise SparkException(f"{source} has a member that is not a file: {member.name}")


def _passes(links: set[str], place: str) -> bool:
    """Return whether ``place``, or a folder that it is in, is a link."""
    while place:
        if place in links:
            return True
        place = posixpath.dirname(place)
    return False


def _extract(packed: tarfile.TarFile, members: list[tarfile.TarInfo], target: str) -> None:
    import tarfile

    if hasattr(tarfile, "data_filter"):
        packed.extractall(target, members, filter="data")
    else:
        packed.extractall(target, members)  # noqa: S202 - checked above


def _outside(source: str, name: str) -> SparkException:
    return SparkException(f"{source} has a member that leads out of its folder: {name}")
