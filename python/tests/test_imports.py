"""What the package's modules know of each other, and that classes of several files are one."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import swiftwater
from swiftwater._assembling import assembled

FOLDER = Path(swiftwater.__file__).parent
MOST_LINES = 600

# Longer, and in a circle of imports: nothing may be added here.
LONG: set[str] = set()
IN_A_CIRCLE: set[str] = set()
# From the bottom: each is loaded without those behind it.
LAYERS = (
    "_rdd",
    "rdd",
    "_context",
    "context",
    "streaming._dstream",
    "streaming.dstream",
    "streaming._ssc",
    "streaming.context",
)
# Data frames are optional, and RDDs are below them: the one import that points upwards.
UPWARDS = ("_rdd.outputs", "_sql.session")
# Classes of several files: what comes behind their core's name is a subject's part.
ASSEMBLED = {
    "RDD": "rdd",
    "SparkContext": "context",
    "DStream": "streaming.dstream",
    "StreamingContext": "streaming.context",
}


def sources():
    """The package's modules, without PySpark's names for them: name and file."""
    for path in sorted(FOLDER.rglob("*.py")):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        if parts[0] != "_compat":
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(sources())


def imported(tree):
    """The package's modules that a file imports, wherever in it, but for the sake of types."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return
    if isinstance(tree, ast.ImportFrom) and (tree.module or "").split(".")[0] == "swiftwater":
        home = tree.module.partition(".")[2]
        # The native module is no file of these.
        for alias in [name for name in tree.names if name.name != "_swiftwater"]:
            inner = f"{home}.{alias.name}".lstrip(".")
            yield inner if inner in MODULES else home
    for child in ast.iter_child_nodes(tree):
        yield from imported(child)


def graph():
    edges = {
        name: set(imported(ast.parse(path.read_text(encoding="utf-8")))) & set(MODULES) - {name}
        for name, path in MODULES.items()
    }
    edges[UPWARDS[0]].remove(UPWARDS[1])
    return edges


def reached(edges, start):
    found, left = set(), [start]
    while left:
        new = edges[left.pop()] - found
        found |= new
        left += new
    return found


def test_imports_make_no_circle():
    edges = graph()
    in_a_circle = {name for name in edges if name in reached(edges, name)}
    assert in_a_circle <= IN_A_CIRCLE


@pytest.mark.parametrize("number", range(len(LAYERS) - 1))
def test_a_layer_knows_nothing_above_it(number):
    edges = graph()
    mine, above = LAYERS[number], tuple(LAYERS[number + 1 :])
    found = {
        name: {each for each in reached(edges, name) if each.startswith(above)}
        for name in edges
        if f"{name}.".startswith(f"{mine}.")
    }
    assert found
    assert not any(found.values()), found


def test_no_module_of_the_package_is_looked_up_by_name():
    found = [
        name
        for name, path in MODULES.items()
        if re.search(r"modules(\.get\(|\[)\"swiftwater", path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["python/swiftwater", "python/tests", "Sources", "Tests"])
def test_no_file_is_long(folder):
    sources = [
        path
        for path in (FOLDER.parents[1] / folder).rglob("*")
        if path.suffix in {".py", ".pyi", ".swift", ".c", ".h"}
    ]
    assert sources
    long = {
        str(path.relative_to(FOLDER.parents[1]))
        for path in sources
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long <= LONG


IN_WORKERS = """
import sys

from swiftwater.testing import StreamingTest


def loaded(record):
    return [name for name in sys.modules if name.startswith("swiftwater.")]


def total(new, old):
    return sum(new) + (old or 0)


for operator in (
    lambda s: s.countByValue(),
    lambda s: s.countByWindow(2, 1),
    lambda s: s.countByValueAndWindow(2, 1),
    lambda s: s.map(lambda n: (n, 1)).groupByKeyAndWindow(5, 1),
    lambda s: s.map(lambda n: (n, 1)).reduceByKeyAndWindow(
        lambda a, b: a + b, lambda a, b: a - b, 5, 1
    ),
    lambda s: s.map(lambda n: (n, 1)).updateStateByKey(total, initialRDD=[(1, 1)]),
):
    with StreamingTest(settings={"swiftwater.workers": "always"}) as test:
        out = test.collect(operator(test.ssc.queueStream([[1, 2, 3], [3, 4]])).map(loaded))
        test.advance(2)
        print(*{name for batch in out.batches for names in batch for name in names})
"""


def test_a_worker_loads_no_class_of_the_driver():
    run = subprocess.run(
        [sys.executable, "-c", IN_WORKERS], capture_output=True, text=True, check=True
    )
    for line in run.stdout.splitlines():
        names = set(line.split())
        assert "swiftwater._workers.serving" in names
        assert names.isdisjoint(
            {"swiftwater.rdd", "swiftwater.context", "swiftwater.streaming.dstream"}
        )
    assert run.stdout.count("\n") == 6


# --- classes of several parts -------------------------------------------------------------------


def parts_of(whole):
    return [
        part for part in whole.__mro__[1:] if re.match(r"swiftwater\.(\w+\.)?_", part.__module__)
    ]


def functions_of(kind):
    for name, member in vars(kind).items():
        if isinstance(member, property):
            yield name, member.fget
        elif isinstance(member, (classmethod, staticmethod)):
            yield name, member.__func__
        elif inspect.isfunction(member):
            yield name, member


@pytest.mark.parametrize("name", ASSEMBLED)
def test_a_method_is_the_class_s_own(name):
    whole = getattr(importlib.import_module(f"swiftwater.{ASSEMBLED[name]}"), name)
    for part in parts_of(whole):
        for method, function in functions_of(part):
            assert vars(whole)[method] is vars(part)[method]
            assert function.__qualname__ == f"{name}.{method}"
            assert function.__module__ == whole.__module__


@pytest.mark.parametrize("name", ASSEMBLED)
def test_parts_know_the_core_and_not_each_other(name):
    whole = getattr(importlib.import_module(f"swiftwater.{ASSEMBLED[name]}"), name)
    parts = parts_of(whole)
    homes = {part.__module__.partition(".")[2] for part in parts}
    core = parts[-1].__module__.partition(".")[2]
    edges = graph()
    known = {home: edges[home] & (homes - {core}) for home in homes}
    assert not any(known.values()), known
    named = Counter(method for part in parts for method, _ in functions_of(part))
    assert [method for method, times in named.items() if times > 1] == []


def test_a_class_of_parts():
    class WholeCore:
        shared = None

        def begin(self):
            return self.shared

        @classmethod
        def make(cls):
            return cls()

    class Part(WholeCore):
        def add(self: "WholeCore[int]", number):
            return number

        @property
        def size(self):
            return 1

    @assembled
    class Whole(Part):
        pass

    assert set(vars(Whole)) >= {"begin", "make", "add", "size"}
    assert "shared" not in vars(Whole)
    assert Whole.add.__qualname__ == f"{Whole.__qualname__}.add"
    assert Whole.add.__annotations__ == {"self": "Whole[int]"}
    assert isinstance(Whole.make(), Whole)
    with pytest.raises(TypeError, match=r"Whole\.add\(\) missing 1 required positional argument"):
        Whole().add()
