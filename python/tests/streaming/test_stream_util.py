"""Names of PySpark's inside that programs use."""

from datetime import datetime

import pytest

from swiftwater.streaming.util import TransformFunction, rddToFileName


@pytest.mark.parametrize(
    ("suffix", "timestamp", "expected"),
    [
        (None, 12345678910, "spark-12345678910"),
        ("tmp", 12345678910, "spark-12345678910.tmp"),
        ("", 1, "spark-1."),
    ],
)
def test_names_of_saved_batches(suffix, timestamp, expected):
    assert rddToFileName("spark", suffix, timestamp) == expected


@pytest.mark.parametrize("milliseconds", [0, 1_893_456_001_000, 1_600_000_000_123])
def test_names_of_local_times(milliseconds):
    local = datetime.fromtimestamp(milliseconds / 1000)
    assert rddToFileName("a", None, local) == f"a-{milliseconds}"


def test_a_transform_function_is_called_with_the_local_time():
    calls = []
    function = TransformFunction(None, lambda *arguments: calls.append(arguments), "any")
    assert function.call(1500, [1, 2]) is None
    assert calls == [(datetime.fromtimestamp(1.5), 1, 2)]
    assert "TransformFunction(" in repr(function)
