"""PySpark's modules around the RDD lead to the same classes, or to ones that do the same."""

import importlib
import os
import sys

import pytest

import swiftwater
from swiftwater import rdd, resultiterable, statcounter, storagelevel


@pytest.fixture
def compat(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("pyspark")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(os.path.join(os.path.dirname(swiftwater.__file__), "_compat"))
    yield importlib.import_module
    for name in [name for name in sys.modules if name.startswith("pyspark")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("pyspark.rdd", "RDD", rdd.RDD),
        ("pyspark.rdd", "PipelinedRDD", rdd.RDD),
        ("pyspark.rdd", "Partitioner", rdd.Partitioner),
        ("pyspark.rdd", "portable_hash", rdd.portable_hash),
        ("pyspark.statcounter", "StatCounter", statcounter.StatCounter),
        ("pyspark.resultiterable", "ResultIterable", resultiterable.ResultIterable),
        ("pyspark.storagelevel", "StorageLevel", storagelevel.StorageLevel),
    ],
)
def test_names(compat, module, name, expected):
    found = compat(module)
    assert getattr(found, name) is expected
    assert name in found.__all__


@pytest.mark.parametrize(
    ("function", "method"),
    [
        ("python_join", "join"),
        ("python_left_outer_join", "leftOuterJoin"),
        ("python_right_outer_join", "rightOuterJoin"),
        ("python_full_outer_join", "fullOuterJoin"),
    ],
)
def test_joins(compat, sc, function, method):
    join = compat("pyspark.join")
    left, right = sc.parallelize([(1, "a"), (2, "b")]), sc.parallelize([(1, "c"), (3, "d")])
    found = getattr(join, function)(left, right, 2)
    assert found.glom().collect() == getattr(left, method)(right, 2).glom().collect()


def test_cogroup_of_many(compat, sc):
    ones = [sc.parallelize([("k", n)]) for n in range(4)]
    found = compat("pyspark.join").python_cogroup(ones, 1).collect()
    assert [(key, [list(group) for group in groups]) for key, groups in found] == [
        ("k", [[0], [1], [2], [3]])
    ]


def test_shuffle(compat):
    shuffle = compat("pyspark.shuffle")
    assert list(shuffle.ExternalSorter(1).sorted([3, 1, 2], reverse=True)) == [3, 2, 1]
    assert shuffle.get_used_memory() > 1
    simple = shuffle.SimpleAggregator(max)
    assert (simple.createCombiner(3), simple.mergeValue(1, 2), simple.mergeCombiners(5, 4)) == (
        3,
        2,
        5,
    )
