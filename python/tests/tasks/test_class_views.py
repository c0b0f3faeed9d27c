"""Captured objects: what tasks do to their classes, and the driver afterwards.

The expected values are those of PySpark 4.3.0, observed.
"""

import sys

import pytest

from swiftwater._tasks.class_copies import is_own
from swiftwater.testing import StreamingTest

SOURCE = """
class Base:
    steps = 0

class Counter(Base):
    limit = 1
    seen = []
    made = 0

    def __init__(self):
        self.own = 0

    def read(self, _=None):
        return self.limit

    def bump(self, _=None):
        type(self).limit += 1
        return type(self).limit

    def bump_by_attribute(self, _=None):
        self.__class__.limit += 1
        return self.limit

    def bump_inherited(self, _=None):
        type(self).steps += 1
        return self.steps + 1

    def note(self, n):
        self.seen.append(n)
        return len(self.seen) + 1

    def by_name(self, n):
        Counter.limit += 1
        return self.limit

    def count(self, n):
        self.own += 1
        return self.own + 1

    def __call__(self, n):
        return self.bump()

counter = Counter()

class Shown(Counter):
    def itself(self, _=None):
        return self

    def alike(self, other):
        return type(self) is type(other)

shown = Shown()

class Single:
    only = None
    made = 0
    calls = 0

    def __new__(cls, *args):
        if cls.only is None:
            cls.only = super().__new__(cls)
            Single.made += 1
        return cls.only

    def __init__(self):
        Single.calls += 1

FUNCTIONS = {
    "method": counter.bump,
    "method in a function": lambda n: counter.bump(),
    "attribute": counter.bump_by_attribute,
    "inherited": counter.bump_inherited,
    "list": counter.note,
    "by name": counter.by_name,
    "called": counter,
    "and its name": lambda n: (counter.bump(), Counter.limit)[1],
    "its own attribute": counter.count,
}
"""


@pytest.fixture(params=["found by its name", "not found"])
def script(request, monkeypatch):
    """The variables of a script, with classes that pickling finds by their names, or does not."""
    space = {"__name__": "__main__"}
    exec(SOURCE, space)
    if request.param == "found by its name":
        for name in ("Base", "Counter", "Shown", "Single"):
            monkeypatch.setattr(sys.modules["__main__"], name, space[name], raising=False)
    return space


NAMES = (
    "method", "method in a function", "attribute", "inherited", "list", "by name", "called",
    "and its name", "its own attribute",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_a_task_does_to_the_class_of_an_object_is_its_own(sc, script, name):
    kind = script["Counter"]
    for _ in range(2):
        # More than there are workers: each has several, one after the other.
        rdd = sc.parallelize(range(12), 6)
        assert rdd.map(script["FUNCTIONS"][name]).collect() == [2, 3] * 6
        assert (kind.limit, kind.seen, kind.steps, script["counter"].own) == (1, [], 0, 0)
    assert type(script["counter"]) is kind
    assert is_own(kind)


@pytest.mark.parametrize("reads", ["lambda _: counter.limit", "counter.read"])
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_what_is_kept_in_the_class_of_an_object_is_captured_with_it(script, reads, lowering):
    kind = script["Counter"]
    with StreamingTest(settings={"swiftwater.lowering": lowering}) as test:
        numbers = test.sc.parallelize([0], 1)
        kept, late = (numbers.map(eval(reads, script)) for _ in range(2))
        assert kept.collect() == [1]
        kind.limit = 5
        assert (kept.collect(), kept.take(1), late.collect()) == ([1], [5], [5])


def test_all_outputs_of_a_batch_see_the_same_of_the_class_of_an_object(script):
    kind, counter, found = script["Counter"], script["counter"], []
    with StreamingTest() as test:
        limits = test.ssc.queueStream([[1]] * 3).map(lambda _: counter.limit)

        def change(rdd):
            found.extend(rdd.collect())
            kind.limit += 10

        limits.foreachRDD(change)
        limits.foreachRDD(lambda rdd: found.extend(rdd.collect()))
        test.run_until_idle()
    assert found == [1, 1, 11, 11, 21, 21]


@pytest.mark.parametrize(
    "function",
    [
        "lambda n: shown",
        "lambda n: (n, shown)[1]",
        "lambda n: [shown][0]",
        "shown.itself",
        "lambda n: shown.itself()",
        "lambda n, held=shown: held",
    ],
)
def test_an_object_that_is_given_away_is_of_its_class(sc, script, function):
    kind = script["Shown"]
    (found,) = sc.parallelize([1], 1).map(eval(function, script)).collect()
    assert type(found) is kind
    assert found is not script["shown"]


def test_an_object_that_is_compared_by_its_class_is_of_it(sc, script):
    kind, shown = script["Shown"], script["shown"]
    others = sc.parallelize([kind(), 1], 1)
    assert others.map(shown.alike).collect() == [True, False]
    assert others.map(lambda other: type(shown) is type(other)).collect() == [True, False]


def test_the_only_object_of_a_class_is_one_for_each_task(sc, script):
    kind = script["Single"]

    def used(n):
        return kind() is kind(), kind.made, kind.calls

    found = sc.parallelize([1, 2, 3, 4], 2).map(used).collect()
    assert found == [(True, 1, 2), (True, 1, 4)] * 2
    assert (kind.only, kind.made, kind.calls) == (None, 0, 0)
