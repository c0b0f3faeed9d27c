"""The pages for users, held against the code: examples run, and names exist."""

import functools
import importlib
import inspect
import operator
import re

import pytest

from swiftwater._lowering import unchanged_without_values
from swiftwater._native import engine
from tests.docs.pages import ROOT, page, python_blocks, section
from tests.lowering.lowering_states import condition_words


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


LOWERING = "docs/lowering.md"
LINES = ["a", "b 1", "", "a,b a", "Ä x.js"]


def record_of(line):
    number = len(line)
    return line, number, number / 2, number > 1, line.split(" "), (line, number), line or None


def function_on_records(expression):
    """A function of a record whose parts have the page's names."""
    space = {}
    exec(f"def of(record):\n s, i, x, b, w, p, o = record\n return {expression}\n", space)
    return space["of"]


def rows_of(title):
    """The cells of the rows of a section's tables, without heads."""
    lines = [line for line in section(LOWERING, title).splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
    return [row for row in rows if len(row) > 1 and row[1] != "for example"]


def expressions(title):
    return [
        (expression, *row[2:])
        for row in rows_of(title)
        for expression in re.findall(r"`([^`]+)`", row[1])
    ]


def last_function(rdd):
    """How the last function of an RDD runs, and why."""
    return engine.explain(rdd._handle)[-1][3:6:2]


@pytest.fixture
def page_lines(sc, tmp_path):
    (tmp_path / "lines.txt").write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    return sc.textFile(str(tmp_path / "lines.txt"), 1)


@pytest.mark.parametrize("expression", [given[0] for given in expressions("What runs natively")])
def test_what_runs_natively(page_lines, expression):
    function = function_on_records(expression)
    rdd = page_lines.map(record_of).map(function)
    assert last_function(rdd) == ("native", "")
    records = [record_of(line) for line in LINES]
    try:
        expected = [function(record) for record in records]
    except Exception as error:  # noqa: BLE001 - whatever Python raises
        with pytest.raises(type(error), match=re.escape(str(error))):
            rdd.collect()
    else:
        assert repr(rdd.collect()) == repr(expected)


@pytest.mark.parametrize(("expression", "reason"), expressions("What stays Python"))
def test_what_stays_python(page_lines, expression, reason):
    form, told = last_function(page_lines.map(record_of).map(function_on_records(expression)))
    assert form == "Python"
    assert reason in told


@pytest.mark.parametrize(("expression", "types"), expressions("Combining values of a key"))
def test_what_combines_natively(page_lines, expression, types):
    values = {"int": lambda s: len(s), "float": lambda s: len(s) / 2, "str": lambda s: s}  # noqa: PLW0108
    values |= {"anything": lambda s: s or None, "as above": lambda s: (len(s), s)}
    for name in types.split(", "):
        value = values[name]
        pairs = page_lines.map(lambda line: (len(line) > 1, value(line)))  # noqa: B023
        rdd = pairs.reduceByKey(eval(expression, {"operator": operator}))
        assert last_function(rdd) == ("native", ""), name
        reduced = {}
        for line in LINES:
            reduced.setdefault(len(line) > 1, []).append(value(line))
        function = eval(expression, {"operator": operator})
        expected = {key: functools.reduce(function, found) for key, found in reduced.items()}
        assert dict(rdd.collect()) == expected


PLANS = re.findall(
    r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", page(LOWERING), re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(("example", "plan"), PLANS, ids=["records", "states"])
def test_the_plans_of_the_page(streaming, capsys, example, plan):
    exec(compile(example, "job.py", "exec"), {"ssc": streaming.ssc})
    assert capsys.readouterr().out == plan


def test_the_words_of_a_plan_are_explained():
    source = page("Sources/SwiftwaterPlan/Explanation.swift")
    forms = re.search(r"enum Form: String, Sendable \{(.*?)\n  \}", source, re.DOTALL)[1]
    cases = re.findall(r'case (\w+)(?: = "([^"]+)")?', forms)
    words = {row[0].strip("`") for row in rows_of("How to see it") if row[0] != "word"}
    python = {"language": "Python", "worker": "Python, in a worker"}
    assert words == {python.get(case, text or case) for case, text in cases}


STATES = [
    (text.replace("\\", ""), keeps)
    for text, keeps in re.findall(
        r"^\| `(.*)` \| (.*) \|$",
        section(LOWERING, "States of keys without new values"),
        re.MULTILINE,
    )
]
WORDS_OF_KINDS = {
    "any state": "any",
    "`int`, `float`": "int | float",
    "`list`": "list",
    "`list` of at most 100 items": "list#100",
    "`str`": "str",
    "`set`, `frozenset` that is not empty": "set | frozenset+",
    "`dict`": "dict",
    "`tuple` of two items, each an `int` or a `float`": "tuple[int | float, int | float]",
}


@pytest.mark.parametrize(("expression", "keeps"), STATES)
def test_states_of_keys_without_new_values(expression, keeps):
    names = {"functools": functools, "f": max}
    answer = unchanged_without_values(eval(f"lambda new, old: {expression}", names))
    assert answer[0] == "unchanged", answer
    found = condition_words(answer[1]) if len(answer) == 2 else "any"
    assert found == WORDS_OF_KINDS[keeps]
