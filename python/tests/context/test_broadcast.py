import copy
import operator
import os
import pickle
import subprocess
import sys
import threading

import pytest

from swiftwater import Broadcast
from swiftwater.errors import Py4JJavaError, PySparkRuntimeError, SparkException

PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


class Holder:
    def __init__(self, content):
        self.content = content

    def __eq__(self, other):
        return isinstance(other, Holder) and other.content == self.content

    __hash__ = None


@pytest.mark.parametrize("value", [1, "text", (1, ("a", 2)), None, lambda n: n + 1])
def test_functions_see_the_value(sc, value):
    shared = sc.broadcast(value)
    assert shared.value is value
    identity = id(value)
    seen = sc.parallelize([1, 2], 2).map(lambda n: id(shared.value) == identity)
    assert seen.collect() == [True, True]


# Values that can be changed, each with what the driver does to it afterwards.
CHANGES = {
    "list": ([1, 2], lambda value: value.append(3)),
    "list in a dict": ({"a": [1]}, lambda value: value["a"].append(2)),
    "dict": ({"a": 1}, lambda value: value.clear()),
    "set": ({1, 2}, lambda value: value.add(3)),
    "list in a tuple": ((1, [2]), lambda value: value[1].append(3)),
    "bytearray": (bytearray(b"ab"), lambda value: value.append(99)),
    "object": (Holder([1]), lambda value: value.content.append(2)),
    "object in a list": ([Holder(1)], lambda value: setattr(value[0], "content", 2)),
    # Pickling names the class, and finds none.
    "local class": (type("Local", (Holder,), {})([1]), lambda value: value.content.append(2)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_value_is_as_it_was_when_it_was_broadcast(sc, name):
    """The results are those of PySpark 4.3.0, where the value is pickled then."""
    value, change = CHANGES[name]
    value = copy.deepcopy(value)
    before = copy.deepcopy(value)
    shared = sc.broadcast(value)
    change(value)
    assert value != before
    assert shared.value == before
    assert shared.value is shared.value
    assert sc.parallelize([1, 2], 2).map(lambda n: shared.value == before).collect() == [True] * 2


def test_of_large_values_only_what_can_be_changed_is_copied(sc):
    texts = [str(number) for number in range(1000)]
    assert all(map(operator.is_, sc.broadcast(texts).value, texts))
    table = tuple(texts)
    assert sc.broadcast(table).value is table


def test_what_cannot_be_copied_is_shared(sc):
    lock = threading.Lock()
    assert sc.broadcast(lock).value is lock


def test_the_value_is_shared_and_not_copied_again(sc):
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
