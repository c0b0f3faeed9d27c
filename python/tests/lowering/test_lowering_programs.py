"""The proof of sameness: random programs give the same lowered as in plain CPython."""

import math
import os
import re
import time
from dataclasses import replace

import pytest

from tests.lowering.lowering_program_jobs import Program, program
from tests.lowering.lowering_programs import (
    Outcome,
    compare,
    compiled,
    difference,
    dumped,
    loaded,
    run_programs,
)

# Read when pytest loads this file: the tests run without settings from outside.
SEED = os.environ.get("SWIFTWATER_SEED") or str(time.time_ns() % 1_000_000_000)

# A job that gives something else when it runs lowered.
TELLING = """
def job(first):
    is_lowered = first.context.getConf().get("swiftwater.lowering") == "true"
    data = first.map(lambda a: a).map(lambda a: (a, WRONG) if is_lowered and a > 3 else a)
    return data, lambda: data{}
"""


def same(first, second):
    return not difference(first, second)


def telling(wrong, action=".collect()"):
    source = TELLING.replace("WRONG", wrong).format(action)
    return Program("list", source, list(range(6)), partitions=2)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, 10**30, 0.0, -0.0, math.inf, math.nan, "a\udc80", b"a", (), [], {}),
        *([(1, [2.0, "x"])], {"a": [1]}, {1, "a"}, KeyError("a", 1), OSError(2, "no file")),
    ],
)
def test_the_same(value):
    again = loaded(dumped(Program("list", "", [value], 1))).records[0] if _written(value) else value
    assert difference(value, again) == ""


def _written(value):
    return not isinstance(value, BaseException)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (0.0, -0.0),
        (1, True),
        (1, 1.0),
        (0, None),
        ("a", "b"),
        ("é", "e\u0301"),
        ("a", b"a"),
        (math.nan, math.inf),
        ([1, 2], [2, 1]),
        ([1], (1,)),
        ([1], [1, 1]),
        ((1, (2, [0.0])), (1, (2, [-0.0]))),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": True}),
        ({1: "a"}, {True: "a"}),
        ({1}, {True}),
        (KeyError("a"), KeyError("b")),
        (KeyError("a"), IndexError("a")),
        (ValueError(1), ValueError(1.0)),
        (ValueError("a"), "a"),
    ],
)
def test_not_the_same(first, second):
    assert difference(first, second)
    assert difference([("k", first)], [("k", second)])
    assert difference(second, first)


def test_a_seed_gives_the_same_programs_again():
    first = [dumped(program("7", number)) for number in range(100)]
    assert first == [dumped(program("7", number)) for number in range(100)]
    assert first != [dumped(program("8", number)) for number in range(100)]
    assert all(dumped(loaded(line)) == line for line in first)


def test_a_difference_is_found_and_made_small(capsys):
    programs = [telling("0.0"), replace(telling("a"), rebound="pass")]
    report = run_programs("given", 2, given=programs, workers=1)
    assert sorted(finding.number for finding in report.findings) == [0, 1]
    assert report.counts["programs"] == 2
    text = str(report)
    assert "seed given" in text
    for finding in report.findings:
        assert finding.lowered != finding.plain
        # One record is left of six, and one of two operators.
        assert re.search(r"records = \[\d\]$", finding.smaller)
        assert finding.smaller.count(".map(") == 1


def test_a_program_that_ends_its_process_is_found():
    fine = telling("a").source.replace("is_lowered and", "False and")
    programs = [
        replace(telling("a"), source=fine),
        telling("__import__('os').abort()"),
        telling("__import__('time').sleep(0.1) or 0.0"),
    ]
    report = run_programs("given", 3, given=programs, workers=1, shrunk=0)
    assert [finding.number for finding in report.findings] == [1, 2]
    assert "status -6" in report.findings[0].difference
    assert "result[0][4]" in report.findings[1].difference
    assert report.counts["programs"] == 2


def test_what_raises_in_both_ways_is_the_same():
    raising = replace(telling("a", action=".map(lambda a: 1 // 0).collect()"))
    assert compiled(raising) is not None
    assert compare(raising) == ""
    assert not Outcome([1]).raised


def check(seed, count, capsys):
    report = run_programs(seed, count)
    with capsys.disabled():
        print(f"\n{report.summary()}")
    assert not report.findings, f"SWIFTWATER_SEED={seed}\n{report}"
    assert report.counts["programs"] > count * 0.95
    assert 0.1 < report.counts["raised"] / report.counts["programs"] < 0.5


def test_random_programs(capsys):
    check(SEED, 5_000, capsys)


@pytest.mark.long
def test_many_random_programs(capsys):
    check(f"{SEED}-long", 100_000, capsys)
