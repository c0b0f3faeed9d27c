import copy
import os
import pickle
import subprocess
import sys

import pytest

from swiftwater import Broadcast
from swiftwater.errors import Py4JJavaError, PySparkRuntimeError, SparkException

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.mark.parametrize("value", [1, "text", [1, 2], {"a": 1}, None, lambda n: n + 1])
def test_functions_see_the_value(sc, value):
    shared = sc.broadcast(value)
    assert shared.value is value
    identity = id(value)
    seen = sc.parallelize([1, 2], 2).map(lambda n: id(shared.value) == identity)
    assert seen.collect() == [True, True]


def test_the_value_is_shared_and_not_copied(sc):
    shared = sc.broadcast([])
    sc.parallelize([1, 2, 3], 2).foreach(lambda n: shared.value.append(n))  # noqa: PLW0108
    assert sorted(shared.value) == [1, 2, 3]


def test_unpersist_keeps_the_value(sc):
    shared = sc.broadcast("x")
    shared.unpersist()
    shared.unpersist(blocking=True)
    assert shared.value == "x"


def test_destroyed_is_destroyed(sc):
    shared = sc.broadcast([1])
    shared.destroy()
    text = r"Attempted to use Broadcast\(\d+\) after it was destroyed \(destroy at test_broadcast"
    for use in (
        lambda: shared.value,
        shared.unpersist,
        shared.destroy,
        lambda: sc.parallelize([1]).map(lambda n: shared.value).collect(),
    ):
        with pytest.raises(SparkException, match=text) as caught:
            use()
        assert isinstance(caught.value, (Py4JJavaError, RuntimeError))


@pytest.mark.parametrize(
    ("name", "operation"), [("unpersist", "unpersisted"), ("destroy", "destroyed")]
)
def test_only_the_driver_lets_go(sc, name, operation):
    shared = sc.broadcast([1])
    with pytest.raises(PySparkRuntimeError, match=f"Broadcast can only be {operation} in driver"):
        sc.parallelize([1]).foreach(lambda n: getattr(shared, name)())
    assert shared.value == [1]


def test_what_only_the_driver_has_cannot_be_shared(sc):
    for value, code in (
        (sc, "CONTEXT_ONLY_VALID_ON_DRIVER"),
        (sc.parallelize([1]), "RDD_TRANSFORM_ONLY_VALID_ON_DRIVER"),
    ):
        with pytest.raises(pickle.PicklingError, match=f"Could not serialize broadcast: .*{code}"):
            sc.broadcast(value)


def test_a_reference_is_pickled(sc):
    shared = sc.broadcast(object())
    assert pickle.loads(pickle.dumps(shared)) is shared
    assert copy.deepcopy([shared])[0] is shared
    assert len(pickle.dumps(sc.broadcast("x" * 100_000))) < 200


def test_another_process_cannot_follow_the_reference(sc):
    code = (
        "import pickle, sys\n"
        "from swiftwater import SparkContext\n"
        "with SparkContext('local', 'other') as sc:\n"
        "    sys.stdout.buffer.write(pickle.dumps(sc.broadcast([1])))\n"
    )
    data = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE, stdout=subprocess.PIPE, check=True
    ).stdout
    mine = sc.broadcast("mine")
    restored = pickle.loads(data)
    assert isinstance(restored, Broadcast)
    with pytest.raises(PySparkRuntimeError, match="not loaded.*another process"):
        _ = restored.value
    assert mine.value == "mine"


def test_values_in_files(sc, tmp_path):
    shared = sc.broadcast([1, 2])
    path = str(tmp_path / "value")
    file = open(path, "wb")  # noqa: SIM115 - dump closes it
    shared.dump(shared.value, file)
    assert file.closed
    assert shared.load_from_path(path) == [1, 2]
    with open(path, "rb") as opened:
        assert shared.load(opened) == [1, 2]
    text = "Could not serialize broadcast"
    with open(path, "wb") as opened, pytest.raises(pickle.PicklingError, match=text):
        shared.dump(lambda n: n, opened)


def test_it_belongs_to_a_context_that_runs(sc):
    shared = sc.broadcast(1)
    sc.stop()
    assert shared.value == 1
    with pytest.raises(RuntimeError, match="stopped SparkContext"):
        sc.broadcast(2)


def test_a_type_can_be_given():
    assert Broadcast[list[int]] is not None
