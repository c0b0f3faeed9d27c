"""What functions capture is in a worker as it would be in the driver."""

import functools
import os
import random

import pytest

from tests.tasks.workers.worker_contexts import context, pids, spread
from tests.tasks.workers.worker_records import Box


def captured_list():
    values = [1]
    return (lambda n: list(values)), lambda: values.append(2), [[1], [1, 2]]


def captured_dict():
    values = {"a": 1}
    return (lambda n: dict(values)), lambda: values.update(a=2), [{"a": 1}, {"a": 2}]


def captured_attribute():
    box = Box([1])

    def change():
        box.items = "changed"

    return (lambda n: box.items), change, [[1], "changed"]


def captured_nested():
    values = {"a": [Box([1])]}
    return (
        (lambda n: values["a"][0].items),
        lambda: values["a"][0].items.append(2),
        [[1], [1, 2]],
    )


def captured_counter():
    counter = 0

    def change():
        nonlocal counter
        counter += 1

    return (lambda n: counter), change, [0, 1]


def captured_global():
    space = {"__name__": "__main__", "limit": 1}
    exec("def function(n): return limit", space)
    return space["function"], lambda: space.update(limit=2), [1, 2]


def captured_global_list():
    space = {"__name__": "__main__", "limits": [1]}
    exec("def function(n): return limits[0]", space)
    return space["function"], lambda: space["limits"].insert(0, 2), [1, 2]


def captured_global_of_a_global():
    space = {"__name__": "__main__", "limit": 1}
    exec("def inner(): return limit\ndef function(n): return inner()", space)
    return space["function"], lambda: space.update(limit=2), [1, 2]


def captured_global_that_is_new():
    space = {"__name__": "__main__"}
    exec("def function(n): return 'limit' in globals() and limit", space)
    return space["function"], lambda: space.update(limit=2), [False, 2]


def captured_default():
    def function(n, values=[1]):  # noqa: B006 - that is what is tested
        return list(values)

    return function, lambda: function.__defaults__[0].append(2), [[1], [1, 2]]


def captured_partial():
    values = [1]
    return functools.partial(lambda v, n: list(v), values), lambda: values.append(2), [[1], [1, 2]]


def captured_method():
    class Adder:
        total = 1

        def method(self, n):
            return self.total

    adder = Adder()
    return adder.method, lambda: setattr(adder, "total", 2), [1, 2]


def captured_callable():
    class Adder:
        def __init__(self):
            self.total = 1

        def __call__(self, n):
            return self.total

    adder = Adder()
    return adder, lambda: setattr(adder, "total", 2), [1, 2]


def captured_class_attribute():
    class Limits:
        limit = 1

    return (lambda n: Limits.limit), lambda: setattr(Limits, "limit", 2), [1, 2]


def captured_function_attribute():
    def function(n):
        return function.limit

    function.limit = 1
    return function, lambda: setattr(function, "limit", 2), [1, 2]


def captured_function():
    limit = [1]

    def inner():
        return limit[0]

    return (lambda n: inner()), lambda: limit.insert(0, 2), [1, 2]


CAPTURES = [value for name, value in list(globals().items()) if name.startswith("captured_")]


@pytest.mark.parametrize("make", CAPTURES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("workers", ["always", "never"])
def test_what_changes_is_seen_by_the_next_rdd(workers, make):
    function, change, (before, after) = make()
    with context(workers) as sc:
        rdd = spread(sc, range(3)).map(function)
        assert rdd.collect() == [before] * 3
        assert rdd.collect() == [before] * 3
        change()
        # Spark: the RDD has pickled its function; another one, made of it or not, does so anew.
        assert rdd.collect() == [before] * 3
        assert rdd.map(lambda n: n).collect() == [after] * 3
        assert spread(sc, range(3)).map(function).collect() == [after] * 3
        if workers == "always":
            assert os.getpid() not in pids(spread(sc, range(3)))


def test_many_functions_in_any_order(always):
    # More than a worker keeps.
    values = list(range(40))
    rdds = [
        spread(always, range(4)).map(lambda n, i=i: (n, i, values[i], os.getpid()))
        for i in range(len(values))
    ]
    rng = random.Random(3)
    for _ in range(150):
        i = rng.randrange(len(values)) if rng.random() < 0.7 else 0
        if rng.random() < 0.3:
            values[rng.choice((i, 1))] += 100
        found = rdds[i].map(lambda record: record).collect()
        assert [record[:3] for record in found] == [(n, i, values[i]) for n in range(4)]
        assert os.getpid() not in {record[3] for record in found}


def test_a_function_is_pickled_once_for_each_rdd(always):
    times = []

    class Noted:
        def __reduce__(self):
            times.append(1)
            return list, ()

    noted = Noted()
    numbers = spread(always, range(8), 4)
    for made in range(1, 4):
        rdd = numbers.map(lambda n: noted)
        for _ in range(3):
            assert rdd.collect() == [[]] * 8
            assert len(times) == made


def test_tasks_begin_with_the_driver_s_captures(always):
    seen = []
    rdd = spread(always, range(8), 4).map(lambda n: (seen.append(n), len(seen))[1])
    for _ in range(2):
        assert rdd.collect() == [1, 2] * 4
    assert seen == []
