"""How an uncaught error looks."""

import pytest

from swiftwater._uncaught_errors import MOST_LINES, render


def raised(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001 - that is what is looked at
        return error
    raise AssertionError("nothing was raised")


def parse(text):
    return int(text)


def with_notes(error):
    error.add_note("in map at job.py:9")
    error.add_note("batch 2026-11-22 12:34:00")
    error.add_note("record 'pear'")
    return error


def recurse(depth):
    return recurse(depth - 1) if depth else parse("pear")


def chain(length):
    try:
        chain(length - 1) if length else parse("pear")
    except ValueError as error:
        raise ValueError(f"link {length}") from error


def while_handling():
    try:
        parse("pear")
    except ValueError:
        {}["missing"]


def without_context():
    try:
        parse("pear")
    except ValueError:
        raise KeyError("new") from None


def long_message():
    raise ValueError("begin " + "x" * 10_000 + " end")


def many_lines():
    raise ValueError("\n".join(f"line {n}" for n in range(500)))


def test_a_short_error_is_shown_as_python_shows_it():
    text = render(with_notes(raised(parse, "pear")))
    lines = text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-4:] == [
        "ValueError: invalid literal for int() with base 10: 'pear'",
        "in map at job.py:9",
        "batch 2026-11-22 12:34:00",
        "record 'pear'",
    ]
    assert "    return int(text)" in lines
    assert "shortened" not in text


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: raised(recurse, 50), ["ValueError: invalid", "in parse", " more ..."]),
        (lambda: raised(chain, 1), ["invalid literal", "which caused:", "ValueError: link 1"]),
        (lambda: raised(chain, 9), ["invalid literal", "ValueError: link 9"]),
        (lambda: raised(while_handling), ["invalid literal", "while it was handled:", "KeyError"]),
        (lambda: raised(long_message), ["ValueError: begin xxx", "more characters", "xxx end"]),
        (lambda: raised(many_lines), ["ValueError: line 0", "line 1"]),
    ],
)
@pytest.mark.parametrize("notes", [False, True])
def test_a_long_one_is_shortened_and_says_so(make, expected, notes):
    error = with_notes(make()) if notes else make()
    text = render(error)
    assert len(text.splitlines()) <= MOST_LINES
    for part in expected:
        assert part in text
    assert ("shortened" in text) == (text.rstrip().endswith("SWIFTWATER_ERRORS_FULL=true)"))
    full = render(error, full=True)
    assert len(full) > len(text)


def test_what_is_left_out_is_said():
    for error in (raised(recurse, 50), raised(chain, 9), raised(long_message), raised(many_lines)):
        assert "swiftwater.errors.full=true" in render(error)


def test_notes_survive_a_deep_stack_and_a_long_chain():
    for error in (raised(recurse, 50), raised(chain, 9)):
        text = render(with_notes(error))
        for note in ("in map at job.py:9", "batch 2026", "record 'pear'"):
            assert note in text


def test_a_suppressed_cause_is_not_shown():
    assert "invalid literal" not in render(raised(without_context))


def test_frames_of_the_package_are_dropped(sc):
    error = raised(sc.parallelize(["pear"]).map(parse).collect)
    short = render(error)
    assert "in parse" in short
    assert "swiftwater/_rdd/" not in short
    assert "swiftwater/_rdd/" in render(error, full=True)


def test_a_syntax_error_shows_its_line():
    error = raised(compile, "a = = 1\n", "job.py", "exec")
    text = render(error)
    assert 'File "job.py", line 1' in text
    assert "a = = 1" in text
    assert "SyntaxError" in text


def test_an_exception_whose_text_fails():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    assert "Odd" in render(Odd())


def test_a_group_of_exceptions():
    text = render(ExceptionGroup("several", [ValueError("one"), KeyError("two")]))
    assert "several" in text
    assert "2 sub-exceptions" in text


def test_a_cycle_of_causes_ends():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert "ValueError: a" in render(first)


OBEYED = "\x1b[2J\x9b31m\x9d0;title\x07\r\x7f\u2028\u202e\ufeff\ud800"
SHOWN = r"\x1b[2J\x9b31m\x9d0;title\x07\r\x7f\u2028\u202e\ufeff\ud800"


@pytest.mark.parametrize("full", [False, True])
def test_nothing_that_a_terminal_obeys_is_in_it(full):
    error = raised(parse, "pear")
    error.args = (f"kind: {OBEYED}\nsecond line",)
    error.add_note(f"note {OBEYED}")
    error.__cause__ = KeyError(f"cause {OBEYED}")
    shown = render(error, full=full)
    assert f"ValueError: kind: {SHOWN}\nsecond line\nnote {SHOWN}" in shown
    # A message of a KeyError is its repr already.
    assert all(line.isprintable() for line in shown.split("\n"))


def test_a_long_line_is_short_when_it_is_shown():
    shown = render(raised(parse, "pear").__class__("\x1b" * 290))
    assert len(max(shown.split("\n"), key=len)) < 400
    assert "more characters" in shown
