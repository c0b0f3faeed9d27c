"""The page on outputs, held against the code: its programs run, and it shows what there is."""

import re
import sqlite3
from contextlib import closing

import pytest

from swiftwater.streaming._dstream import sqlite_tables
from swiftwater.testing import StreamingTest
from tests.docs.pages import page, python_blocks

PAGE = "docs/outputs.md"
FOLDERS, TABLES, OWN = python_blocks(PAGE)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def program(text):
    space = {}
    exec(compile(text, PAGE, "exec"), space)
    return space


def asked(database, query):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_tables():
    functions = program(TABLES)
    with StreamingTest() as test:
        lines = test.text_source()
        functions["count_words"](lines.stream)
        functions["total_words"](lines.stream)
        lines.send("a b a")
        test.advance()
        lines.send("a")
        test.advance()
    query = "SELECT word, n, (batch_ms - 1893456000000) / 1000 FROM {} ORDER BY batch_ms, word"
    assert asked("out.db", query.format("counts")) == [("a", 2, 1), ("b", 1, 1), ("a", 1, 2)]
    assert asked("out.db", query.format("totals")) == [("a", 3, 2), ("b", 1, 2)]


def test_an_output_of_ones_own():
    functions = program(OWN)
    with StreamingTest() as test:
        functions["setup"](test.ssc.queueStream([[("pear", 1.5)], [("plum", 2.0)]]))
        test.advance(2)
    assert asked("sales.db", "SELECT * FROM sales") == [("pear", 1.5), ("plum", 2.0)]
    # The same batches once more.
    with StreamingTest() as test:
        functions["setup"](test.ssc.queueStream([[("pear", 1.5)], [("plum", 2.0)], [("fig", 1.0)]]))
        test.advance(3)
    sales = asked("sales.db", "SELECT * FROM sales")
    assert sales == [("pear", 1.5), ("plum", 2.0), ("fig", 1.0)]


@pytest.mark.parametrize("way", ["rename", "manifest"])
def test_folders(tmp_path, way):
    with StreamingTest(settings={"swiftwater.files.commit": way}) as test:
        exec(FOLDERS, {"lines": test.ssc.queueStream([["a", "b"]])})
        test.advance()
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name == "lines-1893456001000.txt"
    shown = re.search(r"^```text\n(swiftwater.*?)^```", page(PAGE), re.DOTALL | re.MULTILINE)[1]
    marker = (folder / "_SUCCESS").read_text()
    if way == "manifest":
        # Other letters and digits of the attempt, and another job.
        assert pattern(marker) == pattern(shown)
    else:
        assert marker == ""


def pattern(manifest):
    without = re.sub(r"[0-9a-f]{32}", "...", manifest)
    return re.sub(r"^batch \w+/", "batch .../", without, flags=re.MULTILINE)


def test_the_bounds_that_are_named():
    text = page(PAGE)
    assert f"the newest {sqlite_tables._MOST_RANGES:,} rows are kept" in text
    seconds = sqlite_tables._MOST_STEPS * sqlite_tables._STEP_SECONDS
    assert f"for {seconds:.0f}\n  seconds" in text or f"for {seconds:.0f} seconds" in text
