import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater.errors import PySparkRuntimeError


def test_setters_chain_and_turn_values_into_text():
    conf = SparkConf().setMaster("local[2]").setAppName("a").setSparkHome("/h").set("n", 3)
    assert dict(conf.getAll()) == {
        "spark.master": "local[2]",
        "spark.app.name": "a",
        "spark.home": "/h",
        "n": "3",
    }


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (True, "True"), (0.5, "0.5"), ("x", "x"), ("", "")]
)
def test_values_become_text(value, text):
    assert SparkConf().set("k", value).get("k") == text


def test_set_if_missing_keeps_what_is_there():
    conf = SparkConf().set("a", "1").setIfMissing("a", "2").setIfMissing("b", "3")
    assert (conf.get("a"), conf.get("b")) == ("1", "3")


def test_set_all_takes_pairs_and_dictionary_items():
    assert SparkConf().setAll([("a", 1)]).setAll({"b": 2}.items()).getAll() == [
        ("a", "1"),
        ("b", "2"),
    ]


def test_get_contains_and_default():
    conf = SparkConf().set("a", "1")
    assert conf.contains("a")
    assert not conf.contains("b")
    assert conf.get("b") is None
    assert conf.get("b", "x") == "x"


def test_executor_environment():
    conf = SparkConf().setExecutorEnv("A", "1").setExecutorEnv(pairs=[("B", "2"), ("C", "3")])
    assert [conf.get(f"spark.executorEnv.{name}") for name in "ABC"] == ["1", "2", "3"]


@pytest.mark.parametrize("arguments", [{}, {"key": "A", "value": "1", "pairs": [("B", "2")]}])
def test_executor_environment_wants_one_form(arguments):
    with pytest.raises(PySparkRuntimeError, match="Key-value pair or a list of pairs is required"):
        SparkConf().setExecutorEnv(**arguments)


def test_debug_text_has_one_setting_a_line_by_name():
    assert SparkConf().set("b", "1").set("a", "2").toDebugString() == "a=2\nb=1"


def test_debug_text_hides_secrets():
    conf = SparkConf(loadDefaults=False).set("spark.authenticate.pass", "x y").set("a", "1")
    assert conf.toDebugString() == "a=1\nspark.authenticate.pass=*********(redacted)"
    assert conf.get("spark.authenticate.pass") == "x y"


def test_system_properties_are_defaults():
    SparkContext.setSystemProperty("spark.ui.port", 1)
    SparkContext.setSystemProperty("user.home", "/h")
    try:
        assert SparkConf().getAll() == [("spark.ui.port", "1")]
        assert SparkConf(loadDefaults=False).getAll() == []
        assert SparkContext.getSystemProperty("user.home") == "/h"
    finally:
        SparkContext.setSystemProperty("spark.ui.port", None)
        SparkContext.setSystemProperty("user.home", None)
    assert SparkConf().getAll() == []


@pytest.mark.parametrize(("key", "value"), [(None, "1"), ("", "1"), (3, "1"), ("a", None)])
def test_what_is_no_setting_is_refused(key, value):
    with pytest.raises(TypeError):
        SparkConf().set(key, value)
