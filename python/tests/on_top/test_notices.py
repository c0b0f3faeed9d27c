"""What the package says of itself, with a context and without one."""

import re
from pathlib import Path

import pytest

import swiftwater
from swiftwater import SparkContext
from swiftwater._native import engine


def told(capfd):
    """The lines on standard error, without their times."""
    return [line.split(" ", 2)[2] for line in capfd.readouterr().err.splitlines()]


@pytest.mark.parametrize("when", ["before", "while", "after"])
def test_it_is_logged(capfd, when):
    context = None if when == "before" else SparkContext("local[2]", "test")
    if when == "after":
        context.stop()
    capfd.readouterr()
    for level in ("debug", "info", "warning", "error"):
        engine.notice(level, None, f"a word of {level}")
    engine.notice("warning", None, "in two\nlines")
    if context is not None:
        context.stop()
    assert told(capfd) == [
        "INFO a word of info",
        "WARNING a word of warning",
        "ERROR a word of error",
        "WARNING in two\\nlines",
    ]


def test_of_what_comes_again_and_again_some_is_logged(capfd, sc):
    capfd.readouterr()
    for number in range(1000):
        engine.notice("warning", "many", f"number {number}")
        if number < 3:
            engine.notice("warning", "few", f"other {number}")
    lines = told(capfd)
    assert [line for line in lines if "other" in line] == [f"WARNING other {n}" for n in range(3)]
    assert 10 <= len([line for line in lines if "number" in line]) < 20


def test_the_level_of_the_log_counts(capfd, sc):
    sc.setLogLevel("ERROR")
    capfd.readouterr()
    engine.notice("warning", None, "not shown")
    engine.notice("error", None, "shown")
    assert told(capfd) == ["ERROR shown"]


def test_an_unknown_level_is_refused(sc):
    with pytest.raises(TypeError, match="'loud' is no level"):
        engine.notice("loud", None, "text")


def test_nothing_else_is_logged_but_lines_of_the_program():
    # What is logged past the events nobody else hears of.
    folder = Path(swiftwater.__file__).parent
    found = {
        path.name
        for path in folder.rglob("*.py")
        if re.search(r"\bengine\.log\b|\bwarnings\.warn\b", path.read_text())
    }
    assert found == {"_jvm.py"}
