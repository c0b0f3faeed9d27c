"""What other code does to values while the engine looks at them, and what stays of types."""

import ctypes
import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest

from swiftwater import SparkContext
from swiftwater._native import engine


def changing_type(change):
    """Make a type that calls ``change`` whenever somebody asks anything about it."""

    class Watched(type):
        def __getattribute__(cls, name):
            change()
            return super().__getattribute__(name)

    return Watched("Changing", (tuple,), {"__slots__": ()})


LISTS = "a list"
DICTS = "a dict"
NESTED = "a list in a dict in a tuple"


def container(shape, items):
    if shape == DICTS:
        return dict(enumerate(items))
    return list(items)


def wrapped(shape, inner):
    return ({"inner": inner},) if shape == NESTED else inner


@pytest.mark.parametrize("shape", [LISTS, DICTS, NESTED])
def test_a_value_that_is_emptied_while_it_is_copied(shape):
    for _ in range(50):
        values = container(shape, ())

        def change(values=values):
            values.clear()
            gc.collect(0)

        made = [changing_type(change)(([number], number)) for number in range(20)]
        filled = container(shape, made)
        if shape == DICTS:
            values.update(filled)
        else:
            values.extend(filled)
        del made, filled
        engine.isolated(wrapped(shape, values))
        assert len(values) == 0


@pytest.mark.parametrize(
    "look",
    [engine.isolated, engine.is_immutable, engine.encode_value],
    ids=["isolated", "is_immutable", "encode_value"],
)
def test_values_that_another_thread_changes_meanwhile(look):
    script = f"""
import gc, sys, threading, time
from swiftwater._native import engine
sys.setswitchinterval(1e-6)
def new():
    return type("X", (tuple,), {{"__slots__": ()}})(([1], {{2: (3, [4])}}, 5))
values = {{number: new() for number in range(50)}}
listed = list(values.values())
is_over = False
def change():
    while not is_over:
        for number in range(50):
            values[number] = new()
            listed[number:] = [new()]
        gc.collect(0)
        listed.extend(values.values())
thread = threading.Thread(target=change)
thread.start()
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for value in (values, listed, (values, listed)):
        try:
            engine.{look.__name__}(value)
        except (RuntimeError, TypeError, AttributeError, __import__("pickle").PicklingError):
            pass
is_over = True
thread.join()
print("survived")
"""
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")),
    )
    assert (run.returncode, run.stdout) == (0, "survived\n"), run.stderr[-2000:]


def test_a_list_that_is_changed_while_it_becomes_an_rdd(sc):
    values = []

    class Shrinking:
        def __reduce__(self):
            values.clear()
            gc.collect(0)
            return int, ()

    values.extend(Shrinking() for _ in range(100))
    assert sc.parallelize(values, 1).collect() == [0] * 100


def test_an_object_that_calls_itself_a_handle_is_none(sc):
    class Pretender:
        __class__ = type(sc._handle)

    with pytest.raises(TypeError, match="must be: handle of"):
        engine.partition_count(Pretender())


def in_itself():
    inner = []
    value = (inner, 1)
    inner.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        [1, [2, [3]], (4, [5])],
        {"a": [1], "b": {"c": (2, [3])}},
        ({1, 2}, [frozenset((3,))]),
        [[]] * 3,
        {(1, 2): [3], None: {}},
        ((1, 2), "three"),
    ],
    ids=repr,
)
def test_copies_are_equal_and_share_nothing_that_can_be_changed(value):
    copied = engine.isolated(value)
    assert copied == value
    assert (copied is value) == engine.is_immutable(value)
    if isinstance(value, list):
        assert all(a is not b for a, b in zip(copied, value, strict=True) if isinstance(b, list))
        assert len({id(item) for item in copied}) == len({id(item) for item in value})


def test_the_copy_of_a_value_in_itself_is_in_itself():
    copied = engine.isolated(in_itself())
    assert copied[0][0] is copied
    assert copied[1] == 1


def test_a_class_of_a_batch_goes_with_it():
    classes = weakref.WeakSet()
    for number in range(100):
        made = type("OfABatch", (tuple,), {"__slots__": ()})
        classes.add(made)
        assert engine.is_immutable(made((number,)))
        assert engine.isolated([made(([number],))]) == [([number],)]
    del made
    gc.collect()
    assert len(classes) == 0


def thread_states():
    interface = ctypes.pythonapi
    interface.PyInterpreterState_Get.restype = ctypes.c_void_p
    interface.PyInterpreterState_ThreadHead.restype = ctypes.c_void_p
    interface.PyInterpreterState_ThreadHead.argtypes = [ctypes.c_void_p]
    interface.PyThreadState_Next.restype = ctypes.c_void_p
    interface.PyThreadState_Next.argtypes = [ctypes.c_void_p]
    count, state = 0, interface.PyInterpreterState_ThreadHead(interface.PyInterpreterState_Get())
    while state:
        count, state = count + 1, interface.PyThreadState_Next(state)
    return count


def names_of_threads():
    names = []
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/comm") as file:
                names.append(file.read().strip())
        except OSError:
            continue  # it has ended
    return names


def wait_for_the_end_of_tasks():
    deadline = time.monotonic() + 30
    while "sw-task" in names_of_threads():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_threads_give_their_python_state_back(tmp_path):
    (tmp_path / "words").write_text("a b c\n" * 200_000)
    wait_for_the_end_of_tasks()
    before = thread_states()
    for _ in range(5):
        with SparkContext("local[4]", "test") as sc:
            words = sc.textFile(str(tmp_path / "words"), 8).flatMap(lambda line: line.split(" "))
            counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
            assert sorted(counts.collect()) == [(word, 200_000) for word in "abc"]
        wait_for_the_end_of_tasks()
        assert thread_states() == before


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_share_the_iterator_of_a_partition(sc, threads):
    def slowly(number):
        # Lets other threads have the interpreter, as most functions do now and then.
        os.sched_yield()
        time.sleep(0)
        return number

    def shared(records):
        found = []
        errors = []

        def take():
            try:
                found.extend(records)
            except BaseException as error:  # noqa: BLE001 - compared
                errors.append(error)

        workers = [threading.Thread(target=take) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return [errors, sorted(found)]

    rdd = sc.parallelize(range(5000), 1).map(slowly).mapPartitions(shared)
    assert rdd.collect() == [[], list(range(5000))]


reached = []


def reads_on(number):
    return next(reached[-1]) if number == 1 else number


def reaches(records):
    reached.append(records)
    return list(records)


def test_a_function_that_asks_for_the_records_that_it_makes(sc):
    with pytest.raises(ValueError, match="asked for while they are read"):
        sc.parallelize(range(3), 1).map(reads_on).mapPartitions(reaches).collect()
