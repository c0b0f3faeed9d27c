"""When the functions that merge behind a shuffle capture their variables.

The expected values are those of PySpark 4.3.0, observed.
"""

import pytest

from swiftwater.testing import StreamingTest


def same(rdd):
    return rdd.map(lambda n: n)


# What is done three times with the sums of pairs, each with a number more that becomes 1, 10 and
# 100: twice in front of the shuffle, once behind it. What came out of the front is kept.
SUMS = {
    "collect": (lambda sums: sums, lambda sums: [n for _, n in sums.collect()], True),
    "values": (lambda sums: sums, lambda sums: sums.values().collect(), False),
    "made before": (lambda sums: sums.values(), lambda ns: ns.collect(), True),
    "used again": (lambda sums: sums.values(), lambda ns: same(ns).collect(), False),
    "take": (lambda sums: sums, lambda sums: [sums.take(1)[0][1]], False),
    "sum": (lambda sums: sums, lambda sums: [sums.values().sum()], False),
    "collectAsMap": (lambda sums: sums, lambda sums: [*sums.collectAsMap().values()], True),
    "union": (lambda sums: sums, lambda sums: sums.union(sums).values().collect()[:1], True),
    "cache": (lambda sums: sums, lambda sums: sums.cache().values().collect(), True),
    "reduceByKey": (lambda sums: sums.reduceByKey, lambda f: f(max).values().collect(), False),
    "groupByKey": (lambda sums: sums, lambda sums: [max(*sums.groupByKey().first()[1], 0)], False),
    "partitionBy": (lambda sums: sums, lambda sums: [sums.partitionBy(1).first()[1]], False),
}


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_what_merges_behind_a_shuffle_captures_anew(name, lowering):
    make, action, keeps = SUMS[name]
    number = 1
    with StreamingTest(settings={"swiftwater.lowering": lowering}) as test:
        pairs = test.sc.parallelize([("k", 0)] * 4, 2)
        made = make(pairs.reduceByKey(lambda a, b: a + b + number, 1))
        found = []
        for number in (1, 10, 100):  # noqa: B007 - the lambda reads it
            found += action(made)
        assert found == ([3, 3, 3] if keeps else [3, 12, 102])


@pytest.mark.parametrize("step", [1, 0.5, "text"])
def test_what_merges_behind_a_shuffle_may_become_of_another_type(sc, step):
    number = 1
    pairs = sc.parallelize([("k", 0)] * 4, 2)
    sums = pairs.reduceByKey(lambda a, b: a + b + number if number != "text" else "text", 1)
    assert sums.collect() == [("k", 3)]
    number = step
    assert sums.values().collect() == ["text" if step == "text" else 2 + step]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda sums: sums, 12),
        (lambda sums: sums.mapValues(lambda n: n), 12),
        (lambda sums: same(sums.mapValues(lambda n: n)), 12),
        (lambda sums: sums.union(sums), 3),
        (lambda sums: sums.cache(), 3),
    ],
)
def test_what_merges_behind_a_shuffle_is_captured_late(sc, make, expected):
    number = 1
    made = make(sc.parallelize([("k", 0)] * 4, 2).reduceByKey(lambda a, b: a + b + number, 1))
    number = 10
    assert made.first() == ("k", expected)


def test_a_shuffle_runs_once_whatever_is_captured_behind_it(sc):
    number, calls = 1, sc.accumulator(0)

    def first(n):
        calls.add(1)
        return n, 0

    sums = sc.parallelize([1, 1, 1], 2).map(first).reduceByKey(lambda a, b: a + b + number, 1)
    for number in (1, 2, 3):  # noqa: B007 - the lambda reads it
        sums.values().sum()
    assert calls.value == 3
