"""What a user's function raises: kind, text, place and sample."""

import pytest

from swiftwater.errors import PySparkRuntimeError


def fails(record):
    raise KeyError(record)


def stops(record):
    return next(iter(())) if record == 3 else record


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(lambda rdd: rdd.collect(), id="collect"),
        pytest.param(lambda rdd: rdd.sum(), id="sum"),
        pytest.param(lambda rdd: rdd.glom().collect(), id="glom"),
        pytest.param(lambda rdd: rdd.count(), id="count"),
    ],
)
def test_stop_iteration_does_not_pass_for_the_end_of_the_records(sc, result):
    with pytest.raises(
        RuntimeError, match="Caught StopIteration thrown from user's code"
    ) as caught:
        result(sc.parallelize([1, 2, 3, 4], 1).map(stops))
    assert isinstance(caught.value.__cause__, StopIteration)


def ends(*_):
    raise StopIteration("nothing left")


@pytest.mark.parametrize(
    "merged",
    [
        pytest.param(lambda rdd: rdd.reduce(ends), id="reduce"),
        pytest.param(lambda rdd: rdd.treeReduce(ends), id="treeReduce"),
        pytest.param(lambda rdd: rdd.aggregate(0, max, ends), id="aggregate"),
        pytest.param(lambda rdd: rdd.treeAggregate(0, max, ends), id="treeAggregate"),
        pytest.param(lambda rdd: rdd.keyBy(str).reduceByKeyLocally(ends), id="reduceByKeyLocally"),
        pytest.param(lambda rdd: rdd.max(key=ends), id="max"),
    ],
)
def test_stop_iteration_out_of_a_merge_in_the_driver(sc, merged):
    # One record a partition: nothing is merged before the driver does it.
    with pytest.raises(
        PySparkRuntimeError, match="Caught StopIteration thrown from user's code.*nothing left"
    ) as caught:
        merged(sc.parallelize([1, 1], 2))
    assert caught.value.getCondition() == "STOP_ITERATION_OCCURRED"


@pytest.mark.parametrize(
    ("operator", "operation", "record"),
    [
        ("map", lambda rdd: rdd.map(fails), "1"),
        ("filter", lambda rdd: rdd.filter(fails), "1"),
        ("flatMap", lambda rdd: rdd.flatMap(fails), "1"),
        ("flatMap", lambda rdd: rdd.flatMap(lambda record: record), "1"),
        ("mapValues", lambda rdd: rdd.keyBy(str).mapValues(fails), "('1', 1)"),
        ("flatMapValues", lambda rdd: rdd.keyBy(str).flatMapValues(fails), "('1', 1)"),
        ("mapPartitions", lambda rdd: rdd.mapPartitions(lambda it: map(fails, it)), "1"),
        ("reduceByKey", lambda rdd: rdd.map(lambda n: (0, n)).reduceByKey(max), None),
        ("reduceByKey", lambda rdd: rdd.reduceByKey(max), "1"),
    ],
)
def test_the_notes_name_the_operator_and_show_the_record(sc, operator, operation, record):
    rdd = operation(sc.parallelize([1, 2], 1))
    if record is None:
        assert rdd.collect() == [(0, 2)]
        return
    with pytest.raises((KeyError, TypeError)) as caught:
        rdd.collect()
    notes = caught.value.__notes__
    assert notes[0].startswith(f"in operator: {operator} at test_function_errors.py:")
    assert notes[1] == f"record: {record}"


@pytest.mark.parametrize(
    ("record", "kind", "text"),
    [
        (1, TypeError, "cannot unpack non-iterable int object"),
        ((1,), ValueError, "not enough values to unpack (expected 2, got 1)"),
        ((1, 2, 3), ValueError, "too many values to unpack (expected 2)"),
        (([], 1), TypeError, "unhashable type: 'list'"),
    ],
)
def test_what_is_no_pair_fails_as_in_python(sc, record, kind, text):
    with pytest.raises(kind) as caught:
        sc.parallelize([record], 1).reduceByKey(max).collect()
    assert str(caught.value) == text


def test_of_a_long_record_only_the_beginning_is_shown(sc):
    with pytest.raises(KeyError) as caught:
        sc.parallelize(["x" * 1_000_000], 1).map(fails).collect()
    note = caught.value.__notes__[1]
    assert note.startswith("record: 'xxx")
    assert len(note) < 250
