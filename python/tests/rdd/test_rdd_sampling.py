"""Records by chance: the same ones as in PySpark 4.3 under the same seed."""

import pytest

from swiftwater._rdd import sampling


@pytest.mark.parametrize(
    ("slices", "replace", "fraction", "seed", "expected"),
    [
        (2, False, 0.3, 42, [0, 1, 3, 4, 7, 16, 17, 18, 19]),
        (
            3,
            True,
            1.5,
            42,
            [2, 4, 4, 5, 5, *[6] * 5, 12, 13, 13, 15, 15, 16, 16, 17, 17, 18, 18],
        ),
        (3, False, 0.0, 1, []),
        (3, False, 1.0, 1, list(range(20))),
    ],
)
def test_sample(sc, slices, replace, fraction, seed, expected):
    numbers = sc.parallelize(range(20), slices)
    assert numbers.sample(replace, fraction, seed).collect() == expected


def test_many_of_each(sc):
    # Above 20 the numbers are drawn in another way.
    assert sc.parallelize(range(3), 2).sample(True, 30, 7).count() == 103


def test_a_sample_stays_what_it_is(sc):
    drawn = sc.parallelize(range(1000), 3).sample(False, 0.5)
    assert drawn.collect() == drawn.collect()
    assert 300 < drawn.count() < 700


@pytest.mark.parametrize("fraction", [-0.1, float("nan")])
def test_a_fraction_that_makes_no_sense(sc, fraction):
    with pytest.raises(ValueError, match=r"^Fraction must be nonnegative\.$"):
        sc.parallelize([1]).sample(True, fraction)


@pytest.mark.parametrize(
    ("size", "slices", "replace", "number", "seed", "expected"),
    [
        (30, 3, False, 5, 1, [25, 28, 11, 10, 24]),
        (30, 3, True, 5, 1, [16, 1, 9, 0, 28]),
        (1000, 4, False, 6, 5, [318, 708, 496, 482, 803, 868]),
        (10, 4, True, 15, 5, [1, 5, 8, 0, 3, 2, 6, 7, 3, 6, 9, 1, 8, 3, 9]),
        (5, 3, False, 10, 1, [2, 3, 4, 0, 1]),
        (30, 3, False, 0, 1, []),
        (0, 3, False, 4, 1, []),
    ],
)
def test_take_sample(sc, size, slices, replace, number, seed, expected):
    assert sc.parallelize(range(size), slices).takeSample(replace, number, seed) == expected


def test_take_sample_draws_again_where_there_were_too_few(sc, monkeypatch):
    monkeypatch.setattr(sampling, "fraction_for", lambda *_: 0.01)
    assert len(sc.parallelize(range(100), 2).takeSample(False, 3, 1)) == 3


@pytest.mark.parametrize(
    ("number", "message"),
    [(-1, "cannot be negative"), (2**63 - 1, "cannot be greater than")],
)
def test_take_sample_sizes_that_make_no_sense(sc, number, message):
    with pytest.raises(ValueError, match=f"Sample size {message}"):
        sc.parallelize([1]).takeSample(False, number)


def test_random_split(sc):
    parts = sc.parallelize(range(20), 3).randomSplit([1, 2, 3], 17)
    assert [part.collect() for part in parts] == [
        [18],
        [1, 6, 7, 8, 13],
        [0, 2, 3, 4, 5, 9, 10, 11, 12, 14, 15, 16, 17, 19],
    ]


def test_random_split_without_a_seed_loses_nothing(sc):
    parts = sc.parallelize(range(200), 3).randomSplit([1, 1])
    assert sorted(parts[0].collect() + parts[1].collect()) == list(range(200))


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1, -2], "Weights must be nonnegative"), ([0, 0], "Sum of weights must be positive")],
)
def test_weights_that_make_no_sense(sc, weights, message):
    with pytest.raises(ValueError, match=message):
        sc.parallelize([1]).randomSplit(weights)


def test_sample_by_key(sc):
    pairs = sc.parallelize(range(40), 3).map(lambda n: (n % 2, n))
    # Found with PySpark: key 1 is drawn 25 times on average, key 0 seldom.
    assert dict(pairs.sampleByKey(True, {0: 0.5, 1: 25}, 9).countByKey()) == {1: 537, 0: 3}
    assert pairs.sampleByKey(False, {0: 0.0, 1: 1.0}, 9).values().collect() == list(range(1, 40, 2))


def test_sample_by_key_needs_a_fraction_for_each_key(sc):
    with pytest.raises(KeyError):
        sc.parallelize([("a", 1)]).sampleByKey(False, {"b": 1.0}).collect()
    with pytest.raises(AssertionError, match="Negative fraction value: -1"):
        sc.parallelize([("a", 1)]).sampleByKey(False, {"a": -1})
