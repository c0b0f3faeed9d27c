import os
import sys
import tarfile
import zipfile

import pytest

from swiftwater import SparkConf, SparkContext, SparkFiles
from swiftwater._paths import input_files, local_path
from swiftwater.errors import Py4JJavaError, SparkException


@pytest.fixture
def folder(tmp_path):
    """Files of every kind, with the contents of PySpark's listing rules."""
    for name, data in {
        "a.txt": b"x\ny\n",
        "b.txt": b"",
        "_c.txt": b"hidden",
        ".d": b"hidden",
        "e.txt": b"\xff",
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "z.txt").write_bytes(b"below")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("{}", ["a.txt", "b.txt", "e.txt"]),
        ("file://{}", ["a.txt", "b.txt", "e.txt"]),
        ("file:{}", ["a.txt", "b.txt", "e.txt"]),
        ("{}/*.txt", ["a.txt", "b.txt", "e.txt"]),
        ("{}/[ab].txt", ["a.txt", "b.txt"]),
        ("{}/{{e,a}}.txt", ["e.txt", "a.txt"]),
        ("{}/a.txt,{}/e.txt", ["a.txt", "e.txt"]),
        ("{}/s*", ["z.txt"]),
        ("{}/{{a,_c,none}}.txt", ["a.txt"]),
        ("{}/{{a,{{b,e}}}}.txt,{}/sub", ["a.txt", "b.txt", "e.txt", "z.txt"]),
        ("{}/[^ab].txt", ["e.txt"]),
        ("{}/_c.txt", ["_c.txt"]),
    ],
)
def test_which_files_a_path_stands_for(folder, path, names):
    found = input_files(path.format(folder, folder), "wholeTextFiles")
    assert sorted(map(os.path.basename, found)) == sorted(names)
    assert all(os.path.isabs(file) for file in found)


def test_a_comma_may_be_part_of_a_name(tmp_path):
    path = tmp_path / "a,b.txt"
    path.write_text("x")
    assert input_files(path, "x") == [str(path)]


@pytest.mark.parametrize(
    ("path", "text"), [("{}/none", "does not exist"), ("{}/n*", "matches 0 files")]
)
@pytest.mark.parametrize("call", ["wholeTextFiles", "binaryFiles", "pickleFile"])
def test_what_is_not_there(sc, folder, call, path, text):
    with pytest.raises(OSError, match=text) as caught:
        getattr(sc, call)(path.format(folder))
    assert isinstance(caught.value, Py4JJavaError)


def test_paths_of_other_systems():
    with pytest.raises(ValueError, match="local files only, not s3"):
        local_path("s3://bucket/x", "textFile")
    with pytest.raises(TypeError, match="textFile needs a path, not int"):
        local_path(3, "textFile")


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        ("s3://bucket/x", ValueError, "saveAsTextFile writes local files only, not s3: s3://"),
        (3, TypeError, "saveAsTextFile needs a path, not int: 3"),
        (b"/x", TypeError, "saveAsTextFile needs a path, not bytes: b'/x'"),
    ],
)
def test_where_nothing_is_written(sc, path, error, text):
    with pytest.raises(error, match=text):
        sc.parallelize([1]).saveAsTextFile(path)


def test_whole_text_files(sc, folder):
    def expected(name, text):
        return (f"file:{folder}/{name}", text)

    parts = sc.wholeTextFiles(folder).glom().collect()
    # Two partitions of five bytes: a group is full when it has three.
    assert parts == [[expected("a.txt", "x\ny\n")], [expected("b.txt", ""), expected("e.txt", "�")]]
    assert sc.wholeTextFiles(folder, 1).getNumPartitions() == 1
    assert sc.wholeTextFiles(f"{folder}/a.txt").collect() == [expected("a.txt", "x\ny\n")]
    (pair,) = sc.wholeTextFiles(f"{folder}/e.txt", use_unicode=False).collect()
    assert pair == (f"file:{folder}/e.txt".encode(), b"\xef\xbf\xbd")
    os.mkdir(f"{folder}/empty")
    empty = sc.wholeTextFiles(f"{folder}/empty")
    assert (empty.getNumPartitions(), empty.collect()) == (0, [])


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [("{e,a}.txt", ["x", "y", "�"]), ("{a,a}.*", ["x", "y"]), ("{s*,e.txt}", ["�", "below"])],
)
def test_lines_of_alternatives(sc, folder, pattern, lines):
    assert sc.textFile(f"{folder}/{pattern}").collect() == lines
    assert sc.textFile(f"{folder}/a.txt,{folder}/{pattern}").collect() == ["x", "y", *lines]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"1:\xed\xa0\x80", "1:\ufffd"),
        (b"2:\xed\xa0\xbd\xed\xb8\x80.", "2:\ufffd\ufffd."),
        (b"\xed\xbf", "\ufffd"),
        (b"\xed\xa0\xc3\xa9", "\ufffdé"),
        (b"\xe2\x82\xed\xa0\x80\x80", "\ufffd\ufffd\ufffd"),
        (b"\xc0\x80\xf4\x90\x80\x80\xed", "\ufffd" * 7),
    ],
)
def test_what_is_no_utf8_becomes_what_java_makes_of_it(sc, tmp_path, data, text):
    (tmp_path / "a").write_bytes(data)
    assert sc.textFile(str(tmp_path / "a")).collect() == [text]
    assert sc.wholeTextFiles(str(tmp_path / "a")).values().collect() == [text]


def test_binary_files(sc, folder):
    files = sc.binaryFiles(folder)
    assert files.getNumPartitions() == 1
    assert files.values().collect() == [b"x\ny\n", b"", b"\xff"]


@pytest.mark.parametrize(
    ("data", "length", "records"),
    [
        (b"abcdefgh", 2, [b"ab", b"cd", b"ef", b"gh"]),
        (b"abc", 3, [b"abc"]),
        (b"", 4, []),
    ],
)
def test_binary_records(sc, tmp_path, data, length, records):
    (tmp_path / "records").write_bytes(data)
    assert sc.binaryRecords(str(tmp_path / "records"), length).collect() == records


def test_binary_records_of_several_files(sc, tmp_path):
    (tmp_path / "a").write_bytes(b"abcdef")
    (tmp_path / "b").write_bytes(b"ABCD")
    assert sc.binaryRecords(str(tmp_path), 2).glom().collect() == [
        [b"ab", b"cd", b"ef"],
        [b"AB", b"CD"],
    ]


def test_a_large_file_of_records_has_several_partitions(sc, tmp_path, monkeypatch):
    monkeypatch.setattr("swiftwater._context.reading._BLOCK", 10)
    (tmp_path / "records").write_bytes(bytes(range(24)))
    parts = sc.binaryRecords(str(tmp_path / "records"), 4).glom().collect()
    assert [len(part) for part in parts] == [2, 2, 2]
    assert b"".join(sum(parts, [])) == bytes(range(24))  # noqa: RUF017 - three lists


def test_a_file_that_ends_within_a_record(sc, tmp_path):
    (tmp_path / "records").write_bytes(b"abcde")
    with pytest.raises(EOFError, match="ends within a record"):
        sc.binaryRecords(str(tmp_path / "records"), 2).collect()
    for length in (0, -1, "2"):
        with pytest.raises(ValueError, match="record length above 0"):
            sc.binaryRecords(str(tmp_path / "records"), length)


@pytest.mark.parametrize("partitions", [1, 3])
def test_pickled_records_come_back(sc, tmp_path, partitions):
    records = [1, "é", None, (1, [2]), {"a": b"c"}, 2.5, 1 << 80]
    rdd = sc.parallelize(records, partitions)
    rdd.saveAsPickleFile(str(tmp_path / "out"), 2)
    read = sc.pickleFile(str(tmp_path / "out"))
    assert read.glom().collect() == rdd.glom().collect()


def test_sequence_files_are_refused(sc, tmp_path):
    (tmp_path / "part-00000").write_bytes(b"SEQ\x06...")
    with pytest.raises(ValueError, match="sequence file of Hadoop's"):
        sc.pickleFile(str(tmp_path)).collect()


def test_added_files_are_found_by_name(sc, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    path = str(tmp_path / "a.txt")
    assert sc.listFiles == []
    sc.addFile(path)
    sc.addFile(path)
    assert sc.listFiles == [f"file:{path}"]
    found = sc.parallelize([1, 2], 2).map(lambda n: open(SparkFiles.get("a.txt")).read())  # noqa: SIM115
    with pytest.warns(ResourceWarning):
        assert found.collect() == ["one", "one"]
    root = SparkFiles.getRootDirectory()
    assert os.path.dirname(SparkFiles.get("a.txt")) == root
    sc.stop()
    assert not os.path.exists(root)
    with pytest.raises(RuntimeError, match="no active SparkContext"):
        SparkFiles.getRootDirectory()


def test_a_name_stands_for_one_file(sc, tmp_path):
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.txt").write_text(str(number))
    sc.addFile(str(tmp_path / "1" / "a.txt"))
    with pytest.raises(SparkException, match="exists and does not match contents of file:"):
        sc.addFile(str(tmp_path / "2" / "a.txt"))


def test_folders_need_to_be_asked_for(sc, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("in it")
    with pytest.raises(SparkException, match="is a directory"):
        sc.addFile(str(tmp_path / "d"))
    sc.addFile(str(tmp_path / "d"), recursive=True)
    with open(SparkFiles.get("d/a.txt")) as file:
        assert file.read() == "in it"


@pytest.mark.parametrize("call", ["addFile", "addPyFile", "addArchive"])
def test_a_file_that_is_not_there(sc, call):
    with pytest.raises(FileNotFoundError, match=r"File file:/.* does not exist") as caught:
        getattr(sc, call)("gone.zip")
    assert isinstance(caught.value, Py4JJavaError)


def test_python_files_can_be_imported(sc, tmp_path):
    (tmp_path / "swiftwater_added_one.py").write_text("V = 1\n")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("swiftwater_added_two.py", "V = 2\n")
    before = list(sys.path)
    sc.addPyFile(str(tmp_path / "swiftwater_added_one.py"))
    sc.addPyFile(str(tmp_path / "packed.zip"))
    import swiftwater_added_one  # noqa: PLC0415 - not there before
    import swiftwater_added_two  # noqa: PLC0415 - not there before

    assert (swiftwater_added_one.V, swiftwater_added_two.V) == (1, 2)
    assert len(sc.listFiles) == 2
    sc.stop()
    assert sys.path == before


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_archives_are_unpacked(sc, tmp_path, kind):
    (tmp_path / "words.txt").write_text("the")
    path = str(tmp_path / f"packed.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / "words.txt", "words.txt")
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as packed:
            packed.add(tmp_path / "words.txt", "words.txt")
    sc.addArchive(path)
    sc.addArchive(f"{path}#named")
    assert sc.listArchives == [f"file:{path}", f"file:{path}#named"]
    for name in (f"packed.{kind}", "named"):
        with open(SparkFiles.get(f"{name}/words.txt")) as file:
            assert file.read() == "the"


@pytest.mark.parametrize(
    "name", ["../x", "../../x", "/tmp/x", "a/../../x", "..", ".", "./", "a/..", "a\\..\\x"]
)
def test_the_name_of_an_archive_leads_nowhere_else(sc, tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("words.txt", "the")
    before = everything(tmp_path)
    with pytest.raises(SparkException, match="leads out of the folder of added files"):
        sc.addArchive(f"{tmp_path}/a.zip#{name}")
    assert everything(tmp_path) == before
    assert sc.listArchives == []
    assert os.listdir(SparkFiles.getRootDirectory()) == []


def everything(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def member(name, kind=tarfile.REGTYPE, link="", mode=0o644):
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode = kind, link, mode
    return found


OUTSIDE = {
    "above": [member("../x")],
    "above, behind a folder": [member("a/../../x")],
    "absolute": [member("/tmp/x")],
    "a folder above": [member("../../x", tarfile.DIRTYPE)],
    "the folder above": [member("..", tarfile.DIRTYPE, mode=0o777)],
    "a link to above": [member("a", tarfile.SYMTYPE, "..")],
    "an absolute link": [member("a", tarfile.SYMTYPE, "/tmp")],
    "through a link": [member("a", tarfile.SYMTYPE, "b"), member("a/x")],
    "a link through a link": [
        member("a", tarfile.SYMTYPE, "."),
        member("b", tarfile.SYMTYPE, "a/a/../.."),
    ],
    "a hard link": [member("a", tarfile.LNKTYPE, "../../x")],
    "a hard link to a link": [
        member("a", tarfile.SYMTYPE, "b"),
        member("c", tarfile.LNKTYPE, "a"),
    ],
    "a device": [member("a", tarfile.CHRTYPE)],
    "a pipe": [member("a", tarfile.FIFOTYPE)],
}


@pytest.mark.parametrize("members", OUTSIDE.values(), ids=OUTSIDE.keys())
@pytest.mark.parametrize("filters", [True, False])
def test_members_of_archives_stay_inside(sc, tmp_path, monkeypatch, members, filters):
    if not filters:
        # As in older releases of Python.
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        packed.addfile(member("good"))
        for one in members:
            packed.addfile(one)
    before, mode = everything(tmp_path), tmp_path.stat().st_mode
    with pytest.raises(SparkException, match=r"leads out of its folder|is not a file"):
        sc.addArchive(f"{tmp_path}/a.tar")
    assert (everything(tmp_path), tmp_path.stat().st_mode) == (before, mode)
    # Nothing is written before all of it was looked at.
    assert os.listdir(SparkFiles.getRootDirectory()) == []


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/tmp/x"])
def test_members_of_zip_files_stay_inside(sc, tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good", "1")
        archive.writestr(name, "2")
    with pytest.raises(SparkException, match="leads out of its folder"):
        sc.addArchive(f"{tmp_path}/a.zip")
    assert os.listdir(SparkFiles.getRootDirectory()) == []


def test_links_inside_of_an_archive_are_unpacked(sc, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        for one in (
            member(".", tarfile.DIRTYPE, mode=0o755),
            member("./lib/words.txt"),
            member("bin/words", tarfile.SYMTYPE, "../lib/words.txt"),
            member("lib64", tarfile.SYMTYPE, "lib"),
            member("same", tarfile.LNKTYPE, "lib/words.txt"),
            member("run", mode=0o4777),
        ):
            packed.addfile(one)
    sc.addArchive(f"{tmp_path}/a.tar#env/one")
    root = SparkFiles.get("env/one")
    for name in ("bin/words", "lib64/words.txt", "same"):
        assert os.path.isfile(os.path.join(root, name))
    # Executable, and for nobody else to write, whoever packed it.
    assert os.stat(os.path.join(root, "run")).st_mode & 0o7777 == 0o755


def test_a_file_that_is_no_archive(sc, tmp_path):
    (tmp_path / "a.rar").write_text("x")
    with pytest.raises(SparkException, match="is no archive"):
        sc.addArchive(str(tmp_path / "a.rar"))


def test_files_of_the_settings(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    conf = SparkConf().set("spark.files", tmp_path / "a.txt")
    with SparkContext("local", "x", conf=conf) as sc:
        assert os.path.exists(SparkFiles.get("a.txt"))
        assert len(sc.listFiles) == 1
    with pytest.raises(FileNotFoundError):
        SparkContext("local", "x", conf=SparkConf().set("spark.files", "gone"))
    assert SparkContext._active_spark_context is None


def test_patterns_in_the_settings(tmp_path):
    for name in ("a.txt", "b.txt", "c.csv", "[d].csv"):
        (tmp_path / name).write_text(name)
    given = f"{tmp_path}/?.txt,{tmp_path}/[d].csv"
    with SparkContext("local", "x", conf=SparkConf().set("spark.files", given)) as sc:
        names = sorted(os.path.basename(file) for file in sc.listFiles)
        assert names == ["[d].csv", "a.txt", "b.txt"]
    with pytest.raises(FileNotFoundError, match=r"x\*\.txt does not exist"):
        SparkContext("local", "x", conf=SparkConf().set("spark.files", f"{tmp_path}/x*.txt"))


def test_there_are_no_spark_files_to_construct():
    with pytest.raises(NotImplementedError, match="Do not construct SparkFiles objects"):
        SparkFiles()
