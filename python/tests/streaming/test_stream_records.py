"""Stream operators that see one record or one partition at a time."""

import pytest

from swiftwater.testing import run_batches


@pytest.mark.parametrize(
    ("batches", "operation", "expected"),
    [
        ([[1, 2], [3]], lambda s: s.map(lambda n: n * 2), [[2, 4], [6]]),
        ([[1], [], [2]], lambda s: s.map(str), [["1"], [], ["2"]]),
        ([["a b"], ["", "c"]], lambda s: s.flatMap(str.split), [["a", "b"], ["c"]]),
        ([[1, 2, 3], [4, 5]], lambda s: s.filter(lambda n: n % 2), [[1, 3], [5]]),
        ([[(1, 2)], [(3, 4)]], lambda s: s.mapValues(lambda v: v + 1), [[(1, 3)], [(3, 5)]]),
        ([[(1, "ab")], [(2, "")]], lambda s: s.flatMapValues(list), [[(1, "a"), (1, "b")], []]),
        (
            [[1, 2, 3], [4]],
            lambda s: s.mapPartitions(lambda records: [sum(records)]),
            [[1, 5], [0, 4]],
        ),
        (
            [[1, 2, 3], [4]],
            lambda s: s.mapPartitionsWithIndex(lambda i, records: [(i, list(records))]),
            [[(0, [1]), (1, [2, 3])], [(0, []), (1, [4])]],
        ),
        ([[1, 2, 3], [4]], lambda s: s.glom(), [[[1], [2, 3]], [[], [4]]]),
        (
            [["b a", "a"]],
            lambda s: s.flatMap(str.split).map(str.upper).filter(lambda w: w > "A"),
            [["B"]],
        ),
    ],
)
def test_operator(batches, operation, expected):
    assert run_batches(operation, batches) == expected


@pytest.mark.parametrize(
    "operator",
    "map flatMap filter mapValues flatMapValues mapPartitions mapPartitionsWithIndex reduceByKey "
    "reduce transform foreachRDD".split(),
)
def test_what_cannot_be_called_is_refused_at_once(streaming, operator):
    stream = streaming.text_source().stream
    with pytest.raises(TypeError, match=f"^{operator} needs a function, not int: 3$"):
        getattr(stream, operator)(3)


def test_one_stream_may_be_used_twice(streaming):
    numbers = streaming.ssc.queueStream([[1, 2]])
    small = streaming.collect(numbers.filter(lambda n: n < 2))
    double = streaming.collect(numbers.map(lambda n: n * 2))
    streaming.advance()
    assert (small.last, double.last) == ([1], [2, 4])


def test_a_function_may_use_names_of_its_place(streaming):
    factor = 3
    out = streaming.collect(streaming.ssc.queueStream([[1, 2]]).map(lambda n: n * factor))
    streaming.advance()
    assert out.last == [3, 6]
