"""Compressed files: what is in them is read as if they were plain."""

import bz2
import gzip
import lzma
import os
import sys
import zlib
from collections.abc import Callable

import pytest

from swiftwater import _compression
from swiftwater._compression import content, is_compressed, pieces

zstandard = pytest.importorskip("zstandard")


def zstd(data: bytes) -> bytes:
    # As the program zstd writes a stream: without its size in front, with a checksum behind.
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".deflate": zlib.compress,
    ".xz": lzma.compress,
    ".zst": zstd,
}
TEXT = "one\ntwo words\r\n\nfür\nlast".encode()
LINES = ["one", "two words", "", "für", "last"]
of_each_kind = pytest.mark.parametrize("suffix", PACKERS)


def write(path, data):
    path.write_bytes(data)
    return str(path)


def test_every_format_is_tried():
    assert PACKERS.keys() == _compression._FORMATS.keys()


@of_each_kind
def test_text_files(sc, tmp_path, suffix):
    path = write(tmp_path / f"a.txt{suffix}", PACKERS[suffix](TEXT))
    rdd = sc.textFile(path, 8)
    assert rdd.getNumPartitions() == 1
    assert rdd.collect() == LINES
    assert rdd.map(lambda line: line + "!").collect() == [line + "!" for line in LINES]
    assert sc.textFile(path, use_unicode=False).collect() == [line.encode() for line in LINES]


@of_each_kind
def test_whole_text_files(sc, tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", PACKERS[suffix](TEXT))
    assert sc.wholeTextFiles(path).collect() == [(f"file:{path}", TEXT.decode())]


@of_each_kind
def test_streams_of_files(streaming, tmp_path, suffix):
    out = streaming.collect(streaming.ssc.textFileStream(str(tmp_path)))
    streaming.start()
    for batch in (1, 2):
        path = write(tmp_path / f"{batch}{suffix}", PACKERS[suffix](TEXT))
        seconds = streaming.batch_time(batch).timestamp()
        os.utime(path, (seconds, seconds))
        streaming.advance()
    assert out.batches == [LINES, LINES]


def test_plain_and_compressed_files_of_a_folder(sc, tmp_path):
    for number, suffix in enumerate(["", *PACKERS]):
        data = f"{number}\n".encode()
        write(tmp_path / f"{number}{suffix}", PACKERS.get(suffix, bytes)(data))
    write(tmp_path / "9.gz", b"")
    assert sc.textFile(str(tmp_path)).glom().collect() == [[str(n)] for n in range(6)]


@pytest.mark.parametrize("codec", ["GzipCodec", "BZip2Codec", "DefaultCodec", "DeflateCodec"])
def test_what_was_written_with_a_codec(sc, tmp_path, codec):
    name = "org.apache.hadoop.io.compress." + codec
    records = [f"line {number}" for number in range(1000)]
    sc.parallelize(records, 3).saveAsTextFile(str(tmp_path / "out"), name)
    read = sc.textFile(str(tmp_path / "out"))
    assert read.getNumPartitions() == 3
    assert read.collect() == records


@of_each_kind
@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ([b"a\nb", b"c\n", b"", b"d"], ["a", "bc", "d"]),
        ([b"", b""], []),
        ([b"\n"], [""]),
        ([b"x\n"] * 5000, ["x"] * 5000),
        ([b"x" * 300_000, b"y\r", b"\nz"], ["x" * 300_000 + "y", "z"]),
    ],
)
def test_several_parts_in_one_file(sc, tmp_path, suffix, parts, lines):
    path = write(tmp_path / f"a{suffix}", b"".join(map(PACKERS[suffix], parts)))
    assert sc.textFile(path).collect() == lines
    # As on a tape, filled up with zeros.
    filled = b"".join(PACKERS[suffix](part) + bytes(8) for part in parts)
    padded = write(tmp_path / f"b{suffix}", filled)
    assert content(padded) == b"".join(parts)


def test_a_large_file(sc, tmp_path):
    lines = [f"{number:07}" * 3 for number in range(200_000)]
    data = "\n".join(lines).encode()
    for suffix, pack in PACKERS.items():
        path = write(tmp_path / f"a{suffix}", pack(data))
        counted = sc.textFile(path).map(lambda line: (line[0], 1)).reduceByKey(lambda a, b: a + b)
        assert dict(counted.collect()) == {"0": 200_000}
        assert sc.textFile(path).collect() == lines
        assert sc.textFile(path).take(2) == lines[:2]


def test_compressed_text_is_worked_on_natively(sc, tmp_path, capsys):
    path = write(tmp_path / "a.gz", gzip.compress(b"a b a\n" * 10))
    words = sc.textFile(path).flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
    counts = words.reduceByKey(lambda a, b: a + b)
    counts.explain()
    assert "in Python" not in capsys.readouterr().out
    assert dict(counts.collect()) == {"a": 20, "b": 10}


@of_each_kind
def test_memory_does_not_depend_on_what_is_in_a_file(tmp_path, suffix):
    # Of 64 MB that compress to nearly nothing.
    path = write(tmp_path / f"a{suffix}", PACKERS[suffix](bytes(64 << 20)))
    sizes = [len(piece) for piece in pieces(path)]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 17 << 20
    assert min(sizes[:-1]) >= 256 << 10


def test_a_mark_in_front_of_the_text(sc, tmp_path):
    data = b"\xef\xbb\xbfid\n1\n"
    path = write(tmp_path / "a.gz", gzip.compress(data[:1]) + gzip.compress(data[1:]))
    assert sc.textFile(path).collect() == ["id", "1"]
    # A whole file is what it is.
    assert sc.wholeTextFiles(path).values().collect() == ["\ufeffid\n1\n"]


def test_names_tell():
    names = ["a.gz", "a.txt", "b.tar.bz2", ".gz", "a.gz.txt", "a.GZ", "gz", "a.snappy", "d.gz/a"]
    compressed = [True, False, True, True, False, False, False, True, False]
    assert [is_compressed(name) for name in names] == compressed


# --- what cannot be read ------------------------------------------------------------------------


@of_each_kind
@pytest.mark.parametrize("read", ["textFile", "wholeTextFiles"])
def test_a_file_that_was_cut_off(sc, tmp_path, suffix, read):
    whole = PACKERS[suffix](os.urandom(200_000).hex().encode())
    for end in (3, len(whole) // 2, len(whole) - 1):
        path = write(tmp_path / f"a{suffix}", whole[:end])
        with pytest.raises(OSError, match=rf"a{suffix} ends in the middle of its .* data"):
            getattr(sc, read)(path).collect()
    path = write(tmp_path / f"b{suffix}", PACKERS[suffix](b"one\n") + whole[:-1])
    with pytest.raises(OSError, match=rf"b{suffix} ends in the middle of its .* data"):
        sc.textFile(path).count()


@of_each_kind
def test_a_file_that_is_damaged_or_something_else(sc, tmp_path, suffix):
    good = PACKERS[suffix](b"one\n")
    damaged = bytearray(PACKERS[suffix](os.urandom(200_000).hex().encode()))
    damaged[1000:1100] = bytes(100)
    for data in (b"plain text, of some length\n" * 9, bytes(damaged), good + b"and plain text"):
        path = write(tmp_path / f"a{suffix}", data)
        with pytest.raises(OSError, match=rf"a{suffix} (is damaged, or is not|ends in) .*data"):
            sc.textFile(path).count()


def test_a_damaged_file_fails_its_batch_only(streaming, tmp_path):
    out = streaming.collect(streaming.ssc.textFileStream(str(tmp_path)))
    streaming.start()

    def put(batch, data):
        path = write(tmp_path / f"{batch}.gz", data)
        seconds = streaming.batch_time(batch).timestamp()
        os.utime(path, (seconds, seconds))

    put(1, gzip.compress(b"one\n")[:-3])
    with pytest.raises(OSError, match=r"1\.gz ends in the middle") as caught:
        streaming.advance()
    assert any(note.startswith("batch: ") for note in caught.value.__notes__)
    put(2, gzip.compress(b"two\n"))
    streaming.advance()
    assert out.batches == [["two"]]


@pytest.mark.parametrize("suffix", [".lz4", ".snappy"])
def test_what_is_not_read_is_named(sc, tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", b"x")
    for read in (sc.textFile, sc.wholeTextFiles):
        with pytest.raises(OSError, match=f"a{suffix}: files of Hadoop's codec for {suffix}"):
            read(path).collect()


@pytest.mark.parametrize(
    ("suffix", "module", "advice"),
    [
        (".zst", "zstandard", r"pip install 'swiftwater\[zstd\]' .* Python 3.14"),
        (".xz", "lzma", "a Python that was built with it"),
        (".bz2", "bz2", "a Python that was built with it"),
    ],
)
def test_a_module_that_is_missing(tmp_path, monkeypatch, suffix, module, advice):
    if suffix == ".zst" and sys.version_info >= (3, 14):
        pytest.skip("it is part of Python")
    path = write(tmp_path / f"a{suffix}", PACKERS[suffix](b"x"))
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"a{suffix} cannot be read without the module {module}: .*{advice}"
    with pytest.raises(ImportError, match=message):
        list(pieces(path))


def test_records_of_bytes_are_not_compressed(sc, tmp_path):
    path = write(tmp_path / "a.gz", gzip.compress(b"abcdef"))
    with pytest.raises(ValueError, match=r"binaryRecords does not read compressed files: .*a\.gz"):
        sc.binaryRecords(path, 2)
    assert sc.binaryFiles(path).values().collect() == [gzip.compress(b"abcdef")]


def test_streams_of_records_of_bytes_are_not_compressed(streaming, tmp_path):
    streaming.collect(streaming.ssc.binaryRecordsStream(str(tmp_path), 2))
    streaming.start()
    path = write(tmp_path / "a.gz", gzip.compress(b"abcdef"))
    seconds = streaming.batch_time(1).timestamp()
    os.utime(path, (seconds, seconds))
    with pytest.raises(ValueError, match=r"binaryRecordsStream does not read compressed files"):
        streaming.advance()
