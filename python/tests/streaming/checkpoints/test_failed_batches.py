"""Outputs that fail: they wait in the checkpoint, and run again when the job is recovered."""

import os
from contextlib import suppress

import pytest

from swiftwater.streaming._checkpoints import failed_batches
from swiftwater.streaming._checkpoints import format as checkpoint_format
from swiftwater.testing import StreamingTest
from tests.streaming.checkpoints.checkpointed_jobs import KINDS, feed, made_up, pairs


class Sink:
    """Where outputs go. Recovered functions find it by its name, also in worker processes."""

    def __init__(self):
        self.is_down = False
        self.seen = []

    @property
    def is_down(self):
        return os.environ.get("SINK") == "down"

    @is_down.setter
    def is_down(self, is_down):
        os.environ["SINK"] = "down" if is_down else "up"


SINK = Sink()


@pytest.fixture(autouse=True)
def _new_sink():
    SINK.__init__()


def put(when, rdd):
    records = rdd.glom().collect()
    if SINK.is_down:
        raise ConnectionError("the sink is down")
    SINK.seen.append((when, records))


def feed_with_failures(test, batches, down):
    for number, batch in enumerate(batches, 1):
        SINK.is_down = number in down
        try:
            feed(test, [batch])
        except ConnectionError:
            assert SINK.is_down
    SINK.is_down = False


def newest(folder):
    time_ms = checkpoint_format.checkpoint_times(str(folder))[0]
    return checkpoint_format.read_checkpoint(str(folder), time_ms)[0]


def failed(folder):
    facts = newest(folder)
    return [
        ((batch["time_ms"] - facts["zero_ms"]) // 1000, batch["outputs"])
        for batch in facts["failed"]
    ]


def crashed(folder, into):
    """Copy the folder, as a process that ends now would leave it."""
    into.mkdir(mode=0o700)
    for name in os.listdir(folder):
        if (folder / name).is_file():
            (into / name).write_bytes((folder / name).read_bytes())


@pytest.mark.parametrize("kind", [*KINDS, "the lines themselves"])
@pytest.mark.parametrize("down", [{16}, {1}, {4, 5, 13}], ids=str)
def test_each_batch_has_its_result_once(kind, down, tmp_path):
    make = KINDS.get(kind, lambda stream: stream)
    batches = made_up(len(kind), 16)

    def define(test):
        lines = test.text_source()
        make(pairs(lines.stream)).foreachRDD(put)
        test.collect(lines.stream.count())

    with StreamingTest() as test:
        define(test)
        feed(test, batches)
        expected, SINK.seen = SINK.seen, []
        counts = test.outputs[0].batches
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        define(test)
        feed_with_failures(test, batches, down)
        assert test.outputs[0].batches == counts
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.start()
        assert sorted(SINK.seen) == expected
        # An output that has had its result does not run again.
        assert test.outputs[0].batches == []
        assert failed(tmp_path) == []


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_crash_too(kind, tmp_path):
    batches = made_up(len(kind), 16)
    with StreamingTest() as test:
        KINDS[kind](pairs(test.text_source().stream)).foreachRDD(put)
        feed(test, batches)
        expected, SINK.seen = SINK.seen, []
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path / "before"))
        KINDS[kind](pairs(test.text_source().stream)).foreachRDD(put)
        # The data is written after ten seconds, or more in whole slides: the ones that fail before
        # are in it.
        before = 12 if kind == "window with gaps" else 10
        feed_with_failures(test, batches[:before], {3, before})
        crashed(tmp_path / "before", tmp_path / "crash")
    with StreamingTest.recovered(str(tmp_path / "crash")) as test:
        feed(test, batches[before:])
    assert sorted(SINK.seen) == expected


def put_too(when, rdd):
    if SINK.is_down and os.environ.get("SECOND") == "down":
        raise ConnectionError("the second sink is down")


def test_the_input_of_a_failed_batch_behind_the_data_is_not_lost(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("first", "second", "third", "fourth")]
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folders[0]))
        lines = test.text_source().stream
        # Its data is written after ten batches.
        test.collect(lines.map(lambda line: (line, 1)).updateStateByKey(total))
        lines.foreachRDD(put)
        other = test.text_source()
        other.stream.foreachRDD(put_too)
        for number in range(1, 15):
            other.send(f"other {number}")
            feed_with_failures(test, [[f"{number}"]], {1} if number in (12, 13) else ())
        crashed(folders[0], folders[1])
    # It fails once more, and of another output too, and there is another crash meanwhile.
    monkeypatch.setenv("SECOND", "down")
    SINK.is_down = True
    with StreamingTest.recovered(str(folders[1])) as test:
        with pytest.raises(ConnectionError):
            test.start()
        crashed(folders[1], folders[2])
    monkeypatch.setenv("SECOND", "up")
    SINK.is_down = False
    SINK.seen = []
    with StreamingTest.recovered(str(folders[2])) as test:
        test.start()
        records = [[line for part in parts for line in part] for _, parts in SINK.seen]
        assert records == [["12"], ["13"]]
        test.advance()
        assert dict(test.outputs[0].last)["13"] == 1
        assert failed(folders[2]) == []
        crashed(folders[2], folders[3])
    SINK.seen = []
    with StreamingTest.recovered(str(folders[3])) as test:
        test.advance(12)
    assert not [name for name in os.listdir(folders[3]) if name.endswith("-failed")]


def test_a_failed_batch_without_files_takes_none_that_came_later(tmp_path):
    inbox, folder = tmp_path / "in", tmp_path / "checkpoints"
    inbox.mkdir()
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        test.ssc.textFileStream(str(inbox)).foreachRDD(put)
        test.advance()
        SINK.is_down = True
        with pytest.raises(ConnectionError):
            test.advance()
        SINK.is_down = False
        with suppress(ConnectionError):
            test.advance()
        assert failed(folder) == [(2, [0])]
        at_two = test.batch_time(2).timestamp()
    SINK.seen = []
    # It was changed before the second batch, and is seen only now.
    (inbox / "late").write_text("late\n")
    os.utime(inbox / "late", (at_two, at_two))
    with StreamingTest.recovered(str(folder)) as test:
        test.advance()
        assert [[line for part in parts for line in part] for _, parts in SINK.seen] == [
            [],
            ["late"],
        ]


def test_what_fails_again_waits_on(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.text_source().stream.foreachRDD(put)
        feed_with_failures(test, [["a"], ["b"], ["c"]], {2})
        assert failed(tmp_path) == [(2, [0])]
    for _ in range(2):
        SINK.is_down = True
        with StreamingTest.recovered(str(tmp_path)) as test:
            with pytest.raises(ConnectionError):
                test.start()
            assert failed(tmp_path) == [(2, [0])]
    SINK.is_down = False
    with StreamingTest.recovered(str(tmp_path), downtime=2) as test:
        test.start()
        assert [records for _, records in SINK.seen[2:]] == [[["b"]], [], []]
        assert failed(tmp_path) == []
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.advance(10)
    assert len(SINK.seen) == 15
    # None of the checkpoints that are kept needs its data.
    assert not [name for name in os.listdir(tmp_path) if name.endswith("-failed")]


def test_a_recovery_that_is_stopped_at_once_loses_nothing(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.text_source().stream.foreachRDD(put)
        feed_with_failures(test, [["a"]], {1})
    with StreamingTest.recovered(str(tmp_path)):
        pass
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.start()
    assert [records for _, records in SINK.seen] == [[["a"]]]


def number(text):
    if SINK.is_down:
        raise ValueError(f"no number: {text}")
    return int(text)


def total(new, old):
    return sum(new) + (old or 0)


def add(a, b):
    return a + b


FAILING = {
    "a map": lambda lines: lines.map(number),
    "a window": lambda lines: lines.map(number).window(3),
    "a state": lambda lines: (
        lines.map(number)
        .map(lambda n: (n % 2, n))
        .updateStateByKey(lambda new, old: sum(new) + (old or 0))
    ),
    "an inverse": lambda lines: (
        lines.map(number)
        .map(lambda n: (n % 2, n))
        .reduceByKeyAndWindow(add, lambda a, b: a - b, 6, 1)
    ),
}


@pytest.mark.parametrize("kind", FAILING)
def test_functions_that_fail(kind, tmp_path):
    batches = [[str(n), str(n + 1)] for n in range(9)]
    with StreamingTest() as test:
        FAILING[kind](test.text_source().stream).foreachRDD(put)
        feed(test, batches)
        expected, SINK.seen = SINK.seen, []
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        FAILING[kind](test.text_source().stream).foreachRDD(put)
        for place, batch in enumerate(batches, 1):
            SINK.is_down = place in (4, 5)
            try:
                feed(test, [batch])
            except ValueError:
                assert SINK.is_down
        assert len(SINK.seen) < len(expected)
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.start()
    assert sorted(SINK.seen) == expected


def planned(rdd):
    if SINK.is_down:
        raise ValueError("no plan")
    return rdd


def test_a_batch_that_could_not_be_planned(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        lines = test.text_source().stream
        lines.transform(planned).foreachRDD(put)
        out = test.collect(lines)
        feed(test, [["a"]])
        SINK.is_down = True
        with pytest.raises(ValueError, match="no plan"):
            feed(test, [["b"]])
        # None of the batch's outputs has run.
        assert out.batches == [["a"]]
        SINK.is_down = False
    assert failed(tmp_path) == [(2, [0, 1])]
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.start()
        assert [records for _, records in SINK.seen] == [[["a"]], [["b"]]]
        assert test.outputs[0].batches == [["b"]]


def test_files_are_read_again(tmp_path):
    inbox, folder = tmp_path / "in", tmp_path / "checkpoints"
    inbox.mkdir()

    def write(test, batch, text):
        (inbox / f"{batch}").write_text(text)
        at = test.batch_time(batch).timestamp()
        os.utime(inbox / f"{batch}", (at, at))

    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        test.ssc.textFileStream(str(inbox)).foreachRDD(put)
        test.start()
        write(test, 2, "two\n")
        write(test, 3, "three\n")
        # Long enough for the files of the batch to be forgotten where nobody waits for it.
        feed_with_failures_of_time(test, 200, {2})
    assert [records for _, records in SINK.seen if records] == [[["three"]]]
    # Files are not copied: what is in them at the time counts.
    assert not [name for name in os.listdir(folder) if name.endswith("-failed")]
    with StreamingTest.recovered(str(folder)) as test:
        test.start()
    assert [records for _, records in SINK.seen if records] == [[["three"]], [["two"]]]


def feed_with_failures_of_time(test, batches, down):
    for place in range(1, batches + 1):
        SINK.is_down = place in down
        try:
            test.advance()
        except ConnectionError:
            assert SINK.is_down
    SINK.is_down = False


@pytest.mark.parametrize(
    ("bound", "value", "left"), [("_MOST_BATCHES", 2, [3, 4]), ("_MOST_BYTES", 20, [4])]
)
def test_what_waits_is_bounded(bound, value, left, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(failed_batches, bound, value)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.text_source().stream.foreachRDD(put)
        feed_with_failures(test, [[f"{n}" * 9] for n in range(4)], {1, 2, 3, 4})
    assert [number for number, _ in failed(tmp_path)] == left
    assert capfd.readouterr().err.count("will not run again after a recovery") == 4 - len(left)
    named = [name for name in os.listdir(tmp_path) if name.endswith("-failed")]
    # The newest ten checkpoints keep what they name.
    assert len(named) <= 4
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.start()
    assert [records for _, records in SINK.seen] == [[[f"{n - 1}" * 9]] for n in left]


def test_input_that_is_too_large_is_not_kept(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(failed_batches, "_MOST_BYTES", 1 << 20)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.text_source().stream.foreachRDD(put)
        feed_with_failures(test, [["x" * 1_200_000], ["small"]], {1, 2})
    assert failed(tmp_path) == [(2, [0])]
    text = "will not run again after a recovery: they need more than 1 MB of input"
    assert text in capfd.readouterr().err


def test_data_that_cannot_be_written_is_told(tmp_path, monkeypatch, capfd):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        test.text_source().stream.foreachRDD(put)
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint_format, "write_data", fail)
            feed_with_failures(test, [["a"]], {1})
        assert failed(tmp_path) == []
        feed_with_failures(test, [["b"]], {1})
        assert failed(tmp_path) == [(2, [0])]
    assert "could not write the checkpoint of batch 1893456001000 ms" in capfd.readouterr().err
