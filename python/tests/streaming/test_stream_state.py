"""State by key: who is in it, in which partition, in which order.

What is expected was recorded from PySpark 4.3.0: for each batch number the records of each
partition, in their order.
"""

import json
import random

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


def add(x, y):
    return x + y


def subtract(x, y):
    return x - y


def none_with(key):
    """No RDD in a batch that has the key."""
    return lambda rdd: None if rdd.filter(lambda kv: kv[0] == key).count() else rdd


def bounded(values, state):
    now = (state or 0) + sum(values)
    return None if now > 9 else now


def extended(values, state):
    state = state or []
    state.extend(values)
    return state


JOBS = {
    "state": lambda a: a.updateStateByKey(bounded),
    "state_n3": lambda a: a.updateStateByKey(bounded, 3),
    "state_list": lambda a: a.updateStateByKey(extended),
    "state_init_list": lambda a: a.updateStateByKey(
        bounded, initialRDD=[("z", 1), ("a", 1), ("b", 2), ("z", 7)]
    ),
    "state_init_rdd": lambda a: a.updateStateByKey(
        bounded,
        3,
        a.context().sparkContext.parallelize([("z", 1), ("a", 1), ("b", 2), ("y", 7), ("x", 1)], 4),
    ),
    "state_init_red": lambda a: a.updateStateByKey(
        bounded,
        None,
        a.context()
        .sparkContext.parallelize([("z", 1), ("a", 1), ("b", 2), ("y", 7), ("x", 1)], 4)
        .reduceByKey(max, 2),
    ),
    "state_noparent": lambda a: a.transform(none_with("d")).updateStateByKey(bounded),
    "state_noparent_init": lambda a: a.transform(none_with("b")).updateStateByKey(
        bounded, None, [("q", 1)]
    ),
    "state_window": lambda a: a.window(2, 2).updateStateByKey(bounded),
}

EXPECTED = {
    "state": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (3, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["b", 3], ["c", 3], ["d", 4]], [["a", 6], ["e", 1]]]),
        (5, [[["b", 3], ["c", 3], ["d", 4]], [["e", 1]]]),
        (6, [[["b", 3], ["c", 3], ["d", 4]], [["e", 1]]]),
    ],
    "state_n3": [
        (1, [[["b", 2]], [["a", 1], ["c", 3]], []]),
        (2, [[["b", 2]], [["a", 6], ["c", 3]], [["d", 4]]]),
        (3, [[["b", 2]], [["a", 6], ["c", 3]], [["d", 4]]]),
        (4, [[["b", 3]], [["a", 6], ["c", 3]], [["d", 4], ["e", 1]]]),
        (5, [[["b", 3]], [["c", 3]], [["d", 4], ["e", 1]]]),
        (6, [[["b", 3]], [["c", 3]], [["d", 4], ["e", 1]]]),
    ],
    "state_list": [
        (1, [[["b", [2]], ["c", [3]]], [["a", [1]]]]),
        (2, [[["b", [2]], ["c", [3]], ["d", [4]]], [["a", [1, 5]]]]),
        (3, [[["b", [2]], ["c", [3]], ["d", [4]]], [["a", [1, 5]]]]),
        (4, [[["b", [2, 1]], ["c", [3]], ["d", [4]]], [["a", [1, 5]], ["e", [1]]]]),
        (5, [[["b", [2, 1]], ["c", [3]], ["d", [4]]], [["a", [1, 5, 9]], ["e", [1]]]]),
        (6, [[["b", [2, 1]], ["c", [3]], ["d", [4]]], [["a", [1, 5, 9]], ["e", [1]]]]),
    ],
    "state_init_list": [
        (1, [[["z", 1], ["b", 4], ["c", 3]], [["a", 2]]]),
        (2, [[["z", 1], ["b", 4], ["c", 3], ["d", 4]], [["a", 7]]]),
        (3, [[["z", 1], ["b", 4], ["c", 3], ["d", 4]], [["a", 7]]]),
        (4, [[["z", 1], ["b", 5], ["c", 3], ["d", 4]], [["a", 7], ["e", 1]]]),
    ],
    "state_init_rdd": [
        (1, [[["z", 1], ["b", 4]], [["a", 2], ["x", 1], ["c", 3]], [["y", 7]]]),
        (2, [[["z", 1], ["b", 4]], [["a", 7], ["x", 1], ["c", 3]], [["y", 7], ["d", 4]]]),
        (3, [[["z", 1], ["b", 4]], [["a", 7], ["x", 1], ["c", 3]], [["y", 7], ["d", 4]]]),
        (4, [[["z", 1], ["b", 5]], [["a", 7], ["x", 1], ["c", 3]], [["y", 7], ["d", 4], ["e", 1]]]),
    ],
    "state_init_red": [
        (1, [[["z", 1], ["b", 4], ["c", 3]], [["a", 2], ["y", 7], ["x", 1]]]),
        (2, [[["z", 1], ["b", 4], ["c", 3], ["d", 4]], [["a", 7], ["y", 7], ["x", 1]]]),
        (3, [[["z", 1], ["b", 4], ["c", 3], ["d", 4]], [["a", 7], ["y", 7], ["x", 1]]]),
    ],
    "state_noparent": [
        (1, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (2, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (3, [[["b", 2], ["c", 3]], [["a", 1]]]),
        (4, [[["b", 3], ["c", 3]], [["a", 1], ["e", 1]]]),
    ],
    "state_noparent_init": [
        (2, [[["q", 1], ["d", 4]], [["a", 5]]]),
        (3, [[["q", 1], ["d", 4]], [["a", 5]]]),
        (4, [[["q", 1], ["d", 4]], [["a", 5]]]),
    ],
    "state_window": [
        (2, [[["b", 2], ["c", 3], ["d", 4]], [["a", 6]]]),
        (4, [[["b", 3], ["c", 3], ["d", 4]], [["a", 6], ["e", 1]]]),
        (6, [[["b", 3], ["c", 3], ["d", 4]], [["e", 1]]]),
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
    assert found(streaming, JOBS[name], [A], batches) == expected


# --- what the functions see ---------------------------------------------------------------------


def total(values, state):
    return sum(values) + (state or 0)


def test_every_known_key_is_asked_in_every_batch():
    got = run_batches(
        lambda s: s.updateStateByKey(lambda v, st: (sorted(v), st), 1),
        [[("a", 1), ("a", 2)], [], []],
    )
    first = ([1, 2], None)
    second = ([], first)
    assert got == [[("a", first)], [("a", second)], [("a", ([], second))]]


def test_a_key_that_is_forgotten_begins_anew():
    def until_five(values, state):
        now = sum(values) + (state or 0)
        return None if now >= 5 else now

    batches = [[("a", 2)], [("a", 3)], [], [("a", 1)], [("a", 1)]]
    expected = [[("a", 2)], [], [], [("a", 1)], [("a", 2)]]
    assert run_batches(lambda s: s.updateStateByKey(until_five), batches) == expected


def test_state_that_is_changed_in_place_does_not_change_what_was_collected():
    batches = [[("a", 1)], [("a", 2)], [("a", 3)]]
    expected = [[("a", [1])], [("a", [1, 2])], [("a", [1, 2, 3])]]
    assert run_batches(lambda s: s.updateStateByKey(extended), batches) == expected
    # Nor where another output looks at the state, or at two of them at once.
    both = run_batches(lambda s: s.updateStateByKey(extended).window(2), batches)
    assert both == [[("a", [1])], [("a", [1]), ("a", [1, 2])], [("a", [1, 2]), ("a", [1, 2, 3])]]


@pytest.mark.parametrize("seed", range(5))
def test_state_is_the_fold_of_all_batches(seed):
    chance = random.Random(seed)
    batches = [
        [(chance.choice("abcdefgh"), chance.randint(0, 9)) for _ in range(chance.randint(0, 6))]
        for _ in range(25)
    ]
    partitions = chance.randint(1, 4)
    got = run_batches(lambda s: s.updateStateByKey(total, partitions), batches)
    totals = {}
    for number, batch in enumerate(batches):
        for key, value in batch:
            totals[key] = totals.get(key, 0) + value
        assert dict(got[number]) == totals, f"seed {seed}, batch {number}"


@pytest.mark.parametrize("initial", [[], None])
def test_nothing_as_the_beginning(initial):
    got = run_batches(lambda s: s.updateStateByKey(total, initialRDD=initial), [[("a", 1)]])
    assert got == [[("a", 1)]]


def test_a_generator_as_the_beginning():
    def job(s):
        return s.updateStateByKey(total, 1, ((key, 1) for key in "ab"))

    assert run_batches(job, [[("b", 1)], []]) == [[("a", 1), ("b", 2)]] * 2


def test_two_states_of_one_stream(streaming):
    pairs = streaming.ssc.queueStream([[("a", 1)], [("a", 2)]])
    sums = streaming.collect(pairs.updateStateByKey(total))
    largest = streaming.collect(
        pairs.updateStateByKey(lambda values, state: max([*values, state or 0]))
    )
    streaming.advance(3)
    assert sums.batches == [[("a", 1)], [("a", 3)], [("a", 3)]]
    assert largest.batches == [[("a", 1)], [("a", 2)], [("a", 2)]]


def test_state_of_state(streaming):
    pairs = streaming.ssc.queueStream([[("a", 1)], [("a", 2)]])
    out = streaming.collect(pairs.updateStateByKey(total).updateStateByKey(total))
    streaming.advance(3)
    assert out.batches == [[("a", 1)], [("a", 4)], [("a", 7)]]


def test_state_goes_on_where_nobody_looks(streaming):
    # The output asks for every third batch only; the state is made in each.
    pairs = streaming.ssc.queueStream([[("a", 1)]] * 7)
    out = streaming.collect(pairs.updateStateByKey(total).window(1, 3))
    streaming.advance(7)
    assert out.batches == [[("a", 3)], [("a", 6)]]


def test_an_error_leaves_the_state_before_it(streaming):
    pairs = streaming.ssc.queueStream([[("a", 1)], [("a", "x")], [("a", 2)]])
    out = streaming.collect(pairs.updateStateByKey(total))
    streaming.advance()
    with pytest.raises(TypeError) as caught:
        streaming.advance()
    assert any("updateStateByKey at test_stream_state.py:" in n for n in caught.value.__notes__)
    assert out.batches == [[("a", 1)]]


def test_what_is_no_function_is_refused_at_once(streaming):
    with pytest.raises(TypeError, match="updateStateByKey needs a function, not int: 3"):
        streaming.ssc.queueStream([[("a", 1)]]).updateStateByKey(3)


@pytest.mark.parametrize("number", [0, -1, "2"])
def test_partition_numbers_that_make_no_sense(streaming, number):
    with pytest.raises(ValueError, match="positive number of partitions"):
        streaming.ssc.queueStream([[("a", 1)]]).updateStateByKey(total, number)


def test_a_state_that_always_fails_goes_on_without_those_batches(capfd):
    calls = []

    def total(new, before):
        if "poison" in new:
            raise ValueError("poison")
        return len(new) + (before or 0)

    def counted(new, before):
        return len(new) + (before or 0)

    def output(rdd):
        calls.append(rdd.collect())

    with StreamingTest() as test:
        lines = test.text_source()
        pairs = lines.stream.map(lambda line: ("key", line))
        found = test.collect(pairs.updateStateByKey(total))
        others = test.collect(pairs.updateStateByKey(counted))
        lines.send("fine", "fine")
        test.advance()
        lines.send("poison")
        failures = 0
        for number in range(110):
            try:
                test.advance()
            except ValueError:
                failures += 1
            lines.send(str(number))
        test.advance()
    assert failures == 101
    # The two in front of it, and those behind the hundred.
    assert found.last == [("key", 2 + 110 - 101 + 1)]
    assert others.last == [("key", 3 + 110)]
    assert "could not be computed for 100 batches" in capfd.readouterr().err


def test_a_state_that_fails_from_the_start_keeps_what_it_begins_with():
    def total(new, before):
        if "poison" in new:
            raise ValueError("poison")
        return len(new) + (before or 0)

    with StreamingTest() as test:
        lines = test.text_source()
        pairs = lines.stream.map(lambda line: ("key", line))
        initial = test.sc.parallelize([("key", 1000), ("other", 7)], 2)
        found = test.collect(pairs.updateStateByKey(total, initialRDD=initial))
        lines.send("poison")
        failures = 0
        for number in range(110):
            try:
                test.advance()
            except ValueError:
                failures += 1
            lines.send(str(number))
        test.advance()
        # It is kept no longer than it is needed.
        assert test.ssc._stateful.all_initial() == []
    assert failures == 101
    assert sorted(found.last) == [("key", 1000 + 110 - 101 + 1), ("other", 7)]


@pytest.mark.parametrize("catches", [True, False])
def test_an_error_that_an_output_has_caught_is_none(catches):
    """As in Spark, a batch fails where an output does."""
    seen = []

    def output(rdd):
        try:
            seen.append(sorted(rdd.collect()))
        except ValueError as error:
            seen.append(type(error).__name__)
            if not catches:
                raise

    with StreamingTest() as test:
        pairs = test.ssc.queueStream([[("a", 1)], [("b", 2)], [("b", 3), ("a", 5)]])
        # There are no new values for a key that is known: max() of nothing.
        pairs.updateStateByKey(lambda new, old: max(new)).foreachRDD(output)
        if catches:
            test.run_until_idle()
        else:
            with pytest.raises(ValueError, match="empty"):
                test.run_until_idle()
    assert seen[:2] == [[("a", 1)], "ValueError"]
