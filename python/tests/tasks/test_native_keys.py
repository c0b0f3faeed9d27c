"""Groups, joins and sorts of records in columns give what those of Python's objects give.

Each job runs with the setting ``swiftwater.lowering`` on and off, and the partitions are compared.
"""

import random

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._native import engine
from swiftwater._rdd import joined_records, keys
from swiftwater._tasks import spill

JOINS = ["join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin"]
# Keys of every type, from a line such as "7,b,ä".
KEYS = {
    "text": lambda f: f[1],
    "long text": lambda f: f[1] + " is longer than a view " + f[2],
    "int": lambda f: int(f[0]),
    "float": lambda f: int(f[0]) * -0.5,
    "bool": lambda f: int(f[0]) > 3,
    "tuple": lambda f: (f[1], int(f[0])),
    "or None": lambda f: f[1] if int(f[0]) > 2 else None,
}
ORDERED = [name for name in KEYS if name != "or None"]


def split(line):
    return line.split(",")


def keyed(lines, key):
    """Pairs whose keys come again."""
    return lines.map(split).map(lambda f: (key(f), f[2]))


@pytest.fixture
def lines(tmp_path):
    seed = random.randrange(1_000_000)
    print("seed", seed)
    draw = random.Random(seed)
    words = ["a", "b", "", "ab", "ä", "\U0001f600", "z" * 20]
    text = "".join(
        f"{draw.randrange(8)},{draw.choice(words)},{draw.choice(words)}\n" for _ in range(300)
    )
    (tmp_path / "lines.txt").write_text(text, encoding="utf-8")
    return str(tmp_path / "lines.txt")


@pytest.fixture
def both(lines):
    """Run a job lowered and plain; return its partitions, and its plan where it is lowered."""

    def run(lowering, job, settings):
        conf = SparkConf().set("swiftwater.lowering", lowering).setAll(settings.items())
        with SparkContext("local[2]", "test", conf=conf) as sc:
            rdd = job(sc.textFile(lines, 3))
            plan = engine.explain(rdd._handle)
            return repr(rdd.glom().collect()), plan

    def compared(job, **settings):
        found, plan = run("true", job, settings)
        assert found == run("false", job, settings)[0]
        return found, plan

    return compared


def is_typed(plan, name):
    """Whether the last line of an operator tells its records' type: it is native then."""
    return [line for line in plan if line[1] == name][-1][4] != ""


@pytest.mark.parametrize("name", KEYS)
def test_group_by_key(both, name):
    found, plan = both(lambda rdd: keyed(rdd, KEYS[name]).groupByKey(3).mapValues(list))
    assert "[" in found
    assert next(line for line in plan if line[1] == "groupByKey")[3] == "native"


def test_group_by(both):
    both(lambda rdd: rdd.map(split).groupBy(lambda f: f[1], 2).mapValues(list))


def test_groups_of_lists(both):
    # A list that is a value is no list of values.
    found, _ = both(
        lambda rdd: rdd.map(split).map(lambda f: (f[1], f)).groupByKey(2).mapValues(list)
    )
    assert ", [['" in found


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("name", KEYS)
def test_join(both, name, join):
    def job(rdd):
        pairs = keyed(rdd, KEYS[name])
        others = pairs.filter(lambda pair: pair[1] > "a").mapValues(len)
        return getattr(pairs, join)(others, 3)

    found, plan = both(job)
    assert found.count("(") > 300
    assert is_typed(plan, join)


def test_joins_that_are_chained(both):
    def job(rdd):
        counts = keyed(rdd, KEYS["text"]).mapValues(lambda _: 1).reduceByKey(lambda a, b: a + b)
        lengths = rdd.map(split).map(lambda f: (f[1], len(f[2]))).reduceByKey(max)
        joined = counts.join(lengths).leftOuterJoin(lengths.filter(lambda p: p[1] > 2))
        return joined.mapValues(lambda v: v[0][0] + v[0][1])

    _, plan = both(job)
    assert is_typed(plan, "leftOuterJoin")
    assert [line[3] for line in plan if line[1] == "mapValues"][-1] == "native"


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize("name", ORDERED)
def test_sort_by_key(both, name, partitions, ascending):
    _, plan = both(lambda rdd: keyed(rdd, KEYS[name]).sortByKey(ascending, partitions))
    assert is_typed(plan, "sortByKey")


def test_sort_by(both):
    found, _ = both(lambda rdd: rdd.map(split).map(lambda f: f[2]).sortBy(len, False, 2))
    assert "z" * 20 in found


@pytest.mark.parametrize(
    "job",
    [
        lambda rdd: keyed(rdd, lambda f: 10 ** int(f[0]) * 2**60).groupByKey(2).mapValues(list),
        lambda rdd: keyed(rdd, lambda f: 10 ** int(f[0]) * 2**60).sortByKey(True, 2),
        lambda rdd: keyed(rdd, KEYS["int"]).join(keyed(rdd, KEYS["bool"]), 2),
        lambda rdd: keyed(rdd, KEYS["int"]).join(keyed(rdd, KEYS["float"]), 2),
        lambda rdd: keyed(rdd, KEYS["text"]).join(rdd.ctx.parallelize([("a", 1), ("b", 2)]), 2),
    ],
    ids=["huge groups", "huge sort", "int and bool", "int and float", "with a list"],
)
def test_what_columns_do_not_hold(both, job):
    found, _ = both(job)
    assert found.count("(") > 5


@pytest.mark.parametrize(
    ("job", "module", "function"),
    [
        (lambda pairs: pairs.groupByKey(2), keys, "listed"),
        *(
            (lambda pairs, j=j: getattr(pairs, j)(pairs, 2), joined_records, "_grouped")
            for j in JOINS
        ),
        (lambda pairs: pairs.sortByKey(True, 2), spill, "external_sorted"),
    ],
    ids=["groupByKey", *JOINS, "sortByKey"],
)
def test_python_is_called_only_where_it_must(lines, monkeypatch, job, module, function):
    def refusing(*_, **__):
        raise LookupError("called")

    monkeypatch.setattr(module, function, refusing)
    for lowering in ("true", "false"):
        conf = SparkConf().set("swiftwater.lowering", lowering)
        with SparkContext("local[2]", "test", conf=conf) as sc:
            result = job(keyed(sc.textFile(lines, 3), KEYS["text"]))
            if lowering == "true":
                assert result.count() > 0
            else:
                with pytest.raises(LookupError, match="called"):
                    result.count()


@pytest.mark.parametrize("limit", ["1", "1m"])
def test_without_memory(both, limit):
    settings = {"swiftwater.spill.memory": limit}
    both(lambda rdd: keyed(rdd, KEYS["text"]).groupByKey(2).mapValues(list), **settings)
    both(lambda rdd: keyed(rdd, KEYS["int"]).join(keyed(rdd, KEYS["int"]), 2), **settings)
    both(lambda rdd: keyed(rdd, KEYS["tuple"]).sortByKey(False, 2), **settings)


def test_none_cannot_be_sorted(both, lines):
    with SparkContext("local[2]", "test") as sc:
        pairs = keyed(sc.textFile(lines, 2), KEYS["or None"])
        with pytest.raises(TypeError, match="not supported between instances"):
            pairs.sortByKey().collect()
