"""Functions on states, ``f(new, old)``, over lists of values and states: native as in Python."""

# ruff: noqa: B007, PLW3301

import random

import pytest

from tests.lowering.lowering_jobs import ANY, by_partition
from tests.lowering.test_lowering_bytecode import SEED, lowering_checks


def latest(new, old):
    if not new:
        return old
    return new[-1]


def counted(new, old):
    count = 0 if old is None else old
    return count + len(new)


def mean(new, old):
    sums, count = old or (0, 0)
    return (sums + sum(new), count + len(new))


def mean_by_items(new, old):
    if old is None:
        old = (0.0, 0)
    return (old[0] + sum(new), old[1] + len(new))


def extremes(new, old):
    if not new:
        return old
    if old is None:
        return (len(new), min(new), max(new))
    return (old[0] + len(new), min(old[1], min(new)), max(old[2], max(new)))


def unpacked(new, old):
    if not new:
        return old
    low, high = (new[0], new[0]) if old is None else old
    return (min(low, min(new)), max(high, max(new)))


def removed(new, old):
    total = (old or 0) + sum(new)
    return total if total > 0 else None


def total(new, old):
    total = old or 0
    for value in new:
        total += value
    return total


def several(new, old):
    if not new:
        return old
    count, low, high = old or (0, new[0], new[0])
    for value in new:
        count += 1
        low = min(low, value)
        high = max(high, value)
    return (count, low, high)


def largest(new, old):
    if old is None:
        return None
    for value in new:
        old = max(old, value)
    return old


def loops_to_the_last(new, old):
    for value in new:
        old = value
    return old


def loops_with_more(new, old):
    for value in new:
        int(value)
        old += value
    return old


def loops_with_a_choice(new, old):
    for value in new:
        if value:
            old += value
    return old


def uses_the_last(new, old):
    for value in new:
        old += 1
    return value


def loops_twice(new, old):
    for value in new:
        for one in value:
            old += one
    return old


def loops_over_two(new, old):
    for value in new:
        old, first = value, old
    return first


LOOPS = [
    (loops_to_the_last, "GET_ITER", "it loops"),
    (loops_with_more, "GET_ITER", "it loops"),
    (loops_with_a_choice, "GET_ITER", "it loops"),
    (loops_twice, "GET_ITER", "it loops"),
    (loops_over_two, "GET_ITER", "it loops"),
    (uses_the_last, "LOAD_FAST", "it uses the variable value, which may have no value"),
]
CALLS = [
    *([[], None], [[1, 2], None], [[1, 5, 2], 3], [[], 3], [[0.5], (1, 2, 3)], [[], (1, 2, 3)]),
    *([[1, 5, 2], (1, 2, 3)], [None, 3], ["ab", 1], [[[1], [2]], 3], [[-0.0], 0.0], [[True], 1]),
]


@pytest.mark.parametrize("function", [total, several, largest, mean, extremes, removed])
def test_an_expression_gives_what_the_function_gives(function):
    lowering_checks.check_lowered(function, [tuple(call) for call in CALLS])


@pytest.mark.parametrize(("function", "instruction", "reason"), LOOPS)
def test_loops_that_have_no_native_form(function, instruction, reason):
    lowering_checks.check_refused(function, 2, instruction, reason)


def values(kind, fields):
    """A list of none to three values, of which the first field is the number."""
    number = int(fields[0])
    if number == 0:
        return []
    if number == 1:
        return [kind(fields[1])]
    if number == 2:
        return [kind(fields[1]), kind(fields[2])]
    return [kind(fields[1]), kind(fields[2]), kind(fields[3])]


# How a state is read, and of which kinds it can be.
STATES = {
    "value": lambda kind, fields: kind(fields[4]) if fields[6] else None,
    "count": lambda kind, fields: int(fields[6]) if fields[6] else None,
    "mean": lambda kind, fields: (kind(fields[4]), int(fields[6])) if fields[6] else None,
    "pair": lambda kind, fields: (kind(fields[4]), kind(fields[5])) if fields[6] else None,
    "triple": lambda kind, fields: (
        (int(fields[6]), kind(fields[4]), kind(fields[5])) if fields[6] else None
    ),
    "list": lambda kind, fields: [kind(fields[4]), kind(fields[5])] if fields[6] else None,
}
# A function, the form of its states, and whether values can be texts.
FUNCTIONS = {
    "sum": (lambda new, old: sum(new) + (old or 0), "value", False),
    "sum behind": (lambda new, old: (old or 0) + sum(new), "value", False),
    "sum with a float": (lambda new, old: sum(new) * 0.5 + (old or 0), "value", False),
    "sum of floats": (lambda new, old: sum(new, 0.0), "value", False),
    "count": (lambda new, old: (old or 0) + len(new), "count", True),
    "counted": (counted, "count", True),
    "largest": (lambda new, old: max(new + [old]) if old is not None else old, "value", True),
    "smallest": (lambda new, old: min([old] + new) if old is not None else old, "value", True),
    "largest or default": (lambda new, old: max(new, default=old), "value", True),
    "of both": (lambda new, old: max(old, max(new)) if old and new else old, "value", True),
    "largest of all": (lambda new, old: max(new) if old is None else old, "value", True),
    "latest": (latest, "value", True),
    "first": (lambda new, old: old if old is not None else new[0], "value", True),
    "last": (lambda new, old: new[-1] if new else old, "value", True),
    "total": (total, "value", False),
    "several": (several, "triple", True),
    "largest in a loop": (largest, "value", True),
    "mean": (mean, "mean", False),
    "mean by items": (mean_by_items, "mean", False),
    "extremes": (extremes, "triple", True),
    "unpacked": (unpacked, "pair", True),
    "removed": (removed, "value", False),
    "share": (lambda new, old: len(new) / (old or 1), "count", True),
    "division": (lambda new, old: (old or 0) // len(new), "count", True),
    "list": (lambda new, old: (old or []) + new, "list", True),
    "list behind": (lambda new, old: new + old if old else new, "list", True),
    "list or nothing": (lambda new, old: (old or []) if not new else [new[0]], "list", True),
    "size of both": (lambda new, old: len((old or []) + new), "list", True),
    "pair": (lambda new, old: (old or 0, len(new)), "count", True),
}
INTS = ["0", "1", "-1", "7", "100", str(2**40)]
BIG = [*INTS, str(2**62), str(2**63 - 1), str(-(2**63))]
FLOATS = ["0.0", "-0.0", "1.5", "-2.25", "0.1", "0.2", "1e300", "-1e300", "inf", "5e-324"]
TEXTS = ["", "a", "b", "ab", "ä", "\U0001f600"]
VALUES = {"ints": (int, INTS), "big": (int, BIG), "floats": (float, FLOATS), "texts": (str, TEXTS)}


def _lines(options, numbers):
    for _ in range(200):
        fields = [str(numbers.randint(0, 3)), *numbers.choices(options, k=5)]
        yield "|".join([*fields, numbers.choice(("", "0", "1", "12"))])


@pytest.mark.parametrize("values_of", VALUES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_states(both, name, values_of):
    kind, options = VALUES[values_of]
    function, form, with_texts = FUNCTIONS[name]
    if kind is str and not with_texts:
        return
    state = STATES[form]

    def of_line(line):
        fields = line.split("|")
        return (values(kind, fields), state(kind, fields))

    def update(pair):
        return function(pair[0], pair[1])

    def gives(line):
        # One that raises would hide the others.
        try:
            update(of_line(line))
        except Exception:  # noqa: BLE001
            return False
        return True

    numbers = random.Random(f"{SEED} {name}")
    lines = list(_lines(options, numbers))
    fit = list(filter(gives, lines))
    # There ints become floats: such a state is none of the function's own.
    native = ANY if name == "mean by items" and kind is int else True
    both(fit, lambda rdd: rdd.map(of_line).map(update), by_partition, partitions=1, native=native)
    both(lines, lambda rdd: rdd.map(of_line).map(update), partitions=1, native=native)
