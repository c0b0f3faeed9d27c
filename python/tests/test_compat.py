"""PySpark's module names lead to the same classes."""

import importlib
import os
import sys

import pytest

import swiftwater
from swiftwater import streaming

FOLDER = os.path.join(os.path.dirname(swiftwater.__file__), "_compat")


@pytest.fixture
def compat(monkeypatch):
    hidden = {name: module for name, module in sys.modules.items() if name.startswith("pyspark")}
    for name in hidden:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in [name for name in sys.modules if name.startswith("pyspark")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "names", "home"),
    [
        ("pyspark", ["SparkConf", "SparkContext", "RDD"], swiftwater),
        ("pyspark.conf", ["SparkConf"], swiftwater),
        ("pyspark.context", ["SparkContext"], swiftwater),
        ("pyspark.rdd", ["RDD"], swiftwater),
        ("pyspark.rdd", ["portable_hash"], swiftwater.rdd),
        ("pyspark.streaming", ["StreamingContext", "DStream"], streaming),
        ("pyspark.streaming.context", ["StreamingContext"], streaming),
        ("pyspark.streaming.dstream", ["DStream"], streaming),
    ],
)
@pytest.mark.usefixtures("compat")
def test_names(module, names, home):
    found = importlib.import_module(module)
    for name in names:
        assert getattr(found, name) is getattr(home, name)
        assert name in found.__all__


@pytest.mark.usefixtures("compat")
def test_the_version_is_that_of_the_api():
    assert importlib.import_module("pyspark").__version__ == "4.3.0"


@pytest.mark.usefixtures("compat")
def test_what_comes_later_says_so():
    with pytest.raises(ImportError, match="comes in a later one"):
        importlib.import_module("pyspark.sql")


def test_nothing_is_on_the_path_without_the_command_line():
    assert FOLDER not in sys.path
