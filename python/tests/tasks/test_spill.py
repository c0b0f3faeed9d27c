"""Sorting and merging through files gives what memory gives, in the same order."""

import gc
import random
from itertools import count

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._tasks import spill


@pytest.fixture
def crowded(monkeypatch, tmp_path):
    """A process that grows by half at each look: everything goes to files, again and again."""
    size = count(1)
    monkeypatch.setattr(spill, "limit_bytes", lambda: 0)
    monkeypatch.setattr(spill, "resident_bytes", lambda: 100 * 2 ** min(next(size), 900))
    monkeypatch.setattr(spill, "_STEP", 50)
    monkeypatch.setattr(spill, "local_folder", lambda: str(tmp_path))
    written = []
    add = spill._Runs.add

    def noted(runs, records):
        written.append(len(records))
        add(runs, records)

    monkeypatch.setattr(spill._Runs, "add", noted)
    return written


def rng_of_this_run():
    seed = random.randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("key", [None, lambda record: record[0], lambda record: -record[0]])
def test_sorting(crowded, tmp_path, key, reverse):
    rng = rng_of_this_run()
    for _ in range(20):
        records = [(rng.randrange(20), n) for n in range(rng.randrange(1000))]
        found = list(spill.external_sorted(iter(records), key, reverse))
        assert found == sorted(records, key=key, reverse=reverse)
    assert len(crowded) > 20
    assert list(tmp_path.iterdir()) == []


def test_few_records_stay_in_memory(crowded):
    assert spill.external_sorted([3, 1, 2]) == [1, 2, 3]
    assert crowded == []


def test_a_process_that_does_not_grow_is_written_once(monkeypatch, crowded):
    monkeypatch.setattr(spill, "resident_bytes", lambda: 1000)
    records = list(range(500, 0, -1))
    assert list(spill.external_sorted(records)) == sorted(records)
    assert len(crowded) == 1


def merged_in_memory(pairs, merge):
    table = {}
    for key, value in pairs:
        table[key] = merge(table[key], value) if key in table else value
    return list(table.items())


@pytest.mark.parametrize(
    "key_of", [lambda n: n, str, lambda n: (None, n % 7, str(n))], ids=["int", "str", "tuple"]
)
def test_merging(crowded, tmp_path, key_of):
    rng = rng_of_this_run()
    for _ in range(10):
        pairs = [(key_of(rng.randrange(200)), (n,)) for n in range(rng.randrange(2000))]
        expected = merged_in_memory(pairs, lambda a, b: a + b)
        found = spill.merged_pairs(iter(pairs), lambda a, b: a + b, str(tmp_path))
        assert list(found) == expected
    assert len(crowded) > 100
    assert list(tmp_path.iterdir()) == []


def test_merging_in_memory(crowded):
    assert list(spill.merged_pairs([("b", 1), ("a", 2), ("b", 3)], max)) == [("b", 3), ("a", 2)]
    assert crowded == []


def test_what_nobody_reads_to_its_end_is_closed(crowded):
    records = spill.external_sorted(range(1000, 0, -1))
    assert next(iter(records)) == 1
    pairs = spill.merged_pairs(((n, n) for n in range(1000)), max)
    assert next(pairs) == (0, 0)
    # A file that is not closed would be a ResourceWarning here.
    del records, pairs
    gc.collect()


def test_errors_pass_through(crowded):
    def broken():
        yield from range(200)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spill.external_sorted(broken())
    with pytest.raises(ZeroDivisionError):
        list(spill.merged_pairs(((n % 9, n) for n in broken()), max))
    gc.collect()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("512m", 512 << 20), ("2g", 2 << 30), ("1.5kb", 1536), (" 7 ", 7), ("3B", 3), ("1T", 1 << 40)],
)
def test_limits(monkeypatch, value, expected):
    monkeypatch.setattr(spill, "_setting", lambda name: value)
    assert spill.limit_bytes() == expected


def test_a_limit_that_makes_no_sense(monkeypatch):
    monkeypatch.setattr(spill, "_setting", lambda name: "much")
    with pytest.raises(ValueError, match=r"swiftwater\.spill\.memory: 'much' is not a size"):
        spill.limit_bytes()


def test_the_settings_are_the_contexts(tmp_path):
    assert spill.limit_bytes() > 1 << 20
    assert 1 << 20 < spill.resident_bytes() < 1 << 40
    assert spill.local_folder() is None
    conf = SparkConf().set("swiftwater.spill.memory", "3g")
    with SparkContext("local[1]", "x", conf=conf.set("spark.local.dir", f"{tmp_path},/other")):
        assert spill.limit_bytes() == 3 << 30
        assert spill.local_folder() == str(tmp_path)


def test_an_rdd_is_sorted_through_files(sc, crowded):
    numbers = sc.parallelize(range(3000), 3).map(lambda n: n * 7919 % 10007)
    expected = sorted(n * 7919 % 10007 for n in range(3000))
    # A list as key: what is in columns is sorted by the engine.
    assert numbers.sortBy(lambda n: [n]).collect() == expected
    assert len(crowded) > 3
