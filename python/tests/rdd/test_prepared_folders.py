"""When a folder that was written counts: by its rename, and by its manifest."""

import fcntl
import os
import signal
from importlib import import_module

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._rdd.prepared_folders import prepared, remove_unfinished
from swiftwater.testing import StreamingTest

WAYS = ("rename", "manifest")


def conf(way, **more):
    settings = {"swiftwater.files.commit": way, **more}
    return SparkConf().setMaster("local[2]").setAppName("test").setAll(settings.items())


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def either(way):
    with SparkContext(conf=conf(way)) as sc:
        yield sc


def names(folder):
    return sorted(os.listdir(folder))


def part(text):
    def write(folder, ending):
        with open(os.path.join(folder, f"part-00000{ending}"), "x") as file:
            file.write(text)

    return write


def texts(folder, read=True):
    """The visible files of a folder: what is in them, or which they are."""
    return [path.read_text() if read else path for path in sorted(folder.glob("part-*"))]


READERS = {
    "textFile": lambda sc, path: sc.textFile(path).collect(),
    "wholeTextFiles": lambda sc, path: "".join(sc.wholeTextFiles(path).values().collect()).split(),
}


def test_what_is_written_is_read(either, tmp_path):
    out = str(tmp_path / "out")
    either.parallelize(["a", "b", "c"], 2).saveAsTextFile(out)
    assert either.textFile(out).collect() == ["a", "b", "c"]
    either.parallelize([1, 2]).saveAsPickleFile(str(tmp_path / "pickles"))
    assert either.pickleFile(str(tmp_path / "pickles")).collect() == [1, 2]
    assert names(tmp_path) == ["out", "pickles"]
    assert "_SUCCESS" in names(out)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_of_a_folder_with_a_manifest_only_what_it_names_is_read(tmp_path, read):
    with SparkContext(conf=conf("manifest")) as sc:
        sc.parallelize(["a", "b"], 2).saveAsTextFile(str(tmp_path / "out"))
        (tmp_path / "out" / "part-00007-0f").write_text("other\n")
        assert read(sc, str(tmp_path / "out")) == ["a", "b"]
        assert read(sc, f"{tmp_path}/ou*") == ["a", "b"]
        # In front of anything but a manifest nothing is hidden.
        (tmp_path / "out" / "_SUCCESS").write_text("done\n")
        assert read(sc, str(tmp_path / "out")) == ["a", "b", "other"]


def test_a_manifest_names_the_batch_and_the_files(tmp_path):
    with StreamingTest(settings={"swiftwater.files.commit": "manifest"}) as test:
        test.ssc.queueStream([["a", "b"]]).saveAsTextFiles(f"{tmp_path}/out")
        test.advance()
    (out,) = tmp_path.iterdir()
    kind, batch, *named = (out / "_SUCCESS").read_text().splitlines()
    assert (kind, batch) == (
        "swiftwater manifest 1",
        f"batch test/saveAsTextFiles-1/{out.name[4:]}",
    )
    assert named == [name for name in names(out) if name != "_SUCCESS"]
    assert [name[:10] for name in named] == ["part-00000", "part-00001"]


@pytest.mark.parametrize("fails", ["write", "publish"])
def test_what_fails_leaves_what_was_there(way, tmp_path, monkeypatch, fails):
    out = tmp_path / "out"
    prepared(str(out), part("old"), way, overwrite=True).publish()
    before = names(out)

    def write(folder, ending):
        part("new")(folder, ending)
        if fails == "write":
            raise OSError("the disk has gone")

    def gone(*_):
        raise OSError("the disk has gone")

    if fails == "publish":
        monkeypatch.setattr(os, "replace", gone)
    with pytest.raises(OSError, match="the disk has gone"):
        prepared(str(out), write, way, overwrite=True).publish()
    monkeypatch.undo()
    assert texts(out) == ["old"]
    if way == "manifest" or fails == "write":
        assert names(out) == before
    prepared(str(out), part("new"), way, overwrite=True).publish()
    assert texts(out) == ["new"]
    assert names(tmp_path) == ["out"]


def test_a_folder_that_was_to_be_new_goes_when_it_fails(way, tmp_path):
    folder = prepared(str(tmp_path / "out"), part("a"), way)
    folder.abandon()
    assert names(tmp_path) == []


def test_a_batch_that_was_killed_is_written_again(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "part-00000-abc").write_text("half a li")
    (out / "notes").write_text("the user's")
    with pytest.raises(Exception, match="already exists"):
        prepared(str(out), part("a line"), "manifest")
    prepared(str(out), part("a line"), "manifest", batch="job/output/1").publish()
    assert texts(out) == ["a line"]
    assert "notes" in names(out)
    with pytest.raises(Exception, match="already exists"):
        prepared(str(out), part("a line"), "manifest", batch="job/output/1")


def test_what_is_kept_is_named_too(way, tmp_path):
    out = tmp_path / "out"

    def write(name):
        return lambda folder, _: (out.parent / folder / name).write_text(name)

    prepared(str(out), write("part-00000-1"), way).publish()
    prepared(str(out), write("part-00000-2"), way, overwrite=True, keep=True).publish()
    assert sorted(texts(out)) == ["part-00000-1", "part-00000-2"]
    if way == "manifest":
        lines = (out / "_SUCCESS").read_text().splitlines()
        assert lines[2:] == ["part-00000-1", "part-00000-2"]


def test_data_frames_are_written_and_read(either, tmp_path):
    pytest.importorskip("duckdb")
    sql = import_module("swiftwater._sql.session")
    session = sql.SparkSession.builder.config(conf=either.getConf()).getOrCreate()
    out = str(tmp_path / "out")
    for mode, number in (("error", 1), ("append", 2), ("overwrite", 3), ("append", 4)):
        session.createDataFrame([(number,)], "n int").write.mode(mode).parquet(out)
    assert sorted(row.n for row in session.read.parquet(out).collect()) == [3, 4]
    assert len(texts(tmp_path / "out", read=False)) == 2


# --- what killed processes have left ------------------------------------------------------------


def test_the_next_one_for_the_same_place_removes_what_was_left(tmp_path):
    left = tmp_path / ".out.writing-0"
    left.mkdir()
    (left / "part-00000").write_text("half a li")
    prepared(str(tmp_path / "out"), part("a line"), "rename").publish()
    assert names(tmp_path) == ["out"]
    assert texts(tmp_path / "out") == ["a line"]


def test_what_somebody_writes_at_this_moment_stays(tmp_path):
    busy = tmp_path / ".out-1.writing-0"
    busy.mkdir()
    descriptor = os.open(busy, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        remove_unfinished(str(tmp_path / "out"), None)
        folder = prepared(str(tmp_path / "out-1"), part("a line"), "rename")
        assert names(tmp_path) == [".out-1.writing-0", ".out-1.writing-1"]
        folder.publish()
    finally:
        os.close(descriptor)
    assert names(tmp_path) == [".out-1.writing-0", "out-1"]
    remove_unfinished(str(tmp_path / "out"), None)
    assert names(tmp_path) == ["out-1"]


@pytest.mark.parametrize(
    ("name", "suffix", "goes"),
    [
        (".out-1893456001000.writing-0", None, True),
        (".out-1893456001000.0123456789abcdef0123456789abcdef", None, True),
        (".out-1893456001000.txt.writing-3", "txt", True),
        (".out-1893456001000.txt.writing-3", None, False),
        (".out-1893456001000.writing-0", "txt", False),
        (".out-1893456001000", None, False),
        (".out-mine.writing-0", None, False),
        (".other-1893456001000.writing-0", None, False),
        ("out-1893456001000.writing-0", None, False),
    ],
)
def test_the_start_removes_what_was_left_of_this_output(tmp_path, name, suffix, goes):
    (tmp_path / name).mkdir()
    (tmp_path / name / "part-00000").write_text("half a li")
    with StreamingTest() as test:
        test.ssc.queueStream([["a"]]).saveAsTextFiles(f"{tmp_path}/out", suffix)
        test.start()
        assert (tmp_path / name).exists() is not goes


def test_files_and_links_are_not_touched(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".out-1.writing-0").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".out-2.writing-0").write_text("a file")
    remove_unfinished(str(tmp_path / "out"), None)
    assert names(tmp_path) == [".out-1.writing-0", ".out-2.writing-0", "elsewhere"]


def test_a_part_is_whole_though_the_worker_that_began_it_was_killed(way, tmp_path):
    settings = {"swiftwater.workers": "always"}

    def once(line):
        marker = tmp_path / "killed"
        if line == "d" and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    with SparkContext(conf=conf(way, **settings)) as sc:
        sc.parallelize(["a", "b", "c", "d"], 2).map(once).saveAsTextFile(str(tmp_path / "out"))
        assert sc.textFile(str(tmp_path / "out")).collect() == ["a", "b", "c", "d"]
    assert (tmp_path / "killed").exists()


def test_a_way_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="swiftwater.files.commit: 'copy' is not rename or"):
        SparkContext(conf=conf("copy"))
