"""Folders that are watched, in jobs; which files belong to which batch is tested in Swift, too."""

import gzip
import os

import pytest

from swiftwater.testing import StreamingTest


def write(path, text, seconds):
    """Write a file as if it had been changed then."""
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(data)
    at(path, seconds)


def at(path, seconds):
    os.utime(path, (seconds, seconds))


class Folder:
    """A folder whose files are changed in virtual time."""

    def __init__(self, test, path):
        self.test = test
        self.path = path

    def put(self, name, text, batch=None):
        """Put a file there that was changed at a batch's time (the next one's)."""
        number = round(self.test.now) + 1 if batch is None else batch
        write(self.path / name, text, self.test.batch_time(0).timestamp() + number)


@pytest.fixture
def folder(streaming, tmp_path):
    (tmp_path / "in").mkdir()
    return Folder(streaming, tmp_path / "in")


def test_each_file_is_in_one_batch(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    streaming.start()
    folder.put("a", "1\n2\n")
    streaming.advance()
    folder.put("c", "5\n")
    folder.put("b", "3\n4")
    streaming.advance()
    streaming.advance()
    assert out.batches == [["1", "2"], ["3", "4", "5"], []]


def test_appending_to_a_file_is_not_seen(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    streaming.start()
    folder.put("a", "1\n")
    streaming.advance()
    folder.put("a", "1\n2\n")
    streaming.advance()
    assert out.batches == [["1"], []]


def test_files_from_before_the_start_and_from_later(streaming, folder):
    folder.put("old", "old\n", batch=0)
    folder.put("late", "late\n", batch=3)
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    streaming.advance(4)
    assert out.batches == [[], [], ["late"], []]


def test_the_lines_of_files(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(f"file://{folder.path}"))
    folder.put("a", b"a\nb\r\nc\rd\xff\n\nlast")
    streaming.advance()
    assert out.batches == [["a", "b", "c", "d\N{REPLACEMENT CHARACTER}", "", "last"]]


def test_names_that_look_like_patterns_are_names(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    for name in ("a,b", "[c]", "{d,e}", "f*"):
        folder.put(name, name + "\n")
    streaming.advance()
    assert sorted(out.batches[0]) == ["[c]", "a,b", "f*", "{d,e}"]


def test_a_mark_in_front_of_a_file_is_left_out(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    folder.put("a", b"\xef\xbb\xbfid\n\xef\xbb\xbf1\n")
    streaming.advance()
    assert out.batches == [["id", "\ufeff1"]]


def test_partitions(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)).glom())
    folder.put("a", "1\n")
    folder.put("b", "")
    folder.put("c", "2\n3\n")
    streaming.advance(2)
    assert out.batches == [[["1"], ["2", "3"]], []]


def test_a_folder_inside_is_read_one_level_deep(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    (folder.path / "inner" / "deeper").mkdir(parents=True)
    (folder.path / "inner" / "f").write_text("x\n")
    (folder.path / "inner" / "_SUCCESS").write_text("no\n")
    (folder.path / "inner" / "deeper" / "g").write_text("no\n")
    at(folder.path / "inner", streaming.batch_time(1).timestamp())
    streaming.advance()
    assert out.batches == [["x"]]


def test_a_folder_that_appears_later(streaming, tmp_path):
    later = Folder(streaming, tmp_path / "later")
    out = streaming.collect(streaming.ssc.textFileStream(str(later.path)))
    streaming.advance()
    later.path.mkdir()
    later.put("a", "1\n")
    streaming.advance()
    assert out.batches == [[], ["1"]]


def test_a_file_that_vanishes_is_named(tmp_path):
    inbox, checkpoints = tmp_path / "in", str(tmp_path / "checkpoints")
    inbox.mkdir()

    def refuse(rdd):
        if "1" in rdd.collect():
            raise ConnectionError("not now")

    with StreamingTest() as test:
        test.ssc.checkpoint(checkpoints)
        lines = test.ssc.textFileStream(str(inbox))
        test.collect(lines)
        lines.foreachRDD(refuse)
        test.start()
        Folder(test, inbox).put("a", "1\n")
        with pytest.raises(ConnectionError):
            test.advance()
    os.unlink(inbox / "a")
    with StreamingTest.recovered(checkpoints) as test:
        with pytest.raises(FileNotFoundError, match="Input path does not exist: .*/in/a") as raised:
            test.start()
        place, batch = raised.value.__notes__
        assert place.startswith("in operator: textFileStream at ")
        assert batch.startswith("batch: 2030-01-01 ")
        Folder(test, inbox).put("b", "2\n")
        test.advance()
        assert test.outputs[0].batches == [["2"]]


def test_an_entry_that_cannot_be_looked_at_is_passed_over(streaming, folder, capfd):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    streaming.start()
    os.symlink("loop", folder.path / "loop")
    folder.put("a", "1\n")
    streaming.advance()
    folder.put("z", "2\n")
    streaming.advance()
    assert out.batches == [["1"], ["2"]]
    assert "WARNING passed over" in capfd.readouterr().err


def test_names_that_do_not_count(streaming, folder):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    for name in (".hidden", "_temporary", "seen", "seen._COPYING_", "x_"):
        folder.put(name, name)
    streaming.advance()
    assert out.last == ["seen", "seen._COPYING_", "x_"]


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("a*", ["a1", "a2"]),
        ("{b1,{a2,_c},b1,none}", ["_c", "a2", "b1"]),
        ("{a,b}[c]", ["{a,b}[c]"]),
        ("none*", []),
    ],
)
def test_patterns_stand_for_folders(streaming, tmp_path, pattern, taken):
    out = streaming.collect(streaming.ssc.textFileStream(str(tmp_path / pattern)))
    for name in ("a1", "a2", "b1", "_c", "{a,b}[c]"):
        (tmp_path / name).mkdir()
        Folder(streaming, tmp_path / name).put("f", name)
    Folder(streaming, tmp_path).put("a3", "a file, not a folder")
    streaming.advance()
    assert out.last == taken


@pytest.mark.parametrize("name", ["later", "l*r", "{later,none}"])
def test_a_folder_that_is_not_there_is_told_once(streaming, tmp_path, capfd, name):
    out = streaming.collect(streaming.ssc.textFileStream(str(tmp_path / name)))
    said = f"there is no folder {tmp_path / name} to take files from"
    (tmp_path / "lr").write_text("a file, not a folder")
    streaming.advance(3)
    assert capfd.readouterr().err.count(said) == 1
    (tmp_path / "later").mkdir()
    streaming.advance()
    assert said not in capfd.readouterr().err
    # It goes away: that is news.
    (tmp_path / "later").rmdir()
    streaming.advance(2)
    assert capfd.readouterr().err.count(said) == 1
    assert out.records == []


def test_a_folder_that_cannot_be_listed_is_told(streaming, tmp_path, capfd):
    # More folders than a pattern may stand for.
    folder = tmp_path / "{a,b}".join(["", *["x"] * 20])
    out = streaming.collect(streaming.ssc.textFileStream(str(folder)))
    streaming.advance(2)
    assert out.batches == [[], []]
    assert (
        f"WARNING cannot list the folder {folder}: Illegal file pattern" in capfd.readouterr().err
    )


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress)], ids=["plain", "gzip"]
)
def test_a_file_whose_name_is_not_utf_8(streaming, folder, suffix, pack):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    streaming.start()
    data = "\ufeffone\rtwo\r\n\nthr\u2028ee".encode() + b"\xff\nfour"
    folder.put(os.fsdecode(b"caf\xe9") + suffix, pack(data))
    folder.put("z", data)
    streaming.advance()
    assert out.last == ["one", "two", "", "thr\u2028ee\ufffd", "four"] * 2


def test_binary_records(streaming, folder):
    out = streaming.collect(streaming.ssc.binaryRecordsStream(str(folder.path), 3))
    folder.put("a", b"abcdef")
    folder.put("b", bytes(range(250, 256)) * 40_000)
    folder.put("c", b"")
    streaming.advance()
    assert out.last[:2] == [b"abc", b"def"]
    assert out.last[2:] == [bytes([250, 251, 252]), bytes([253, 254, 255])] * 40_000


def test_a_file_that_ends_inside_a_record(streaming, folder):
    streaming.collect(streaming.ssc.binaryRecordsStream(str(folder.path), 4))
    folder.put("a", b"abcdef")
    with pytest.raises(EOFError, match="ends inside a record: 2 of 4 bytes are there"):
        streaming.advance()


@pytest.mark.parametrize("length", [0, -1, 1.5, True, "3"])
def test_record_lengths_that_make_no_sense(streaming, length):
    with pytest.raises(ValueError, match="a record must have at least one byte"):
        streaming.ssc.binaryRecordsStream("x", length)


def test_paths_that_make_no_sense(streaming):
    with pytest.raises(TypeError, match="needs a path, not int"):
        streaming.ssc.textFileStream(3)
    with pytest.raises(ValueError, match="local files only, not hdfs"):
        streaming.ssc.textFileStream("hdfs://host/folder")


def test_a_recovered_job_reads_no_file_twice_and_misses_none(tmp_path):
    inbox, folder = tmp_path / "in", str(tmp_path / "checkpoints")
    inbox.mkdir()
    with StreamingTest() as test:
        test.ssc.checkpoint(folder)
        test.collect(test.ssc.textFileStream(str(inbox)))
        test.start()
        files = Folder(test, inbox)
        files.put("a", "1\n")
        test.advance(2)
        assert test.outputs[0].batches == [["1"], []]
        # While the job is not there.
        files.put("b", "2\n", batch=4)
        files.put("c", "3\n", batch=5)
    with StreamingTest.recovered(folder, downtime=4) as test:
        test.start()
        assert test.outputs[0].times == [3.0, 4.0, 5.0, 6.0]
        assert test.outputs[0].batches == [[], ["2"], ["3"], []]


def test_a_batch_that_runs_again_reads_the_same_files(tmp_path):
    inbox, folder, crash = tmp_path / "in", tmp_path / "checkpoints", tmp_path / "crash"
    inbox.mkdir()
    crash.mkdir(mode=0o700)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        lines = test.ssc.textFileStream(str(inbox)).map(lambda line: (line, 1))
        test.collect(lines.updateStateByKey(lambda new, old: sum(new) + (old or 0), 1))
        test.start()
        files = Folder(test, inbox)
        for batch in range(1, 4):
            files.put(f"{batch}", f"{batch}\n")
            test.advance()
        # As a process that ends now would leave it: the state of no batch is written yet.
        for name in os.listdir(folder):
            if (folder / name).is_file():
                (crash / name).write_bytes((folder / name).read_bytes())
        last = test.outputs[0].last
        assert last == [("1", 1), ("2", 1), ("3", 1)]
    with StreamingTest.recovered(str(crash)) as test:
        test.start()
        # What they put out they have put out already.
        assert test.outputs[0].batches == []
        Folder(test, inbox).put("4", "4\n")
        test.advance()
        assert test.outputs[0].batches == [[*last, ("4", 1)]]


STATEFUL = {
    "a state": lambda pairs: pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0), 1),
    "a window": lambda pairs: pairs.reduceByKeyAndWindow(lambda a, b: a + b, None, 280, 70),
    "a window with an inverse": lambda pairs: pairs.reduceByKeyAndWindow(
        lambda a, b: a + b, lambda a, b: a - b, 350, 70
    ),
}


@pytest.mark.parametrize("kind", STATEFUL)
@pytest.mark.parametrize("crash_at", [69, 71, 134, 139, 203])
def test_no_file_is_read_twice_however_seldom_data_is_written(tmp_path, kind, crash_at):
    inbox, folder, crash = tmp_path / "in", tmp_path / "checkpoints", tmp_path / "crash"
    inbox.mkdir()
    crash.mkdir(mode=0o700)

    def feed(test, seconds):
        for second in seconds:
            if second % 10 == 0:
                Folder(test, inbox).put(f"{second}", f"{second}\n")
            test.advance()

    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        pairs = test.ssc.textFileStream(str(inbox)).map(lambda line: (1, 1))
        stream = STATEFUL[kind](pairs)
        test.collect(stream.checkpoint(70) if kind == "a state" else stream)
        test.start()
        feed(test, range(1, crash_at))
        for name in os.listdir(folder):
            if (folder / name).is_file():
                (crash / name).write_bytes((folder / name).read_bytes())
        feed(test, range(crash_at, 285))
        whole = dict(zip(test.outputs[0].times, test.outputs[0].batches, strict=True))
    for name in os.listdir(inbox):
        if int(name) >= crash_at:
            os.unlink(inbox / name)
    with StreamingTest.recovered(str(crash)) as test:
        test.start()
        feed(test, range(crash_at, 285))
        again = dict(zip(test.outputs[0].times, test.outputs[0].batches, strict=True))
    assert again
    assert again == {time: whole[time] for time in again}


def test_a_record_longer_than_the_file_needs_no_memory(streaming, folder):
    with pytest.raises(ValueError, match="a record cannot have"):
        streaming.ssc.binaryRecordsStream(str(folder.path), 2**63)
    streaming.collect(streaming.ssc.binaryRecordsStream(str(folder.path), 2**62))
    folder.put("a", b"abcdef")
    with pytest.raises(EOFError, match=f"6 of {2**62} bytes are there"):
        streaming.advance()
