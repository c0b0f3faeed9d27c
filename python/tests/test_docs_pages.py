"""The pages for users, held against the code: examples run, names exist, messages are given."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def python_blocks(name):
    return re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)


def section(name, title):
    pattern = rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, page(name), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} has no section {title}"
    return found[1]


# --- the examples of docs/testing.md and of the README ------------------------------------------


def collected(name):
    """The test functions of a page; its blocks are one program."""
    blocks = [block for block in python_blocks(name) if "def test_" in block]
    space = {"__name__": "page"}
    exec(compile("\n".join(blocks), name, "exec"), space)
    return {key: value for key, value in space.items() if key.startswith("test_")}


TESTS = [
    pytest.param(test, id=f"{name} {key}")
    for name in ("docs/testing.md", "README.md")
    for key, test in collected(name).items()
]


@pytest.mark.parametrize("test", TESTS)
def test_the_tests_of_the_pages(test, tmp_path):
    test(*([tmp_path] if "tmp_path" in inspect.signature(test).parameters else []))


# --- docs/porting.md ----------------------------------------------------------------------------

PORTING = "docs/porting.md"


@pytest.mark.parametrize("module", ["rdd", "context"])
def test_what_is_missing_is_listed(module):
    missing = importlib.import_module(f"swiftwater.{module}")._NOT_THERE
    text = section(PORTING, "What is not there")
    listed = set(re.findall(r"`(?:RDD\.|SparkContext\.)?(\w+)`", text))
    assert set(missing) <= listed


def test_modules_that_are_missing_are_listed():
    folder = ROOT / "python" / "swiftwater" / "_compat"
    missing = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if re.search(r"^raise ImportError", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    text = section(PORTING, "What is not there")
    assert missing == set(re.findall(r"`(pyspark\.[\w.]+)`", text)) - {"pyspark.streaming"}


def test_classes_and_modules_that_are_listed_are_there():
    text = section(PORTING, "What is there")
    classes = re.search(r"\| class .*?\n\n", text, re.DOTALL)[0]
    columns = [line.split("|")[1:3] for line in classes.splitlines()[2:] if line]
    places = [
        importlib.import_module(name)
        for name in ("swiftwater", "swiftwater.streaming", "swiftwater.streaming.dstream")
    ] + [
        importlib.import_module(f"swiftwater.{name}") for name in ("resultiterable", "statcounter")
    ]
    for named, extras in columns:
        found = []
        for name in re.findall(r"`(\w+)`", named):
            found += [getattr(place, name) for place in places if hasattr(place, name)][:1]
            assert found, name
            assert found[-1].__name__ == name
        for extra in re.findall(r"`(\w+)`", extras):
            shown = inspect.getsource(found[0])
            assert hasattr(found[0], extra) or f"self.{extra}" in shown, extra
