"""Scripts whose functions and classes are defined in all kinds of places."""

import textwrap

import pytest

BESIDE = {
    "beside.py": """
        import os
        FACTOR = 3
        loaded_in = os.getpid()
        def tripled(n):
            return n * FACTOR
        """,
    "package/__init__.py": "from .inner import Point",
    "package/inner.py": """
        from dataclasses import dataclass
        from . import numbers
        @dataclass(frozen=True)
        class Point:
            x: int
            def moved(self):
                return Point(self.x + numbers.STEP)
        """,
    "package/numbers.py": "STEP = 10",
    "data.txt": "from a file",
}
SCRIPT = """
from __future__ import annotations
import dataclasses, enum, os, sys
import beside
from beside import tripled
from package import Point
from swiftwater import SparkContext

print("top", __name__)
OFFSET = 5
CACHE = {}

@dataclasses.dataclass(order=True)
class Box:
    value: int
    more: list[int] = dataclasses.field(default_factory=list)

    def doubled(self) -> Box:
        return Box(self.value * 2, [*self.more, self.value])

class Base:
    def name(self):
        return type(self).__name__

class Child(Base):
    def name(self):
        return "a " + super().name()

class Colour(enum.Enum):
    RED = 1

def even(n):
    return True if n == 0 else odd(n - 1)

def odd(n):
    return False if n == 0 else even(n - 1)

def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)

def with_offset(n):
    return n + OFFSET

def cached(n):
    CACHE[n] = CACHE.get(n, 0) + 1
    return CACHE[n]

def content(name):
    with open(name) as file:
        return file.read()

def everything(n):
    assert os.getpid() != driver
    assert sys.argv[1:] == ["an argument"], sys.argv
    return (
        even(n), depth(n), with_offset(n), tripled(n), beside.tripled(n), Point(n).moved(),
        Box(n).doubled(), Child().name(), Colour(1) is Colour.RED, content("data.txt"),
        os.path.basename(os.getcwd()) == folder, cached(n), __name__, beside.loaded_in == driver,
        os.path.basename(__file__),
    )

def main():
    sc = SparkContext("local[2]", "script")
    numbers = sc.parallelize(range(4), 2)
    found = numbers.map(everything).collect()
    assert found == [
        (
            n % 2 == 0, n, n + 5, n * 3, n * 3, Point(n + 10), Box(n * 2, [n]), "a Child", True,
            "from a file", True, 1, "__main__", False, "job.py",
        )
        for n in range(4)
    ], found
    assert all(type(item[6]) is Box and type(item[5]) is Point for item in found)
    global OFFSET
    OFFSET = 100
    assert numbers.map(with_offset).collect() == [100, 101, 102, 103]
    boxes = numbers.map(lambda n: (Colour.RED, Box(n))).reduceByKey(max).collect()
    assert boxes == [(Colour.RED, Box(3))], boxes
    assert CACHE == {}
    print("passed")

driver, folder = os.getpid(), os.path.basename(os.getcwd())
if __name__ == "__main__":
    print("guarded")
    main()
"""
OUTPUT = "top __main__\nguarded\npassed\n"


@pytest.fixture
def beside(tmp_path):
    for name, text in BESIDE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))


@pytest.mark.usefixtures("beside")
def test_a_script_with_all_kinds_of_functions_and_classes(way, begin):
    assert begin(way, SCRIPT, "an argument", head="", PYTHONHASHSEED="0").ends() == OUTPUT


@pytest.mark.usefixtures("beside")
def test_a_script_that_is_run_by_exec(way, begin, tmp_path):
    (tmp_path / "cells.py").write_text(SCRIPT)
    text = 'exec(compile(open("cells.py").read(), "<cell>", "exec"), globals())'
    assert begin(way, text, "an argument", head="", PYTHONHASHSEED="0").ends() == OUTPUT
