"""docs/errors.md, held against the code: each message is given, and there are no others."""

import importlib
import os
import re
import sqlite3
import sys
import tarfile
from contextlib import closing
from threading import Lock

import pytest

from swiftwater import SparkConf, SparkContext, SparkFiles
from swiftwater.errors import SparkException
from swiftwater.streaming import StateSpec, StreamingContext, StreamingListener
from swiftwater.streaming._durations import time_to_live_ms
from swiftwater.testing import StreamingTest
from tests.docs.pages import ROOT, section

ERRORS = "docs/errors.md"


def messages(title):
    """The messages of a table's first column, each with ``...`` where a message may vary."""
    rows = re.findall(r"^\| (`.*?) \|", section(ERRORS, title), re.MULTILINE)
    found = [re.findall(r"``.+?``|`[^`]+`", row) for row in rows]
    return [words.strip("`") for row in found for words in row if words != "`requirement failed:`"]


def means(message, text):
    """Whether a message of the page is ``text``; numbers and places of the page are examples."""
    pattern = ".*".join(map(re.escape, message.split("...")))
    for example in (r"job\.py:17", r"job\.py:6", "/home/ada", r"/data/in/words\.txt"):
        pattern = pattern.replace(example, r"\S+")
    return re.search(pattern, text, re.DOTALL) is not None


def started(ssc, *streams):
    for stream in streams or [ssc.queueStream([[1]])]:
        stream.foreachRDD(lambda rdd: None)
    ssc.start()
    return ssc


def twice_started(sc):
    with StreamingTest(spark_context=sc) as one, StreamingTest(spark_context=sc) as two:
        started(one.ssc)
        started(two.ssc)


def after_the_start(sc, call):
    with StreamingTest(spark_context=sc) as test:
        stream = test.ssc.queueStream([[1]])
        started(test.ssc, stream)
        call(test.ssc, stream)


def after_the_stop(sc):
    test = StreamingTest(spark_context=sc)
    test.ssc.queueStream([[1]]).pprint()
    test.stop()
    test.ssc.start()


def on_a_stream(sc, call):
    with StreamingTest(spark_context=sc) as test:
        call(test.ssc, test.ssc.queueStream([[1]]))


def in_a_batch(sc, call):
    with StreamingTest(spark_context=sc) as test:
        test.collect(call(test.ssc, test.ssc.queueStream([[1]])))
        test.advance()


def in_a_listener(sc):
    raised = []

    class Stopper(StreamingListener):
        def onBatchCompleted(self, event):  # noqa: N802
            try:
                test.ssc.stop()
            except SparkException as error:
                raised.append(error)

    with StreamingTest(spark_context=sc) as test:
        test.ssc.addStreamingListener(Stopper())
        test.collect(test.ssc.queueStream([[1]]))
        test.advance()
    raise raised[0]


def on_files(sc, folder, call, suffix=""):
    with StreamingTest(spark_context=sc) as test:
        test.collect(call(test.ssc, str(folder)))
        test.start()
        file = folder / f"file{suffix}"
        file.write_bytes(b"abc")
        seconds = test.batch_time(1).timestamp()
        os.utime(file, (seconds, seconds))
        test.advance()


def removed_before_it_is_read(sc, folder):
    with StreamingTest(spark_context=sc) as test:
        lines = test.ssc.textFileStream(str(folder))
        file = folder / "file"
        lines.foreachRDD(lambda rdd: file.unlink(missing_ok=True) or rdd.count())
        test.start()
        file.write_text("abc")
        seconds = test.batch_time(1).timestamp()
        os.utime(file, (seconds, seconds))
        test.advance()


def binary_records(ssc, folder):
    return ssc.binaryRecordsStream(folder, 2)


def packed(folder, suffix, data):
    file = folder / f"words{suffix}"
    file.write_bytes(data)
    return str(file)


def without_zstandard(sc, folder):
    with pytest.MonkeyPatch.context() as patch:
        for module in ("zstandard", "compression.zstd"):
            patch.setitem(sys.modules, module, None)
        sc.textFile(packed(folder, ".zst", b"x")).count()


def sql_function(name):
    pytest.importorskip("duckdb")
    space = {}
    importlib.import_module("swiftwater._sql.functions").complete(space)
    return space[name]


def without_numpy(sc, folder):
    function = sql_function("udf")(str.upper)
    sc.parallelize([("a",)]).toDF(["s"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swiftwater._sql.functions.find_spec", lambda name: None)
        function("s")


def saved_twice(sc, folder):
    for _ in range(2):
        sc.parallelize([1]).saveAsTextFile(str(folder / "out"))


def destroyed(sc):
    broadcast = sc.broadcast(1)
    broadcast.destroy()
    return broadcast.value


def uses_an_rdd(sc, other):
    sc.parallelize([1]).map(lambda record: other.count()).collect()


def read_in_a_task(sc):
    accumulator = sc.accumulator(0)
    sc.parallelize([1]).map(lambda record: accumulator.value).collect()


def checkpointed(sc, folder, function):
    with StreamingTest(spark_context=sc) as test:
        test.ssc.checkpoint(str(folder / "checkpoints"))
        started(test.ssc, test.ssc.textFileStream(str(folder)).map(function))


def unreadable(sc, folder):
    folder.chmod(0o700)
    (folder / "checkpoint-1000").write_text("no checkpoint")
    StreamingContext.getOrCreate(str(folder), lambda: None)


def open_to_others(sc, folder):
    folder.chmod(0o777)
    StreamingContext(sc, 1).checkpoint(str(folder))


def written_by_others(sc, folder):
    folder.chmod(0o700)
    file = folder / "checkpoint-1000"
    file.write_text("whose?")
    file.chmod(0o666)
    StreamingContext.getOrCreate(str(folder), lambda: None)


def defined_after_a_recovery(sc, folder):
    def setup():
        ssc = StreamingContext(sc, 1)
        ssc.textFileStream(str(folder)).foreachRDD(lambda rdd: None)
        return ssc

    place = str(folder / "checkpoints")
    first = StreamingContext.getOrCreate(place, setup)
    first.start()
    first.stop(stopSparkContext=False)
    again = StreamingContext.getOrCreate(place, setup)
    again.textFileStream(str(folder)).pprint()
    again.start()


def to_sqlite(sc, folder, record, made=None):
    path = str(folder / "out.db")
    if made:
        with closing(sqlite3.connect(path)) as database:
            database.execute(made)
    with StreamingTest(spark_context=sc) as test:
        test.ssc.queueStream([[record]]).saveToSQLite(path, "counts", ["word", "n"])
        test.advance()


def checkpoint_interval(sc, folder):
    with StreamingTest(spark_context=sc) as test:
        test.ssc.checkpoint(str(folder / "checkpoints"))
        state = test.ssc.queueStream([[(1, 1)]]).updateStateByKey(lambda new, old: 1)
        state.checkpoint(0.5)
        started(test.ssc, state)


def same_names(ssc, stream):
    for _ in range(2):
        stream.updateStateByKey(lambda new, old: 1).named("counts")


def mapped(sc, function):
    spec = StateSpec.function(function).timeout(1)
    with StreamingTest(spark_context=sc) as test:
        test.collect(test.ssc.queueStream([[(1, 1)]]).mapWithState(spec))
        test.advance(4)


def too_large(sc, name, most):
    sc.stop()
    with StreamingTest(settings={f"swiftwater.state.{name}": str(most)}) as test:
        pairs = test.ssc.queueStream([[("a", 1), ("b", 1), ("c", 1)], [("a", 1)]])
        test.collect(pairs.updateStateByKey(lambda new, old: sum(new)))
        test.advance(2)


def twice(name, *arguments):
    def called(key, value, state):
        state.remove()
        getattr(state, name)(*arguments)

    return called


def late(name, *arguments):
    def called(key, value, state):
        if state.isTimingOut():
            getattr(state, name)(*arguments)
        state.update(1)

    return called


def archived(folder, name, kind=tarfile.REGTYPE):
    member = tarfile.TarInfo(name)
    member.type = kind
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.addfile(member)
    return str(folder / "a.tar")


def linked(folder, target):
    (folder / "added").mkdir()
    (folder / "added" / "link").symlink_to(target)
    return str(folder / "added")


LOCK = Lock()

# Each provokes a message of its section.
PROVOKED = {
    "Mistakes in a script": [
        lambda sc, folder: sc.parallelize([1]).map(3),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.transform(lambda a, b, c: a)),
        lambda sc, folder: to_sqlite(sc, folder, "text"),
        lambda sc, folder: to_sqlite(sc, folder, ("a", 1), made="CREATE TABLE counts (word, m)"),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: ssc.start()),
        lambda sc, folder: after_the_stop(sc),
        lambda sc, folder: twice_started(sc),
        lambda sc, folder: after_the_start(sc, lambda ssc, s: s.pprint()),
        lambda sc, folder: after_the_start(sc, lambda ssc, s: s.persist()),
        lambda sc, folder: SparkContext("local", "second"),
        lambda sc, folder: (sc.stop(), sc.parallelize([1])),
        lambda sc, folder: in_a_listener(sc),
        lambda sc, folder: StreamingContext(sc, 0),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.window(1.5)),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.window(2, 1.5)),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.window("4 seconds")),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.reduceByKeyAndWindow(max, 10, 5)),
        lambda sc, folder: on_a_stream(sc, same_names),
        lambda sc, folder: StateSpec.function(lambda key, value: None),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.mapWithState(lambda k, v, state: k)),
        lambda sc, folder: StateSpec.function(lambda key, value, state: None).timeout(0),
        lambda sc, folder: time_to_live_ms(-1),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.stateSnapshots()),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: ssc.queueStream([])),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: ssc.socketTextStream("a", 99999)),
        lambda sc, folder: (sc.stop(), SparkContext("mars", "a")),
        lambda sc, folder: (sc.stop(), opened({"swiftwater.blok.size": "1m"})),
        lambda sc, folder: (sc.stop(), received({"swiftwater.block.size": "huge"})),
        lambda sc, folder: sc.textFile("/nowhere.txt").count(),
        lambda sc, folder: sc.textFile("/" + "{a,b}" * 30),
        lambda sc, folder: sc.textFile("/" + "{a" * 200),
        lambda sc, folder: sc.textFile("hdfs://a/b").count(),
        lambda sc, folder: sc.binaryRecords(packed(folder, ".gz", b""), 2),
        saved_twice,
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: (ssc.remember(5), ssc.remember(6))),
        lambda sc, folder: sc.parallelize([1]).countApprox(1),
        lambda sc, folder: sc.sequenceFile("a"),
        lambda sc, folder: sc._jvm.java.util.ArrayList(),
        lambda sc, folder: sc.parallelize([(1,)]).toDF(["n"]).groupBy("n").pivot("n"),
        lambda sc, folder: sql_function("lag")("n"),
        without_numpy,
        lambda sc, folder: sc.parallelize([1], 10**13),
        lambda sc, folder: sc.parallelize([1]).take(2.5),
        lambda sc, folder: on_a_stream(sc, lambda ssc, s: s.window(10**13)),
        lambda sc, folder: (sc.stop(), SparkContext("spark://host:7077", "a")),
        lambda sc, folder: sc.addArchive(f"{archived(folder, 'x')}#../x"),
        lambda sc, folder: sc.addArchive(archived(folder, "../x")),
        lambda sc, folder: sc.addArchive(archived(folder, "pipe", tarfile.FIFOTYPE)),
        lambda sc, folder: sc.addArchive(packed(folder, ".zip", b"no archive")),
        lambda sc, folder: sc.addFile(linked(folder, "."), recursive=True),
        lambda sc, folder: sc.addFile(
            linked(folder, SparkFiles.getRootDirectory()), recursive=True
        ),
        lambda sc, folder: sc.addFile(linked(folder, "/dev/null"), recursive=True),
        lambda sc, folder: sc.addFile("/dev/null"),
    ],
    "Mistakes that show when records come": [
        lambda sc, folder: mapped(sc, lambda key, value, state: state.get()),
        lambda sc, folder: mapped(sc, twice("update", 1)),
        lambda sc, folder: mapped(sc, twice("remove")),
        lambda sc, folder: mapped(sc, late("update", 1)),
        lambda sc, folder: mapped(sc, late("remove")),
        lambda sc, folder: too_large(sc, "maxKeys", 2),
        lambda sc, folder: too_large(sc, "maxBytes", 1),
        lambda sc, folder: sc.parallelize([([1], 1)]).reduceByKey(max).collect(),
        lambda sc, folder: sc.parallelize([1]).map(lambda r: [sc.range(r)]).collect(),
        lambda sc, folder: uses_an_rdd(sc, sc.range(2)),
        lambda sc, folder: in_a_batch(sc, lambda ssc, s: s.map(lambda record: ssc)),
        lambda sc, folder: read_in_a_task(sc),
        lambda sc, folder: sc.accumulator("a"),
        lambda sc, folder: destroyed(sc),
        lambda sc, folder: sc.parallelize([0]).map(sys.exit).collect(),
        lambda sc, folder: sc.parallelize([1]).map(lambda r: next(iter(()))).collect(),
        lambda sc, folder: sc.emptyRDD().first(),
        lambda sc, folder: sc.emptyRDD().reduce(max),
        removed_before_it_is_read,
        lambda sc, folder: sc.textFile(packed(folder, ".gz", b"no gzip data")).count(),
        lambda sc, folder: sc.textFile(packed(folder, ".gz", b"\x1f\x8b")).count(),
        lambda sc, folder: sc.textFile(packed(folder, ".lz4", b"x")).count(),
        without_zstandard,
        lambda sc, folder: on_files(sc, folder, binary_records, ".gz"),
        lambda sc, folder: on_files(sc, folder, binary_records),
    ],
    "Mistakes with checkpoints": [
        open_to_others,
        lambda sc, folder: StreamingContext(sc, 1).checkpoint("hdfs://a/b"),
        lambda sc, folder: checkpointed(sc, folder, lambda line: LOCK),
        unreadable,
        written_by_others,
        defined_after_a_recovery,
        checkpoint_interval,
    ],
}

# What cannot be provoked here: it needs another process, user or environment.
ELSEWHERE = [
    "swiftwater.workers is always, and no worker process can be started: ...",
    "partition 2 needs more memory than a worker process has: ...",
    "Swiftwater cannot be used in a process made by os.fork ...",
    "pyspark.streaming.kafka (KafkaUtils) is not there yet in Swiftwater: ...",
    "pyspark.sql needs DuckDB, which is not installed in this Python environment: ...",
    "[PYTHON_HASH_SEED_NOT_SET] ...",
    "the key ... has another hash in another process, so it has no place among ...",
    "Input path does not exist: ... it was there when the batch was made. ...",
    "the records of a partition cannot be read in a process that its function has forked: ...",
    "the checkpoint directory ... belongs to another user (uid ...), ...",
    "the file ... belongs to another user (uid ...), ...",
    "the checkpoint directory ... is in use by another process: process 4711 on ada (job.py). ...",
    "Cannot go on from ...: ...",
]


def received(settings):
    with StreamingTest(settings=settings) as test:
        test.collect(test.text_source().stream)
        test.advance()


def opened(settings):
    return SparkContext(conf=SparkConf().setAll(settings.items()))


@pytest.fixture
def raised(tmp_path):
    """The message of what a function raises."""

    def caught(provoke):
        with pytest.raises(Exception) as error, SparkContext("local[2]", "page") as sc:  # noqa: PT011
            provoke(sc, tmp_path)
        return str(error.value)

    return caught


@pytest.mark.parametrize(
    ("title", "number"),
    [(title, number) for title, given in PROVOKED.items() for number in range(len(given))],
)
def test_a_message_is_on_the_page(raised, title, number):
    text = raised(PROVOKED[title][number])
    assert [message for message in messages(title) if means(message, text)], text


@pytest.mark.parametrize("title", PROVOKED)
def test_the_page_has_no_other_messages(title, tmp_path):
    texts = []
    for number, provoke in enumerate(PROVOKED[title]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(Exception) as error, SparkContext("local[2]", "page") as sc:  # noqa: PT011
            provoke(sc, folder)
        texts.append(str(error.value))
    unknown = [
        message
        for message in messages(title)
        if message not in ELSEWHERE and not any(means(message, text) for text in texts)
    ]
    assert unknown == []


# A message's words, put together from the pieces that a source file may cut it into.
CODE = [
    re.sub(r'"\s*(\+\s*)?f?"', "", path.read_text(encoding="utf-8"))
    for folder, pattern in (
        ("python/swiftwater", "*.py"),
        ("Sources", "*.swift"),
        ("Sources", "*.c"),
    )
    for path in (ROOT / folder).rglob(pattern)
]

# The system's words, and values.
NOT_OURS = [
    "NetworkWordCount",
    "Connection refused",
    "Connection reset by peer",
    "example.invalid",
    "onBatchCompleted",
    "--executor-memory",
    "SWIFTWATER_MASTR",
    "SWIFTWATER_MASTER",
]


@pytest.mark.parametrize("message", [*ELSEWHERE, *messages("What the log says")])
def test_other_messages_have_the_words_of_the_code(message):
    for words in NOT_OURS:
        message = message.replace(words, "...")
    # What stands between values: numbers, places and names.
    pieces = re.split(
        r"\.\.\.|[^\s]*\d[^\s]*|[:;,'()]|\b(?:localhost|pprint|KafkaUtils)\b", message
    )
    pieces = [piece.strip() for piece in pieces if len(piece.strip()) >= 8]
    assert message in ("stopped", "...") or pieces, message
    found = [piece for piece in pieces if any(piece in text for text in CODE)]
    assert len(found) >= (len(pieces) + 1) // 2, (pieces, found)
