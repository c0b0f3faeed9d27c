"""RDDs that are written, or kept, and forget what they were computed from."""

from pathlib import Path

import pytest

from swiftwater import SparkContext
from swiftwater._rdd import core
from swiftwater.errors import SparkException


@pytest.fixture
def counted(sc, tmp_path):
    """An RDD of squares, and a function for how often one was computed."""
    log = tmp_path / "log"
    log.touch()

    def square(n):
        with open(log, "a") as file:
            file.write("x")
        return n * n

    return sc.parallelize(range(6), 3).map(square), lambda: len(log.read_text())


@pytest.fixture
def folder(sc, tmp_path):
    sc.setCheckpointDir(str(tmp_path / "checkpoints"))
    return tmp_path / "checkpoints"


SQUARES = [0, 1, 4, 9, 16, 25]


@pytest.mark.parametrize(
    "action",
    [
        lambda r: r.collect(),
        lambda r: r.count(),
        lambda r: r.take(2),
        lambda r: list(r.toLocalIterator()),
        lambda r: r.map(str).collect(),
        lambda r: r.map(lambda n: (n % 2, n)).groupByKey().count(),
        lambda r: r.union(r).sum(),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_after_the_first_action_it_is_read_from_the_files(counted, folder, action, cached):
    squares, calls = counted
    if cached:
        squares.cache()
    squares.checkpoint()
    assert squares.is_checkpointed
    assert not squares.isCheckpointed()
    assert squares.getCheckpointFile() is None
    action(squares)
    assert squares.isCheckpointed()
    assert not squares.isLocallyCheckpointed()
    file = squares.getCheckpointFile()
    assert file.startswith(f"file:{folder}/")
    assert file.endswith(f"/rdd-{squares.id()}")
    names = sorted(path.name for path in Path(file.removeprefix("file:")).iterdir())
    assert names == ["_SUCCESS", "part-00000", "part-00001", "part-00002"]
    before = calls()
    squares.unpersist()
    assert squares.collect() == SQUARES
    assert squares.map(str).count() == 6
    assert calls() == before
    assert b"map" not in squares.toDebugString()


def test_an_action_on_something_else_writes_nothing(sc, counted, folder):
    squares, calls = counted
    squares.checkpoint()
    assert sc.parallelize([1]).count() == 1
    assert not squares.isCheckpointed()
    assert calls() == 0
    assert squares.sum() == sum(SQUARES)
    assert squares.isCheckpointed()


def test_records_come_back_as_they_were(sc, folder):
    records = [None, True, -5, 2**70, 1.5, "é", b"\xff", (1, ["a"]), {"k": {1}}, complex(1, 2)]
    kept = sc.parallelize(records, 2).map(lambda record: record)
    kept.checkpoint()
    kept.count()
    assert kept.collect() == records
    assert [type(record) for record in kept.collect()] == [type(record) for record in records]


def test_without_a_folder_it_is_refused(sc):
    message = "^Checkpoint directory has not been set in the SparkContext$"
    with pytest.raises(SparkException, match=message):
        sc.parallelize([1]).checkpoint()


def test_a_failed_action_leaves_it_for_the_next(sc, folder):
    fine = sc.parallelize([1, 0], 2).map(lambda n: n + 1)
    fine.checkpoint()
    with pytest.raises(ZeroDivisionError):
        fine.map(lambda n: n // 0).collect()
    assert not fine.isCheckpointed()
    assert fine.collect() == [2, 1]
    assert fine.isCheckpointed()


def test_local_checkpoint(counted):
    squares, calls = counted
    squares.localCheckpoint()
    assert squares.isLocallyCheckpointed()
    assert not squares.isCheckpointed()
    assert squares.collect() == SQUARES
    assert squares.isCheckpointed()
    assert squares.getCheckpointFile() is None
    before = calls()
    assert squares.collect() == SQUARES
    assert calls() == before


def test_the_first_word_counts(sc, folder):
    once = sc.parallelize([1])
    once.checkpoint()
    once.checkpoint()
    once.localCheckpoint()
    assert once.count() == 1
    assert not once.isLocallyCheckpointed()
    assert once.getCheckpointFile() is not None
    once.checkpoint()
    assert once.count() == 1


def test_nothing_waits_for_a_context_that_is_gone(sc, folder):
    sc.parallelize([1]).checkpoint()
    assert len([rdd for rdd in core.waiting if rdd.ctx is sc]) == 1
    sc.stop()

    with SparkContext("local[1]", "next") as other:
        other.parallelize([1]).localCheckpoint()
        assert [rdd.ctx for rdd in core.waiting] == [other]
