"""What a program may define after a context was recovered: nothing that the checkpoint has not."""

import os

import pytest

from swiftwater.errors import SparkException
from swiftwater.streaming import StreamingContext


def setup_of(sc, inbox):
    def setup():
        ssc = StreamingContext(sc, 1)
        ssc.textFileStream(str(inbox)).foreachRDD(lambda rdd: None)
        return ssc

    return setup


@pytest.fixture
def recovered(sc, tmp_path):
    setup = setup_of(sc, tmp_path)
    folder = str(tmp_path / "checkpoints")
    ssc = StreamingContext.getOrCreate(folder, setup)
    ssc.start()
    ssc.stop(stopSparkContext=False)
    again = StreamingContext.getOrCreate(folder, setup)
    yield again
    again.stop(stopSparkContext=False)


@pytest.mark.parametrize(
    ("define", "name"),
    [
        (lambda ssc: ssc.textFileStream("x").pprint(), "textFileStream"),
        (lambda ssc: ssc.socketTextStream("localhost", 9).foreachRDD(print), "socketTextStream"),
        (lambda ssc: ssc.queueStream([[1]]).map(str).pprint(), "queue"),
        (lambda ssc: ssc.textFileStream("x"), "textFileStream"),
    ],
)
def test_new_streams_are_refused(recovered, define, name):
    define(recovered)
    text = rf"{name} at test_recovered_streams\.py:\d+ has not been initialized: it was defined "
    with pytest.raises(SparkException, match=text):
        recovered.start()
    # Spark: a start that fails leaves a stopped context.
    with pytest.raises(RuntimeError, match="StreamingContext has already been stopped"):
        recovered.start()


def test_what_is_no_stream_is_allowed(recovered, tmp_path):
    recovered.remember(60)
    recovered.checkpoint(str(tmp_path / "other"))
    recovered.start()
    recovered.stop(stopSparkContext=False)
    names = os.listdir(tmp_path / "other")
    assert [name for name in names if name.startswith("checkpoint-")]


def test_without_a_checkpoint_streams_may_follow(sc, tmp_path):
    ssc = StreamingContext.getOrCreate(str(tmp_path / "new"), setup_of(sc, tmp_path))
    ssc.textFileStream("x").foreachRDD(lambda rdd: None)
    ssc.start()
    ssc.stop(stopSparkContext=False)
