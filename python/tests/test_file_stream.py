"""Folders that are watched: which files belong to which batch."""

import gzip
import os

import pytest

from swiftwater.streaming._files import FileChooser, chosen, listed
from swiftwater.testing import StreamingTest

SECOND = 1000
MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    ("changed", "time", "constructed", "taken"),
    [
        # Changed in the interval that the batch ends.
        (99 * SECOND, 100 * SECOND, 0, True),
        # At the time of the batch, and just after it.
        (100 * SECOND, 100 * SECOND, 0, True),
        (100 * SECOND + 1, 100 * SECOND, 0, False),
        # Up to a minute before: it may have been listed late.
        (100 * SECOND - MINUTE + 1, 100 * SECOND, 0, True),
        (100 * SECOND - MINUTE, 100 * SECOND, 0, False),
        (0, 100 * SECOND, 0, False),
        # Not later than the stream itself.
        (95 * SECOND, 100 * SECOND, 95 * SECOND, False),
        (95 * SECOND + 1, 100 * SECOND, 95 * SECOND, True),
    ],
)
def test_files_are_chosen_by_their_time(changed, time, constructed, taken):
    found = chosen([("f", changed)], time, MINUTE, constructed, ())
    assert found == (["f"] if taken else [])


def test_files_that_were_taken_are_not_taken_again():
    found = [("a", 5), ("b", 6), ("c", 7)]
    assert chosen(found, 10, MINUTE, 0, {"b"}) == ["a", "c"]


def write(path, text, seconds):
    """Write a file as if it had been changed then."""
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(data)
    at(path, seconds)


def at(path, seconds):
    os.utime(path, (seconds, seconds))


@pytest.mark.parametrize(
    ("slide", "minutes"), [(1000, 60_000), (7000, 63_000), (90_000, 90_000), (500, 60_000)]
)
def test_a_minute_is_remembered_in_whole_batches(tmp_path, slide, minutes):
    chooser = FileChooser(str(tmp_path), slide, 0)
    write(tmp_path / "f", "x", 1000)
    assert chooser.files_at(1_000_000 + minutes) == []
    assert chooser.files_at(1_000_000 + minutes - 1) == [str(tmp_path / "f")]


def test_the_same_batch_has_the_same_files(tmp_path):
    chooser = FileChooser(str(tmp_path), 1000, 0)
    write(tmp_path / "a", "x", 9.5)
    assert chooser.files_at(10_000) == [str(tmp_path / "a")]
    write(tmp_path / "b", "x", 9.6)
    assert chooser.files_at(10_000) == [str(tmp_path / "a")]
    assert chooser.files_at(11_000) == [str(tmp_path / "b")]


def test_what_is_chosen_is_forgotten_after_a_while(tmp_path):
    chooser = FileChooser(str(tmp_path), 1000, 0)
    for second in range(1, 200):
        write(tmp_path / f"{second}", "x", second)
        assert chooser.files_at(second * 1000) == [str(tmp_path / f"{second}")]
    assert len(chooser.facts()["batches"]) <= 62


def test_what_a_recovery_needs_is_remembered_longer(tmp_path):
    chooser = FileChooser(str(tmp_path), 1000, 0)
    chooser.hold_for(100_000)
    for second in range(30, 300):
        write(tmp_path / f"{second}", "x", second)
        assert chooser.files_at(second * 1000) == [str(tmp_path / f"{second}")]
    # The batch behind 100 s looks back a minute.
    assert min(time for time, _ in chooser.facts()["batches"]) == 40_000
    again = FileChooser(str(tmp_path), 1000, 0)
    again.go_on(chooser.facts())
    for second in range(101, 300):
        assert again.files_at(second * 1000) == [str(tmp_path / f"{second}")]
    chooser.hold_for(299_000)
    chooser.files_at(300_000)
    assert min(time for time, _ in chooser.facts()["batches"]) == 239_000


def test_a_file_that_is_changed_after_a_minute_is_taken_again_whatever_is_held(tmp_path):
    # Spark: it was forgotten by then.
    for held in (None, 0):
        chooser = FileChooser(str(tmp_path), 1000, 0)
        if held is not None:
            chooser.hold_for(held)
        taken = []
        for second in range(10, 100):
            if second in (10, 30):
                write(tmp_path / "f", "x", second)
            if chooser.files_at(second * 1000):
                taken.append(second)
        assert taken == [10, 71]


def test_facts_go_on(tmp_path):
    chooser = FileChooser(str(tmp_path), 1000, 4000)
    write(tmp_path / "a", "x", 9.5)
    chooser.files_at(10_000)
    again = FileChooser(str(tmp_path), 1000, 50_000)
    again.go_on(chooser.facts())
    assert again.files_at(10_000) == [str(tmp_path / "a")]
    assert again.files_at(11_000) == []
    write(tmp_path / "old", "x", 3.5)
    write(tmp_path / "new", "x", 11.5)
    assert again.files_at(12_000) == [str(tmp_path / "new")]


def test_names_that_do_not_count(tmp_path):
    for name in (".hidden", "_temporary", "seen", "seen._COPYING_", "x_"):
        write(tmp_path / name, "x", 1)
    names = [os.path.basename(path) for path, _ in listed(str(tmp_path))]
    assert names == ["seen", "seen._COPYING_", "x_"]


def test_a_pattern_of_folders(tmp_path):
    for folder in ("a1", "a2", "b1"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "f", "x", 1)
    write(tmp_path / "a3", "a file, not a folder", 1)
    found = [path for path, _ in listed(str(tmp_path / "a*"))]
    assert found == [str(tmp_path / "a1" / "f"), str(tmp_path / "a2" / "f")]


def test_alternatives_of_folders(tmp_path):
    for folder in ("a", "b", "_c", "d"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "f", "x", 1)
    found = [path for path, _ in listed(str(tmp_path / "{b,{a,_c},b,none}"))]
    assert found == [str(tmp_path / folder / "f") for folder in ("_c", "a", "b")]


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "{a,b}[c]").mkdir()
    write(tmp_path / "{a,b}[c]" / "f", "x", 1)
    assert len(listed(str(tmp_path / "{a,b}[c]"))) == 1


@pytest.mark.parametrize("name", ["later", "l*r", "{later,none}"])
def test_a_folder_that_is_not_there_is_told_once(tmp_path, capfd, name):
    chooser = FileChooser(str(tmp_path / name), 1000, 0)
    said = f"there is no folder {tmp_path / name} to take files from"
    (tmp_path / "lr").write_text("a file, not a folder")
    for second in (10, 11, 12):
        assert chooser.files_at(second * SECOND) == []
    assert capfd.readouterr().err.count(said) == 1
    (tmp_path / "later").mkdir()
    assert chooser.files_at(13 * SECOND) == []
    assert said not in capfd.readouterr().err
    # It goes away: that is news.
    (tmp_path / "later").rmdir()
    for second in (14, 15):
        assert chooser.files_at(second * SECOND) == []
    assert capfd.readouterr().err.count(said) == 1


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    assert listed(str(tmp_path / "none")) == []
    assert listed(str(tmp_path / "none*")) == []


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch, capfd):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    chooser = FileChooser(str(tmp_path), 1000, 0)
    write(tmp_path / "a", "x", 9.5)
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        assert chooser.files_at(10_000) == []
    assert "cannot list the folder" in capfd.readouterr().err
    # The next batch has them.
    assert chooser.files_at(11_000) == [str(tmp_path / "a")]


# --- in a job, under virtual time ------------------------------------------------------------


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


def test_a_file_that_vanishes_is_named(streaming, folder, monkeypatch):
    out = streaming.collect(streaming.ssc.textFileStream(str(folder.path)))
    streaming.start()
    folder.put("a", "1\n")
    before = FileChooser.files_at

    def and_gone(self, time_ms):
        paths = before(self, time_ms)
        for path in paths:
            os.unlink(path)
        return paths

    monkeypatch.setattr(FileChooser, "files_at", and_gone)
    with pytest.raises(FileNotFoundError, match=r"Input path does not exist: .*/in/a"):
        streaming.advance()
    monkeypatch.undo()
    folder.put("b", "2\n")
    streaming.advance()
    assert out.batches == [["2"]]


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
        whole = list(test.outputs[0].batches)
    with StreamingTest.recovered(str(crash)) as test:
        test.start()
        assert test.outputs[0].batches == whole


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
