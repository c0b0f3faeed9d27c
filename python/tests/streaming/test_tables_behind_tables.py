"""Windows and states behind each other: what stands on a batch that failed gets it later."""

import random

import pytest

from swiftwater.streaming import StateSpec
from swiftwater.testing import StreamingTest

BATCHES = 24
ERROR = "it raises"


def sums(a, b):
    return a + b


def minus(a, b):
    return a - b


def total(new, old):
    return sum(new) + (old or 0)


def mapped(key, value, state):
    state.update((state.getOption() or 0) + value)
    return key, state.get()


class Checks:
    """Functions that raise while a file is there: in the driver and in worker processes."""

    def __init__(self, away):
        self.away = away

    def value(self, value):
        if self.away.exists():
            raise ValueError("the database is away")
        return value

    def sums(self, a, b):
        return self.value(a + b)

    def minus(self, a, b):
        return self.value(a - b)

    def total(self, new, old):
        return self.value(sum(new) + (old or 0))

    def mapped(self, key, value, state):
        self.value(None)
        return mapped(key, value, state)


# What fails, and what stands on it.
FIRST = {
    "window": lambda s, c: s.reduceByKeyAndWindow(c.sums, None, 3, 1, 1),
    "window of two slides": lambda s, c: s.reduceByKeyAndWindow(c.sums, None, 4, 2, 1),
    "running": lambda s, c: s.reduceByKeyAndWindow(c.sums, c.minus, 5, 1, 1),
    "state": lambda s, c: s.updateStateByKey(c.total, 1),
    "reduced": lambda s, c: s.reduceByKey(c.sums, 1),
}
SECOND = {
    "state": lambda s: s.updateStateByKey(total, 1),
    "window": lambda s: s.reduceByKeyAndWindow(sums, None, 4, None, 1),
    "running": lambda s: s.reduceByKeyAndWindow(sums, minus, 10, None, 1),
    "plain window": lambda s: s.window(4),
}


def run(define, batches, before_batch, settings=None, folder=None):
    """What each stream has given, batch by batch, or that it raised; in the order of definition."""
    found = []

    def noted(results):
        def note(rdd):
            try:
                results.append(sorted(rdd.collect()))
            except ValueError:
                results.append(ERROR)

        return note

    with StreamingTest(batch_interval=1.0, settings=settings) as test:
        if folder is not None:
            test.ssc.checkpoint(str(folder))
        for stream in define(test.ssc.queueStream([list(batch) for batch in batches])):
            found.append([])
            stream.foreachRDD(noted(found[-1]))
        for number in range(len(batches)):
            before_batch(number)
            try:
                test.advance()
            except ValueError:
                # No output has asked for it.
                assert before_batch(number)
    return found


def made_up(chance, is_single):
    if is_single:
        return [[("a", n), ("b", 1)] for n in range(BATCHES)]
    return [
        [(chance.choice("abc"), chance.randrange(9)) for _ in range(chance.choice([0, 1, 4]))]
        for _ in range(BATCHES)
    ]


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", FIRST)
def test_what_stands_on_a_failed_batch_gets_it_later(first, second, workers, tmp_path):
    for seed in range(6):
        chance = random.Random(f"{first} {second} {seed}")
        batches = made_up(chance, seed % 2 == 0)
        folder = tmp_path / str(seed) if chance.random() < 0.5 else None
        is_reversed = seed % 3 == 2
        begin = chance.randrange(2, 9)
        # A window without an inverse goes on without what has left it meanwhile.
        end = begin + chance.choice([1, 2] if first.startswith("window") else [1, 2, 5])
        checks = Checks(tmp_path / "away")

        def define(source, checks=checks, is_reversed=is_reversed):
            made = FIRST[first](source, checks)
            streams = [made, SECOND[second](made)]
            return streams[::-1] if is_reversed else streams

        def goes_away(number, checks=checks, begin=begin, end=end):
            if number == begin:
                checks.away.touch()
            if number == end:
                checks.away.unlink()
            return begin <= number < end

        settings = {"swiftwater.workers": workers}
        expected = run(define, batches, lambda number: False)
        found = run(define, batches, goes_away, settings, folder)
        for each, right in zip(found, expected, strict=True):
            slide = BATCHES // len(right)
            for number, (one, other) in enumerate(zip(each, right, strict=True)):
                if one == ERROR:
                    assert begin <= (number + 1) * slide - 1 < end
                else:
                    assert one == other, f"seed {seed}, batch {number}"


@pytest.mark.parametrize("second", SECOND)
def test_records_of_states_that_failed_are_in_a_later_batch_once(second, tmp_path):
    batches = [[("a", 1), ("b", number)] for number in range(BATCHES)]
    checks = Checks(tmp_path / "away")

    def define(source):
        records = source.mapWithState(StateSpec.function(checks.mapped).numPartitions(1))
        return [records, SECOND[second](records)]

    def goes_away(number):
        if number == 5:
            checks.away.touch()
        if number == 8:
            checks.away.unlink()
        return 5 <= number < 8

    found = run(define, batches, goes_away)
    expected = run(define, batches, lambda number: False)
    assert found[0][5:8] == [ERROR] * 3
    assert found[0][8] == sorted(record for batch in expected[0][5:9] for record in batch)
    assert found[0][9:] == expected[0][9:]
    if second == "state":
        assert found[1][8:] == expected[1][8:]
    assert found[1][18:] == expected[1][18:]
    assert ERROR not in found[1][8:]


@pytest.mark.parametrize("first", ["window", "running", "state"])
def test_what_stands_on_a_batch_that_could_not_be_planned_gets_it(first):
    batches = [[("a", 1), ("b", number)] for number in range(BATCHES)]
    checks = Checks(type("never", (), {"exists": lambda self: False})())

    def define(failing):
        def checked(time, rdd):
            if time.second in failing:
                raise ValueError("not planned")
            return rdd

        def streams(source):
            made = FIRST[first](source, checks)
            return [made, SECOND["state"](made), source.transform(checked)]

        return streams

    found = run(define([5, 6]), batches, lambda number: number in (4, 5))
    expected = run(define([]), batches, lambda number: False)
    for each, right in zip(found, expected, strict=True):
        assert each == right[:4] + right[6:]


def test_a_window_goes_on_where_what_stands_on_it_waits_for_a_record_that_it_cannot_take():
    batches = [[("a", 1), ("b", 2)] for _ in range(BATCHES)]
    batches[6] = [("a", "x")]

    def define(source):
        made = source.map(lambda pair: (pair[0], pair[1] + 0)).reduceByKeyAndWindow(
            sums, None, 3, 1, 1
        )
        return [made, SECOND["state"](made)]

    found = []
    with StreamingTest(batch_interval=1.0) as test:
        made, state = define(test.ssc.queueStream(batches))
        for stream in (made, state):
            stream.foreachRDD(noting(found))
        test.advance(BATCHES)
    windows, states = found[::2], found[1::2]
    assert windows[6:9] == [ERROR] * 3
    assert windows[9:] == [[("a", 3), ("b", 6)]] * (BATCHES - 9)
    # The state has not had these windows, and waits for them.
    assert states[6:] == [ERROR] * (BATCHES - 6)


def noting(found):
    def note(rdd):
        try:
            found.append(sorted(rdd.collect()))
        except TypeError:
            found.append(ERROR)

    return note


def test_a_state_that_goes_on_without_batches_lets_what_stands_on_it_go_on(tmp_path):
    """After a hundred batches in a row that it could not take in."""
    batches = [[("a", 1)] for _ in range(120)]
    batches[3] = [("a", "x")]

    def define(source):
        made = source.updateStateByKey(total, 1)
        return [made, made.reduceByKeyAndWindow(max, None, 2, 1, 1)]

    found = []
    with StreamingTest(batch_interval=1.0) as test:
        for stream in define(test.ssc.queueStream(batches)):
            stream.foreachRDD(noting(found))
        test.advance(len(batches))
    states, windows = found[::2], found[1::2]
    assert states[3:103] == [ERROR] * 100
    assert states[105] == windows[105] != ERROR
    assert windows[-1] == states[-1]
