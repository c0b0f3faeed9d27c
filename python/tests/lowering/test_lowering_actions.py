"""Operators and actions on records of lowered functions, and functions that stay Python."""

import json
from functools import partial
from operator import itemgetter, methodcaller

import pytest

from swiftwater import SparkConf, SparkContext
from tests.lowering.lowering_jobs import (
    ANY,
    BIG,
    FIELDS,
    SOME,
    add,
    by_partition,
    outcome,
    tuple_of,
)

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


calls = []
total = 0


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
