"""How large windows and states are, while a stream runs."""

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest


def total(new, old):
    return sum(new) + (old or 0)


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def test_keys_and_expired_keys_are_counted_by_operator():
    with StreamingTest() as test:
        pairs = test.ssc.queueStream([[("a", 1), ("b", 1)], [("c", 1)], [], [("a", 1)]])
        spec = StateSpec.function(lambda key, value, state: value and state.update(value))
        for stream in (
            pairs.updateStateByKey(total, timeToLive=1).named("totals"),
            pairs.mapWithState(spec.timeout(2)),
            pairs.reduceByKeyAndWindow(add, subtract, 5, 1),
            pairs.reduceByKeyAndWindow(add, None, 2, 1),
        ):
            test.collect(stream)
        assert [each.keys for each in test.ssc.stateOperators()] == [0] * 4
        found = []
        for _ in range(4):
            test.advance()
            found.append([(each.keys, each.expired) for each in test.ssc.stateOperators()])
        assert found == [
            [(2, 0)] * 4,
            [(3, 0)] * 4,
            [(1, 2), (3, 0), (3, 0), (1, 0)],
            [(1, 3), (2, 1), (3, 0), (1, 0)],
        ]
        operators = test.ssc.stateOperators()
        assert [(each.name, each.operator) for each in operators] == [
            ("totals", "updateStateByKey"),
            ("mapWithState-2", "mapWithState"),
            ("reduceByKeyAndWindow-3", "reduceByKeyAndWindow"),
            ("reduceByKeyAndWindow-4", "reduceByKeyAndWindow"),
        ]
        assert all(each.site.startswith("test_state_operators.py:") for each in operators)
        assert all(each.bytes > 0 for each in operators)


def test_a_batch_asks_too():
    seen = []
    with StreamingTest() as test:
        stream = test.ssc.queueStream([[("a", 1)], [("b", 1)]]).updateStateByKey(total)

        def asks(rdd):
            before = test.ssc.stateOperators()[0].keys
            seen.append((before, rdd.count(), test.ssc.stateOperators()[0].keys))

        stream.foreachRDD(asks)
        test.advance(2)
    assert seen == [(0, 1, 1), (1, 2, 2)]
