"""Records through programs."""

import pytest

from swiftwater.errors import PySparkRuntimeError


@pytest.mark.parametrize(
    ("records", "command", "env", "expected"),
    [
        (["1", "2", "", "3"], "cat", None, ["1", "2", "", "3"]),
        ([1, None, "a\n", "é"], "cat", None, ["1", "None", "a", "é"]),
        ([1, 2], "sh -c 'echo $WORD; cat'", {"WORD": "q"}, ["q", "1", "2"]),
        ([1, 2, 3], "head -1", None, ["1"]),
        (["a"], "sh -c 'printf no-end'", None, ["no-end"]),
        ([], "cat", None, []),
        ([1, 2], "grep 4", None, []),
    ],
)
def test_pipe(sc, records, command, env, expected):
    assert sc.parallelize(records, 1).pipe(command, env).collect() == expected


def test_a_program_for_each_partition(sc):
    assert sc.parallelize(range(6), 3).pipe("tail -n 1").collect() == ["1", "3", "5"]


def test_the_environment_is_what_is_given(sc, monkeypatch):
    monkeypatch.setenv("FROM_OUTSIDE", "1")
    lines = sc.parallelize([1], 1).pipe("/usr/bin/env", {"GIVEN": "2"}).collect()
    assert "GIVEN=2" in lines
    assert not [line for line in lines if line.startswith("FROM_OUTSIDE")]


def test_more_than_a_pipe_holds(sc):
    # Both pipes fill up: writing must not wait for reading.
    line = "x" * 1000
    lines = sc.parallelize([line] * 2000, 1).pipe("cat")
    assert lines.count() == 2000
    assert lines.take(1) == [line]


def test_more_records_than_the_program_reads(sc):
    assert sc.parallelize(range(200_000), 1).pipe("head -n 2").collect() == ["0", "1"]


def test_status(sc):
    numbers = sc.parallelize([1, 2], 1)
    assert numbers.pipe("grep 1", checkCode=True).collect() == ["1"]
    message = r"\[PIPE_FUNCTION_EXITED\] Pipe function `grep 4` exited with error code 1\."
    with pytest.raises(PySparkRuntimeError, match=message):
        numbers.pipe("grep 4", checkCode=True).collect()


def test_errors(sc):
    with pytest.raises(FileNotFoundError, match="no_such_program"):
        sc.parallelize([1], 1).pipe("no_such_program").collect()
    with pytest.raises(ZeroDivisionError):
        sc.parallelize([0], 1).map(lambda n: 1 // n).pipe("cat").collect()
