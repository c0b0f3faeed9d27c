"""Several streams, and keys moved to other partitions.

What is expected was recorded from PySpark 4.3.0: for each batch number the records of each
partition, in their order.
"""

import json

import pytest

from swiftwater.streaming.dstream import TransformedDStream
from swiftwater.testing import StreamingTest, run_batches

A = [
    [("a", 1), ("b", 2), ("c", 3)],
    [("d", 4), ("a", 5)],
    [],
    [("e", 1), ("b", 1)],
    [("a", 9)],
    [],
    [("f", 1)],
    [],
    [],
]

B = [[("a", "x"), ("z", "y")], [("a", "p"), ("a", "q")], [("b", 1)], [], [("a", 2)]]


def add(x, y):
    return x + y


def subtract(x, y):
    return x - y


def none_with(key):
    """No RDD in a batch that has the key."""
    return lambda rdd: None if rdd.filter(lambda kv: kv[0] == key).count() else rdd


def first(x, y):
    return x


JOBS = {
    "union": lambda a, b: a.union(b),
    "union_red": lambda a, b: a.reduceByKey(first).union(b.reduceByKey(first)),
    "union_red_n": lambda a, b: a.reduceByKey(first, 3).union(b.reduceByKey(first)),
    "ssc_union_red": lambda a, b: a.context().union(a.reduceByKey(first), b.reduceByKey(first)),
    "union_none": lambda a, b: a.transform(lambda rdd: None).union(b),
    "union_none2": lambda a, b: a.transform(lambda rdd: None).union(b.transform(lambda rdd: None)),
    "transformWith_none": lambda a, b: a.transform(lambda rdd: None).transformWith(
        lambda x, y: x.union(y), b
    ),
    "join": lambda a, b: a.join(b),
    "loj": lambda a, b: a.leftOuterJoin(b),
    "roj": lambda a, b: a.rightOuterJoin(b, 3),
    "foj": lambda a, b: a.fullOuterJoin(b),
    "cogroup": lambda a, b: a.cogroup(b).mapValues(lambda p: [list(x) for x in p]),
    "cogroup_window": lambda a, b: a.cogroup(b.window(2, 2)).mapValues(
        lambda p: [list(x) for x in p]
    ),
    "cogroup_window_left": lambda a, b: (
        b.window(2, 2).cogroup(a).mapValues(lambda p: [list(x) for x in p])
    ),
    "window_join": lambda a, b: a.window(2).join(b.window(3)),
    "groupByKey": lambda a: a.groupByKey().mapValues(list),
    "partitionBy": lambda a: a.partitionBy(3),
    "partitionBy_f": lambda a: a.partitionBy(3, ord),
    "repartition": lambda a: a.repartition(3),
    "repartition1": lambda a: a.repartition(1),
}

EXPECTED = {
    "union": [
        (1, [[["a", 1]], [["b", 2], ["c", 3]], [["a", "x"]], [["z", "y"]]]),
        (2, [[["d", 4]], [["a", 5]], [["a", "p"]], [["a", "q"]]]),
        (3, [[], [], [], [["b", 1]]]),
    ],
    "union_red": [
        (1, [[["b", 2], ["c", 3], ["z", "y"]], [["a", 1], ["a", "x"]]]),
        (2, [[["d", 4]], [["a", 5], ["a", "p"]]]),
        (3, [[["b", 1]], []]),
    ],
    "union_red_n": [
        (1, [[["b", 2]], [["a", 1], ["c", 3]], [], [["z", "y"]], [["a", "x"]]]),
        (2, [[], [["a", 5]], [["d", 4]], [], [["a", "p"]]]),
        (3, [[], [], [], [["b", 1]], []]),
    ],
    "ssc_union_red": [
        (1, [[["b", 2], ["c", 3], ["z", "y"]], [["a", 1], ["a", "x"]]]),
        (2, [[["d", 4]], [["a", 5], ["a", "p"]]]),
        (3, [[["b", 1]], []]),
    ],
    "union_none": [
        (1, [[["a", "x"]], [["z", "y"]]]),
        (2, [[["a", "p"]], [["a", "q"]]]),
        (3, [[], [["b", 1]]]),
    ],
    "union_none2": [
        (1, []),
        (2, []),
        (3, []),
    ],
    "transformWith_none": [
        (1, [[["a", "x"]], [["z", "y"]]]),
        (2, [[["a", "p"]], [["a", "q"]]]),
        (3, [[], [["b", 1]]]),
    ],
    "join": [
        (1, [[], [["a", [1, "x"]]]]),
        (2, [[], [["a", [5, "p"]], ["a", [5, "q"]]]]),
        (3, [[], []]),
        (4, [[], []]),
        (5, [[], [["a", [9, 2]]]]),
    ],
    "loj": [
        (1, [[["b", [2, None]], ["c", [3, None]]], [["a", [1, "x"]]]]),
        (2, [[["d", [4, None]]], [["a", [5, "p"]], ["a", [5, "q"]]]]),
        (3, [[], []]),
        (4, [[["b", [1, None]]], [["e", [1, None]]]]),
        (5, [[], [["a", [9, 2]]]]),
    ],
    "roj": [
        (1, [[["z", [None, "y"]]], [["a", [1, "x"]]], []]),
        (2, [[], [["a", [5, "p"]], ["a", [5, "q"]]], []]),
        (3, [[["b", [None, 1]]], [], []]),
        (4, [[], [], []]),
        (5, [[], [["a", [9, 2]]], []]),
    ],
    "foj": [
        (1, [[["b", [2, None]], ["c", [3, None]], ["z", [None, "y"]]], [["a", [1, "x"]]]]),
        (2, [[["d", [4, None]]], [["a", [5, "p"]], ["a", [5, "q"]]]]),
        (3, [[["b", [None, 1]]], []]),
        (4, [[["b", [1, None]]], [["e", [1, None]]]]),
        (5, [[], [["a", [9, 2]]]]),
    ],
    "cogroup": [
        (1, [[["b", [[2], []]], ["c", [[3], []]], ["z", [[], ["y"]]]], [["a", [[1], ["x"]]]]]),
        (2, [[["d", [[4], []]]], [["a", [[5], ["p", "q"]]]]]),
        (3, [[["b", [[], [1]]]], []]),
        (4, [[["b", [[1], []]]], [["e", [[1], []]]]]),
        (5, [[], [["a", [[9], [2]]]]]),
    ],
    "cogroup_window": [
        (1, [[["b", [[2], []]], ["c", [[3], []]]], [["a", [[1], []]]]]),
        (2, [[["d", [[4], []]], ["z", [[], ["y"]]]], [["a", [[5], ["x", "p", "q"]]]]]),
        (3, [[], []]),
        (4, [[["b", [[1], [1]]]], [["e", [[1], []]]]]),
        (5, [[], [["a", [[9], []]]]]),
    ],
    "cogroup_window_left": [
        (2, [[["z", [["y"], []]], ["d", [[], [4]]]], [["a", [["x", "p", "q"], [5]]]]]),
        (4, [[["b", [[1], [1]]]], [["e", [[], [1]]]]]),
    ],
    "window_join": [
        (1, [[], [["a", [1, "x"]]]]),
        (
            2,
            [
                [],
                [
                    ["a", [1, "x"]],
                    ["a", [1, "p"]],
                    ["a", [1, "q"]],
                    ["a", [5, "x"]],
                    ["a", [5, "p"]],
                    ["a", [5, "q"]],
                ],
            ],
        ),
        (3, [[], [["a", [5, "x"]], ["a", [5, "p"]], ["a", [5, "q"]]]]),
        (4, [[["b", [1, 1]]], []]),
        (5, [[["b", [1, 1]]], [["a", [9, 2]]]]),
    ],
    "groupByKey": [
        (1, [[["b", [2]], ["c", [3]]], [["a", [1]]]]),
        (2, [[["d", [4]]], [["a", [5]]]]),
        (3, [[], []]),
    ],
    "partitionBy": [
        (1, [[["b", 2]], [["a", 1], ["c", 3]], []]),
        (2, [[], [["a", 5]], [["d", 4]]]),
        (3, [[], [], []]),
    ],
    "partitionBy_f": [
        (1, [[["c", 3]], [["a", 1]], [["b", 2]]]),
        (2, [[], [["d", 4], ["a", 5]], []]),
        (3, [[], [], []]),
    ],
    "repartition": [
        (1, [[["a", 1]], [["b", 2], ["c", 3]], []]),
        (2, [[["d", 4]], [["a", 5]], []]),
        (3, [[], [], []]),
    ],
    "repartition1": [
        (1, [[["a", 1], ["b", 2], ["c", 3]]]),
        (2, [[["d", 4], ["a", 5]]]),
        (3, [[]]),
    ],
}


def found(test, job, inputs, batches):
    streams = [
        test.ssc.queueStream([test.sc.parallelize(batch, 2) for batch in given]) for given in inputs
    ]
    # Each batch of a source is asked for, as it comes.
    streams[0].foreachRDD(lambda rdd: None)
    out = test.collect(job(*streams).glom())
    test.advance(batches)
    times = [round(time) for time in out.times]
    # Tuples and lists are the same here, as in JSON.
    return json.loads(json.dumps(list(zip(times, out.batches, strict=True))))


@pytest.mark.parametrize("name", JOBS)
def test_records_and_their_order_are_those_of_spark(streaming, name):
    expected = json.loads(json.dumps(EXPECTED[name]))
    batches = expected[-1][0]
    assert (
        found(
            streaming, JOBS[name], [A, B] if JOBS[name].__code__.co_argcount == 2 else [A], batches
        )
        == expected
    )


# --- functions of two RDDs ----------------------------------------------------------------------


def test_transform_with_gets_the_time_where_it_asks_for_it(streaming):
    times = []

    def noted(time, a, b):
        times.append(time)
        return a.union(b)

    a, b = streaming.ssc.queueStream([[1]]), streaming.ssc.queueStream([[2]])
    out = streaming.collect(a.transformWith(noted, b, keepSerializer=True))
    streaming.advance(2)
    assert times == [streaming.batch_time(1), streaming.batch_time(2)]
    assert out.batches == [[1, 2], []]


@pytest.mark.parametrize("function", [lambda: 1, lambda a: 1, lambda a, b, c, d: 1])
def test_transform_with_other_numbers_of_arguments(streaming, function):
    stream = streaming.ssc.queueStream([[1]])
    with pytest.raises(AssertionError, match="^func should take two or three arguments$"):
        stream.transformWith(function, stream)


def test_transform_with_may_have_no_result():
    batches = run_batches(lambda a, b: a.transformWith(lambda x, y: None, b), [[1]], [[2]])
    assert batches == []


@pytest.mark.parametrize("name", "union cogroup join leftOuterJoin rightOuterJoin".split())
def test_the_other_must_be_a_stream_of_the_same_context(streaming, name):
    stream = streaming.ssc.queueStream([[("a", 1)]])
    with pytest.raises(TypeError, match=f"{name} needs a DStream, not list"):
        getattr(stream, name)([])
    with StreamingTest(spark_context=streaming.sc) as other:
        theirs = other.ssc.queueStream([[("a", 1)]])
        with pytest.raises(ValueError, match="different StreamingContexts"):
            getattr(stream, name)(theirs)


def test_a_union_of_a_stream_that_has_no_rdd_fails_the_batch(streaming):
    stream = streaming.ssc.queueStream([[1]])
    streaming.collect(streaming.ssc.union(stream.transform(lambda rdd: None), stream))
    text = "^Could not generate RDD from a parent for unifying at time 1893456001000 ms"
    with pytest.raises(RuntimeError, match=text):
        streaming.advance()


def test_a_transform_of_a_stream_that_has_no_rdd_fails_the_batch(streaming):
    stream = streaming.ssc.queueStream([[1]])
    missing = stream.transform(lambda rdd: None)
    streaming.collect(streaming.ssc.transform([stream, missing], lambda rdds: rdds[0]))
    text = "^Couldn't generate RDD from parent at time 1893456001000 ms"
    with pytest.raises(RuntimeError, match=text):
        streaming.advance()


def test_a_transformed_stream_has_a_name_of_its_own(streaming):
    stream = streaming.ssc.queueStream([[1]])
    assert type(stream.transform(lambda rdd: rdd)) is TransformedDStream


def test_grouped_values_are_what_they_are_in_an_rdd():
    pairs = [("a", 1), ("a", 2)]
    kinds = run_batches(
        lambda s: s.groupByKey().mapValues(lambda v: (type(v).__name__, len(v))), [pairs]
    )
    assert kinds == [[("a", ("ResultIterable", 2))]]


# --- earlier RDDs -------------------------------------------------------------------------------


def test_slice(streaming):
    numbers = streaming.ssc.queueStream([[1], [2], [3], [4]])
    streaming.ssc.remember(10)
    streaming.collect(numbers)
    with pytest.raises(RuntimeError, match="has not been initialized$"):
        numbers.slice(0, 1)
    streaming.advance(4)

    def records(begin, end):
        return [rdd.collect() for rdd in numbers.slice(begin, end)]

    first, third = streaming.batch_time(1), streaming.batch_time(3)
    assert records(first, third) == [[1], [2], [3]]
    assert records(first.timestamp(), third.timestamp() + 0.9) == [[1], [2], [3]]
    assert records(first.timestamp() - 0.5, first.timestamp()) == [[1]]
    assert records(third, first) == []
    assert records(0, 2**31) == [[1], [2], [3], [4]]


def test_what_is_forgotten_is_not_made_again(streaming):
    numbers = streaming.ssc.queueStream([[1], [2], [3], [4]])
    streaming.collect(numbers)
    streaming.advance(3)
    found = numbers.slice(streaming.batch_time(1), streaming.batch_time(9))
    assert len(found) < 3
    streaming.advance()
    assert numbers.slice(streaming.batch_time(1), streaming.batch_time(1)) == []
    assert streaming.outputs[0].batches == [[1], [2], [3], [4]]


# --- written batches ----------------------------------------------------------------------------


def test_save_as_text_files(streaming, tmp_path):
    numbers = streaming.ssc.queueStream([[1, None, "x"], []])
    numbers.saveAsTextFiles(f"{tmp_path}/out", "txt")
    numbers.saveAsTextFiles(f"{tmp_path}/plain")
    streaming.advance(3)
    folders = sorted(path.name for path in tmp_path.iterdir())
    times = [1_893_456_000_000 + 1000 * batch for batch in (1, 2, 3)]
    assert folders == [f"out-{time}.txt" for time in times] + [f"plain-{time}" for time in times]
    parts = sorted((tmp_path / folders[0]).glob("part-*"))
    assert "".join(part.read_text() for part in parts) == "1\nNone\nx\n"
    assert (tmp_path / folders[-1] / "_SUCCESS").exists()


def test_a_folder_that_is_there_is_left_as_it_is(streaming, tmp_path):
    folder = tmp_path / "out-1893456001000"
    folder.mkdir()
    (folder / "part-00000").write_text("before\n")
    streaming.ssc.queueStream([["now"]]).saveAsTextFiles(f"{tmp_path}/out")
    streaming.advance()
    assert (folder / "part-00000").read_text() == "before\n"
