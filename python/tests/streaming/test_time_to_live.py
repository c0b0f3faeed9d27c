"""Times to live of states and windows, against plain models of them."""

import random

import pytest

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest, run_batches
from tests.streaming.test_tables import (
    BATCHES,
    INVERTED,
    KEEP,
    KEYS,
    UPDATES,
    copied,
    exact,
    folded,
    fresh,
    stream,
)


@pytest.fixture(params=["never", "always"])
def test(request):
    with StreamingTest(settings={"swiftwater.workers": request.param}) as test:
        yield test


def total(new, old):
    return sum(new) + (old or 0)


def opaque_total(new, old):
    try:
        return sum(new) + (old or 0)
    finally:
        pass


def aged(new, old):
    """Another state in each batch, also without new values."""
    return (old or 0) + (100 if new else 1)


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


# --- the models -----------------------------------------------------------------------------


def states(update, batches, time_to_live, initial=()):
    state = {key: copied(value) for key, value in initial}
    latest = dict.fromkeys(state, 1)
    for number, batch in enumerate(batches, 1):
        new = folded(lambda a, b: a + b, [(key, [value]) for key, value in batch])
        latest.update(dict.fromkeys(new, number))
        for key in [key for key in state if number - latest[key] > time_to_live]:
            del state[key]
        for key in [*state, *(key for key in new if key not in state)]:
            value = update(new.get(key, []), copied(state.get(key)))
            if value is None:
                state.pop(key, None)
            else:
                state[key] = copied(value)
        yield list(state.items())


def running(function, inverse, batches, window, slide, keep, time_to_live):
    state, latest = {}, {}
    for time in range(slide, len(batches) + 1, slide):
        for number in range(time - slide, time):
            latest.update({key: number + 1 for key, _ in batches[number]})
        for key in [*state]:
            if latest[key] <= time - window and time - latest[key] > time_to_live:
                del state[key]
        gone = batches[max(time - slide - window, 0) : max(time - window, 0)]
        for key, value in folded(function, [pair for batch in gone for pair in batch]).items():
            if key in state:
                state[key] = inverse(state[key], value)
        come = folded(function, [pair for batch in batches[time - slide : time] for pair in batch])
        folded(function, come.items(), state)
        if keep is not None:
            state = {key: value for key, value in state.items() if keep((key, value))}
        yield list(state.items())


# --- states ---------------------------------------------------------------------------------


@pytest.mark.parametrize("time_to_live", [1, 3])
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", [*UPDATES, "opaque", "aged"])
def test_states(kind, keys, time_to_live):
    chance = random.Random(f"{kind} {keys} {time_to_live}")
    own = {"opaque": (opaque_total, UPDATES["total"][1]), "aged": (aged, UPDATES["total"][1])}
    update, value = own.get(kind) or UPDATES[kind]
    batches = stream(chance, KEYS[keys], value)
    initial = []
    for key in dict.fromkeys(chance.choice(KEYS[keys]) for _ in range(chance.choice([0, 4]))):
        state = update([value(0, chance)], None)
        if state is not None:
            initial.append((key, state))
    expected = exact(states(update, batches, time_to_live, initial))
    seen = []

    def note(rdd):
        seen.append([(key, copied(state)) for key, state in rdd.collect()])

    with StreamingTest() as test:
        source = test.ssc.queueStream([list(batch) for batch in batches])
        source.updateStateByKey(update, 1, initial or None, timeToLive=time_to_live).foreachRDD(
            note
        )
        test.advance(BATCHES)
    assert exact(seen) == expected


def test_the_function_is_not_called_for_a_key_that_is_forgotten(test):
    def noted(new, old):
        return [*(old or []), len(new)]

    batches = [[("a", 1), ("b", 1)], [("b", 1)], [("b", 1)], [], [("a", 1)]]
    out = test.collect(test.ssc.queueStream(batches).updateStateByKey(noted, 1, timeToLive=1))
    test.advance(5)
    assert [dict(batch) for batch in out.batches] == [
        {"a": [1], "b": [1]},
        {"a": [1, 0], "b": [1, 1]},
        {"b": [1, 1, 1]},
        {"b": [1, 1, 1, 0]},
        {"a": [1]},
    ]


def test_a_key_with_new_values_in_the_batch_that_is_late_enough_keeps_its_state(test):
    batches = [[("a", 1)], [], [("a", 2)], [], [], [("b", 1)]]
    out = test.collect(test.ssc.queueStream(batches).updateStateByKey(total, timeToLive=1))
    test.advance(6)
    assert out.batches == [[("a", 1)], [("a", 1)], [("a", 3)], [("a", 3)], [], [("b", 1)]]


def test_batches_without_an_rdd_count(test):
    # The queue has no RDD for the batches behind its last one.
    out = test.collect(test.ssc.queueStream([[("a", 1)]]).updateStateByKey(total, timeToLive=2))
    test.advance(5)
    assert out.batches == [[("a", 1)]] * 3 + [[]] * 2


def test_a_failed_batch_forgets_what_it_would_have_forgotten(test, tmp_path):
    away = tmp_path / "away"

    def failing(new, old):
        if new and away.exists():
            raise ConnectionError("away")
        return sum(new) + (old or 0)

    batches = [[("a", 1)], [], [("b", 1)], [("a", 1)]]
    out = test.collect(test.ssc.queueStream(batches).updateStateByKey(failing, timeToLive=1))
    test.advance(2)
    away.touch()
    with pytest.raises(ConnectionError):
        test.advance()
    away.unlink()
    test.advance()
    assert sorted(out.last) == [("a", 1), ("b", 1)]


@pytest.mark.parametrize("function", [total, opaque_total])
def test_many_keys_come_and_go(test, function):
    batches = [[(f"{number}-{key}", 1) for key in range(300)] for number in range(12)]
    out = test.collect(
        test.ssc.queueStream(batches).updateStateByKey(function, 2, timeToLive=2).count()
    )
    test.advance(12)
    assert out.batches == [[300], [600]] + [[900]] * 10


# --- windows --------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", KEEP)
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", INVERTED)
def test_running_windows(kind, keys, keep):
    chance = random.Random(f"{kind} {keys} {keep}")
    function, inverse, value = INVERTED[kind]
    batches = stream(chance, KEYS[keys], value)
    lengths = [(5, 1, 1), (5, 1, 7), (6, 1, 2), (10, 2, 1), (10, 2, 13)]
    plain = [[(key, copied(value)) for key, value in batch] for batch in batches]
    with StreamingTest() as test:
        source = test.ssc.queueStream([list(batch) for batch in batches])
        found = [
            test.collect(
                source.reduceByKeyAndWindow(
                    function, inverse, window, slide, 1, KEEP[keep], timeToLive=time_to_live
                )
            )
            for window, slide, time_to_live in lengths
        ]
        test.advance(len(batches))
    for (window, slide, time_to_live), each in zip(lengths, found, strict=True):
        expected = running(fresh(function), inverse, plain, window, slide, KEEP[keep], time_to_live)
        assert exact(each.batches) == exact(expected), (window, slide, time_to_live)


def test_no_function_is_called_for_a_key_that_leaves_a_window(test):
    def inverse(a, b):
        raise AssertionError("what leaves is forgotten")

    batches = [[("a", 1)], [("b", 2)], [], [], [], [], [], []]
    out = test.collect(
        test.ssc.queueStream(batches).reduceByKeyAndWindow(add, inverse, 5, 1, 1, timeToLive=1)
    )
    test.advance(8)
    assert out.batches == [
        [("a", 1)], *[[("a", 1), ("b", 2)]] * 4, [("b", 2)], [], [],
    ]  # fmt: skip


# --- the setting ----------------------------------------------------------------------------

SET = {"swiftwater.state.timeToLive": "2s"}
FOUR = [[("a", 1)], [], [], []]
WITH_SETTING = {
    "state": (lambda s: s.updateStateByKey(total), [[("a", 1)]] * 3 + [[]]),
    "state that says 0": (lambda s: s.updateStateByKey(total, timeToLive=0), [[("a", 1)]] * 4),
    "state of its own": (
        lambda s: s.updateStateByKey(total, timeToLive=1), [[("a", 1)]] * 2 + [[]] * 2,
    ),
    "mapWithState": (
        lambda s: s.mapWithState(
            StateSpec.function(lambda key, value, state: state.update(value + 0))
        ).stateSnapshots(),
        [[("a", 1)]] * 3 + [[]],
    ),
    "mapWithState with a time-out": (
        lambda s: s.mapWithState(
            StateSpec.function(lambda key, value, state: value and state.update(value)).timeout(1)
        ).stateSnapshots(),
        [[("a", 1)]] * 2 + [[]] * 2,
    ),
    "window": (lambda s: s.reduceByKeyAndWindow(add, None, 3, 1), [[("a", 1)]] * 3 + [[]]),
}  # fmt: skip


@pytest.mark.parametrize("kind", WITH_SETTING)
def test_the_setting_counts_for_all_tables(kind):
    make, expected = WITH_SETTING[kind]
    assert run_batches(make, FOUR, settings=SET) == expected


RUNNING = {
    "reduceByKeyAndWindow": (lambda s: s.reduceByKeyAndWindow(add, subtract, 5, 1), [[]]),
    "that says 0": (
        lambda s: s.reduceByKeyAndWindow(add, subtract, 5, 1, timeToLive=0), [[("a", 0)]],
    ),
    "groupByKeyAndWindow": (lambda s: s.groupByKeyAndWindow(5, 1).mapValues(list), [[]]),
    # One record of the window as a whole is no key of the program's.
    "countByWindow": (lambda s: s.countByWindow(5, 1), [[0]]),
    "reduceByWindow": (
        lambda s: s.map(lambda pair: pair[1]).reduceByWindow(add, subtract, 5, 1), [[0]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RUNNING)
def test_the_setting_counts_for_running_windows(kind):
    make, expected = RUNNING[kind]
    assert run_batches(make, FOUR, batches=9, settings=SET)[-1:] == expected


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (-1, ValueError, "timeToLive must be at least 0.001 seconds, or 0, not -1"),
        (0.0001, ValueError, "timeToLive must be at least 0.001 seconds, or 0, not 0.0001"),
        ("1", TypeError, "timeToLive must be a number of seconds, not str: '1'"),
        (float("inf"), ValueError, "timeToLive must be a finite number of seconds, not inf"),
    ],
)
def test_what_is_refused(streaming, given, error, text):
    source = streaming.ssc.queueStream([[("a", 1)]])
    with pytest.raises(error, match=f"^{text}$"):
        source.updateStateByKey(total, timeToLive=given)
    with pytest.raises(error, match=f"^{text}$"):
        source.reduceByKeyAndWindow(add, subtract, 5, 1, timeToLive=given)


def test_a_setting_that_is_no_time_is_refused():
    with pytest.raises(ValueError, match="swiftwater.state.timeToLive: 'soon' is not a time"):
        StreamingTest(settings={"swiftwater.state.timeToLive": "soon"})
