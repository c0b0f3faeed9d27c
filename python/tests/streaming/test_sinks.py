"""Outputs as sinks: what is written, what is committed, and what a batch that runs again does."""

import builtins
import os

import pytest

from swiftwater.streaming._checkpoints import format as checkpoint_format
from swiftwater.testing import StreamingTest

FIRST_MS = 1_893_456_001_000


class Ledger:
    """A sink that keeps the times of what it has committed, beyond the job's end."""

    def __init__(self):
        self.committed = {}
        self.calls = []
        self.fails = set()

    def add_to(self, stream, knows=True):
        def step(name, at):
            self.calls.append((name, (at - FIRST_MS) // 1000 + 1))
            if name in self.fails:
                raise ConnectionError(name)

        def begin(time_ms):
            step("begin", time_ms)
            return time_ms in self.committed

        def write(time_ms, rdd):
            step("write", time_ms)
            return time_ms, rdd.collect()

        def commit(written):
            step("commit", written[0])
            self.committed[written[0]] = written[1]

        def abandon(written):
            step("abandon", written[0])

        stream._output(write, "ledger", commit, begin=begin if knows else None, abandon=abandon)


def advance(test, *lines):
    for batch in lines:
        test.sources[0].send(batch)
        try:
            test.advance()
        except ConnectionError:
            continue


def test_each_batch_is_begun_written_and_committed(streaming):
    ledger = Ledger()
    ledger.add_to(streaming.text_source().stream)
    advance(streaming, "a", "b")
    steps = ["begin", "write", "commit"]
    assert ledger.calls == [(step, batch) for batch in (1, 2) for step in steps]
    assert list(ledger.committed.values()) == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("step", "calls"),
    [
        ("begin", ["begin"]),
        ("write", ["begin", "write"]),
        ("commit", ["begin", "write", "commit", "abandon"]),
    ],
)
def test_what_throws_is_abandoned_and_the_others_run(streaming, step, calls):
    ledger = Ledger()
    lines = streaming.text_source().stream
    ledger.add_to(lines)
    out = streaming.collect(lines)
    ledger.fails.add(step)
    advance(streaming, "a")
    assert [name for name, _ in ledger.calls] == calls
    assert out.batches == [["a"]]
    ledger.fails.clear()
    advance(streaming, "b")
    assert ledger.committed == {FIRST_MS + 1000: ["b"]}


def test_an_error_says_where_and_when_it_was(streaming):
    ledger = Ledger()
    ledger.add_to(streaming.text_source().stream)
    ledger.fails.add("commit")
    with pytest.raises(ConnectionError) as raised:
        streaming.advance()
    operator, batch = raised.value.__notes__
    assert operator.startswith("in operator: ledger")
    assert batch == f"batch: {streaming.batch_time(1)}"


def test_two_outputs_of_which_the_first_fails(capsys):
    with StreamingTest() as test:
        lines = test.text_source().stream
        lines.map(int).pprint()
        lines.pprint()
        test.sources[0].send("a")
        with pytest.raises(ValueError, match="invalid literal"):
            test.advance()
    out = capsys.readouterr().out
    assert out.count("Time: ") == 1
    assert "\na\n" in out


class Paper:
    """Standard output that can be out of paper."""

    def __init__(self):
        self.text = ""
        self.is_out = False

    def write(self, text):
        if self.is_out:
            raise OSError("out of paper")
        self.text += text

    def flush(self):
        pass


def test_what_could_not_be_printed_is_printed_at_the_next_recovery(tmp_path, monkeypatch):
    paper = Paper()
    monkeypatch.setattr("sys.stdout", paper)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        lines = test.text_source().stream
        lines.pprint()
        test.sources[0].send("first")
        test.advance()
        paper.is_out = True
        test.sources[0].send("second")
        with pytest.raises(OSError, match="out of paper"):
            test.advance()
        paper.is_out = False
    with StreamingTest.recovered(str(tmp_path)) as test:
        test.start()
    printed = [line for line in paper.text.splitlines() if line in ("first", "second")]
    assert printed == ["first", "second"]


def test_nothing_is_printed_of_records_that_fail_on_the_way(capsys):
    with StreamingTest() as test:
        test.ssc.queueStream([[1, 0]]).map(lambda n: 1 // n).pprint()
        with pytest.raises(ZeroDivisionError):
            test.advance()
    assert capsys.readouterr().out == ""


def total(new, old):
    return sum(new) + (old or 0)


def first(pair):
    return pair[0]


@pytest.mark.parametrize("with_state", [False, True])
def test_a_folder_takes_effect_once_whatever_fails(tmp_path, monkeypatch, with_state):
    real = os.rename
    is_down = True

    def rename(source, target, *rest, **named):
        if is_down and f"{os.sep}out-" in os.fspath(target):
            raise OSError("the disk has gone")
        real(source, target, *rest, **named)

    folder = tmp_path / "checkpoint"
    with StreamingTest() as test:
        test.ssc.checkpoint(str(folder))
        lines = test.text_source().stream
        if with_state:
            lines = lines.map(lambda line: (line, 1)).updateStateByKey(total).map(first)
        lines.saveAsTextFiles(f"{tmp_path}/out")
        test.sources[0].send("a")
        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(OSError, match="the disk has gone"):
            test.advance()
        is_down = False
        monkeypatch.setattr(os, "rename", real)
        # Nothing of it is left, seen or hidden.
        assert [name for name in os.listdir(tmp_path) if "out" in name] == []
        time_ms = max(checkpoint_format.checkpoint_times(str(folder)))
        facts, _ = checkpoint_format.read_checkpoint(str(folder), time_ms)
        assert [batch["outputs"] for batch in facts["failed"]] == [[0]]
    for _ in range(2):
        with StreamingTest.recovered(str(folder)) as test:
            test.start()
        out = tmp_path / f"out-{FIRST_MS}"
        assert "".join(p.read_text() for p in sorted(out.glob("part-*"))) == "a\n"


def test_a_folder_that_cannot_be_made_is_an_error(streaming, tmp_path):
    (tmp_path / "file").write_text("in the way")
    streaming.ssc.queueStream([["a"]]).saveAsTextFiles(f"{tmp_path}/file/out")
    with pytest.raises(OSError, match="file"):
        streaming.advance()


def test_a_function_of_foreachrdd_may_return_anything(streaming):
    class Odd:
        def abandon(self):
            raise AssertionError

        def __call__(self):
            raise AssertionError

    streaming.text_source().stream.foreachRDD(lambda rdd: Odd())
    streaming.advance()


def test_pprint_prints_through_print(streaming, monkeypatch):
    # What is printed is printed in one piece: lines of other threads do not come between.
    written = []
    monkeypatch.setattr("sys.stdout", Writes(written))
    streaming.ssc.queueStream([["a", "b"]]).pprint()
    streaming.advance()
    assert written[0].count("\n") == 5
    assert builtins.print is print


class Writes:
    """Keeps what is written, call by call."""

    def __init__(self, into):
        self.into = into

    def write(self, text):
        self.into.append(text)

    def flush(self):
        pass
