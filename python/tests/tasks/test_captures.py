"""When functions capture their variables, and that what tasks do to them stays theirs.

The expected values are those of PySpark 4.3.0, observed.
"""

import abc
import collections
import dataclasses
import functools
import os
import subprocess
import sys

import pytest

from swiftwater._lowering import lowered
from swiftwater._tasks.captures import captured, hold
from swiftwater.testing import StreamingTest


def same(rdd):
    return rdd.map(lambda n: n)


# What is done with one RDD three times, while the variable that its function reads becomes 3, 10
# and 20: whether the function keeps the first value, or pickles anew in every action.
ACTIONS = {
    "collect": (lambda rdd: rdd.collect(), True),
    "toLocalIterator": (lambda rdd: list(rdd.toLocalIterator()), True),
    "union": (lambda rdd: rdd.union(rdd).collect()[:1], True),
    "coalesce": (lambda rdd: rdd.coalesce(1).collect(), True),
    "cartesian": (lambda rdd: [pair[0] for pair in rdd.cartesian(rdd).collect()], True),
    "cache": (lambda rdd: rdd.cache().collect(), True),
    "map": (lambda rdd: same(rdd).collect(), False),
    "take": (lambda rdd: rdd.take(1), False),
    "sum": (lambda rdd: [rdd.sum()], False),
    "reduce": (lambda rdd: [rdd.reduce(max)], False),
    "fold": (lambda rdd: [rdd.fold(0, max)], False),
    "glom": (lambda rdd: rdd.glom().collect()[0], False),
    "repartition": (lambda rdd: rdd.repartition(1).collect(), False),
    "reduceByKey": (lambda rdd: rdd.map(lambda n: (n, 1)).reduceByKey(max).keys().collect(), False),
    "groupBy": (lambda rdd: rdd.groupBy(lambda n: n).keys().collect(), False),
    "sortBy": (lambda rdd: rdd.sortBy(lambda n: n).collect(), False),
}


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_an_rdd_that_is_used_while_its_variable_changes(name, lowering):
    action, keeps = ACTIONS[name]
    factor = 3
    with StreamingTest(settings={"swiftwater.lowering": lowering}) as test:
        rdd = test.sc.parallelize([1], 1).map(lambda n: n * factor)
        found = []
        for factor in (3, 10, 20):  # noqa: B007 - the lambda reads it
            found += action(rdd)
        assert found == ([3, 3, 3] if keeps else [3, 10, 20])


# An RDD that is made of another one before the variable changes, and computed afterwards.
MADE_BEFORE = {
    "map": (same, 10),
    "reduceByKey": (lambda rdd: rdd.map(lambda n: (n, 1)).reduceByKey(max).keys(), 3),
    "partitionBy": (lambda rdd: rdd.map(lambda n: (n, 1)).partitionBy(1).keys(), 3),
    "union": (lambda rdd: rdd.union(rdd.context.parallelize([], 1)), 3),
    "cache": (lambda rdd: rdd.cache(), 3),
    "coalesce": (lambda rdd: rdd.coalesce(1), 3),
    "join": (lambda rdd: (p := rdd.map(lambda n: (1, n))).join(p).map(lambda kv: kv[1][0]), 3),
    "count": (lambda rdd: (rdd.count(), rdd)[1], 10),
}


@pytest.mark.parametrize("name", MADE_BEFORE)
def test_what_is_made_before_a_variable_changes(sc, name):
    make, expected = MADE_BEFORE[name]
    factor = 3
    made = make(sc.parallelize([1], 1).map(lambda n: n * factor))
    factor = 10
    assert made.collect() == [expected]


def test_a_loop_whose_shuffles_keep_each_its_own_number(sc):
    rdd = sc.parallelize([("k", 0)], 1)
    for step in (1, 10, 100):
        rdd = rdd.mapValues(lambda n: n + step).reduceByKey(max)  # noqa: B023
    assert rdd.collect() == [("k", 111)]


# --- the outputs of one batch ---------------------------------------------------------------------


class Limit:
    """A variable of each kind, what changes it, and a function that reads it."""

    def __init__(self, sc):
        self.number = 0
        number = 0
        items = [0]
        broadcast = sc.broadcast(0)
        table = {"n": 0}

        class Kept:
            limit = 0

        def inner():
            return number

        def read_attribute(_):
            return read_attribute.limit

        read_attribute.limit = 0

        def change():
            nonlocal number, broadcast
            number += 10
            items[0] += 10
            broadcast = sc.broadcast(number)
            table["n"] = number
            Kept.limit += 10
            read_attribute.limit += 10

        self.change = change
        self.readers = {
            "variable": lambda _: number,
            "list": lambda _: items[0],
            "broadcast": lambda _: broadcast.value,
            "dict": lambda _: table["n"],
            "class": lambda _: Kept.limit,
            "function": read_attribute,
            "inner function": lambda _: inner(),
            "partial": functools.partial(lambda held, _: held[0], items),
        }


READERS = (
    "variable", "list", "broadcast", "dict", "class", "function", "inner function", "partial",
)  # fmt: skip
STEPS = {
    "map": lambda stream, read: stream.map(read),
    "filter": lambda stream, read: stream.filter(lambda n: read(n) >= 0).map(read),
    "mapPartitions": lambda stream, read: stream.mapPartitions(lambda ns: [read(n) for n in ns]),
    "reduceByKey": lambda stream, read: (
        stream.flatMap(lambda n: [(1, 0), (1, 0)])
        .reduceByKey(lambda a, b: a + b + read(0))
        .map(lambda kv: kv[1])
    ),
    "transform": lambda stream, read: stream.transform(lambda rdd: rdd.map(read)),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_all_outputs_of_a_batch_see_the_same(reader, step, lowering):
    with StreamingTest(settings={"swiftwater.lowering": lowering}) as test:
        limit = Limit(test.sc)
        read = limit.readers[reader]
        stream = test.ssc.queueStream([[1]] * 3)
        found = {"before": [], "behind": [], "inside": []}

        def note(name):
            return lambda rdd: found[name].extend(rdd.collect() + rdd.take(1))

        STEPS[step](stream, read).foreachRDD(note("before"))
        stream.foreachRDD(lambda rdd: limit.change())
        behind = STEPS[step](stream, read)
        behind.foreachRDD(note("behind"))
        # Put behind the batch's functions in an output: they are those of the batch.
        behind.foreachRDD(lambda rdd: found["inside"].extend(same(rdd).collect() * 2))
        test.run_until_idle()
        assert found["before"] == [0, 0, 10, 10, 20, 20]
        assert found["behind"] == found["before"]
        assert found["inside"] == found["before"]


def test_what_a_function_of_an_output_reads_is_as_it_is_then():
    number, found = 0, []

    def read(_):
        return number

    def output(rdd):
        nonlocal number
        for _ in range(2):
            number += 1
            found.extend(rdd.map(read).collect())

    with StreamingTest() as test:
        test.ssc.queueStream([[1]] * 2).foreachRDD(output)
        test.run_until_idle()
    assert found == [1, 2, 3, 4]


# --- captures in themselves -----------------------------------------------------------------------


def test_functions_are_copied_again_only_when_something_has_changed():
    number, items = 1, [1]

    def steady(n):
        return n + number

    def changing(n):
        return items[0]

    captures = captured([steady])
    assert hold(captures)
    assert captures[1] == [False]
    number = 2
    assert captures[0][0](0) == 1
    assert not hold(captures)
    assert hold(captured([steady]))
    # Nobody sees from outside whether a list has changed.
    assert not hold(captured([changing]))
    assert captured([changing])[1] == [True]


def test_functions_that_share_a_variable_still_do():
    items = []
    first, second = captured([items.append, lambda: items])[0]
    first(1)
    assert second() == [1]
    assert items == []


# --- what tasks change ----------------------------------------------------------------------------


class Changes:
    """Things that tasks change, each with a function that does."""

    def __init__(self):  # noqa: C901 - a table
        items, names, table, last = [], set(), {}, collections.deque()
        counter, data = collections.Counter(), bytearray()

        class Counted:
            made = 0
            seen = []  # noqa: RUF012

            def __init__(self, n):
                Counted.made += 1
                type(self).made += 1
                self.n = n

            @classmethod
            def bump(cls, n):
                cls.made += 1
                cls.late = n

            @staticmethod
            def note(n):
                Counted.seen.append(n)

        class Derived(Counted):
            pass

        class Abstract(abc.ABC):
            kept = {}  # noqa: RUF012

            @abc.abstractmethod
            def use(self):
                pass

        @dataclasses.dataclass(frozen=True)
        class Frozen:
            n: int = 0
            total = 0

        class Connection:
            only = None

            @classmethod
            def get(cls):
                if cls.only is None:
                    cls.only = cls()
                return cls.only

        def set_by_name(n):
            Counted.made += 1
            Counted.seen.append(n)

        def set_total(n):
            Frozen.total += n
            return Frozen(n) == Frozen(n)

        def keep(n):
            Abstract.kept[n] = n

        def called(n):
            called.times += 1

        called.times = 0

        def counted_late(n):
            counted_late.times = getattr(counted_late, "times", 0) + 1

        def even(n):
            items.append(n)
            return odd(n - 1) if n else None

        def odd(n):
            return even(n - 1) if n else None

        handlers = {"append": items.append, "add": lambda n: names.add((n,))}

        self.functions = {
            "list.append": items.append,
            "set.add": names.add,
            "dict.setdefault": table.setdefault,
            "deque.append": last.append,
            "bytearray.append": data.append,
            "Counter.update": lambda n: counter.update([n]),
            "bound Counter.update": functools.partial(counter.update, "a"),
            "partial": functools.partial(items.insert, 0),
            "a dict of functions": lambda n: [handlers[name](n) for name in handlers],
            "functions that call each other": even,
            "class by its name": set_by_name,
            "class method": Counted.bump,
            "class method by its name": lambda n: Counted.bump(n + 1),
            "static method": lambda n: Counted.note(n + 1),
            "constructor": lambda n: Counted(n).n,
            "constructor itself": Counted,
            "derived class": lambda n: Derived.bump(n + 1),
            "setattr": lambda n: setattr(Counted, "made", n),
            "abstract class": keep,
            "frozen dataclass": set_total,
            "the only one": lambda n: Connection.get() is Connection.get(),
            "function": called,
            "function that had none": counted_late,
        }
        self.now = lambda: (
            (items, names, table, list(last), counter, data, Counted.made, list(Counted.seen)),
            (hasattr(Counted, "late"), Derived.made, Abstract.kept, Frozen.total, Connection.only),
            (called.times, hasattr(counted_late, "times")),
        )


@pytest.mark.parametrize("name", Changes().functions)
@pytest.mark.parametrize("action", ["foreach", "map", "take"])
def test_what_tasks_change_is_not_the_driver_s(sc, name, action):
    changes = Changes()
    before = repr(changes.now())
    rdd = sc.parallelize([1, 2, 3, 4], 2)
    function = changes.functions[name]
    if name == "bound Counter.update":
        rdd, function = rdd.map(lambda n: "b"), changes.functions["Counter.update"]
    if action == "foreach":
        rdd.foreach(function)
    elif action == "map":
        rdd.map(function).count()
    else:
        rdd.map(function).take(3)
    assert repr(changes.now()) == before


def test_a_class_within_a_task(sc):
    class Point:
        made = 0

        def __init__(self, x):
            Point.made += 1
            self.x = x

        def __eq__(self, other):
            return type(other) is type(self) and other.x == self.x

        def __hash__(self):
            return hash(self.x)

    def look(x):
        point = Point(x)
        return point, (
            Point.made, isinstance(point, Point), type(point) == Point, issubclass(  # noqa: E721
                Point, Point),
            Point.__name__, point == Point(x),
        )  # fmt: skip

    found = sc.parallelize([5, 6], 1).map(look).collect()
    assert [record[1] for record in found] == [
        (1, True, True, True, "Point", True),
        (3, True, True, True, "Point", True),
    ]
    assert [type(record[0]) for record in found] == [Point, Point]
    assert found[0][0] == Point(5)
    first, second, third = sc.parallelize([1, 1, 2], 2).map(Point).collect()
    assert first == second != third


def test_new_subclasses_are_not_told_of_copies(sc):
    registered = []

    class Base:
        kept = []  # noqa: RUF012

        def __init_subclass__(cls):
            registered.append(cls.__name__)

    class Sub(Base):
        pass

    assert sc.parallelize([1], 1).map(lambda n: (Sub.kept.append(n), len(Sub.kept))[1]).collect()
    assert registered == ["Sub"]
    assert Base.kept == []


def test_exceptions_of_the_script_are_caught(sc):
    class Wrong(Exception):
        seen = []  # noqa: RUF012

    def caught(n):
        try:
            raise Wrong(n)  # noqa: TRY301
        except Wrong as error:
            return error.args

    assert sc.parallelize([1], 1).map(caught).collect() == [(1,)]


def set_variables(n):
    os.environ["SW_TEST_ONE"] = str(n)
    os.environ.setdefault("SW_TEST_TWO", "2")
    os.environ.update(SW_TEST_KEPT="changed")
    os.environ.pop("SW_TEST_GONE", None)
    shown = subprocess.run(["/bin/sh", "-c", "echo $SW_TEST_ONE"], capture_output=True, check=True)
    return shown.stdout.decode().strip(), os.environ["SW_TEST_KEPT"]


@pytest.mark.parametrize("fails", [False, True])
def test_environment_variables_that_tasks_set(sc, monkeypatch, fails):
    monkeypatch.setenv("SW_TEST_KEPT", "kept")
    monkeypatch.setenv("SW_TEST_GONE", "gone")
    before = dict(os.environ)
    rdd = sc.parallelize([1, 2], 2).map(lambda n: (set_variables(n), n)[0])
    if fails:
        with pytest.raises(ZeroDivisionError):
            rdd.map(lambda found: 1 // 0).collect()
    else:
        assert rdd.collect() == [("1", "changed"), ("2", "changed")]
    assert dict(os.environ) == before
    shown = subprocess.run(["/bin/sh", "-c", "echo $SW_TEST_KEPT"], capture_output=True, check=True)
    assert shown.stdout == b"kept\n"


# --- chains ---------------------------------------------------------------------------------------


def test_functions_of_a_long_chain_are_read_once(sc):
    """Planning does not look at the whole chain again for each of its operators."""
    count, calls = 300, 0

    def note(frame, event, argument):
        nonlocal calls
        calls += event == "call" and frame.f_code is lowered.__code__

    sys.setprofile(note)
    try:
        rdd = sc.parallelize([0, 1], 2)
        for _ in range(count):
            rdd = rdd.map(lambda n: n + 1)
        assert rdd.collect() == [count, count + 1]
    finally:
        sys.setprofile(None)
    # When the RDD is planned, and when each of its tasks begins.
    assert calls <= 3 * count


@pytest.mark.parametrize("function", [lambda n: n + 1, lambda n: -n, lambda n: (n, n)[0]])
def test_very_long_chains(sc, tmp_path, function):
    (tmp_path / "lines").write_text("1\n2\n")
    rdd = sc.textFile(str(tmp_path / "lines"), 1).map(int)
    expected = [1, 2]
    for _ in range(2000):
        rdd = rdd.map(function)
        expected = list(map(function, expected))
    assert rdd.collect() == expected


COMPARED = """
class Limited:
    limit = 1
    def __init__(self, number):
        self.number = number

def is_limited(record):
    return type(record) is Limited

def first(record):
    return Limited is record.__class__ and Limited.limit

FUNCTIONS = {
    "last": lambda r: type(r) is Limited and Limited.limit,
    "first": first,
    "attribute": lambda r: r.__class__ is Limited and Limited.limit,
    "elsewhere": lambda r: Limited.limit if is_limited(r) else None,
    "elsewhere, behind": lambda r: is_limited(r) and Limited.limit,
}
"""


@pytest.mark.parametrize("name", ["last", "first", "attribute", "elsewhere", "elsewhere, behind"])
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_a_class_that_is_compared_by_identity_is_itself(name, lowering):
    space = {"__name__": "__main__"}
    exec(COMPARED, space)
    with StreamingTest(settings={"swiftwater.lowering": lowering}) as test:
        records = test.sc.parallelize([1, 2], 2).map(space["Limited"])
        assert records.map(space["FUNCTIONS"][name]).collect() == [1, 1]
        # Not only for its own function.
        other = records.map(lambda record: (record, space["Limited"].limit)[0])
        assert other.map(space["FUNCTIONS"][name]).collect() == [1, 1]


OF_OBJECTS = """
class Registry:
    seen = {}

    def put(self, record):
        Registry.seen[record] = 1
        return len(self.seen)

    def __call__(self, record):
        return self.put(record)

registry = Registry()

def beside(record):
    registry.put(record)
    return len(Registry.seen)

FUNCTIONS = {"method": registry.put, "call": registry, "beside": beside}
"""


@pytest.mark.parametrize("name", ["method", "call", "beside"])
def test_an_object_and_the_name_of_its_class_see_the_same_attributes(sc, name):
    space = {"__name__": "__main__"}
    exec(OF_OBJECTS, space)
    assert sc.parallelize([1, 2, 3], 1).map(space["FUNCTIONS"][name]).collect() == [1, 2, 3]
