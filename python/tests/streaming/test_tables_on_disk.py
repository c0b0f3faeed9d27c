"""Tables of states and windows that do not fit in memory, and disks that are full."""

import contextlib
import random
import resource

import pytest

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest

# Any process is larger than this: all that is kept goes to disk.
NOTHING_FITS = "1m"
KEYS = 40_000


def opaque(new, old):
    try:
        return (old or 0) + sum(new)
    finally:
        pass


def described(new, old):
    last = old["last"] if old else None
    return {"last": new[-1] if new else last, "seen": (old["seen"] if old else 0) + len(new)}


def leaving(new, old):
    try:
        total = (old or 0) + sum(new)
        return None if total % 3 == 0 else total
    finally:
        pass


def growing(new, old):
    # Numbers, until one of them is a text.
    try:
        total = (old or 0) + sum(new) if not isinstance(old, str) else old
        return str(total) if total == 77 else total
    finally:
        pass


def mapped(key, value, state):
    state.update((state.getOption() or ()) + (value,))
    return key, len(state.get())


def total(a, b):
    return a + b


def lost(a, b):
    return a - b


STREAMS = {
    "opaque": lambda pairs: pairs.updateStateByKey(opaque),
    "described": lambda pairs: pairs.updateStateByKey(described),
    "leaving": lambda pairs: pairs.updateStateByKey(leaving),
    "growing": lambda pairs: pairs.updateStateByKey(growing),
    "lists": lambda pairs: pairs.updateStateByKey(lambda new, old: (old or []) + new),
    "mapWithState": lambda pairs: pairs.mapWithState(StateSpec.function(mapped)).stateSnapshots(),
    "window": lambda pairs: pairs.reduceByKeyAndWindow(total, None, 3, 1),
    "running window": lambda pairs: pairs.reduceByKeyAndWindow(total, lost, 3, 1),
    "groups": lambda pairs: pairs.groupByKeyAndWindow(2, 1).mapValues(list),
}


def batches(chance):
    first = [(f"a key that has more letters than fit beside it, {n}", n % 100) for n in range(KEYS)]
    touched = [chance.sample(first, 500) for _ in range(4)]
    new = [[(f"{number} {n}", n) for n in range(200)] for number in range(4)]
    return [first, *(a + b for a, b in zip(touched, new, strict=True))]


def run(stream, batches, memory):
    found = []
    with StreamingTest(settings={"swiftwater.spill.memory": memory}) as test:
        pairs = test.ssc.queueStream([test.sc.parallelize(batch, 2) for batch in batches])
        stream(pairs).foreachRDD(lambda rdd: found.append(rdd.collect()))
        for _ in batches:
            test.advance()
    return found


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_on_disk_is_what_would_be_in_memory(name):
    seed = random.randrange(2**32)
    print("seed", seed)
    given = batches(random.Random(seed))
    assert run(STREAMS[name], given, NOTHING_FITS) == run(STREAMS[name], given, "1000g")


@pytest.mark.parametrize("name", ["opaque", "described", "leaving", "lists"])
def test_batches_that_touch_most_keys_of_a_table_on_disk(name):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    keys = [f"a key that has more letters than fit beside it, {n}" for n in range(6000)]
    given = [
        [(key, chance.randrange(100)) for key in chance.sample(keys, count)]
        for count in (3000, 6000, 5999, 1, 4500)
    ]
    assert run(STREAMS[name], given, NOTHING_FITS) == run(STREAMS[name], given, "1000g")


@contextlib.contextmanager
def files_no_longer_than(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", STREAMS)
def test_a_disk_that_is_full_loses_nothing(name, monkeypatch):
    # The memory that is shared with a worker is a file that grows too.
    monkeypatch.setenv("SWIFTWATER_WORKERS", "never")
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    given = batches(chance)
    expected = run(STREAMS[name], given, "1000g")
    found = []
    errors = []
    calls = []

    def note(rdd):
        calls.append(len(calls))
        try:
            found.append(rdd.collect())
        except OSError as error:
            errors.append(str(error))
            found.append(None)

    with StreamingTest(settings={"swiftwater.spill.memory": NOTHING_FITS}) as test:
        pairs = test.ssc.queueStream([test.sc.parallelize(batch, 2) for batch in given])
        STREAMS[name](pairs).foreachRDD(note)
        for number in range(len(given)):
            # The table of the first batch is larger than some of these.
            room = chance.choice([1 << 16, 1 << 20, 3 << 20]) if number % 2 == 0 else 1 << 40
            with files_no_longer_than(room):
                test.advance()
    assert len(calls) == len(given)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours is None or sorted(ours, key=repr) == sorted(theirs, key=repr)
    assert found[-2] is not None
    for error in errors:
        assert "disk" in error
        # What can be done about it.
        assert "spark.local.dir" in error


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("update", [described, lambda new, old: new[-1] if new else old])
def test_the_process_grows_no_further_than_it_may(update):
    before = resident()
    room = 30 << 20
    texts = "x" * 4000
    views = []
    with StreamingTest(settings={"swiftwater.spill.memory": str(before + room)}) as test:
        source = test.text_source()
        pairs = source.stream.map(lambda line: (line, line + texts))
        pairs.updateStateByKey(update).foreachRDD(lambda rdd: views.append(rdd.take(1)))
        for start in range(0, KEYS, 4000):
            source.send(*(f"key {number}" for number in range(start, start + 4000)))
            test.advance()
            # In memory the values alone are 160 MB.
            assert resident() - before < room + (60 << 20)
    assert len(views) == KEYS // 4000
    assert all(len(view) == 1 for view in views)
