import copy
import os
import pickle
import subprocess
import sys
import threading

import pytest

from swiftwater import AccumulatorParam
from swiftwater.errors import PySparkRuntimeError

PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


class Longest(AccumulatorParam):
    def zero(self, value):
        return ""

    def addInPlace(self, value1, value2):  # noqa: N802 - PySpark's name
        return max(value1, value2, key=len)


class Lists(AccumulatorParam):
    def zero(self, value):
        return []

    def addInPlace(self, value1, value2):  # noqa: N802 - PySpark's name
        value1.extend(value2)
        return value1


@pytest.mark.parametrize(
    ("begin", "terms", "end"), [(0, [1, 2, 3], 6), (1.5, [0.5, 1], 3.0), (0j, [1j, 2], 2 + 1j)]
)
@pytest.mark.parametrize("partitions", [1, 2, 3])
def test_numbers_are_added(sc, begin, terms, end, partitions):
    total = sc.accumulator(begin)
    sc.parallelize(terms, partitions).foreach(total.add)
    assert total.value == end
    for term in terms:
        total += term
    assert total.value == end + end - begin


@pytest.mark.parametrize("value", ["x", [1], None, {}])
def test_other_types_need_a_param(sc, value):
    with pytest.raises(TypeError, match="No default accumulator param for type <class '"):
        sc.accumulator(value)


def test_a_param_of_ones_own(sc):
    longest = sc.accumulator("", Longest())
    sc.parallelize(["a", "abc", "ab", ""], 3).foreach(longest.add)
    assert longest.value == "abc"


def test_a_param_that_changes_its_first_argument(sc):
    seen = sc.accumulator([], Lists())
    rdd = sc.parallelize(range(6), 3)
    rdd.foreach(lambda n: seen.add([n]))
    assert sorted(seen.value) == list(range(6))
    rdd.foreach(lambda n: seen.add([n]))
    assert sorted(seen.value) == sorted([*range(6), *range(6)])


def test_the_text_is_the_value(sc):
    total = sc.accumulator(3)
    assert str(total) == "3"
    assert repr(total) == f"Accumulator<id={total.aid}, value=3>"
    assert sc.accumulator(0).aid > total.aid


def test_a_global_name_can_be_added_to(sc):
    space = {"total": sc.accumulator(0)}
    exec("def add(n):\n    global total\n    total += n\n    return n", space)
    assert sc.parallelize([1, 2, 3], 2).map(space["add"]).collect() == [1, 2, 3]
    assert space["total"].value == 6


def test_a_failed_task_counts_nothing_and_the_others_count_once(sc):
    total = sc.accumulator(0)

    def add(n):
        total.add(1)
        if n == 3:
            raise ValueError("boom")
        return n

    with pytest.raises(ValueError, match="boom"):
        sc.parallelize([1, 2, 3, 4], 2).map(add).collect()
    # The first partition's task has succeeded.
    assert total.value == 2
    assert sc.parallelize([1, 2, 4], 2).map(add).count() == 3
    assert total.value == 5


def test_a_computation_that_runs_twice_counts_twice_unless_cached(sc):
    total = sc.accumulator(0)
    rdd = sc.parallelize([1, 2, 3], 2).map(lambda n: total.add(1))
    rdd.count()
    rdd.count()
    assert total.value == 6
    cached = sc.parallelize([1, 2, 3], 2).map(lambda n: total.add(1)).cache()
    cached.count()
    cached.count()
    assert total.value == 9


def test_both_sides_of_a_shuffle_count(sc):
    total = sc.accumulator(0)

    def add(a, b):
        total.add(1)
        return a + b

    pairs = sc.parallelize([("a", 1)] * 4 + [("b", 1)], 2)
    assert sorted(pairs.reduceByKey(add, 2).collect()) == [("a", 4), ("b", 1)]
    # Five records of two keys are merged three times, wherever.
    assert total.value == 3


@pytest.mark.parametrize("use", ["read", "set"])
def test_a_task_cannot_see_the_value(sc, use):
    total = sc.accumulator(7)

    def look(n):
        if use == "read":
            return total.value
        total.value = n
        return n

    with pytest.raises(PySparkRuntimeError) as caught:
        sc.parallelize([1]).map(look).collect()
    text = "[VALUE_NOT_ACCESSIBLE] Value `Accumulator.value` cannot be accessed inside tasks."
    assert str(caught.value) == text
    assert isinstance(caught.value, RuntimeError)
    assert total.value == 7
    total.value = 1
    assert total.value == 1


def test_additions_of_many_jobs_at_once(sc):
    total = sc.accumulator(0)
    rdd = sc.parallelize(range(500), 4)
    threads = [threading.Thread(target=rdd.foreach, args=(total.add,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        total += 1
    for thread in threads:
        thread.join()
    assert total.value == 4 * sum(range(500)) + 100


def test_streaming_functions(streaming):
    sc = streaming.ssc.sparkContext
    records, batches = sc.accumulator(0), sc.accumulator(0)
    stream = streaming.ssc.queueStream([[1, 2], [3]]).map(lambda n: (records.add(1), n)[1])
    seen = []

    def look(rdd):
        batches.add(1)
        rdd.count()
        seen.append((batches.value, records.value))

    stream.foreachRDD(look)
    streaming.run_until_idle()
    assert seen == [(1, 2), (2, 3)]


def test_a_reference_is_pickled(sc):
    total = sc.accumulator(5)
    assert pickle.loads(pickle.dumps(total)) is total
    assert copy.copy(total) is total
    assert copy.deepcopy([total])[0] is total


def test_what_comes_from_another_process_begins_at_zero(sc):
    code = (
        "import pickle, sys\n"
        "from swiftwater import SparkContext\n"
        "with SparkContext('local', 'other') as sc:\n"
        "    total = sc.accumulator(5)\n"
        "    sys.stdout.buffer.write(pickle.dumps(total))\n"
    )
    data = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE, stdout=subprocess.PIPE, check=True
    ).stdout
    mine = [sc.accumulator(n) for n in range(3)]
    restored = pickle.loads(data)
    assert restored.value == 0
    sc.parallelize([1, 2]).foreach(restored.add)
    assert restored.value == 3
    assert pickle.loads(data) is restored
    assert [each.value for each in mine] == [0, 1, 2]
