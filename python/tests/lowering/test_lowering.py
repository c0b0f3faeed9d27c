"""Functions that run natively give exactly what they give in Python.

Each job runs with the setting ``swiftwater.lowering`` on and off. Compared are the records with
their types and their order, and what is raised with its notes."""

import math
from collections import namedtuple

import pytest

from tests.lowering.lowering_jobs import (
    ANY,
    BIG,
    FIELDS,
    SOME,
    add,
    by_partition,
    collected,
    tuple_of,
)

WORDS = ["a b  c", "", " ", "B a", "c\ta", "a", "Wörter ÄÖÜ ß", "x\u00a0y\u2003z", "İI", "ﬁ A"]
NUMBERS = ["1", " 2 ", "-3", "+4", "1_000", "0007", "9223372036854775807", "-9223372036854775808"]
DECIMALS = ["0.0", "-0.0", "1e3", "inf", "-inf", "1e-400", ".5", "5.", "1_0.5", "123456789.123"]

# Lines, and a job on them that is native as a whole.
ON_LINES = {
    "lower": (WORDS, lambda rdd: rdd.map(lambda line: line.lower())),
    "upper": (WORDS, lambda rdd: rdd.map(lambda line: line.upper())),
    "strip": (WORDS, lambda rdd: rdd.map(lambda line: line.strip())),
    "strip of characters": (WORDS, lambda rdd: rdd.map(lambda line: line.strip("ac "))),
    "ends": (WORDS, lambda rdd: rdd.map(lambda line: (line.lstrip(), line.rstrip("z")))),
    "split": (WORDS, lambda rdd: rdd.flatMap(lambda line: line.split())),
    "split at a space": (WORDS, lambda rdd: rdd.flatMap(lambda line: line.split(" "))),
    "split once": (WORDS, lambda rdd: rdd.map(lambda line: line.split("a", 1))),
    "length": (WORDS, lambda rdd: rdd.map(len)),
    "slices": (WORDS, lambda rdd: rdd.map(lambda line: (line[1:], line[:-1], line[2:4]))),
    "kinds": (WORDS, lambda rdd: rdd.map(lambda s: (s.isalpha(), s.isdigit(), s.isspace()))),
    "search": (WORDS, lambda rdd: rdd.map(lambda s: (s.find("a"), s.count(" "), "b" in s))),
    "replace": (WORDS, lambda rdd: rdd.map(lambda line: line.replace("a", "äa"))),
    "affixes": (WORDS, lambda rdd: rdd.filter(lambda s: s.startswith(("a", "W")) or s > "b")),
    "join": (WORDS, lambda rdd: rdd.map(lambda line: "-".join(line.split(" ")))),
    "truth": (WORDS, lambda rdd: rdd.filter(lambda line: line).map(lambda line: not line)),
    "int": (NUMBERS, lambda rdd: rdd.map(int)),
    "arithmetic": (NUMBERS, lambda rdd: rdd.map(lambda s: int(s) * 3 - 7)),
    "division": (NUMBERS, lambda rdd: rdd.map(lambda s: (int(s) // 7, int(s) % -7, int(s) / 3))),
    "powers and bits": (NUMBERS, lambda rdd: rdd.map(lambda s: (int(s) ** 2, int(s) & 255))),
    "big": (BIG, lambda rdd: rdd.map(lambda line: int(line) + 1)),
    "bigger at the end": (["1"] * 50 + BIG, lambda rdd: rdd.map(lambda s: int(s) * 2**62)),
    "float": (DECIMALS, lambda rdd: rdd.map(float)),
    "float arithmetic": (DECIMALS, lambda rdd: rdd.map(lambda s: (-float(s), float(s) * 0.1))),
    "float compare": (DECIMALS, lambda rdd: rdd.filter(lambda s: 0.0 <= float(s) < 1000.5)),
    "float text": (DECIMALS, lambda rdd: rdd.map(lambda s: f"{float(s)} {float(s):.3f}")),
    "round": (DECIMALS[:3], lambda rdd: rdd.map(lambda s: round(float(s)))),
    "chosen": (NUMBERS, lambda rdd: rdd.map(lambda s: int(s) if len(s) < 9 else -1)),
    "optional": (WORDS, lambda rdd: rdd.map(lambda s: s or None)),
    "optional filtered": (
        WORDS,
        lambda rdd: rdd.map(lambda s: (s, len(s) if s else None)).filter(
            lambda pair: pair[1] is not None
        ),
    ),
    "none": (WORDS, lambda rdd: rdd.map(lambda s: None)),
    "tuples": (FIELDS, lambda rdd: rdd.map(tuple_of).map(lambda t: (t[1], t))),
    "nested": (FIELDS, lambda rdd: rdd.map(lambda s: ((s, (len(s), True)), (None, 1.5)))),
    "unpacking": (FIELDS, lambda rdd: rdd.map(unpacked)),
    "keys": (FIELDS, lambda rdd: rdd.map(tuple_of).mapValues(lambda n: n > 0)),
    "items of pairs": (FIELDS, lambda rdd: rdd.keyBy(len).flatMapValues(lambda s: s.split(","))),
    "no items": (
        WORDS,
        lambda rdd: rdd.flatMap(lambda s: s.split()).flatMap(lambda w: w.split("a")),
    ),
    "early return": (NUMBERS, lambda rdd: rdd.map(sign)),
}


def unpacked(line):
    name, number, rest = line.split(",")
    return f"{name}={int(number)}{rest}"


def sign(line):
    number = int(line)
    if number < 0:
        return "below"
    if number == 0:
        return "zero"
    return "above"


@pytest.mark.parametrize("action", [collected, by_partition])
@pytest.mark.parametrize("name", ON_LINES)
def test_lines(both, name, action):
    lines, job = ON_LINES[name]
    both(lines, job, action)


OBJECTS = {
    "ints": [0, 1, -1, 2**62, 2**63 - 1, -(2**63)],
    "bigger ints": [0, 1, 2**63, -1, 2**100],
    "bools": [True, False, True],
    "bools and ints": [True, 2, False, 0],
    "floats": [0.0, -0.0, 1.5, math.inf, -math.inf, 1e-320],
    "ints and floats": [1, 2.0, -0.0, 3],
    "none and ints": [1, None, 2, None],
    "texts": ["a", "ä", "", "a\0b", "\U0001f600", "long enough to be elsewhere"],
    "lone surrogates": ["a", "\udc80", "b"],
    "texts and none": ["a", None, "b"],
    "pairs": [("a", 1), ("b", 2), ("a", 3)],
    "unlike pairs": [("a", 1), ("b",), ("c", 2.0)],
    "lists": [["a", "b"], [], ["c"]],
    "unlike": ["a", 1, None, 2.0, (1,), b"b"],
    "bytes": [b"a", b""],
    "nothing": [],
}
ON_OBJECTS = {
    "itself": lambda rdd: rdd.map(lambda value: value),
    "pairs": lambda rdd: rdd.map(lambda value: (value, 1)),
    "truth": lambda rdd: rdd.filter(lambda value: value),
    "none": lambda rdd: rdd.map(lambda value: value is None),
    "text": lambda rdd: rdd.map(lambda value: str(value)),  # noqa: PLW0108
    "equal": lambda rdd: rdd.map(lambda value: value == 1),
    "sum": lambda rdd: rdd.map(lambda value: value + value),
    "twice": lambda rdd: rdd.map(lambda value: value * 2),
    "items": lambda rdd: rdd.flatMap(lambda value: [value, value]),
    "length": lambda rdd: rdd.map(len).filter(lambda number: number > 1),
}


class Number(int):
    """Looks like an int and is none."""


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize("job", ON_OBJECTS)
@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_objects(both, name, job, partitions):
    both(OBJECTS[name], ON_OBJECTS[job], by_partition, partitions=partitions, as_text=False)


@pytest.mark.parametrize("job", ON_OBJECTS)
@pytest.mark.parametrize("records", [[1, Number(2), 3], [Point(1, 2), (3, 4)], [True, Number(1)]])
def test_objects_of_classes(both, records, job):
    both(records, ON_OBJECTS[job], lambda rdd: [(type(r).__name__, r) for r in rdd.collect()])


def test_records_keep_what_they_are(both):
    """A record that only passes a filter is the same record."""
    records = [Number(1), 2, True, Point(3, 4), "a"]
    found = both(records, lambda rdd: rdd.filter(lambda r: r != 2), as_text=False)
    assert found == repr([Number(1), True, Point(3, 4), "a"])


KEYS = {
    "short texts": ["a", "b", "a", "", "c", ""],
    "long texts": ["a key of many bytes", "a key of many bytes!", "a key of many bytes"] * 2,
    "twelve and thirteen bytes": ["x" * 12, "x" * 13, "x" * 12, "x" * 12 + "y", "x" * 13],
    "not ASCII": ["ä", "a\u0308", "ä", "\U0001f600", "ä" * 20, "ä" * 20],
    "ints": [1, -1, 2**62, 1, 0, -(2**63)],
    "bigger ints": [1, 2**64, 1, 2**64, -1],
    "bools": [True, False, True, True],
    "bools and ints": [True, 1, 0, False, 2],
    "floats": [0.0, -0.0, 1.5, 1.5, math.inf, math.inf],
    "ints and floats": [1, 1.0, 2.0, 2],
    "none": [None, None, None],
    "none and texts": ["a", None, "a", None],
    "tuples": [("a", 1), ("a", 2), ("a", 1), ("b", 1)],
    "nested tuples": [(("a", True), None), (("a", False), None), (("a", True), None)],
    "unlike": ["a", 1, None, (1, "a"), "a", 1.0, (1, "a")],
}
COMBINED = {
    "sum": lambda rdd: rdd.reduceByKey(add),
    "largest": lambda rdd: rdd.reduceByKey(max),
    "first": lambda rdd: rdd.reduceByKey(lambda a, b: a),
    "last": lambda rdd: rdd.reduceByKey(lambda a, b: b),
    "in three": lambda rdd: rdd.reduceByKey(add, 3),
}


@pytest.mark.parametrize("combined", COMBINED)
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("partitions", [1, 4])
def test_keys(both, keys, combined, partitions):
    both(
        KEYS[keys] * 3,
        lambda rdd: COMBINED[combined](rdd.map(lambda key: (key, 1))),
        by_partition,
        partitions=partitions,
        as_text=False,
    )


@pytest.mark.parametrize(
    "merge",
    [
        add,
        min,
        max,
        lambda a, b: a if a > b else b,  # noqa: FURB136
        lambda a, b: b if a >= b else a,  # noqa: FURB136
        lambda a, b: a,
    ],
)
@pytest.mark.parametrize(
    "values",
    [
        [3, 1, 2, 3, 1],
        [2**62, 2**62, 1, 2**62],
        [-0.0, 0.0, -0.0],
        [0.1, 0.2, 0.3, 1e100, -1e100],
        [1.0, math.inf, -math.inf],
        [True, True, False],
        [True, 1, False],
        [1, 2.5, 1],
        ["b", "a", "ä"],
    ],
)
def test_values(both, values, merge):
    both(
        [(n % 2, value) for n, value in enumerate(values * 4)],
        lambda rdd: rdd.map(lambda pair: (pair[0], pair[1])).reduceByKey(merge),
        by_partition,
        native=SOME,
    )


def test_tuples_are_combined(both):
    both(
        [f"{n % 5},{n}" for n in range(100)],
        lambda rdd: (
            rdd.map(tuple_of)
            .mapValues(lambda n: (n, 1, n, float(n)))
            .reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1], max(a[2], b[2]), min(a[3], b[3])))
            .mapValues(lambda sums: (sums[0] / sums[1], sums[2], sums[3]))
        ),
        by_partition,
    )


@pytest.mark.parametrize("at", [0, 1, 500, 998, 999])
@pytest.mark.parametrize("value", [2**63 - 1, 2**63, -(2**63), 10**30])
def test_a_sum_leaves_sixty_four_bits(both, at, value):
    """From where it does, Python goes on: with the same keys in the same order."""
    lines = [f"k{n % 7},{n}" for n in range(1000)]
    lines[at] = f"k{at % 7},{value}"
    found = both(lines, lambda rdd: rdd.map(tuple_of).reduceByKey(add), by_partition, partitions=1)
    assert str(value)[:5] in found


def test_sums_that_come_back(both):
    """A sum that is too large in between is right in the end."""
    lines = ["a,9223372036854775807", "b,1", "a,1", "b,2", "a,-9223372036854775808", "c,1"] * 2
    both(lines, lambda rdd: rdd.map(tuple_of).reduceByKey(add), by_partition, partitions=1)


BAD = {
    "int": (["1", "2", "x", "4", "y"], lambda rdd: rdd.map(int)),
    "float": (["1", "", "2"], lambda rdd: rdd.map(float)),
    "index": (["a,b", "a", "c,d"], lambda rdd: rdd.map(lambda line: line.split(",")[1])),
    "character": (["ab", "", "c"], lambda rdd: rdd.map(lambda line: line[0])),
    "unpacking": (["a,1,x", "b,2", "c"], lambda rdd: rdd.map(unpacked)),
    "too many": (["a,1,x", "b,2,3,4"], lambda rdd: rdd.map(unpacked)),
    "division": (["1", "0", "2"], lambda rdd: rdd.map(lambda line: 10 // int(line))),
    "remainder": (["1", "0"], lambda rdd: rdd.map(lambda line: 10.0 % float(line))),
    "filter": (["1", "x"], lambda rdd: rdd.filter(lambda line: int(line) > 0)),
    "flatMap": (["1 2", "3 x"], lambda rdd: rdd.flatMap(lambda s: s.split(" ")).map(int)),
    "empty separator": (["a"], lambda rdd: rdd.map(lambda line: line.split(line[1:]))),
    "behind a filter": (
        ["1", "x", "2", "y1"],
        lambda rdd: rdd.filter(lambda line: line != "x").map(lambda line: int(line)),  # noqa: PLW0108
    ),
    "not reached": (
        ["1", "x", "2"],
        lambda rdd: rdd.map(lambda line: int(line) if line.isdigit() else 0),
    ),
    "infinity": (["1.5", "inf"], lambda rdd: rdd.map(lambda line: int(float(line)))),
    "nan": (["1.5", "nan"], lambda rdd: rdd.map(lambda line: round(float(line)))),
    "of a value": (
        ["a,1", "b,x"],
        lambda rdd: rdd.map(lambda line: (line, line[2:])).mapValues(int),
    ),
    "None": (
        ["a", "", "b"],
        lambda rdd: rdd.map(lambda line: line or None).map(lambda line: line + "x"),
    ),
    "in a key": (
        ["1", "2", "x"],
        lambda rdd: rdd.map(lambda line: (int(line), 1)).reduceByKey(add),
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("partitions", [1, 2])
def test_bad_records(both, name, partitions):
    lines, job = BAD[name]
    found = both(lines, job, partitions=partitions)
    if name != "not reached":
        kind, _, notes = found
        assert kind.endswith("Error")
        assert notes[0].startswith("in operator: ")
        assert " at test_lowering.py:" in notes[0]


UNFIT = {
    "lists as keys": lambda rdd: rdd.map(lambda s: (s.split(","), 1)).reduceByKey(add),
    "distinct lists": lambda rdd: rdd.map(lambda s: s.split(",")).distinct(),
    "no pairs": lambda rdd: rdd.map(lambda s: (s, 1, 2)).reduceByKey(add),
    "texts for pairs": lambda rdd: rdd.map(lambda s: s).reduceByKey(add),
    "a third item": lambda rdd: rdd.map(lambda s: (s, 1, 2)).mapValues(lambda n: n + 1),
    "values of texts": lambda rdd: rdd.map(lambda s: s).mapValues(lambda s: s + "!"),
    "values of one item": lambda rdd: rdd.map(lambda s: (s,)).mapValues(lambda s: s),
    "items of ints": lambda rdd: rdd.map(len).flatMap(lambda n: n),
    "items of texts": lambda rdd: rdd.flatMap(lambda s: s),
    "items of tuples": lambda rdd: rdd.flatMap(lambda s: (s, len(s))),
    "items of a value": lambda rdd: rdd.keyBy(len).flatMapValues(lambda s: s),
}


@pytest.mark.parametrize("name", UNFIT)
def test_records_that_do_not_fit_an_operator(both, name):
    both(["a,1", "b"], UNFIT[name], partitions=1, native=ANY)


@pytest.mark.parametrize("at", [0, 1, 1234, 4998, 4999])
def test_the_note_has_the_record(both, at):
    lines = [str(n) for n in range(5000)]
    lines[at] = f"bad {at}"
    kind, _, notes = both(lines, lambda rdd: rdd.map(lambda line: int(line) + 1), partitions=1)
    assert kind == "ValueError"
    assert f"record: 'bad {at}'" in notes


@pytest.mark.parametrize("every", [1, 2, 7, 1000, 4999])
def test_some_records_are_pythons(both, every):
    """A record that the native form leaves to Python has its result in its place."""
    lines = [f"{n},Ä b{n}" if n % every == 0 else f"{n},B b{n}" for n in range(5000)]
    both(lines, lambda rdd: rdd.map(lambda line: line.lower()), partitions=1)
    both(
        lines,
        lambda rdd: (
            rdd.map(lambda line: line.split(","))
            .map(lambda fields: (fields[1].lower().split()[0], int(fields[0])))
            .filter(lambda pair: pair[1] % 3 != 0)
            .reduceByKey(add)
        ),
        by_partition,
    )


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "job",
    [
        lambda rdd: rdd.map(lambda line: int(line)),  # noqa: PLW0108
        lambda rdd: rdd.filter(lambda line: int(line) >= 0),
        lambda rdd: rdd.flatMap(lambda line: [int(line), 0]),
        lambda rdd: rdd.map(lambda line: (int(line), 1)).mapValues(lambda n: n + 1),
    ],
)
def test_take_does_not_reach_later_records(both, job, number):
    found = both(["1", "2", "3", "x"], job, lambda rdd: rdd.take(number), partitions=1)
    assert isinstance(found, str)


def test_first_and_lookup(both):
    both(["1", "x"], lambda rdd: rdd.map(int), lambda rdd: rdd.first(), partitions=1)
    both([], lambda rdd: rdd.map(int), lambda rdd: rdd.first())
    both(FIELDS, lambda rdd: rdd.map(tuple_of), lambda rdd: rdd.lookup("a"))
    both(FIELDS, lambda rdd: rdd.map(tuple_of), lambda rdd: rdd.isEmpty())


def test_what_is_raised_first(both):
    """The exception of the record that comes first, also where an earlier function raises later."""
    both(
        ["1", "0", "x"],
        lambda rdd: rdd.map(lambda line: int(line)).map(lambda n: 1 // n),  # noqa: PLW0108
        partitions=1,
    )
