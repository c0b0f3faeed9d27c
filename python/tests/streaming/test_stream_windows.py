"""Windows: which records, in which partition, in which order.

What is expected was recorded from PySpark 4.3.0: for each batch number the records of each
partition, in their order.
"""

import json
import random
from decimal import Decimal
from fractions import Fraction

import pytest

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

LINES = [["a b", "b"], ["c"], ["a"], [], ["b b"], [], [], [], []]


def add(x, y):
    return x + y


def subtract(x, y):
    return x - y


def none_with(key):
    """No RDD in a batch that has the key."""
    return lambda rdd: None if rdd.filter(lambda kv: kv[0] == key).count() else rdd


JOBS = {
    "rbkaw_inv_long": lambda a: a.reduceByKeyAndWindow(add, subtract, 5, 1),
    "rbkaw_inv_long_n3": lambda a: a.reduceByKeyAndWindow(add, subtract, 5, 1, 3),
    "rbkaw_inv_filter": lambda a: a.reduceByKeyAndWindow(
        add, subtract, 5, 1, None, lambda kv: kv[1] > 0
    ),
    "rbkaw_inv_short": lambda a: a.reduceByKeyAndWindow(add, subtract, 2, 1),
    "rbkaw_inv_slide2": lambda a: a.reduceByKeyAndWindow(add, subtract, 10, 2),
    "rbkaw_noinv": lambda a: a.reduceByKeyAndWindow(add, None, 3, 1),
    "rbkaw_noinv_slide2": lambda a: a.reduceByKeyAndWindow(add, None, 3, 2),
    "window_raw": lambda a: a.window(3),
    "window_slide2": lambda a: a.window(2, 2),
    "window_reduced": lambda a: a.reduceByKey(add).mapValues(lambda v: v * 10).window(2),
    "window_reduced_map": lambda a: a.reduceByKey(add).map(lambda v: v).window(2),
    "window_transform_pb": lambda a: a.transform(lambda rdd: rdd.partitionBy(3)).window(2),
    "window_cached_red": lambda a: a.reduceByKey(add).cache().filter(lambda v: True).window(2),
    "window_gap": lambda a: a.window(1, 3),
    "window_zero": lambda a: a.window(0),
    "window_of_window": lambda a: a.window(2, 2).window(4, 4),
    "window_transform_none": lambda a: a.transform(none_with("d")).window(3),
    "transform_window": lambda a: a.window(2, 2).transform(lambda rdd: rdd.distinct()),
    "count_window": lambda a: a.window(2, 2).count(),
    "countByWindow": lambda a: a.countByWindow(5, 1),
    "countByWindow_short": lambda a: a.countByWindow(2, 1),
    "reduceByWindow": lambda a: a.map(lambda kv: kv[1]).reduceByWindow(add, None, 2, 1),
    "countByValueAndWindow": lambda a: a.flatMap(str.split).countByValueAndWindow(5, 1),
    "groupByKeyAndWindow": lambda a: a.groupByKeyAndWindow(5, 1).mapValues(list),
    "groupByKeyAndWindow_short": lambda a: a.groupByKeyAndWindow(2, 1).mapValues(list),
}

EXPECTED = {
    "rbkaw_inv_long": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (3, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["b", 3], ["c", 3], ["d", 4]], [["a", 6], ["e", 1]]]),
        (5, [[["b", 3], ["c", 3], ["d", 4]], [["a", 15], ["e", 1]]]),
        (6, [[["b", 1], ["c", 0], ["d", 4]], [["a", 14], ["e", 1]]]),
        (7, [[["b", 1], ["c", 0], ["d", 0]], [["a", 9], ["e", 1], ["f", 1]]]),
        (8, [[["b", 1], ["c", 0], ["d", 0]], [["a", 9], ["e", 1], ["f", 1]]]),
        (9, [[["b", 0], ["c", 0], ["d", 0]], [["a", 9], ["e", 0], ["f", 1]]]),
        (10, [[["b", 0], ["c", 0], ["d", 0]], [["a", 0], ["e", 0], ["f", 1]]]),
    ],
    "rbkaw_inv_long_n3": [
        (1, [[["b", 2]], [["a", 1], ["c", 3]], []]),
        (2, [[["b", 2]], [["a", 6], ["c", 3]], [["d", 4]]]),
        (3, [[["b", 2]], [["a", 6], ["c", 3]], [["d", 4]]]),
        (4, [[["b", 3]], [["a", 6], ["c", 3]], [["d", 4], ["e", 1]]]),
        (5, [[["b", 3]], [["a", 15], ["c", 3]], [["d", 4], ["e", 1]]]),
        (6, [[["b", 1]], [["a", 14], ["c", 0]], [["d", 4], ["e", 1]]]),
        (7, [[["b", 1], ["f", 1]], [["a", 9], ["c", 0]], [["d", 0], ["e", 1]]]),
        (8, [[["b", 1], ["f", 1]], [["a", 9], ["c", 0]], [["d", 0], ["e", 1]]]),
        (9, [[["b", 0], ["f", 1]], [["a", 9], ["c", 0]], [["d", 0], ["e", 0]]]),
        (10, [[["b", 0], ["f", 1]], [["a", 0], ["c", 0]], [["d", 0], ["e", 0]]]),
    ],
    "rbkaw_inv_filter": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (3, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["b", 3], ["c", 3], ["d", 4]], [["a", 6], ["e", 1]]]),
        (5, [[["b", 3], ["c", 3], ["d", 4]], [["a", 15], ["e", 1]]]),
        (6, [[["b", 1], ["d", 4]], [["a", 14], ["e", 1]]]),
        (7, [[["b", 1]], [["a", 9], ["e", 1], ["f", 1]]]),
        (8, [[["b", 1]], [["a", 9], ["e", 1], ["f", 1]]]),
        (9, [[], [["a", 9], ["f", 1]]]),
        (10, [[], [["f", 1]]]),
    ],
    "rbkaw_inv_short": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (3, [[["d", 4]], [["a", 5]]]),
        (4, [[["b", 1]], [["e", 1]]]),
        (5, [[["b", 1]], [["e", 1], ["a", 9]]]),
        (6, [[], [["a", 9]]]),
    ],
    "rbkaw_inv_slide2": [
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["b", 3], ["c", 3], ["d", 4]], [["a", 6], ["e", 1]]]),
        (6, [[["b", 3], ["c", 3], ["d", 4]], [["a", 15], ["e", 1]]]),
        (8, [[["b", 3], ["c", 3], ["d", 4]], [["a", 15], ["e", 1], ["f", 1]]]),
        (10, [[["b", 3], ["c", 3], ["d", 4]], [["a", 15], ["e", 1], ["f", 1]]]),
    ],
    "rbkaw_noinv": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (3, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["d", 4], ["b", 1]], [["a", 5], ["e", 1]]]),
        (5, [[["b", 1]], [["e", 1], ["a", 9]]]),
        (6, [[["b", 1]], [["e", 1], ["a", 9]]]),
    ],
    "rbkaw_noinv_slide2": [
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["d", 4], ["b", 1]], [["a", 5], ["e", 1]]]),
        (6, [[["b", 1]], [["e", 1], ["a", 9]]]),
    ],
    "window_raw": [
        (1, [[["a", 1]], [["b", 2], ["c", 3]]]),
        (2, [[["a", 1]], [["b", 2], ["c", 3]], [["d", 4]], [["a", 5]]]),
        (3, [[["a", 1]], [["b", 2], ["c", 3]], [["d", 4]], [["a", 5]], [], []]),
        (4, [[["d", 4]], [["a", 5]], [], [], [["e", 1]], [["b", 1]]]),
        (5, [[], [], [["e", 1]], [["b", 1]], [], [["a", 9]]]),
        (6, [[["e", 1]], [["b", 1]], [], [["a", 9]], [], []]),
    ],
    "window_slide2": [
        (2, [[["a", 1]], [["b", 2], ["c", 3]], [["d", 4]], [["a", 5]]]),
        (4, [[], [], [["e", 1]], [["b", 1]]]),
        (6, [[], [["a", 9]], [], []]),
    ],
    "window_reduced": [
        (1, [[["b", 20], ["c", 30]], [["a", 10]]]),
        (2, [[["b", 20], ["c", 30], ["d", 40]], [["a", 10], ["a", 50]]]),
        (3, [[["d", 40]], [["a", 50]]]),
        (4, [[["b", 10]], [["e", 10]]]),
    ],
    "window_reduced_map": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3]], [["a", 1]], [["d", 4]], [["a", 5]]]),
        (3, [[["d", 4]], [["a", 5]], [], []]),
        (4, [[], [], [["b", 1]], [["e", 1]]]),
    ],
    "window_transform_pb": [
        (1, [[["b", 2]], [["a", 1], ["c", 3]], []]),
        (2, [[["b", 2]], [["a", 1], ["c", 3], ["a", 5]], [["d", 4]]]),
        (3, [[], [["a", 5]], [["d", 4]]]),
        (4, [[["b", 1]], [], [["e", 1]]]),
    ],
    "window_cached_red": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 1], ["a", 5]]]),
        (3, [[["d", 4]], [["a", 5]]]),
        (4, [[["b", 1]], [["e", 1]]]),
    ],
    "window_gap": [
        (3, [[], []]),
        (6, [[], []]),
    ],
    "window_zero": [
        (1, []),
        (2, []),
    ],
    "window_of_window": [
        (
            4,
            [
                [["a", 1]],
                [["b", 2], ["c", 3]],
                [["d", 4]],
                [["a", 5]],
                [],
                [],
                [["e", 1]],
                [["b", 1]],
            ],
        ),
        (8, [[], [["a", 9]], [], [], [], [["f", 1]], [], []]),
    ],
    "window_transform_none": [
        (1, [[["a", 1]], [["b", 2], ["c", 3]]]),
        (2, [[["a", 1]], [["b", 2], ["c", 3]]]),
        (3, [[["a", 1]], [["b", 2], ["c", 3]], [], []]),
        (4, [[], [], [["e", 1]], [["b", 1]]]),
        (5, [[], [], [["e", 1]], [["b", 1]], [], [["a", 9]]]),
    ],
    "transform_window": [
        (2, [[], [["c", 3]], [["a", 1], ["b", 2], ["d", 4], ["a", 5]], []]),
        (4, [[["e", 1]], [], [], [["b", 1]]]),
    ],
    "count_window": [
        (2, [[5]]),
        (4, [[2]]),
    ],
    "countByWindow": [
        (1, [[3]]),
        (2, [[5]]),
        (3, [[5]]),
        (4, [[7]]),
        (5, [[8]]),
        (6, [[5]]),
        (7, [[4]]),
        (8, [[4]]),
        (9, [[2]]),
    ],
    "countByWindow_short": [
        (1, [[3]]),
        (2, [[5]]),
        (3, [[2]]),
        (4, [[2]]),
        (5, [[3]]),
        (6, [[1]]),
    ],
    "reduceByWindow": [
        (1, [[6]]),
        (2, [[15]]),
        (3, [[9]]),
        (4, [[2]]),
        (5, [[11]]),
        (6, [[9]]),
        (7, [[1]]),
        (8, [[1]]),
        (9, [[]]),
    ],
    "countByValueAndWindow": [
        (1, [[["b", 2]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 1]], [["a", 1]]]),
        (3, [[["b", 2], ["c", 1]], [["a", 2]]]),
        (4, [[["b", 2], ["c", 1]], [["a", 2]]]),
        (5, [[["b", 4], ["c", 1]], [["a", 2]]]),
        (6, [[["b", 2], ["c", 1]], [["a", 1]]]),
        (7, [[["b", 2]], [["a", 1]]]),
        (8, [[["b", 2]], []]),
        (9, [[["b", 2]], []]),
    ],
    "groupByKeyAndWindow": [
        (1, [[["b", [2]], ["c", [3]]], [["a", [1]]]]),
        (2, [[["b", [2]], ["c", [3]], ["d", [4]]], [["a", [1, 5]]]]),
        (3, [[["b", [2]], ["c", [3]], ["d", [4]]], [["a", [1, 5]]]]),
        (4, [[["b", [2, 1]], ["c", [3]], ["d", [4]]], [["a", [1, 5]], ["e", [1]]]]),
        (5, [[["b", [2, 1]], ["c", [3]], ["d", [4]]], [["a", [1, 5, 9]], ["e", [1]]]]),
        (6, [[["b", [1]], ["c", []], ["d", [4]]], [["a", [5, 9]], ["e", [1]]]]),
        (7, [[["b", [1]], ["c", []], ["d", []]], [["a", [9]], ["e", [1]], ["f", [1]]]]),
        (8, [[["b", [1]], ["c", []], ["d", []]], [["a", [9]], ["e", [1]], ["f", [1]]]]),
        (9, [[["b", []], ["c", []], ["d", []]], [["a", [9]], ["e", []], ["f", [1]]]]),
    ],
    "groupByKeyAndWindow_short": [
        (1, [[["b", [2]], ["c", [3]]], [["a", [1]]]]),
        (2, [[["b", [2]], ["c", [3]], ["d", [4]]], [["a", [1, 5]]]]),
        (3, [[["d", [4]]], [["a", [5]]]]),
        (4, [[["b", [1]]], [["e", [1]]]]),
        (5, [[["b", [1]]], [["e", [1]], ["a", [9]]]]),
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
    batches = expected[-1][0] if expected else 1
    assert (
        found(streaming, JOBS[name], [LINES] if name == "countByValueAndWindow" else [A], batches)
        == expected
    )


# --- against the plain definition ---------------------------------------------------------------


def made_up(seed, batches):
    chance = random.Random(seed)
    return [
        [(chance.choice("abcd"), chance.randint(1, 9)) for _ in range(chance.randint(0, 5))]
        for _ in range(batches)
    ]


def window_of(batches, number, width):
    return [record for batch in batches[max(number - width, 0) : number] for record in batch]


def sums(records):
    totals = {}
    for key, value in records:
        totals[key] = totals.get(key, 0) + value
    return totals


@pytest.mark.parametrize("seed", range(8))
def test_windows_are_what_they_say(seed):
    chance = random.Random(seed)
    width, slide = chance.randint(1, 9), chance.randint(1, 3)
    batches = made_up(seed, 20)
    about = f"seed {seed}: a window of {width} every {slide}"
    with StreamingTest() as test:
        records = test.ssc.queueStream(batches)
        plain = test.collect(records.window(width, slide))
        anew = test.collect(records.reduceByKeyAndWindow(add, None, width, slide))
        from_before = test.collect(records.reduceByKeyAndWindow(add, subtract, width, slide))
        kept = test.collect(
            records.reduceByKeyAndWindow(
                add, subtract, width, slide, filterFunc=lambda pair: pair[1] > 0
            )
        )
        counted = test.collect(records.countByWindow(width, slide))
        grouped = test.collect(records.groupByKeyAndWindow(width, slide).mapValues(list))
        test.advance(24)
    times = list(range(slide, 25, slide))
    windows = [window_of(batches, time, width) for time in times]
    assert plain.times == times, about
    assert [sorted(batch) for batch in plain.batches] == [sorted(each) for each in windows], about
    expected = [sums(each) for each in windows]
    assert [dict(batch) for batch in anew.batches] == expected, about
    assert [dict(batch) for batch in kept.batches] == expected, about
    for batch, each in zip(from_before.batches, expected, strict=True):
        # Keys that have left stay with 0 where the window is made from the one before.
        assert {key: value for key, value in batch if value} == each, about
    assert [sum(batch) for batch in counted.batches] == [len(each) for each in windows], about
    for batch, each in zip(grouped.batches, windows, strict=True):
        lists = {key: values for key, values in batch if values}
        assert lists == {key: [v for k, v in each if k == key] for key in sums(each)}, about


def test_a_source_that_only_a_slower_window_asks_for():
    expected = [[1, 2], [3, 4], [5]]
    assert run_batches(lambda s: s.window(2, 2), [[1], [2], [3], [4], [5]], batches=6) == expected


def test_a_window_over_lines():
    with StreamingTest() as test:
        lines = test.text_source()
        out = test.collect(lines.stream.window(3))
        for line in "abcd":
            lines.send(line)
            test.advance()
        test.advance(3)
    assert out.batches == [
        ["a"],
        ["a", "b"],
        ["a", "b", "c"],
        ["b", "c", "d"],
        ["c", "d"],
        ["d"],
        [],
    ]


def test_a_function_that_changes_its_arguments_does_not_change_the_window():
    def extended(a, b):
        a.extend(b)
        return a

    lists = [[("k", [1])], [("k", [2])], [("k", [3])], [("k", [4])], [], []]
    expected = [[("k", list(range(max(n - 2, 1), min(n, 4) + 1)))] for n in range(1, 7)]
    for inverse, width in ((None, 3), (lambda a, b: a[len(b) :], 3)):
        got = run_batches(
            lambda s, inverse=inverse, width=width: s.reduceByKeyAndWindow(
                extended, inverse, width, 1
            ),
            lists,
        )
        assert got == expected


def test_an_error_in_a_window_names_the_operator(streaming):
    records = streaming.ssc.queueStream([[("a", 1)], [("a", "x")]])
    streaming.collect(records.reduceByKeyAndWindow(add, subtract, 2, 1))
    streaming.advance()
    with pytest.raises(TypeError) as caught:
        streaming.advance()
    assert any(
        "reduceByKeyAndWindow at test_stream_windows.py:" in n for n in caught.value.__notes__
    )


@pytest.mark.parametrize(
    ("window", "slide", "text"),
    [
        (
            0.7,
            None,
            "windowDuration must be multiple of the parent dstream's slide (batch) duration",
        ),
        (1, 0.7, "slideDuration must be multiple of the parent dstream's slide (batch) duration"),
        (-1, None, "windowDuration is negative: -1"),
        (1, 0, "slideDuration must be longer than 0 seconds, not 0"),
        (1, -1, "slideDuration must be longer than 0 seconds, not -1"),
    ],
)
def test_durations_that_make_no_sense(window, slide, text):
    with StreamingTest(0.5) as test:
        stream = test.ssc.queueStream([[("a", 1)]])
        for call in (
            lambda: stream.window(window, slide),
            # Durations are looked at before the functions.
            lambda: stream.reduceByKeyAndWindow(None, None, window, slide),
        ):
            with pytest.raises(ValueError, match="Duration") as caught:
                call()
            expected = f"{text} (500 ms)" if "multiple" in text else text
            assert str(caught.value) == expected


@pytest.mark.parametrize(("window", "slide"), [(1.0, None), (1.5, 0.5), (1, 1), (2, 1.5)])
def test_durations_are_seconds(window, slide):
    with StreamingTest(0.5) as test:
        stream = test.ssc.queueStream([[1]]).window(window, slide)
        assert stream._slideDuration == (slide or 0.5)


@pytest.mark.parametrize("number", [Fraction(3, 2), Decimal("1.5"), 1.5])
def test_any_number_of_seconds_will_do(number):
    with StreamingTest(0.5) as test:
        out = test.collect(test.ssc.queueStream([[1], [2], [3], [4]]).window(number, number))
        test.advance(2)
        assert out.batches == [[1, 2, 3]]


@pytest.mark.parametrize(
    "call",
    [
        lambda s, given: s.window(given),
        lambda s, given: s.window(2, given),
        lambda s, given: s.reduceByKeyAndWindow(add, None, given),
        lambda s, given: s.reduceByWindow(add, None, 2, given),
        lambda s, given: s.groupByKeyAndWindow(given, 1),
        lambda s, given: s.countByWindow(given, 1),
        lambda s, given: s.checkpoint(given),
        lambda s, given: s.slice(given, 1),
        lambda s, given: s.context().remember(given),
    ],
)
@pytest.mark.parametrize(
    ("given", "kind"),
    [("4 seconds", "str: '4 seconds'"), ([4], r"list: \[4\]"), (True, "bool: True")],
)
def test_what_is_no_number_of_seconds(streaming, call, given, kind):
    with pytest.raises(TypeError, match=rf"must be a number of seconds, not {kind}$"):
        call(streaming.ssc.queueStream([[("a", 1)]]), given)


@pytest.mark.parametrize("given", [float("inf"), float("nan"), float("-inf")])
def test_a_duration_has_an_end(streaming, given):
    with pytest.raises(ValueError, match="windowDuration must be a finite number of seconds, not"):
        streaming.ssc.queueStream([[1]]).window(given)


def test_windows_of_windows_check_the_slide_of_their_parent():
    with StreamingTest(0.5) as test:
        slow = test.ssc.queueStream([[1]]).window(2, 2)
        with pytest.raises(ValueError, match=r"\(2000 ms\)$"):
            slow.window(3)
        with pytest.raises(ValueError, match="^the two DStream should have same slide duration$"):
            slow.union(test.ssc.queueStream([[1]]))
        with pytest.raises(ValueError, match="^All DStreams should have same slide duration$"):
            test.ssc.union(slow, test.ssc.queueStream([[1]]))


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.reduceByKeyAndWindow(3, None, 1),
        lambda s: s.reduceByKeyAndWindow(add, 3, 5),
        lambda s: s.reduceByKeyAndWindow(add, subtract, 1, filterFunc=3),
        lambda s: s.reduceByWindow(3, None, 1, 1),
    ],
)
def test_what_is_no_function_is_refused_at_once(streaming, call):
    with pytest.raises(TypeError, match="needs a function, not int: 3"):
        call(streaming.ssc.queueStream([[("a", 1)]]))


@pytest.mark.parametrize("batch", [1, 2])
def test_a_window_written_as_in_scala_runs_as_in_pyspark(batch, capfd):
    """The second argument is the inverse: the window is the third one."""
    window = 4 * batch
    with StreamingTest(batch) as test:
        stream = test.ssc.queueStream([[("a", 1)], [("a", 2)], [], [("b", 3)], [("a", 4)], []])
        out = test.collect(stream.reduceByKeyAndWindow(add, 10, window, numPartitions=1))
        said = capfd.readouterr().err
        assert f"has 10 for its inverse function and a window of {window} s; its arguments" in said
        test.advance(9 * batch)
    assert out.batches == [
        [("a", 1)],
        [("a", 3)],
        [("a", 3)],
        [("a", 3), ("b", 3)],
        [("a", 6), ("b", 3)],
        [("b", 3), ("a", 4)],
        [("b", 3), ("a", 4)],
        [("a", 4)],
        [],
    ]
