"""What may be given to an operator: everything that can be called, wherever it is defined."""

import textwrap
from typing import NamedTuple

import pytest
from jobs import require_host

SCRIPT = """
import functools
import operator
import time
from collections import namedtuple
from dataclasses import dataclass

import helpers
from helpers import Scale, halves, twice
from package.inner import thrice
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

{definitions}

if __name__ == "__main__":
    results = []

    def keep(rdd):
        results.append(rdd.collect())

    sc = SparkContext("local[2]", "functions")
    ssc = StreamingContext(sc, 0.1)
    numbers = ssc.queueStream([sc.parallelize([1, 2, 3], 2)])
{use}
    ssc.start()
    while not results:
        ssc.awaitTerminationOrTimeout(0.01)
    ssc.stop()
    print("results", results[0])
"""

MODULES = {
    "helpers.py": """
        FACTOR = 2
        calls = []

        def twice(number):
            return number * FACTOR

        def halves(number):
            yield number / 2
            yield number / 2

        def counted(number):
            calls.append(number)
            return len(calls)

        class Scale:
            def __init__(self, factor):
                self.factor = factor

            def __call__(self, number):
                return number * self.factor

            def apply(self, number):
                return number * self.factor

            @staticmethod
            def negative(number):
                return -number

            @classmethod
            def named(cls, number):
                return f"{cls.__name__} {number}"
        """,
    "package/__init__.py": "",
    "package/inner.py": """
        from . import numbers

        def thrice(number):
            return number * numbers.THREE
        """,
    "package/numbers.py": "THREE = 3\n",
}


class Case(NamedTuple):
    """A use of a function: what it needs, a stream (or statements), and the first batch.

    ``spark`` says what PySpark does with the same script, where that is something else.
    """

    name: str
    definitions: str
    use: str
    expected: object
    spark: str = ""


# --- functions on records ---------------------------------------------------------------------

RECORDS = [
    Case("lambda", "", "numbers.map(lambda n: n + 1)", [2, 3, 4]),
    Case("module level", "def f(n):\n    return n + 1", "numbers.map(f)", [2, 3, 4]),
    Case(
        "one that calls another",
        "def g(n):\n    return n + 1\n\ndef f(n):\n    return g(g(n))",
        "numbers.map(f)",
        [3, 4, 5],
    ),
    Case(
        "recursive",
        "def f(n):\n    return 1 if n == 0 else n * f(n - 1)",
        "numbers.map(f)",
        [1, 2, 6],
    ),
    Case(
        "a global",
        "BASE = {'n': 10}\n\ndef f(n):\n    return BASE['n'] + n",
        "numbers.map(f)",
        [11, 12, 13],
    ),
    Case(
        "a global that is set later",
        "def f(n):\n    return LATER + n\n\nLATER = 100",
        "numbers.map(f)",
        [101, 102, 103],
    ),
    Case(
        "an import inside",
        "def f(n):\n    import math\n    return math.factorial(n)",
        "numbers.map(f)",
        [1, 2, 6],
    ),
    Case(
        "closure",
        "def make(step):\n    return lambda n: n + step",
        "numbers.map(make(1)).map(make(10))",
        [12, 13, 14],
    ),
    Case(
        "closures in a loop",
        "",
        "functools.reduce(lambda s, step: s.map(lambda n, step=step: n + step), [1, 10], numbers)",
        [12, 13, 14],
    ),
    Case(
        "nonlocal, once for each task",
        """
def make():
    seen = 0
    def f(n):
        nonlocal seen
        seen += 1
        return n, seen
    return f
""",
        "numbers.map(make())",
        [(1, 1), (2, 1), (3, 2)],
    ),
    Case(
        "a changed global, once for each task",
        "seen = 0\n\ndef f(n):\n    global seen\n    seen += 1\n    return n, seen",
        "numbers.map(f)",
        [(1, 1), (2, 1), (3, 2)],
    ),
    Case(
        "decorated",
        """
def logged(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f.__name__, f(*args, **kwargs)
    return wrapper

@logged
def g(n, plus=5):
    return n + plus
""",
        "numbers.map(g)",
        [("g", 6), ("g", 7), ("g", 8)],
    ),
    Case(
        "cached",
        "@functools.lru_cache(maxsize=None)\ndef f(n):\n    return n + 1",
        "numbers.map(f)",
        [2, 3, 4],
        "cannot pickle it",
    ),
    Case(
        "any number of arguments",
        "",
        "numbers.map(lambda *a, **k: (a, k))",
        [((1,), {}), ((2,), {}), ((3,), {})],
    ),
    Case("without source", "", "numbers.map(eval('lambda n: n + 1'))", [2, 3, 4]),
    Case(
        "made by exec",
        "space = {}\nexec('def f(n):\\n    return n + HOW', {'HOW': 7}, space)",
        "numbers.map(space['f'])",
        [8, 9, 10],
    ),
    Case("built-in", "", "numbers.map(float)", [1.0, 2.0, 3.0]),
    Case("built-in function", "", "numbers.map(hex).map(len)", [3, 3, 3]),
    Case("method of a type", "", "numbers.map(str).map(str.isdigit)", [True, True, True]),
    Case("method of a value", "", "numbers.map('x'.__mul__)", ["x", "xx", "xxx"]),
    Case(
        "of operator",
        "",
        "numbers.map(lambda n: (n, -n)).map(operator.itemgetter(1))",
        [-1, -2, -3],
    ),
    Case("methodcaller", "", "numbers.map(operator.methodcaller('bit_length'))", [1, 2, 2]),
    Case("partial", "", "numbers.map(functools.partial(pow, 2))", [2, 4, 8]),
    Case(
        "partial with names",
        "",
        "numbers.map(functools.partial(int.to_bytes, length=1, byteorder='big'))",
        [b"\1", b"\2", b"\3"],
    ),
    Case(
        "partial of a function of the script",
        "def f(a, b, c):\n    return a, b, c",
        "numbers.map(functools.partial(f, 0, c=9))",
        [(0, 1, 9), (0, 2, 9), (0, 3, 9)],
    ),
    Case(
        "callable object",
        "class F:\n    def __init__(self, n):\n        self.n = n\n"
        "    def __call__(self, n):\n        return n * self.n",
        "numbers.map(F(3))",
        [3, 6, 9],
    ),
    Case(
        "bound method",
        "class F:\n    n = 3\n    def f(self, n):\n        return n * self.n",
        "numbers.map(F().f)",
        [3, 6, 9],
    ),
    Case(
        "bound method that changes its object, once for each task",
        "class F:\n    n = 0\n    def f(self, n):\n        self.n += 1\n        return n, self.n",
        "numbers.map(F().f)",
        [(1, 1), (2, 1), (3, 2)],
    ),
    Case(
        "static and class methods",
        "class F:\n    @staticmethod\n    def f(n):\n        return n + 1\n"
        "    @classmethod\n    def g(cls, n):\n        return cls.__name__, n",
        "numbers.map(F.f).map(F().g)",
        [("F", 2), ("F", 3), ("F", 4)],
    ),
    Case(
        "class",
        "@dataclass\nclass Point:\n    x: int\n    y: int = 0",
        "numbers.map(Point).map(repr)",
        ["Point(x=1, y=0)", "Point(x=2, y=0)", "Point(x=3, y=0)"],
    ),
    Case(
        "records of a class of the script",
        "@dataclass(frozen=True)\nclass Point:\n    x: int",
        "numbers.map(Point).map(lambda p: (p.x % 2, p)).groupByKey()"
        ".mapValues(lambda points: [p.x for p in points])",
        [(0, [2]), (1, [1, 3])],
    ),
    Case(
        "named tuple",
        "Pair = namedtuple('Pair', 'key value')",
        "numbers.map(lambda n: Pair(n % 2, n)).reduceByKey(lambda a, b: a + b)",
        [(0, 2), (1, 4)],
    ),
    Case(
        "generator",
        "def f(n):\n    for _ in range(n):\n        yield n",
        "numbers.flatMap(f)",
        [1, 2, 2, 3, 3, 3],
    ),
    Case(
        "generator expression",
        "",
        "numbers.flatMap(lambda n: (n for _ in range(n)))",
        [1, 2, 2, 3, 3, 3],
    ),
    Case(
        "generator over a partition",
        "def f(records):\n    yield 'begin'\n    yield from records\n    yield 'end'",
        "numbers.mapPartitions(f)",
        ["begin", 1, "end", "begin", 2, 3, "end"],
    ),
    Case(
        "generator with a finally",
        "def f(records):\n    total = 0\n    try:\n        for n in records:\n"
        "            total += n\n            yield n\n    finally:\n        total = -1",
        "numbers.mapPartitions(f)",
        [1, 2, 3],
    ),
    Case(
        "generator with the partition's number",
        "def f(number, records):\n    for n in records:\n        yield number, n",
        "numbers.mapPartitionsWithIndex(f)",
        [(0, 1), (1, 2), (1, 3)],
    ),
    Case("built-in over a partition", "", "numbers.mapPartitions(sorted)", [1, 2, 3]),
    Case("filter by an object's method", "", "numbers.filter({1, 3}.__contains__)", [1, 3]),
    Case(
        "of two arguments", "", "numbers.map(lambda n: (0, n)).reduceByKey(operator.add)", [(0, 6)]
    ),
    Case("max as a reduction", "", "numbers.map(lambda n: (0, n)).reduceByKey(max)", [(0, 3)]),
    Case("from a module", "", "numbers.map(twice).map(helpers.twice)", [4, 8, 12]),
    Case("from a package", "", "numbers.map(thrice)", [3, 6, 9]),
    Case("generator from a module", "", "numbers.flatMap(halves)", [0.5, 0.5, 1.0, 1.0, 1.5, 1.5]),
    Case(
        "object of a module's class", "", "numbers.map(Scale(5)).map(Scale(2).apply)", [10, 20, 30]
    ),
    Case(
        "static and class methods of a module",
        "",
        "numbers.map(Scale.negative).map(Scale.named)",
        ["Scale -1", "Scale -2", "Scale -3"],
    ),
    Case(
        "a method that uses a global of the script",
        "BASE = [10]\n\nclass F:\n    def f(self, n):\n        return BASE[0] + n",
        "numbers.map(F().f)",
        [11, 12, 13],
    ),
    Case(
        "super and a base class",
        "class A:\n    def f(self, n):\n        return n + 1\n\n"
        "class B(A):\n    def f(self, n):\n        return super().f(n) * 10",
        "numbers.map(B().f)",
        [20, 30, 40],
    ),
    Case(
        "property and slots",
        "class F:\n    __slots__ = ('n',)\n    def __init__(self, n):\n        self.n = n\n"
        "    @property\n    def twice(self):\n        return self.n * 2",
        "numbers.map(F).map(operator.attrgetter('twice'))",
        [2, 4, 6],
    ),
    Case(
        "state by a bound method",
        "class Total:\n    def __init__(self, step):\n        self.step = step\n"
        "    def f(self, new, old):\n        return (old or 0) + self.step * sum(new)",
        "numbers.map(lambda n: (n % 2, n)).updateStateByKey(Total(2).f)",
        [(0, 4), (1, 8)],
    ),
    Case(
        "state by a partial",
        "def total(step, new, old):\n    return (old or 0) + step * sum(new)",
        "numbers.map(lambda n: (n % 2, n)).updateStateByKey(functools.partial(total, 2))",
        [(0, 4), (1, 8)],
    ),
]

# --- functions of the driver --------------------------------------------------------------------

ADD_ONE = "rdd.map(lambda n: n + 1)"
WITH_TIME = "rdd.map(lambda n: n + (time is not None))"

DRIVER = [
    Case("transform by a lambda", "", f"numbers.transform(lambda rdd: {ADD_ONE})", [2, 3, 4]),
    Case(
        "transform with the time",
        "",
        f"numbers.transform(lambda time, rdd: {WITH_TIME})",
        [2, 3, 4],
    ),
    Case(
        "transform by a bound method",
        f"class F:\n    def f(self, rdd):\n        return {ADD_ONE}",
        "numbers.transform(F().f)",
        [2, 3, 4],
        "takes self for the time, and fails when the batch is made",
    ),
    Case(
        "transform by a bound method with the time",
        f"class F:\n    def f(self, time, rdd):\n        return {WITH_TIME}",
        "numbers.transform(F().f)",
        [2, 3, 4],
        "AssertionError: func should take one or two arguments",
    ),
    Case(
        "transform by a class method",
        f"class F:\n    @classmethod\n    def f(cls, rdd):\n        return {ADD_ONE}",
        "numbers.transform(F.f)",
        [2, 3, 4],
        "takes cls for the time",
    ),
    Case(
        "transform by a partial",
        "def f(step, rdd):\n    return rdd.map(lambda n: n + step)",
        "numbers.transform(functools.partial(f, 1))",
        [2, 3, 4],
        "AttributeError: no __code__",
    ),
    Case(
        "transform by a partial with the time",
        "def f(step, time, rdd):\n    return rdd.map(lambda n: n + step)",
        "numbers.transform(functools.partial(f, 1))",
        [2, 3, 4],
        "AttributeError: no __code__",
    ),
    Case(
        "transform by an object",
        f"class F:\n    def __call__(self, rdd):\n        return {ADD_ONE}",
        "numbers.transform(F())",
        [2, 3, 4],
        "AttributeError: no __code__",
    ),
    Case(
        "transform by a methodcaller",
        "",
        "numbers.transform(operator.methodcaller('map', str))",
        ["1", "2", "3"],
        "AttributeError: no __code__",
    ),
    Case(
        "transformWith by a bound method",
        "class F:\n    def f(self, a, b):\n        return a.union(b)",
        "numbers.transformWith(F().f, numbers.map(str))",
        [1, 2, 3, "1", "2", "3"],
        "takes self for the time",
    ),
    Case(
        "the transform of a context by a bound method",
        "class F:\n    def f(self, rdds):\n        return rdds[0].union(rdds[1])",
        "ssc.transform([numbers, numbers.map(str)], F().f)",
        [1, 2, 3, "1", "2", "3"],
    ),
    Case("foreachRDD by a lambda", "", "numbers.foreachRDD(lambda rdd: keep(rdd))", [1, 2, 3]),
    Case(
        "foreachRDD with the time", "", "numbers.foreachRDD(lambda time, rdd: keep(rdd))", [1, 2, 3]
    ),
    Case(
        "foreachRDD with any number of arguments",
        "",
        "numbers.foreachRDD(lambda *args: keep(args[-1]))",
        [1, 2, 3],
    ),
    Case(
        "foreachRDD by a bound method",
        "class F:\n    def __init__(self, keep):\n        self.keep = keep\n"
        "    def f(self, rdd):\n        self.keep(rdd)",
        "numbers.foreachRDD(F(keep).f)",
        [1, 2, 3],
        "calls it with the time, too",
    ),
    Case(
        "foreachRDD by a bound method with the time",
        "class F:\n    def __init__(self, keep):\n        self.keep = keep\n"
        "    def f(self, time, rdd):\n        self.keep(rdd)",
        "numbers.foreachRDD(F(keep).f)",
        [1, 2, 3],
    ),
    Case(
        "foreachRDD by a partial",
        "def f(call, rdd):\n    call(rdd)",
        "numbers.foreachRDD(functools.partial(f, keep))",
        [1, 2, 3],
        "AttributeError: no __code__",
    ),
    Case(
        "foreachRDD by an object",
        "class F:\n    def __init__(self, keep):\n        self.keep = keep\n"
        "    def __call__(self, rdd):\n        self.keep(rdd)",
        "numbers.foreachRDD(F(keep))",
        [1, 2, 3],
        "AttributeError: no __code__",
    ),
    Case(
        "foreachRDD by a built-in",
        "",
        "kept = []; numbers.foreachRDD(kept.append); numbers.foreachRDD(lambda rdd: keep(kept[0]))",
        [1, 2, 3],
        "AttributeError: no __code__",
    ),
    Case(
        "foreachRDD by an object's method, which shares the driver's objects",
        "class F:\n    seen = 0\n    def f(self, rdd):\n        self.seen += rdd.count()",
        "f = F(); numbers.foreachRDD(f.f); numbers.foreachRDD(lambda rdd: results.append(f.seen))",
        3,
        "calls it with the time, too",
    ),
    Case(
        "foreach and foreachPartition",
        "def show(n):\n    pass\n\ndef show_all(records):\n    for n in records:\n        show(n)",
        "numbers.foreachRDD(lambda rdd: (rdd.foreach(show), rdd.foreachPartition(show_all), "
        "keep(rdd)))",
        [1, 2, 3],
    ),
]


def script_of(case):
    """The whole script of a case: a stream is put out, a statement is taken as it is."""
    use = case.use if "foreachRDD" in case.use else f"({case.use}).foreachRDD(keep)"
    return SCRIPT.format(definitions=case.definitions, use=f"    {use}")


def write_modules(folder):
    for name, text in MODULES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))


@pytest.mark.parametrize("case", [*RECORDS, *DRIVER], ids=lambda case: case.name)
def test_a_function_works(run, tmp_path, case):
    write_modules(tmp_path)
    script = tmp_path / "job.py"
    script.write_text(script_of(case))
    job = run([require_host(), "run", script])
    assert (job.status, job.out) == (0, f"results {case.expected!r}\n"), job.err


def test_every_front_door_finds_modules_beside_the_script(runner, run, tmp_path):
    package = "pyspark" if "run" in runner else "swiftwater"
    write_modules(tmp_path)
    script = tmp_path / "job.py"
    case = Case("", "", "numbers.map(twice).map(thrice).map(helpers.counted)", [1, 2, 3])
    script.write_text(script_of(case).replace("from pyspark", f"from {package}"))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    job = run([*runner, script])
    # A module is shared by all tasks, as it is by all tasks of one of Spark's workers.
    assert (job.status, job.out) == (0, "results [1, 2, 3]\n"), job.err


REFUSED = [
    ("numbers.map(3)", "map needs a function, not int: 3"),
    ("numbers.flatMap(None)", "flatMap needs a function, not NoneType: None"),
    ("numbers.transform(lambda a, b, c: a)", "func should take one or two arguments"),
    ("numbers.transform(lambda: None)", "func should take one or two arguments"),
    ("numbers.transform(lambda *rdds: rdds[0])", "func should take one or two arguments"),
    ("numbers.transformWith(lambda a: a, numbers)", "func should take two or three arguments"),
    ("ssc.transform([numbers], 3)", "transform needs a function, not int: 3"),
]


def failed(run, folder, use):
    write_modules(folder)
    script = folder / "job.py"
    script.write_text(script_of(Case("", "", use, None)))
    job = run([require_host(), "run", script])
    assert job.status == 1
    assert job.err[job.err.index("Traceback") :].count("\n") <= 16, job.err
    return job


@pytest.mark.parametrize(("use", "text"), REFUSED)
def test_what_cannot_work_is_refused_at_its_line(run, tmp_path, use, text):
    job = failed(run, tmp_path, use)
    assert f"({use}).foreachRDD(keep)\n" in job.err
    assert text in job.err
    assert "started" not in job.err


OF_THE_DRIVER = [
    ("numbers.map(lambda n: sc.parallelize([n]))", "SparkContext can only be used on the driver"),
    ("numbers.map(lambda n: ssc)", "a StreamingContext can only be used in the driver"),
    ("numbers.filter(lambda n: numbers)", "a DStream can only be used in the driver"),
]


@pytest.mark.parametrize(("use", "text"), OF_THE_DRIVER)
def test_functions_on_records_cannot_use_the_driver(run, tmp_path, use, text):
    assert text in failed(run, tmp_path, use).err
