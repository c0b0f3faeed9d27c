"""Archives and folders that are damaged or do harm: an error names them, nothing is left."""

import io
import os
import shutil
import tarfile
import zipfile

import pytest

from swiftwater import SparkConf, SparkContext, SparkFiles
from swiftwater.errors import SparkException

DATA = os.urandom(1 << 16)


def tar(mode, *members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as packed:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return file.getvalue()


def zipped(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def changed(data, old, new):
    assert old in data
    return data.replace(old, new)


def encrypted(data):
    """Set the flag that says so, at the member and in the directory."""
    data = bytearray(data)
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


BROKEN = {
    "no zip file": ("a.zip", b"no archive"),
    "nothing": ("a.zip", b""),
    "a zip file cut": ("a.zip", zipped(("a", DATA))[:-100]),
    "a zip file with other bytes": (
        "a.zip",
        changed(zipped(("good", b"1"), ("a", b"xy")), b"xy", b"zz"),
    ),
    "an encrypted zip file": ("a.zip", encrypted(zipped(("a", b"1")))),
    "a name twice, as a file and a folder": ("a.zip", zipped(("a", b"1"), ("a/b", b"2"))),
    "a name that is too long": ("a.zip", zipped(("good", b"1"), ("a" * 300, b"2"))),
    "no tar file": ("a.tar", b"no archive" * 100),
    "a tar file cut": ("a.tar", tar("w", ("good", b"1"), ("a", DATA))[:-40_000]),
    "gz cut": ("a.tar.gz", tar("w:gz", ("good", b"1"), ("a", DATA))[:-40_000]),
    "gz with other bytes": ("a.tgz", tar("w:gz", ("a", DATA))[:30_000] + b"\0" * 30_000),
    "bz2 cut": ("a.tar.bz2", tar("w:bz2", ("good", b"1"), ("a", DATA))[:-40_000]),
    "xz cut": ("a.tar.xz", tar("w:xz", ("good", b"1"), ("a", DATA))[:-40_000]),
    "a folder that is a file": ("a.tar", tar("w", ("a", b"1"), ("a/b", b"2"))),
    "a file that is the folder": ("a.tar", tar("w", ("good", b"1"), (".", b"2"))),
}


@pytest.mark.parametrize(("name", "data"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_unpacked_leaves_nothing(sc, tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SparkException, match=f"{path} cannot be unpacked: ."):
        sc.addArchive(str(path))
    assert sc.listArchives == []
    assert os.listdir(SparkFiles.getRootDirectory()) == []
    # What is there under the name is right the next time.
    path.write_bytes(zipped(("a", b"1")) if name == "a.zip" else tar("w", ("a", b"1")))
    sc.addArchive(str(path))
    assert os.listdir(SparkFiles.get(name)) == ["a"]


@pytest.mark.parametrize("name", ["words", "a.zip"])
def test_an_archive_does_not_take_the_name_of_a_file(sc, tmp_path, name):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / name).write_text("a file")
    (tmp_path / "a.zip").write_bytes(zipped(("a", b"1")))
    sc.addFile(str(tmp_path / "b" / name))
    with pytest.raises(SparkException, match="cannot be unpacked: .*Not a directory"):
        sc.addArchive(f"{tmp_path}/a.zip#{name}")
    with open(SparkFiles.get(name)) as file:
        assert file.read() == "a file"


def test_a_name_twice_in_an_archive_is_the_last_one(sc, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a", b"1"), ("a", b"2"))
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "a.tar").write_bytes(tar("w", ("a", b"1"), ("a", b"2")))
    for name in ("a.zip", "a.tar"):
        sc.addArchive(str(tmp_path / name))
        with open(SparkFiles.get(f"{name}/a")) as file:
            assert file.read() == "2"


def folder_in_itself(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "up").symlink_to("..")


def folder_as_link(folder):
    (folder / "here").symlink_to(".")


def pipe(folder):
    os.mkfifo(folder / "pipe")


def device(folder):
    (folder / "zeros").symlink_to("/dev/zero")


def gone(folder):
    (folder / "gone").symlink_to("nowhere")


@pytest.mark.parametrize("make", [folder_in_itself, folder_as_link, pipe, device, gone])
def test_a_folder_whose_copy_would_have_no_end(sc, tmp_path, make):
    folder = tmp_path / "d"
    folder.mkdir()
    make(folder)
    with pytest.raises(SparkException, match=r"cannot be copied: .*(itself, by a link|not a file)"):
        sc.addFile(str(folder), recursive=True)
    assert os.listdir(SparkFiles.getRootDirectory()) == []


def test_a_folder_that_has_the_copies_in_it(tmp_path):
    conf = SparkConf().set("spark.local.dir", str(tmp_path / "local"))
    (tmp_path / "local").mkdir()
    with SparkContext("local", "x", conf=conf) as sc:
        with pytest.raises(SparkException, match="it holds the folder of added files"):
            sc.addFile(str(tmp_path), recursive=True)
        assert os.listdir(SparkFiles.getRootDirectory()) == []


def test_links_to_files_and_folders_are_copied_as_what_they_are(sc, tmp_path):
    folder = tmp_path / "d"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "words.txt").write_text("the")
    (folder / "b").symlink_to("a")
    (folder / "c.txt").symlink_to("a/words.txt")
    sc.addFile(str(folder), recursive=True)
    for name in ("d/b/words.txt", "d/c.txt"):
        assert not os.path.islink(SparkFiles.get(name))
        with open(SparkFiles.get(name)) as file:
            assert file.read() == "the"


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_a_device_is_no_file_to_add(sc, path):
    with pytest.raises(SparkException, match=f"file:{path} is not a file"):
        sc.addFile(path)


def test_a_file_and_a_folder_of_one_name(sc, tmp_path):
    for place in ("1", "2"):
        (tmp_path / place).mkdir()
    (tmp_path / "1" / "a").write_text("a file")
    (tmp_path / "2" / "a").mkdir()
    sc.addFile(str(tmp_path / "1" / "a"))
    with pytest.raises(SparkException, match="exists and does not match"):
        sc.addFile(str(tmp_path / "2" / "a"), recursive=True)
    (tmp_path / "2" / "b").mkdir()
    (tmp_path / "1" / "b").write_text("a file")
    sc.addFile(str(tmp_path / "2" / "b"), recursive=True)
    with pytest.raises(SparkException, match="exists and does not match"):
        sc.addFile(str(tmp_path / "1" / "b"))


def test_half_of_a_file_does_not_stand_for_it(sc, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("one")

    def full(source, target):
        with open(target, "w") as file:
            file.write("o")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            sc.addFile(str(tmp_path / "a.txt"))
    sc.addFile(str(tmp_path / "a.txt"))
    with open(SparkFiles.get("a.txt")) as file:
        assert file.read() == "one"
