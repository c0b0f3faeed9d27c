"""Windows whose functions raise: for some record, or for some time."""

import random

import pytest

from swiftwater.testing import StreamingTest

BATCHES = 30
ERROR = "it raises"


def sums(a, b):
    return a + b


def opaque_sums(a, b):
    try:
        return a + b
    finally:
        pass


def extended(a, b):
    if not isinstance(a, list):
        raise TypeError(a)
    a.extend(b)
    return a


def windows(function, batches, window, slide):
    """Each window made anew, or that it cannot be made."""
    found = []
    for time in range(slide, len(batches) + 1, slide):
        result = {}
        try:
            for key, value in (pair for b in batches[max(time - window, 0) : time] for pair in b):
                own = list(value) if isinstance(value, list) else value
                result[key] = function(result[key], own) if key in result else own
            found.append(list(result.items()))
        except TypeError:
            found.append(ERROR)
    return found


def run(window, batches, before_batch=lambda number: None, settings=None):
    found = []

    def note(rdd):
        try:
            found.append(rdd.collect())
        except (TypeError, ValueError):
            found.append(ERROR)

    with StreamingTest(batch_interval=1.0, settings=settings) as test:
        source = test.ssc.queueStream([list(batch) for batch in batches])
        window(source).foreachRDD(note)
        for number in range(len(batches)):
            before_batch(number)
            test.advance()
    return found


def streams(chance, values):
    return [
        [(key, chance.choice(values)) for key in chance.sample("abc", chance.randrange(4))]
        for _ in range(BATCHES)
    ]


FUNCTIONS = {
    "integers": (sums, [1, 2, 3], "x"),
    "objects": (opaque_sums, [1, 2, 3], "x"),
    "in place": (extended, [[1], [2]], 7),
}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_record_that_cannot_be_combined_fails_the_windows_that_have_it(kind, seed):
    function, values, bad = FUNCTIONS[kind]
    chance = random.Random(f"{kind} {seed}")
    window = chance.randrange(1, 9)
    slide = chance.randrange(1, min(window, 4) + 1)
    batches = streams(chance, values)
    for _ in range(2):
        batches[chance.randrange(2, 16)].append(("d", bad))
        batches[chance.randrange(2, 16)] = [("a", bad)]
    found = run(lambda s: s.reduceByKeyAndWindow(function, None, window, slide, 1), batches)
    assert found == windows(function, batches, window, slide)


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize("seed", range(12))
def test_windows_go_on_where_a_function_no_longer_raises(seed, workers, tmp_path):
    chance = random.Random(seed)
    slide = chance.randrange(1, 3)
    is_running = seed % 2 == 1
    window = slide * chance.randrange(5, 8) if is_running else chance.randrange(slide, 8)
    batches = streams(chance, [1, 2, 3])
    begin = chance.randrange(2, 8)
    # Longer than a window, too: its batches come and go meanwhile.
    end = begin + chance.choice([1, 3, 14])
    away = tmp_path / "away"

    def checked(value):
        if away.exists():
            raise ValueError("the database is away")
        return value

    def before_batch(number):
        if number == begin:
            away.touch()
        if number == end:
            away.unlink()

    def stream(source):
        inverse = (lambda a, b: checked(a - b)) if is_running else None
        return source.reduceByKeyAndWindow(
            lambda a, b: checked(a + b), inverse, window, slide, 1
        ).filter(lambda pair: pair[1] != 0)

    found = run(stream, batches, before_batch, {"swiftwater.workers": workers})
    expected = windows(sums, batches, window, slide)
    for number, (each, right) in enumerate(zip(found, expected, strict=True)):
        last = (number + 1) * slide - 1
        if each == ERROR:
            assert begin <= last < end
        else:
            # A running window has the keys of the window before first.
            assert sorted(each) == sorted(right)


@pytest.mark.parametrize("window", [5, 8])
def test_a_running_window_goes_on_when_what_it_cannot_take_has_left(window):
    batches = [[("a", 1), ("b", 2)] for _ in range(BATCHES)]
    batches[9] = [("a", "x")]
    found = run(lambda s: s.reduceByKeyAndWindow(sums, lambda a, b: a - b, window, 1, 1), batches)
    assert found == windows(sums, batches, window, 1)
