"""Operators that see one record at a time."""

import pytest


@pytest.mark.parametrize(
    ("values", "operation", "expected"),
    [
        ([1, 2, 3], lambda r: r.map(lambda n: n * 2), [2, 4, 6]),
        ([], lambda r: r.map(lambda n: n * 2), []),
        (["a b", "", "c"], lambda r: r.flatMap(str.split), ["a", "b", "c"]),
        ([2, 0, 1], lambda r: r.flatMap(range), [0, 1, 0]),
        ([0, 1, 2, 3], lambda r: r.filter(lambda n: n % 2), [1, 3]),
        ([(1, 2), (3, 4)], lambda r: r.mapValues(lambda v: v + 1), [(1, 3), (3, 5)]),
        ([(1, "ab"), (2, "")], lambda r: r.flatMapValues(list), [(1, "a"), (1, "b")]),
        ([1, 2], lambda r: r.keyBy(str), [("1", 1), ("2", 2)]),
        ([(1, 2), (3, 4)], lambda r: r.keys(), [1, 3]),
        ([(1, 2), (3, 4)], lambda r: r.values(), [2, 4]),
        ([1, 2], lambda r: r.map(str).map(len).filter(bool), [1, 1]),
        ([None, 1.5, "é", b"x", (1,)], lambda r: r.map(lambda x: x), [None, 1.5, "é", b"x", (1,)]),
    ],
)
@pytest.mark.parametrize("slices", [1, 3])
def test_operator(sc, values, operation, expected, slices):
    assert operation(sc.parallelize(values, slices)).collect() == expected


def test_flags_of_old_programs_are_accepted(sc):
    rdd = sc.parallelize([1])
    assert rdd.map(str, True).collect() == ["1"]
    assert rdd.flatMap(range, preservesPartitioning=True).collect() == [0]
    assert rdd.mapPartitions(list, True).collect() == [1]


@pytest.mark.parametrize(
    "operator",
    "map flatMap filter mapValues flatMapValues keyBy mapPartitions mapPartitionsWithIndex "
    "reduceByKey reduce foreach foreachPartition".split(),
)
@pytest.mark.parametrize("value", [3, "text", None])
def test_what_cannot_be_called_is_refused_at_once(sc, operator, value):
    with pytest.raises(TypeError, match=f"^{operator} needs a function"):
        getattr(sc.parallelize([1]), operator)(value)


def test_an_error_passes_through_with_operator_and_record(sc):
    def parse(text):
        return int(text)

    broken = sc.parallelize(["1", "pear"]).map(parse)
    with pytest.raises(ValueError, match="pear") as caught:
        broken.collect()
    notes = "\n".join(caught.value.__notes__)
    assert "map at test_rdd_records.py:" in notes
    assert "'pear'" in notes
    names = [entry.name for entry in caught.traceback]
    assert names[-1] == "parse"


def test_an_error_does_not_end_the_context(sc):
    rdd = sc.parallelize([1, 0])
    with pytest.raises(ZeroDivisionError):
        rdd.map(lambda n: 1 // n).collect()
    assert rdd.count() == 2


class Custom(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


def test_an_exception_of_the_users_own_keeps_its_type(sc):
    def fail(record):
        raise Custom(1, record)

    with pytest.raises(Custom) as caught:
        sc.parallelize([7]).map(fail).collect()
    assert caught.value.args == (1, 7)
