"""The folder of checkpoints: whose files are believed, one process a folder, and a full disk."""

import errno
import fcntl
import os
import pickle
import shutil
import stat
import subprocess
import sys

import pytest

from swiftwater import SparkContext
from swiftwater._claimed_folders import ClaimedFolder
from swiftwater._context.added_files import AddedFiles
from swiftwater.errors import SparkException
from swiftwater.streaming import StreamingContext
from swiftwater.streaming._checkpoints import folder as checkpoint_folder
from swiftwater.streaming._checkpoints import format as checkpoint_format
from swiftwater.streaming._checkpoints.folder import CheckpointFolder
from swiftwater.testing import StreamingTest

NOBODY = 65534
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def total(new, old):
    return sum(new) + (old or 0)


def define(test):
    lines = test.text_source().stream
    test.collect(lines.map(lambda line: (line, 1)).updateStateByKey(total))


def write_checkpoints(folder, batches=3):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        define(test)
        for _ in range(batches):
            test.sources[0].send("a")
            test.advance()


@pytest.fixture
def folder(tmp_path):
    write_checkpoints(tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def names(folder, prefix=""):
    return sorted(name for name in os.listdir(folder) if name.startswith(prefix))


def newest(folder):
    return folder / names(folder, "checkpoint-")[-1]


class Planted:
    """Notes that it was unpickled."""

    unpickled = False

    def __reduce__(self):
        return Planted.run, ()

    @staticmethod
    def run():
        Planted.unpickled = True


def plant(folder):
    """Put a checkpoint there that is newer than all others and runs code."""
    facts, _ = checkpoint_format.read_checkpoint(str(folder), int(newest(folder).name[11:]))
    Planted.unpickled = False
    checkpoint_format.write_checkpoint(
        str(folder), 9_999_999_999_999, facts, pickle.dumps(Planted())
    )
    return folder / "checkpoint-9999999999999"


# --- whose they are -----------------------------------------------------------------------------


def give_away(path):
    os.chown(path, NOBODY, -1)


OTHERS = {
    "group": (lambda path: path.chmod(0o660), "can be written to by others"),
    "world": (lambda path: path.chmod(0o606), "can be written to by others"),
    "user": (give_away, r"belongs to another user \(uid 65534\)"),
}


@pytest.mark.parametrize("kind", ["group", "world", pytest.param("user", marks=is_root)])
@pytest.mark.parametrize("prefix", ["checkpoint-", "data-", "lock"])
def test_a_file_that_others_can_have_written_is_refused(folder, kind, prefix):
    spoil, text = OTHERS[kind]
    path = folder / names(folder, prefix)[-1]
    spoil(path)
    with pytest.raises(PermissionError, match=rf"^the file {path} {text}.*remove it"):
        StreamingContext.getOrCreate(str(folder), lambda: None)
    # Nor is anything written beside it.
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        define(test)
        if prefix != "data-":
            with pytest.raises(PermissionError, match=text):
                test.start()


@is_root
def test_nothing_of_a_planted_file_is_run(folder):
    give_away(plant(folder))
    with pytest.raises(PermissionError, match="belongs to another user"):
        StreamingContext.getOrCreate(str(folder), lambda: None)
    assert not Planted.unpickled


@pytest.mark.parametrize("mode", [0o770, 0o720, 0o2770])
def test_a_folder_that_a_group_can_write_to_is_refused(folder, mode):
    # Also the user's own group: others may be in it.
    os.chown(folder, -1, os.getegid())
    folder.chmod(mode)
    with pytest.raises(PermissionError, match="can be written to by others.*: chmod go-w"):
        StreamingContext.getOrCreate(str(folder), lambda: None)
    with StreamingTest() as test, pytest.raises(PermissionError, match="by others"):
        test.ssc.checkpoint(str(folder))


@is_root
def test_a_folder_of_another_user_is_refused(folder):
    give_away(folder)
    with pytest.raises(PermissionError, match=r"belongs to another user \(uid 65534\)"):
        StreamingContext.getOrCreate(str(folder), lambda: None)


def test_what_takes_the_place_of_the_folder_is_not_looked_at(folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    plant(other)
    locked = CheckpointFolder.lock

    def and_exchanged(self):
        locked(self)
        os.rename(folder, tmp_path / "own")
        os.rename(other, folder)

    monkeypatch.setattr(CheckpointFolder, "lock", and_exchanged)
    with StreamingTest.recovered(str(folder)) as test:
        monkeypatch.undo()
        test.sources[0].send("a")
        test.advance()
        assert test.outputs[0].batches == [[("a", 4)]]
    assert not Planted.unpickled
    # What goes on is written into the folder that was opened.
    assert len(names(tmp_path / "own", "checkpoint-")) == 5
    assert len(names(folder, "checkpoint-")) == 5


@pytest.mark.parametrize("prefix", ["checkpoint-", "data-"])
def test_links_are_not_followed(tmp_path, prefix, capfd):
    folder = tmp_path / "checkpoints"
    write_checkpoints(folder, 12)
    path = folder / names(folder, prefix)[-1]
    os.rename(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with StreamingTest.recovered(str(folder)) as test:
        test.sources[0].send("a")
        test.advance(2)
        # From the data after ten batches, and the log.
        assert test.outputs[0].batches == [[("a", 13)]]


def test_a_pipe_does_not_block(folder):
    path = newest(folder)
    path.unlink()
    os.mkfifo(path)
    with StreamingTest.recovered(str(folder)) as test:
        test.start()


def test_new_files_and_folders_are_private(tmp_path):
    before = os.umask(0)
    try:
        write_checkpoints(tmp_path / "new")
        with SparkContext("local[2]", "kept") as sc:
            sc.setCheckpointDir(str(tmp_path / "kept"))
            rdd = sc.parallelize([1, 2], 2)
            rdd.checkpoint()
            rdd.count()
            place = rdd.getCheckpointFile().removeprefix("file:")
    finally:
        os.umask(before)
    found = {}
    for top in (tmp_path / "new", os.path.dirname(place)):
        for where, _, files in os.walk(top):
            found[where] = stat.S_IMODE(os.stat(where).st_mode)
            found |= {name: stat.S_IMODE(os.stat(f"{where}/{name}").st_mode) for name in files}
    assert {found.pop(str(tmp_path / "new")), found.pop(os.path.dirname(place))} == {0o700}
    assert found.pop(place) == 0o700
    assert {"lock", "_SUCCESS", "part-00000", "part-00001"} <= set(found)
    assert set(found.values()) == {0o600}


def test_what_is_saved_has_the_usual_rights(tmp_path, sc):
    before = os.umask(0o027)
    try:
        sc.parallelize(["a"], 1).saveAsTextFile(str(tmp_path / "out"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes == {"_SUCCESS": 0o640, "part-00000": 0o640}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o750


# --- each file is the one that it says ----------------------------------------------------------


@pytest.mark.parametrize("prefix", ["checkpoint-", "data-"])
def test_files_that_were_exchanged_are_noticed(tmp_path, prefix, capfd):
    write_checkpoints(tmp_path, 12)
    *_, before, last = names(tmp_path, prefix)
    shutil.copyfile(tmp_path / before, tmp_path / last)
    with StreamingTest.recovered(str(tmp_path)) as test:
        err = capfd.readouterr().err
        assert f"{last} was written as {before}: files have been exchanged" in err
        test.sources[0].send("a")
        test.advance(2)
        # From the data after ten batches, and the log.
        assert test.outputs[0].batches == [[("a", 13)]]


# --- one process a folder -----------------------------------------------------------------------

HOLDER = """
import sys
from swiftwater.streaming._checkpoints.folder import CheckpointFolder

folder = CheckpointFolder(sys.argv[1])
folder.lock()
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(folder):
    """Another process that uses the folder."""
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert process.stdout.readline() == b"locked\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused(folder, holder):
    before = names(folder)
    text = rf"^the checkpoint directory {folder} is in use by another process: "
    text += rf"process {holder.pid} on \S+ \(-c\)\. Stop that one first, or use another folder$"
    with pytest.raises(SparkException, match=text):
        StreamingContext.getOrCreate(str(folder), lambda: None)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        define(test)
        with pytest.raises(SparkException, match=text):
            test.start()
    # It has not touched what is there; its own folder for RDDs it has taken back.
    assert names(folder) == before


def test_a_killed_process_leaves_no_lock(folder, holder):
    holder.kill()
    holder.wait()
    with StreamingTest.recovered(str(folder)) as test:
        test.start()


def is_locked(folder):
    descriptor = os.open(folder / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_the_lock_is_held_from_the_recovery_to_the_stop(folder):
    with StreamingTest.recovered(str(folder)) as test:
        assert is_locked(folder)
        test.start()
        assert is_locked(folder)
        # The same process may look at it again.
        with StreamingTest.recovered(str(folder), spark_context=test.sc):
            pass
        assert is_locked(folder)
    assert not is_locked(folder)


def test_a_forked_process_does_not_hold_the_lock(folder):
    with StreamingTest.recovered(str(folder)) as test:
        test.start()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        os.close(read)
        try:
            assert is_locked(folder)
            test.stop()
            assert not is_locked(folder)
        finally:
            os.close(write)
            os.waitpid(child, 0)


def test_a_file_system_without_locks(folder, monkeypatch, capfd):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(checkpoint_folder.fcntl, "flock", refuse)
    with StreamingTest.recovered(str(folder)) as test:
        test.start()
    assert "cannot be locked (No locks available)" in capfd.readouterr().err


# --- a full disk, and names that are not ours ---------------------------------------------------


def full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_write_that_failed_leaves_nothing(folder, monkeypatch, capfd):
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    with StreamingTest.recovered(str(folder)) as test:
        test.start()
        started = set(names(folder))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            test.advance(25)
            # Nor the data that was written before its checkpoint failed.
            assert set(names(folder)) == started
        test.advance()
    assert "No space left on device" in capfd.readouterr().err
    assert before.keys() <= {*names(folder), *before}
    assert len(names(folder, "data-")) <= 2


def test_data_whose_checkpoint_fails_is_removed(tmp_path, monkeypatch):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        define(test)
        test.advance(5)
        monkeypatch.setattr(checkpoint_format, "write_checkpoint", full)
        for _ in range(40):
            test.sources[0].send("a")
            test.advance()
        # The data of the next checkpoint, and not each that was written since.
        assert len(names(tmp_path, "data-")) <= 2
        monkeypatch.undo()


STRANGE = [
    "checkpoint-\N{SUPERSCRIPT TWO}",
    "checkpoint-\N{ARABIC-INDIC DIGIT THREE}",
    "checkpoint-",
    "checkpoint--5",
    "checkpoint-007",
    f"checkpoint-{'9' * 200}",
    "data-of-mine.csv",
    "data-1-retained.bak",
    ".writing",
]


@pytest.mark.parametrize("make", [lambda path: path.write_text("mine"), lambda path: path.mkdir()])
def test_names_that_are_not_ours_are_left_alone(folder, make):
    strange = [*STRANGE]
    for name in strange:
        make(folder / name)
    for name in (".writing-x", "checkpoint-5", "data-7-retained"):
        (folder / name).mkdir()
        strange.append(name)
    with StreamingTest.recovered(str(folder)) as test:
        test.advance(15)
        assert len(test.outputs[0].batches) == 15
    assert set(strange) <= set(names(folder))


def test_what_a_killed_process_was_writing_is_removed(folder):
    (folder / ".writing-checkpoint-7").write_bytes(b"half")
    write_checkpoints(folder)
    assert names(folder, ".") == []


def test_a_path_that_is_not_utf_8(tmp_path):
    inbox = tmp_path / "in"
    inbox.mkdir()
    name = os.fsdecode(b"caf\xe9")
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path / "checkpoints"))
        test.collect(test.ssc.binaryRecordsStream(str(inbox), 1))
        test.start()
        (inbox / name).write_text("x")
        at = test.batch_time(1).timestamp()
        os.utime(inbox / name, (at, at))
        test.advance()
    with StreamingTest.recovered(str(tmp_path / "checkpoints")) as test:
        test.advance()
        # It was taken.
        assert test.outputs[0].batches == [[]]


# --- folders that processes leave ---------------------------------------------------------------


def folders_in(path):
    return [name for name in os.listdir(path) if os.path.isdir(os.path.join(path, name))]


def test_folders_without_records_do_not_gather(folder):
    for _ in range(3):
        with StreamingTest.recovered(str(folder)) as test:
            test.start()
    assert folders_in(folder) == []


def test_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    parent = tmp_path / "kept"
    left = parent / "01234567-89ab-4cde-8f01-23456789abcd"
    (left / ".rdd-3.0123").mkdir(parents=True)
    full = parent / "11234567-89ab-4cde-8f01-23456789abcd"
    (full / "rdd-1").mkdir(parents=True)
    claimed = parent / "21234567-89ab-4cde-8f01-23456789abcd"

    def make():
        claimed.mkdir()
        return str(claimed)

    owner = ClaimedFolder(make)
    (parent / "mine").mkdir()
    with SparkContext("local[2]", "next") as sc:
        sc.setCheckpointDir(str(parent))
        own = os.path.basename(sc._checkpoint_dir)
        assert sorted(folders_in(parent)) == sorted([full.name, claimed.name, own, "mine"])
    assert sorted(folders_in(parent)) == [full.name, claimed.name, "mine"]
    owner.release()


def test_hidden_folders_of_others_stay(tmp_path):
    name = "31234567-89ab-4cde-8f01-23456789abcd"
    for hidden in (".git", ".rdd-3.0123.old", ".rdd-x.01", ".rdd-4.0a"):
        (tmp_path / name / hidden).mkdir(parents=True)
    with SparkContext("local[2]", "next") as sc:
        sc.setCheckpointDir(str(tmp_path))
    assert sorted(folders_in(tmp_path / name)) == [".git", ".rdd-3.0123.old", ".rdd-x.01"]


def test_folders_of_added_files_of_killed_processes_are_removed(tmp_path, sc):
    (tmp_path / "swiftwater-files-abcd_123" / "inner").mkdir(parents=True)
    (tmp_path / "swiftwater-files").mkdir()
    first, second = AddedFiles(str(tmp_path)), AddedFiles(str(tmp_path))
    roots = [os.path.basename(files.root()) for files in (first, second)]
    assert sorted(folders_in(tmp_path)) == sorted(["swiftwater-files", *roots])
    first.delete()
    second.delete()
    assert folders_in(tmp_path) == ["swiftwater-files"]


def test_a_folder_that_is_removed_before_it_is_claimed_is_made_again(tmp_path):
    made = []

    def make():
        made.append(str(tmp_path / f"{len(made)}"))
        if len(made) > 1:
            os.mkdir(made[-1])
        return made[-1]

    folder = ClaimedFolder(make)
    assert folder.path == made[1]
    folder.release()


def test_a_folder_that_is_being_removed_is_not_claimed(tmp_path):
    removing = []

    def make():
        place = tmp_path / f"{len(removing)}"
        place.mkdir()
        descriptor = os.open(place, os.O_RDONLY)
        if not removing:
            # As a process does that has found it before it is claimed.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        removing.append(descriptor)
        return str(place)

    folder = ClaimedFolder(make)
    for descriptor in removing:
        os.close(descriptor)
    assert folder.path == str(tmp_path / "1")
    folder.release()
