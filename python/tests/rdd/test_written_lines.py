"""The lines of text files that RDDs write, beside what plain Python makes of the same records."""

import functools
import gzip
import itertools
import os
import random
import resource
import signal
from pathlib import Path

import pytest

from swiftwater import SparkContext

ALPHABET = [
    *"ab ,'\"\\\0\x1b\x7f\r\t", "é", "ß", "\xa0", "\xad", "\u2028", "\u0378", "Ж", "漢", "한",
    "\ufeff", "\ufffd", "😀", "\U0001f9ff", "\U000e0001",
]  # fmt: skip


class Named:
    def __str__(self):
        return "näme"

    def __repr__(self):
        return "<näme>"


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "another"


def text(rng, most=20):
    return "".join(rng.choices(ALPHABET, k=rng.randrange(most)))


def record(rng, depth=0):
    makers = [
        lambda: text(rng),
        lambda: "x" * rng.choice((0, 1, 12, 13, 5000)),
        lambda: rng.choice((0, -1, 2**63 - 1, -(2**63), 2**63, 10**30, rng.randrange(10**9))),
        lambda: rng.choice((0.0, -0.0, 1e16, 1e-5, 1e300, 0.1, float("inf"), rng.random())),
        lambda: rng.choice((float("nan"), -float("inf"), 2.0**-1074)),
        lambda: rng.choice((True, False, None)),
        lambda: text(rng).encode(),
        lambda: rng.choice((Named(), Text("text"), bytearray(b"array"), 1j, {1: "é"}, {2})),
        lambda: ("\ud800",),
    ]
    if depth < 3:
        makers += [
            lambda: tuple(record(rng, depth + 1) for _ in range(rng.randrange(4))),
            lambda: [record(rng, depth + 1) for _ in range(rng.randrange(4))],
        ]
    return rng.choice(makers)()


def lines(records):
    return b"".join(
        (bytes(one) if isinstance(one, bytes) else str(one).encode()) + b"\n" for one in records
    )


def written(rdd, folder, codec=None):
    rdd.saveAsTextFile(str(folder), codec)
    return [path.read_bytes() for path in sorted(Path(folder).glob("part-*"))]


@pytest.mark.parametrize("seed", range(20))
def test_objects_of_all_types(sc, tmp_path, seed):
    rng = random.Random(seed)
    records = [record(rng) for _ in range(rng.choice((1, 30, 2000)))]
    made = Named.__str__
    rdd = sc.parallelize(records, 3)
    expected = [lines(part) for part in rdd.glom().collect()]
    assert b"".join(expected) == lines(records)
    assert written(rdd, tmp_path / "out") == expected
    assert written(rdd.map(lambda one: (made, one)[1]), tmp_path / "called") == expected


def opaque(line):
    try:
        return line
    finally:
        pass


# What functions of text give in columns, and a few that stay Python's.
FUNCTIONS = {
    "themselves": lambda line: line,
    "parts": lambda line: line[1:],
    "lengths": lambda line: len(line),  # noqa: PLW0108
    "numbers": lambda line: len(line) * -1234567890123,
    "halves": lambda line: len(line) / 7,
    "truths": lambda line: line == "a",
    "nothing": lambda line: None,
    "always the same": lambda line: ("é", 1, 2.0),
    "some numbers": lambda line: len(line) if line[:1] == "a" else None,
    "some texts": lambda line: line if len(line) > 3 else None,
    "pairs": lambda line: (line, 1),
    "of one": lambda line: (line,),
    "nested": lambda line: ((line, (len(line) / 3, line == "")), (None, line[:2])),
    "lists": lambda line: line.split(","),
    "lists of pairs": lambda line: [(word, len(word)) for word in line.split(",")],
    "called": opaque,
    "dictionaries": lambda line: {line: len(line)},
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_columns_of_all_types(tmp_path, function, lowering):
    rng = random.Random(1)
    texts = [text(rng, rng.choice((3, 20, 60))).replace("\r", "") for _ in range(5000)]
    texts += ["", "a", "x" * 100_000, "", "last"]
    (tmp_path / "in.txt").write_bytes("\n".join(texts).encode())
    with SparkContext("local[2]", "lines") as sc:
        sc._conf.set("swiftwater.lowering", lowering)
    with SparkContext("local[2]", "lines", conf=sc.getConf()) as sc:
        rdd = sc.textFile(str(tmp_path / "in.txt"), 3).map(function)
        parts = written(rdd, tmp_path / "out")
        assert len(parts) == 3
        assert b"".join(parts) == lines([function(line) for line in texts])


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_text_as_it_was_read(sc, tmp_path, ends, last):
    rng = random.Random(2)
    texts = ["y" * rng.choice((0, 1, 5, 13, 40, 3000)) for _ in range(3000)]
    (tmp_path / "in.txt").write_bytes((ends.join(texts) + ends * last).encode())
    read = sc.textFile(str(tmp_path / "in.txt"), 2)
    assert b"".join(written(read, tmp_path / "all")) == lines(texts)
    some = read.filter(lambda line: len(line) != 5)
    assert b"".join(written(some, tmp_path / "some")) == lines(x for x in texts if len(x) != 5)


def test_every_character_that_is_said_to_be_printable(sc, tmp_path):
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    texts = ["".join(map(chr, points[at : at + 64])) for at in range(0, len(points), 64)]
    texts = [one.replace("\n", "").replace("\r", "") for one in texts] + list(map(chr, points[14:]))
    (tmp_path / "in.txt").write_text("\n".join(texts), newline="")
    rdd = sc.textFile(str(tmp_path / "in.txt"), 1).map(lambda line: (line, 1))
    assert written(rdd, tmp_path / "out") == [lines([(one, 1) for one in texts])]


def test_packed_lines(sc, tmp_path):
    codec = "org.apache.hadoop.io.compress.GzipCodec"
    parts = written(
        sc.parallelize(range(100_000), 2).map(lambda n: (n, "é")), tmp_path / "o", codec
    )
    assert b"".join(map(gzip.decompress, parts)) == lines((n, "é") for n in range(100_000))


def test_a_text_that_utf_8_cannot_hold(sc, tmp_path):
    rdd = sc.parallelize(["a"] * 9 + ["b\ud800"], 1)
    message = (
        "'utf-8' codec can't encode character '\\\\ud800' in position 1: surrogates not allowed"
    )
    with pytest.raises(UnicodeEncodeError, match=message) as caught:
        rdd.saveAsTextFile(str(tmp_path / "out"))
    assert "saveAsTextFile" in "".join(caught.value.__notes__)
    assert "b\\ud800" in "".join(caught.value.__notes__)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_a_str_names_its_record(sc, tmp_path):
    class Faulty:
        def __repr__(self):
            return 1 / 0

    class Shown:
        def __str__(self):
            raise LookupError("none")

        def __repr__(self):
            return "the shown one"

    for faulty in ([1, Shown(), 3], [(1, Faulty())]):
        rdd = sc.parallelize(faulty, 1)
        with pytest.raises((LookupError, TypeError, ZeroDivisionError)) as caught:
            rdd.saveAsTextFile(str(tmp_path / "out"))
        if len(faulty) > 1:
            assert "the shown one" in "".join(caught.value.__notes__)
    assert list(tmp_path.iterdir()) == []


def test_an_error_behind_many_lines(sc, tmp_path):
    rdd = sc.parallelize(range(200_000), 1).map(lambda n: 1 // (199_999 - n))
    with pytest.raises(ZeroDivisionError):
        rdd.saveAsTextFile(str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", [None, "org.apache.hadoop.io.compress.BZip2Codec"])
def test_a_file_that_may_not_grow(tmp_path, monkeypatch, codec):
    # The memory that is shared with a worker is a file that grows too.
    monkeypatch.setenv("SWIFTWATER_WORKERS", "never")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with SparkContext("local[2]", "lines") as sc:
            numbers = sc.parallelize(range(20), 2).flatMap(lambda n: [n * k for k in range(60_000)])
            rng = random.Random(3)
            made = numbers.map(lambda n: rng.random()) if codec else numbers
            with pytest.raises(OSError, match=r"^\[Errno 27\] File too large"):
                made.saveAsTextFile(str(tmp_path / "out"), codec)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


class Stopped(Exception):
    pass


def test_a_signal_is_seen_between_lines(sc, tmp_path):
    def stop(number, frame):
        raise Stopped

    kill = functools.partial(os.kill, os.getpid())

    def endless(records):
        # Nothing in it is Python code, in which the handler would run anyhow.
        sent = map(kill, [signal.SIGUSR1])
        return itertools.chain(range(10), sent, itertools.count())

    old = signal.signal(signal.SIGUSR1, stop)
    try:
        with pytest.raises(Stopped):
            sc.parallelize([0], 1).mapPartitions(endless).saveAsTextFile(str(tmp_path / "out"))
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert list(tmp_path.iterdir()) == []
