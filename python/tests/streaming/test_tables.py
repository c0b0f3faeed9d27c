"""Windows and states against plain models of them, over streams that are made by chance."""

import os
import random

import pytest

from swiftwater.testing import StreamingTest

SEED = int(os.environ.get("TABLES_SEED", random.randrange(1 << 32)))
IS_SLOW = os.environ.get("SWIFTWATER_WORKERS") == "always"
BATCHES = 8 if IS_SLOW else 20
SETTINGS = {"plenty": {}, "short": {"swiftwater.spill.memory": "64k"}}
if IS_SLOW:
    del SETTINGS["plenty"]


@pytest.fixture(autouse=True)
def seed(request):
    print(f"TABLES_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(params=SETTINGS)
def test(request):
    with StreamingTest(batch_interval=1.0, settings=SETTINGS[request.param]) as test:
        yield test


# --- the models -----------------------------------------------------------------------------


def folded(function, pairs, result=None):
    """Each key's values combined in their order; keys as they are first seen."""
    result = {} if result is None else result
    for key, value in pairs:
        result[key] = function(result[key], value) if key in result else value
    return result


def window_batches(batches, time, window):
    return batches[max(time - window, 0) : time]


def windows(function, batches, window, slide, keep=None):
    found = []
    for time in range(slide, len(batches) + 1, slide):
        partials = [folded(function, batch) for batch in window_batches(batches, time, window)]
        result = folded(function, [pair for partial in partials for pair in partial.items()])
        found.append([pair for pair in result.items() if keep is None or keep(pair)])
    return found


def running(function, inverse, batches, window, slide, keep=None):
    if window < 5 * slide:
        return windows(function, batches, window, slide, keep)
    found = []
    state = {}
    for time in range(slide, len(batches) + 1, slide):
        gone = batches[max(time - slide - window, 0) : max(time - window, 0)]
        for key, value in folded(function, [pair for batch in gone for pair in batch]).items():
            if key in state:
                state[key] = inverse(state[key], value)
        come = folded(function, [pair for batch in batches[time - slide : time] for pair in batch])
        folded(function, come.items(), state)
        if keep is not None:
            state = {key: value for key, value in state.items() if keep((key, value))}
        found.append(list(state.items()))
    return found


def states(update, batches, initial=()):
    found = []
    state = dict(initial)
    for batch in batches:
        new = folded(lambda a, b: a + b, [(key, [value]) for key, value in batch])
        for key in [*state, *(key for key in new if key not in state)]:
            value = update(new.get(key, []), copied(state.get(key)))
            if value is None:
                state.pop(key, None)
            else:
                state[key] = copied(value)
        found.append(list(state.items()))
    return found


# --- what streams are made of ---------------------------------------------------------------

NAN = float("nan")
KEYS = {
    "texts": ["", "a", "b", "é", "a\x00b", "long " * 20],
    "integers": [0, 1, -1, 7, 2**62, -(2**63)],
    "numbers that are equal": [True, 1, 1.0, False, 0, 0.0, -0.0],
    "mixed": [None, "a", 1, 2.5, (1, "a"), ((1, (2,)), None), 10**30, frozenset([1, 2]), True],
    "floats": [0.0, -0.0, 1.5, float("inf"), -1e300],
    "tuples": [(1, "a"), (1, "b"), (2, "a"), (True, "a"), (1.0, "a")],
}


if IS_SLOW:
    KEYS = {kind: KEYS[kind] for kind in ("integers", "mixed")}
ONE_OF_EQUAL = {key: repr(key) for keys in KEYS.values() for key in keys}


def stream(chance, keys, value, count=BATCHES):
    batches = []
    for number in range(count):
        size = chance.choice([0, 0, 1, 2, 5, 5, 40 if not IS_SLOW else 8])
        batches.append([(chance.choice(keys), value(number, chance)) for _ in range(size)])
    return batches


def sums(a, b):
    return a + b


def opaque_sums(a, b):
    try:
        return a + b
    finally:
        pass


def first(a, b):
    return a


def last(a, b):
    return b


def in_place(a, b):
    a.extend(b)
    return a


def largest(a, b):
    return max(a, b)


def largest_first(a, b):
    return max(a, b, key=lambda value: value[0])


def changing(number, chance):
    kinds = [
        lambda: chance.randrange(-5, 5),
        lambda: chance.random() < 0.5,
        lambda: chance.choice([2**62, -(2**62), 2**63, 10**30]),
        lambda: chance.choice([2**62, -(2**62), 1]),
    ]
    return kinds[min(number // 5, 3)]()


def of_all_kinds(number, chance):
    """Integers, then floats, then texts, then integers beyond 64 bits, then nothing that fits."""
    kinds = [
        lambda: chance.randrange(-5, 5),
        lambda: chance.choice([0.0, -0.0, 1.5]),
        lambda: chance.choice(["", "a", "b"]),
        lambda: chance.choice([10**30, -(2**63), 2**63, 1]),
        lambda: chance.choice([None, (1,), frozenset([2]), [3], True]),
    ]
    return kinds[min(number // 4, 4)]()


def to_floats(number, chance):
    return chance.randrange(-9, 9) * (1 if number < 9 else 0.25)


REDUCED = {
    "sums": (sums, lambda number, chance: chance.randrange(-100, 100)),
    "opaque sums": (opaque_sums, lambda number, chance: chance.randrange(-100, 100)),
    "texts": (sums, lambda number, chance: chance.choice("abcdefgh")),
    "lists": (sums, lambda number, chance: [chance.randrange(9)]),
    "lists in place": (in_place, lambda number, chance: [chance.randrange(9)]),
    "first": (first, lambda number, chance: chance.choice(["x", 1, None, 2.5])),
    "last": (last, lambda number, chance: chance.choice(["x", 1, None, 2.5])),
    "last of integers": (last, lambda number, chance: chance.randrange(99)),
    "largest": (largest, lambda number, chance: chance.randrange(9)),
    "equal": (largest, lambda number, chance: chance.choice([True, 1, 1.0, 0, 0.0, -0.0])),
    "ties": (largest_first, lambda number, chance: (chance.randrange(3), chance.randrange(99))),
    "changing": (sums, changing),
    "to floats": (sums, to_floats),
    "last of all kinds": (last, of_all_kinds),
    "first of all kinds": (first, of_all_kinds),
    "builtin": (max, lambda number, chance: chance.randrange(9)),
}


def exact(batches):
    """With types: some values are equal and not the same. Of equal keys any one may stand there."""
    return [[(ONE_OF_EQUAL[key], repr(value)) for key, value in batch] for batch in batches]


LENGTHS = [(window, slide) for window in range(1, BATCHES + 1) for slide in range(1, BATCHES + 1)]


def some(chance, lengths, count):
    return chance.sample(lengths, count if not IS_SLOW else min(count, 3))


def run(test, batches, streams):
    """What streams of one source come to; they are made of it by functions."""
    source = test.ssc.queueStream([list(batch) for batch in batches])
    # A window that is shorter than its slide would leave batches in the queue.
    test.collect(source)
    found = [test.collect(make(source)) for make in streams]
    test.advance(len(batches))
    return [each.batches for each in found]


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", REDUCED)
def test_windows(test, seed, kind, keys):
    function, value = REDUCED[kind]
    batches = stream(seed, KEYS[keys], value)
    lengths = some(seed, LENGTHS, 8)
    plain = [[(key, copied(value)) for key, value in batch] for batch in batches]
    found = run(
        test,
        batches,
        [
            lambda source, w=w, s=s: source.reduceByKeyAndWindow(function, None, w, s, 1)
            for w, s in lengths
        ],
    )
    for (window, slide), each in zip(lengths, found, strict=True):
        expected = windows(fresh(function), plain, window, slide)
        assert exact(each) == exact(expected), (window, slide)


def copied(value):
    return list(value) if isinstance(value, list) else value


def fresh(function):
    """The function without what it changes of its arguments."""
    return lambda a, b: function(copied(a), copied(b))


def minus(a, b):
    return a - b


def without_first(a, b):
    return a[len(b) :]


def is_not_empty(pair):
    return bool(pair[1])


def opaque_is_not_empty(pair):
    try:
        return pair[1]
    finally:
        pass


INVERTED = {
    "sums": (sums, minus, lambda number, chance: chance.randrange(-3, 4)),
    "opaque": (opaque_sums, minus, lambda number, chance: chance.randrange(-3, 4)),
    "big": (sums, minus, lambda number, chance: chance.choice([2**62, -(2**62), 1, 10**30])),
    "texts": (sums, without_first, lambda number, chance: chance.choice(["a", "b", "cd", ""])),
    "lists": (sums, without_first, lambda number, chance: [chance.randrange(9)]),
    "in place": (in_place, without_first, lambda number, chance: [chance.randrange(9)]),
    "changing": (sums, minus, to_floats),
}
KEEP = {"all": None, "some": is_not_empty, "some, opaque": opaque_is_not_empty}


@pytest.mark.parametrize("keep", KEEP)
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", INVERTED)
def test_running_windows(test, seed, tmp_path, kind, keys, keep):
    function, inverse, value = INVERTED[kind]
    batches = stream(seed, KEYS[keys], value)
    plain = [[(key, copied(value)) for key, value in batch] for batch in batches]
    long = [(w, s) for w, s in LENGTHS if w >= 5 * s]
    lengths = some(seed, long, 6) + some(seed, LENGTHS, 2)
    test.ssc.checkpoint(str(tmp_path))
    found = run(
        test,
        batches,
        [
            lambda source, w=w, s=s: source.reduceByKeyAndWindow(
                function, inverse, w, s, 1, KEEP[keep]
            )
            for w, s in lengths
        ],
    )
    for (window, slide), each in zip(lengths, found, strict=True):
        expected = running(fresh(function), inverse, plain, window, slide, KEEP[keep])
        assert exact(each) == exact(expected), (window, slide)


def mutated(new, state):
    state = [] if state is None else state
    state.extend(new)
    return state if len(state) < 6 else None


def mutated_for_nothing(new, state):
    if state is None:
        return list(new)
    state.append("lost")
    return state[:-1] + new if len(state) < 6 else None


def total(new, state):
    return sum(new) + (state or 0)


def total_or_none(new, state):
    return (sum(new, state or 0)) or None


def count(new, state):
    return (state or 0) + len(new)


def latest(new, state):
    return new[-1] if new else state


def ages(new, state):
    age = 0 if new else (state or 0) + 1
    return age if age < 4 else None


def pairs_of(new, state):
    return (len(new) + (state[0] if state else 0), new[-1] if new else state[1] if state else None)


def numbers(number, chance):
    return chance.randrange(-3, 4)


UPDATES = {
    "total": (total, numbers),
    "total of floats": (total, lambda number, chance: chance.choice([0.0, -0.0, 0.5, -0.5])),
    "total of changing": (total, changing),
    "total or none": (total_or_none, numbers),
    "count": (count, numbers),
    "latest": (latest, numbers),
    "latest of all kinds": (latest, of_all_kinds),
    "latest of changing": (latest, changing),
    "total of what becomes floats": (total, to_floats),
    "ages": (ages, numbers),
    "pairs": (pairs_of, numbers),
    "mutated": (mutated, numbers),
    "mutated for nothing": (mutated_for_nothing, numbers),
}


@pytest.mark.parametrize("has_initial", [False, True])
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", UPDATES)
def test_states(test, seed, tmp_path, kind, keys, has_initial):
    update, value = UPDATES[kind]
    batches = stream(seed, KEYS[keys], value)
    initial = []
    if has_initial:
        first_keys = dict.fromkeys(seed.choice(KEYS[keys]) for _ in range(4))
        for key in first_keys:
            state = update([value(0, seed), value(1, seed)], None)
            if state is not None:
                initial.append((key, state))
    expected = states(update, batches, [(key, copied(value)) for key, value in initial])
    expected = exact(expected)
    test.ssc.checkpoint(str(tmp_path))
    seen = []

    def note(rdd):
        # Only what has been read then: the next batch may change it.
        seen.append([(key, copied(state)) for key, state in rdd.collect()])

    source = test.ssc.queueStream([list(batch) for batch in batches])
    source.updateStateByKey(update, 1, initial or None).foreachRDD(note)
    test.advance(BATCHES)
    assert exact(seen) == expected
