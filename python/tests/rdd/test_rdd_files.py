"""Folders of files that RDDs write."""

import bz2
import gzip
import pickle
import zlib
from pathlib import Path

import pytest

from swiftwater import RDD
from swiftwater._rdd.part_files import save_text
from swiftwater.errors import FileAlreadyExistsException, Py4JJavaError

RECORDS = ["a", b"b", 3, None, "x\ny", "é", (1, "z"), ""]


def parts(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_text(sc, tmp_path):
    out = tmp_path / "deep" / "out"
    sc.parallelize(RECORDS, 2).saveAsTextFile(str(out))
    assert parts(out) == ["_SUCCESS", "part-00000", "part-00001"]
    assert (out / "part-00000").read_bytes() == b"a\nb\n3\nNone\n"
    assert (out / "part-00001").read_bytes() == "x\ny\né\n(1, 'z')\n\n".encode()
    assert (out / "_SUCCESS").read_bytes() == b""
    assert parts(tmp_path / "deep") == ["out"]


def test_what_is_written_is_read(sc, tmp_path):
    lines = ["a b", "", "é", "end"]
    sc.parallelize(lines, 3).saveAsTextFile(f"file://{tmp_path}/out")
    assert sc.textFile(str(tmp_path / "out")).collect() == lines


def test_empty_partitions_and_none(sc, tmp_path):
    sc.parallelize(["a"], 2).saveAsTextFile(str(tmp_path / "two"))
    assert (tmp_path / "two" / "part-00000").read_bytes() == b""
    sc.emptyRDD().saveAsTextFile(str(tmp_path / "none"))
    assert parts(tmp_path / "none") == ["_SUCCESS"]


@pytest.mark.parametrize(
    ("codec", "suffix", "unpack"),
    [
        ("org.apache.hadoop.io.compress.GzipCodec", ".gz", gzip.decompress),
        ("org.apache.hadoop.io.compress.BZip2Codec", ".bz2", bz2.decompress),
        ("org.apache.hadoop.io.compress.DefaultCodec", ".deflate", zlib.decompress),
    ],
)
def test_compression(sc, tmp_path, codec, suffix, unpack):
    out = tmp_path / "out"
    sc.parallelize(["a", "b"], 1).saveAsTextFile(str(out), codec)
    assert parts(out) == ["_SUCCESS", f"part-00000{suffix}"]
    assert unpack((out / f"part-00000{suffix}").read_bytes()) == b"a\nb\n"


def test_a_codec_that_is_not_there(sc, tmp_path):
    with pytest.raises(ValueError, match=r"no compression codec no\.such\.Codec; there are: org"):
        sc.parallelize(["a"]).saveAsTextFile(str(tmp_path / "out"), "no.such.Codec")
    assert parts(tmp_path) == []


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_target_that_is_there_is_left_alone(sc, tmp_path, make):
    out = tmp_path / "out"
    make(out)
    message = f"FileAlreadyExistsException: Output directory file:{out} already exists"
    with pytest.raises(FileAlreadyExistsException, match=message) as caught:
        sc.parallelize(["a"]).saveAsTextFile(str(out))
    assert isinstance(caught.value, Py4JJavaError)
    assert parts(tmp_path) == ["out"]


def test_a_failed_job_leaves_nothing(sc, tmp_path):
    with pytest.raises(ZeroDivisionError):
        sc.parallelize([1, 0], 2).map(lambda n: 1 // n).saveAsTextFile(str(tmp_path / "out"))
    assert parts(tmp_path) == []


def test_overwriting_is_for_streams(sc, tmp_path):
    out = str(tmp_path / "out")
    for word in ("old", "new"):
        save_text(sc.parallelize([word], 1), out, None, overwrite=True)
    assert Path(out, "part-00000").read_text() == "new\n"
    assert parts(tmp_path) == ["out"]


SAVERS = [RDD.saveAsTextFile, RDD.saveAsPickleFile]


@pytest.mark.parametrize("save", SAVERS)
def test_batches_write_into_one_folder(streaming, tmp_path, save):
    out = tmp_path / "out"
    seen = []

    def saved(rdd):
        save(rdd, str(out))
        read = rdd.context.textFile if save is RDD.saveAsTextFile else rdd.context.pickleFile
        seen.append((parts(out), read(str(out)).collect()))

    rdds = [streaming.sc.parallelize(list("abc"), slices) for slices in (3, 1, 2)]
    streaming.ssc.queueStream(rdds).foreachRDD(saved)
    streaming.advance()
    # Nobody's but the user's: it stays.
    (out / "part-notes").write_text("x") if save is RDD.saveAsTextFile else None
    (out / "_other").write_text("x")
    streaming.advance(2)
    names = [
        {name for name in found if name.startswith("part-0") or name == "_SUCCESS"}
        for found, _ in seen
    ]
    assert [len(found) for found in names] == [4, 2, 3]
    assert (out / "_other").exists()
    assert [sorted(set(records) - {"x"}) for _, records in seen] == [list("abc")] * 3
    assert parts(tmp_path) == ["out"]


def test_other_names_and_codecs_take_the_place_of_earlier_ones(streaming, tmp_path):
    codecs = iter([None, "org.apache.hadoop.io.compress.GzipCodec", None])
    read = []

    def saved(rdd):
        rdd.saveAsTextFile(str(tmp_path / "out"), next(codecs))
        read.append(rdd.context.textFile(str(tmp_path / "out")).collect())

    streaming.ssc.queueStream([["1"], ["2"], ["3"]]).foreachRDD(saved)
    streaming.advance(3)
    assert read == [["1"], ["2"], ["3"]]


@pytest.mark.parametrize("save", SAVERS)
def test_a_failed_batch_leaves_the_files_of_the_one_before(streaming, tmp_path, save):
    def saved(rdd):
        save(rdd.map(lambda number: 6 // number), str(tmp_path / "out"))

    streaming.ssc.queueStream([[1], [0]]).foreachRDD(saved)
    streaming.advance()
    before = [(path.name, path.read_bytes()) for path in sorted((tmp_path / "out").iterdir())]
    with pytest.raises(ZeroDivisionError):
        streaming.advance()
    after = [(path.name, path.read_bytes()) for path in sorted((tmp_path / "out").iterdir())]
    assert after == before
    assert parts(tmp_path) == ["out"]


def test_functions_of_transform_write_too_and_a_file_is_no_folder(streaming, tmp_path):
    def saved(rdd):
        rdd.saveAsTextFile(str(tmp_path / "out"))
        return rdd

    streaming.collect(streaming.ssc.queueStream([["a"], ["b"]]).transform(saved))
    streaming.advance(2)
    (tmp_path / "file").write_text("x")
    rdd = streaming.sc.parallelize(["a"])
    for name in ("out", "file"):
        # Behind the batches it is an error again.
        with pytest.raises(FileAlreadyExistsException):
            rdd.saveAsTextFile(str(tmp_path / name))


def test_a_file_in_the_place_of_the_folder_is_no_folder(streaming, tmp_path):
    (tmp_path / "file").write_text("x")
    stream = streaming.ssc.queueStream([["a"]])
    stream.foreachRDD(lambda rdd: rdd.saveAsTextFile(str(tmp_path / "file")))
    with pytest.raises(FileAlreadyExistsException):
        streaming.advance()


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        (3, TypeError, "saveAsTextFile needs a path, not int: 3"),
        ("hdfs://host/a", ValueError, "saveAsTextFile writes local files only, not hdfs"),
    ],
)
def test_what_is_no_path(sc, path, error, message):
    with pytest.raises(error, match=message):
        sc.parallelize(["a"]).saveAsTextFile(path)


@pytest.mark.parametrize("batch", [1, 10, 0])
def test_pickles(sc, tmp_path, batch):
    out = tmp_path / "out"
    records = [{"a": n, "b": [None, n]} for n in range(25)]
    sc.parallelize(records, 1).saveAsPickleFile(str(out), batch)
    assert parts(out) == ["_SUCCESS", "part-00000"]
    found = []
    with open(out / "part-00000", "rb") as file:
        while file.peek(1):
            found.append(pickle.load(file))
    assert [len(part) for part in found] == {1: [1] * 25, 10: [10, 10, 5], 0: [25]}[batch]
    assert sc.pickleFile(str(out)).collect() == records
