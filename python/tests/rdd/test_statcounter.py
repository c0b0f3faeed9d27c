"""StatCounter by itself. Expected values are those of PySpark 4.3 and of the statistics module."""

import math
import random
import statistics
import sys
import types

import pytest

from swiftwater.statcounter import StatCounter, _installed_numpy


def test_nothing():
    nothing = StatCounter()
    assert (nothing.count(), nothing.mean(), nothing.sum()) == (0, 0.0, 0.0)
    assert (nothing.min(), nothing.max()) == (math.inf, -math.inf)
    for number in (nothing.variance(), nothing.stdev(), nothing.sampleVariance()):
        assert math.isnan(number)
    assert math.isnan(StatCounter([1]).sampleStdev())


def test_values_keep_their_type():
    counter = StatCounter([2])
    assert repr(counter) == "(count: 1, mean: 2.0, stdev: 0.0, max: 2, min: 2)"
    assert type(counter.max()) is int


def test_as_a_dictionary():
    counter = StatCounter([1.0, 2.0, 5.5, 3.25, 10.0])
    plain = {"count": 5, "mean": 4.35, "sum": 21.75, "min": 1.0, "max": 10.0}
    assert counter.asDict() == {**plain, "stdev": 3.5777087639996634, "variance": 12.8}
    assert counter.asDict(sample=True) == {**plain, "stdev": 3.2, "variance": 10.24}


def test_merging():
    counter = StatCounter([1, 2])
    assert counter.merge(3) is counter
    assert counter.mergeStats(StatCounter()) is counter
    assert counter.mergeStats(counter).asDict()["count"] == 6
    assert counter.mean() == 2.0
    with pytest.raises(TypeError, match="mergeStats needs a StatCounter, not int"):
        counter.mergeStats(3)


def test_a_copy_goes_its_own_way():
    counter = StatCounter([1])
    other = counter.copy().merge(9)
    assert (counter.count(), other.count(), other.max()) == (1, 2, 9)


def test_any_numbers_in_any_parts():
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(50):
        numbers = [rng.gauss(1e6, 10) for _ in range(rng.randrange(2, 300))]
        merged = StatCounter()
        start = 0
        while start < len(numbers):
            end = start + rng.choice([1, 2, 100])
            merged.mergeStats(StatCounter(numbers[start:end]))
            start = end
        assert merged.count() == len(numbers)
        assert (merged.min(), merged.max()) == (min(numbers), max(numbers))
        assert merged.mean() == pytest.approx(statistics.fmean(numbers))
        assert merged.variance() == pytest.approx(statistics.pvariance(numbers), rel=1e-6)
        assert merged.sampleStdev() == pytest.approx(statistics.stdev(numbers), rel=1e-6)


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A folder for modules that can be imported and have not been."""
    monkeypatch.delitem(sys.modules, "numpy", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    _installed_numpy.cache_clear()
    yield tmp_path
    _installed_numpy.cache_clear()


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            """
def maximum(a, b): return float(max(a, b))
def minimum(a, b): return float(min(a, b))
from math import sqrt
""",
            "(count: 4, mean: 2.5, stdev: 1.118033988749895, max: 4.0, min: 1.0)",
        ),
        # Built for another version of Python, say.
        (
            "raise ImportError('cannot be loaded')",
            "(count: 4, mean: 2.5, stdev: 1.118033988749895, max: 4, min: 1)",
        ),
    ],
)
def test_numpy_is_used_where_it_is_installed(environment, sc, monkeypatch, module, text):
    (environment / "numpy.py").write_text(module)
    assert str(StatCounter([1, 2, 3, 4])) == text
    # The functions of a job see the same, wherever they run.
    monkeypatch.setenv("PYTHONPATH", str(environment))
    assert str(sc.parallelize([1, 2, 3, 4], 2).stats()) == text
    sys.modules.pop("numpy", None)


def test_numpy_is_used_where_it_is_loaded(monkeypatch):
    numpy = types.SimpleNamespace(
        maximum=lambda a, b: ("larger", b), minimum=lambda a, b: ("smaller", b), sqrt=lambda v: v
    )
    monkeypatch.setitem(sys.modules, "numpy", numpy)
    counter = StatCounter([2])
    assert (counter.max(), counter.min(), counter.stdev()) == (("larger", 2), ("smaller", 2), 0.0)
