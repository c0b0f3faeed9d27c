"""Functions that run natively give exactly what they give in Python.

Each job runs with the setting ``swiftwater.lowering`` on and off. Compared are the records with
their types and their order, and what is raised with its notes.
"""

import json
import math
from collections import namedtuple
from functools import partial
from operator import itemgetter, methodcaller

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._native import engine
from swiftwater.testing import StreamingTest

NATIVE = {"native", "native where types allow"}
# How many of a job's functions are native, beside True (all) and False (not all).
SOME, ANY = "some", "any"
OPERATORS = {"map", "flatMap", "filter", "mapValues", "flatMapValues", "reduceByKey"}


def collected(rdd):
    return rdd.collect()


def by_partition(rdd):
    return rdd.glom().collect()


def outcome(action):
    """What an action gives, or what it raises, in a form that tells all differences."""
    try:
        return repr(action())
    except Exception as error:  # noqa: BLE001 - any may be the right one
        return (type(error).__name__, repr(error.args), getattr(error, "__notes__", []))


def forms(lines):
    """How the functions of a plan run, without what the driver and the engine do."""
    return {line[3] for line in lines if line[1] in OPERATORS}


@pytest.fixture
def both(tmp_path):
    """Run a job lowered and plain and return what it gives, which must be the same.

    ``records`` that are lines make a text file of about ``partitions`` partitions; with
    ``as_text=False``, and all other records, a list that is spread over as many.
    """

    def run(lowering, records, job, action, partitions, as_text, native, settings):
        conf = SparkConf().set("swiftwater.lowering", lowering).setAll(settings.items())
        with SparkContext("local[2]", "test", conf=conf) as sc:
            if as_text:
                data = sc.textFile(str(tmp_path / "lines.txt"), partitions)
            else:
                data = sc.parallelize(records, partitions)
            rdd = job(data)
            if lowering == "true":
                told = forms(engine.explain(rdd._handle))
                assert native in (ANY, SOME) or ("Python" in told) is not native
                assert native in (ANY, False) or told & NATIVE
            return outcome(lambda: action(rdd))

    def compared(
        records,
        job,
        action=collected,
        *,
        partitions=2,
        as_text=None,
        native=True,
        settings=None,
    ):
        if as_text is None:
            as_text = all(type(record) is str for record in records)
        if as_text:
            text = "".join(f"{line}\n" for line in records)
            (tmp_path / "lines.txt").write_text(text, encoding="utf-8", newline="")
        given = (records, job, action, partitions, as_text, native, settings or {})
        lowered, plain = (run(lowering, *given) for lowering in ("true", "false"))
        assert lowered == plain
        return plain

    return compared


def add(a, b):
    return a + b


# --- values -------------------------------------------------------------------------------------

WORDS = ["a b  c", "", " ", "B a", "c\ta", "a", "Wörter ÄÖÜ ß", "x\u00a0y\u2003z", "İI", "ﬁ A"]
NUMBERS = ["1", " 2 ", "-3", "+4", "1_000", "0007", "9223372036854775807", "-9223372036854775808"]
BIG = ["1", "9223372036854775808", "2", "99999999999999999999", "-9223372036854775809", "3"]
DECIMALS = ["0.0", "-0.0", "1e3", "inf", "-inf", "1e-400", ".5", "5.", "1_0.5", "123456789.123"]
FIELDS = ["a,1,x", "b,2,y", "a,3,z", "c,-4,", "ä,5,ö", "b,0,y"]

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


def tuple_of(line):
    fields = line.split(",")
    return fields[0], int(fields[1])


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


# --- keys ---------------------------------------------------------------------------------------

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


# --- what is raised -----------------------------------------------------------------------------

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


# --- operators and actions ----------------------------------------------------------------------

ACTIONS = {
    "count": lambda rdd: rdd.count(),
    "sum": lambda rdd: rdd.sum(),
    "max": lambda rdd: (rdd.max(), rdd.min()),
    "mean": lambda rdd: (rdd.mean(), rdd.stats()),
    "reduce": lambda rdd: rdd.reduce(add),
    "fold": lambda rdd: rdd.fold(0, add),
    "countByValue": lambda rdd: list(rdd.countByValue().items()),
    "distinct": lambda rdd: rdd.distinct().glom().collect(),
    "top": lambda rdd: (rdd.top(3), rdd.takeOrdered(3)),
    "sortBy": lambda rdd: rdd.sortBy(lambda n: -n).glom().collect(),
    "glom": lambda rdd: rdd.glom().map(len).collect(),
    "zip": lambda rdd: rdd.zipWithIndex().collect(),
    "repartition": lambda rdd: rdd.repartition(3).glom().collect(),
    "coalesce": lambda rdd: rdd.coalesce(1).glom().collect(),
    "groupBy": lambda rdd: rdd.groupBy(lambda n: n % 2).mapValues(list).collect(),
    "cache": lambda rdd: (rdd.cache().map(add_one).collect(), rdd.collect(), rdd.count()),
    "union": lambda rdd: rdd.union(rdd.context.parallelize([1, "a", None])).glom().collect(),
    "subtract": lambda rdd: rdd.subtract(rdd.filter(lambda n: n > 2)).glom().collect(),
    "cartesian": lambda rdd: rdd.cartesian(rdd).count(),
    "foreach": lambda rdd: rdd.foreach(add_one),
    "partitions": lambda rdd: rdd.mapPartitionsWithIndex(lambda i, it: [(i, list(it))]).collect(),
    "sample": lambda rdd: rdd.sample(False, 0.5, 7).collect(),
    "histogram": lambda rdd: rdd.histogram(3),
    "iterator": lambda rdd: list(rdd.toLocalIterator()),
}


def add_one(number):
    return number + 1


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize("lines", [["3", "1", "2", "3", "-5", "0"], BIG], ids=["small", "big"])
def test_actions(both, name, lines, partitions):
    both(lines, lambda rdd: rdd.map(int), ACTIONS[name], partitions=partitions)


@pytest.mark.parametrize("name", ["count", "countByValue", "distinct", "glom", "cache", "union"])
def test_actions_without_records(both, name):
    both([], lambda rdd: rdd.map(int), ACTIONS[name], as_text=True, partitions=3)
    both(["1", "2"], lambda rdd: rdd.map(int).filter(lambda n: n > 9), ACTIONS[name], partitions=4)


ON_PAIRS = {
    "groupByKey": lambda rdd: rdd.groupByKey().mapValues(list),
    "join": lambda rdd: rdd.join(rdd.mapValues(lambda n: n * 2)),
    "leftOuterJoin": lambda rdd: rdd.leftOuterJoin(rdd.filter(lambda pair: pair[1] > 2)),
    "cogroup": lambda rdd: rdd.cogroup(rdd).mapValues(lambda both: [list(one) for one in both]),
    "sortByKey": lambda rdd: rdd.sortByKey(),
    "partitionBy": lambda rdd: rdd.partitionBy(3),
    "combineByKey": lambda rdd: rdd.combineByKey(lambda n: [n], lambda a, n: [*a, n], add),
    "aggregateByKey": lambda rdd: rdd.aggregateByKey(0, max, add),
    "foldByKey": lambda rdd: rdd.foldByKey(0, add),
    "swapped": lambda rdd: rdd.map(lambda pair: (pair[1], pair[0])).sortByKey(False),
    "keys": lambda rdd: rdd.keys().distinct(),
    "values": lambda rdd: rdd.values().map(lambda n: (n % 2, n)).reduceByKey(add),
    "sum of sums": lambda rdd: (
        rdd.reduceByKey(add).map(lambda p: (p[1] % 2, p[1])).reduceByKey(add)
    ),
}


@pytest.mark.parametrize("name", ON_PAIRS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_pairs(both, name, partitions):
    both(
        FIELDS * 3,
        lambda rdd: ON_PAIRS[name](rdd.map(tuple_of)),
        by_partition,
        partitions=partitions,
        native=SOME,
    )


def test_little_memory(both):
    lines = [f"{n * 7919 % 3001},{n}" for n in range(20_000)]
    settings = {"swiftwater.spill.memory": "1m"}
    job = {
        "pairs": lambda rdd: rdd.map(tuple_of),
        "sums": lambda rdd: rdd.map(tuple_of).reduceByKey(add),
        "texts": lambda rdd: rdd.flatMap(lambda s: s.split(",")).map(lambda w: (w, 1)),
    }
    for made in job.values():
        both(lines, made, lambda rdd: (rdd.cache().count(), rdd.collect()), settings=settings)
    both(
        lines,
        lambda rdd: job["texts"](rdd).reduceByKey(add).mapValues(lambda n: n * 2),
        by_partition,
        settings=settings,
        partitions=3,
    )


# --- functions that stay Python -----------------------------------------------------------------

calls = []
total = 0
factor = 2


def remembers(record):
    calls.append(record)
    return record


def counts(record):
    global total
    total += 1
    return f"{record}{total}"


def parsed(line):
    return json.loads(line)


def test_accumulators(both):
    def counted(rdd):
        found = rdd.context.accumulator(0)

        def count(line):
            found.add(1)
            return int(line)

        return rdd.map(count), found

    def job(rdd):
        made, found = counted(rdd)
        made.found = found
        return made

    def action(rdd):
        return rdd.collect(), rdd.found.value, rdd.filter(lambda n: n > 1).count(), rdd.found.value

    assert both(["1", "2", "3"], job, action, native=False) == "([1, 2, 3], 3, 2, 6)"


def begin_anew(rdd):
    global total
    total = 0
    calls.clear()
    return rdd.collect(), calls, total


SIDE_EFFECTS = {
    "append": lambda rdd: rdd.map(remembers),
    "global": lambda rdd: rdd.map(counts),
    "behind a native one": lambda rdd: rdd.map(lambda s: s.lower()).map(counts).map(len),
    "json": lambda rdd: rdd.map(len).map(str).map(parsed).map(lambda n: n + 1),
}


@pytest.mark.parametrize("name", SIDE_EFFECTS)
def test_side_effects(both, name):
    both(["a", "B", "ccc"] * 5, SIDE_EFFECTS[name], begin_anew, partitions=1, native=False)


def test_a_set_that_a_later_function_changes(both):
    def without_duplicates(rdd):
        seen = set()

        def note(record):
            seen.add(record)
            return record

        return rdd.filter(lambda record: record not in seen).map(note)

    lines = ["a", "b", "a", "b", "c"]
    assert both(lines, without_duplicates, partitions=1, native=False) == "['a', 'b', 'c']"


def twice(line):
    words = line.split(" ")
    return words, words


def chosen_twice(line):
    by_space, by_comma = line.split(" "), line.split(",")
    chosen = by_space if len(line) > 2 else by_comma
    return by_space, chosen


def change(record):
    record[0].append("!")
    return record


# Where a record holds one list in two places, a change is seen in both.
CHANGED = {
    "two lists": lambda rdd: rdd.map(lambda s: (s.split(" "), s.split(" "))),
    "one list": lambda rdd: rdd.map(lambda s: s.split(" ")).map(lambda words: (words, words)),
    "a variable": lambda rdd: rdd.map(twice),
    "a choice": lambda rdd: rdd.map(chosen_twice),
    "records": lambda rdd: rdd.map(lambda s: s.split(" ")).flatMap(lambda w: [(w, 1), (w, 2)]),
    "keys": lambda rdd: rdd.map(lambda s: (s.split(" "), s.split(" "))).flatMapValues(list),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_list_that_a_later_function_changes(both, name):
    both(["a b", "c", "d e f"], lambda rdd: CHANGED[name](rdd).map(change), native=False)


@pytest.mark.parametrize(
    "function",
    [
        methodcaller("split"),
        methodcaller("split", ","),
        methodcaller("split", sep=","),
        methodcaller("split", "lower", maxsplit=1),
        itemgetter(0),
        itemgetter(1, 0),
        partial(int, base=16),
        partial(tuple_of),
        str.lower,
        "a,b".find,
        str.encode,
    ],
)
def test_functions_that_are_made(both, function):
    """They run natively or not, and give the same."""
    for lines in (["a,b c", "1,b", "f1"], ["1,2", "3,4"], ["ff", "0"]):
        both(lines, lambda rdd: rdd.map(function), native=ANY)


def bound_anew(lowering, path):
    space = {"factor": 2}
    exec("def scaled(line):\n    return int(line) * factor\n", space)
    local = 1
    conf = SparkConf().set("swiftwater.lowering", lowering)
    with SparkContext("local[2]", "test", conf=conf) as sc:
        lines = sc.textFile(path)
        scaled, moved = space["scaled"], lambda line: int(line) + local
        for number in (3, 2.5, "x"):
            space["factor"] = local = number
            yield outcome(lines.map(scaled).collect)
            yield outcome(lines.map(moved).collect)
        del space["factor"]
        yield outcome(lines.map(scaled).collect)


def test_a_name_that_is_bound_anew(tmp_path):
    """What counts is what a name means when an RDD of the function is first computed."""
    (tmp_path / "lines.txt").write_text("1\n2\n")
    path = str(tmp_path / "lines.txt")
    lowered, plain = (list(bound_anew(lowering, path)) for lowering in ("true", "false"))
    assert lowered == plain
    assert plain[:3] == ["[3, 6]", "[4, 5]", "[2.5, 5.0]"]
    assert plain[-1][0] == "NameError"


# --- streams ------------------------------------------------------------------------------------

BATCHES = [
    ["a b a", "Ä b"],
    [],
    ["c", "", "a  c"],
    ["9223372036854775807 1", "9223372036854775807 a"],
    ["a"],
    [],
]


def counted(lines):
    return lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))


STREAMS = {
    "words": counted,
    "reduceByKey": lambda lines: counted(lines).reduceByKey(add),
    "filter": lambda lines: lines.filter(lambda line: "a" in line).map(lambda s: s.lower()),
    "window": lambda lines: counted(lines.window(3)).reduceByKey(add),
    "window of words": lambda lines: counted(lines).window(2, 2),
    "reduceByKeyAndWindow": lambda lines: counted(lines).reduceByKeyAndWindow(add, None, 3, 1),
    "with the inverse": lambda lines: counted(lines).reduceByKeyAndWindow(
        add, lambda a, b: a - b, 3, 1
    ),
    "countByValue": lambda lines: lines.map(len).countByValue(),
    "countByWindow": lambda lines: lines.map(len).countByWindow(2, 1),
    "reduce": lambda lines: lines.map(len).reduce(add),
    "state": lambda lines: counted(lines).updateStateByKey(lambda new, old: sum(new, old or 0)),
    "join": lambda lines: counted(lines).join(counted(lines).reduceByKey(max)),
    "transform": lambda lines: lines.transform(lambda rdd: rdd.map(len).sortBy(lambda n: n)),
    "union": lambda lines: lines.union(lines.map(lambda s: s.upper())).map(lambda s: (s, s)),
    "glom": lambda lines: lines.map(len).glom(),
    "cache": lambda lines: lines.map(lambda s: s.split()).cache().map(lambda words: len(words)),  # noqa: PLW0108
    "repartition": lambda lines: counted(lines).repartition(3),
}


def batches_of(lowering, job, batches, between=lambda number: None):
    settings = {"swiftwater.lowering": lowering}
    with StreamingTest(settings=settings) as test:
        source = test.text_source()
        out = test.collect(job(source.stream))
        told = {line[3] for line in engine.stream_explain(test.ssc._handle)}
        # The functions in a transform are seen in each batch only.
        assert bool(told & NATIVE) == (lowering == "true") or job is STREAMS["transform"]
        test.start()
        errors = []
        for number, lines in enumerate(batches):
            between(number)
            source.send(*lines)
            errors.append(outcome(test.advance))
        return repr(out.batches), errors


@pytest.fixture
def both_streams():
    def compared(job, batches, between=lambda number: None):
        lowered, plain = (
            batches_of(lowering, job, batches, between) for lowering in ("true", "false")
        )
        assert lowered == plain
        return plain

    return compared


@pytest.mark.parametrize("name", STREAMS)
def test_streams(both_streams, name):
    found, errors = both_streams(STREAMS[name], BATCHES)
    assert errors == ["None"] * len(BATCHES)
    assert "a" in found or "1" in found


def test_a_batch_that_fails(both_streams):
    found, errors = both_streams(
        lambda lines: lines.map(lambda line: 10 // int(line)), [["1"], ["2", "0"], ["x"], ["5"]]
    )
    assert [error if isinstance(error, str) else error[0] for error in errors][1:3] == [
        "ZeroDivisionError",
        "ValueError",
    ]
    assert any("record: '0'" in note for note in errors[1][2])
    assert found.endswith("[2]]")


def test_a_global_that_changes_between_batches(both_streams):
    def between(number):
        global factor
        factor = [2, 3, 1.5, "ab"][number]

    found, _ = both_streams(
        lambda lines: lines.map(lambda line: len(line) * factor), [["a", "bc"]] * 4, between
    )
    assert found == "[[2, 4], [3, 6], [1.5, 3.0], ['ab', 'abab']]"


def test_a_function_and_a_method_of_one_code_are_told_apart(sc):
    class Adder:
        def add(self, number=10):
            return (self, number)

    numbers = sc.parallelize([1, 2], 1)
    for _ in range(2):
        assert numbers.map(Adder.add).collect() == [(1, 10), (2, 10)]
        rows = numbers.map(Adder().add).collect()
        assert [(type(owner), number) for owner, number in rows] == [(Adder, 1), (Adder, 2)]
