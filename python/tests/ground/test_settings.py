"""Settings: the layers, what wins, and what is said about it."""

import re
import sys

import pytest

from swiftwater import SparkConf, SparkContext, _settings
from swiftwater._native import engine
from swiftwater._settings import Layers, merge, read_environment, read_properties, table

SETTING = "swiftwater.receiver.maxBuffered"
VARIABLE = "SWIFTWATER_RECEIVER_MAXBUFFERED"


def layers(file=None, flags=None):
    made = Layers()
    made.file = {name: (value, "file f:1") for name, value in (file or {}).items()}
    made.flags = {name: (value, "flag --conf") for name, value in (flags or {}).items()}
    return made


@pytest.mark.parametrize(
    ("code", "file", "environment", "flag", "expected"),
    [
        (None, None, None, None, "default"),
        ("1m", None, None, None, ("1m", "code")),
        ("1m", "2m", None, None, ("2m", "file f:1")),
        ("1m", "2m", "3m", None, ("3m", f"environment {VARIABLE}")),
        ("1m", "2m", "3m", "4m", ("4m", "flag --conf")),
        (None, "2m", None, "4m", ("4m", "flag --conf")),
        ("1m", None, "3m", None, ("3m", f"environment {VARIABLE}")),
        ("1m", None, None, "4m", ("4m", "flag --conf")),
    ],
)
def test_the_stronger_layer_wins(code, file, environment, flag, expected):
    def one(value, name=SETTING):
        return {name: value} if value else {}

    settings = merge(one(code), layers(one(file), one(flag)), one(environment, VARIABLE))
    entry = settings.entries[SETTING]
    assert entry[1] == "default" if expected == "default" else entry == expected
    # Values that nobody set are not handed on as if somebody had.
    assert (SETTING in settings.values()) == (expected != "default")


def test_what_overrides_the_code_is_said():
    settings = merge({"spark.master": "local[2]"}, layers(flags={"spark.master": "local[4]"}), {})
    assert settings.messages == [
        ("info", "spark.master is local[4] (flag --conf), not local[2] as the code says")
    ]
    same = merge({"spark.master": "local[2]"}, layers(flags={"spark.master": "local[2]"}), {})
    assert same.messages == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("swiftwater.receiver.maxBufered", f"; did you mean {SETTING}?"),
        ("swiftwater.zzz", ": see swiftwater run --print-config"),
    ],
)
def test_an_unknown_setting_is_an_error(name, hint):
    with pytest.raises(ValueError, match=re.escape(f"unknown setting {name} (code){hint}")):
        merge({name: "1"}, layers(), {})


def test_a_setting_of_spark_without_effect_is_named():
    settings = merge({"spark.executor.memory": "1g"}, layers(), {})
    assert settings.messages == [
        ("warning", "the setting spark.executor.memory (code) has no effect in Swiftwater")
    ]
    assert settings.get("spark.executor.memory") == "1g"


def test_a_misspelled_setting_of_spark_has_a_hint():
    (message,) = merge({"spark.default.paralelism": "1"}, layers(), {}).messages
    assert message[1].endswith("; did you mean spark.default.parallelism?")


def test_names_of_the_users_own_stay_in_code_and_are_ignored_elsewhere():
    settings = merge({"my.app.key": "1"}, layers(flags={"other.key": "2"}), {})
    assert settings.get("my.app.key") == "1"
    assert settings.get("other.key") is None
    assert [level for level, _ in settings.messages] == ["warning"]


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("SWIFTWATER_MASTER", "spark.master"),
        ("SWIFTWATER_NAME", "spark.app.name"),
        (VARIABLE, SETTING),
        ("SWIFTWATER_ERRORS_FULL", "swiftwater.errors.full"),
    ],
)
def test_variables(variable, setting):
    found, unknown = read_environment(
        {variable: "x", "PATH": "/"}, [SETTING, "swiftwater.errors.full"]
    )
    assert found == {setting: ("x", f"environment {variable}")}
    assert unknown == []


def test_an_unknown_variable_is_a_warning():
    (message,) = merge({}, layers(), {"SWIFTWATER_MASTR": "local"}).messages
    assert message[0] == "warning"
    assert message[1] == (
        "the environment variable SWIFTWATER_MASTR stands for no setting; "
        "did you mean SWIFTWATER_MASTER?"
    )
    assert merge({}, layers(), {"SWIFTWATER_PYTHON": "/venv"}).messages == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spark.master local[2]", {"spark.master": "local[2]"}),
        ("spark.master=local[2]", {"spark.master": "local[2]"}),
        ("spark.master : local[2]", {"spark.master": "local[2]"}),
        ("spark.master\t\tlocal[2]  ", {"spark.master": "local[2]"}),
        ("a.b  x=y:z w", {"a.b": "x=y:z w"}),
        ("a.b = = x", {"a.b": "= x"}),
        ("# a 1\n! b 2\n\n  c 3", {"c": "3"}),
        ("a 1 # no comment", {"a": "1 # no comment"}),
        ("a", {"a": ""}),
        ("a 1\na 2", {"a": "2"}),
        ("a 1,\\\n   2\nb 3", {"a": "1,2", "b": "3"}),
        ("a 1\\", {"a": "1\\"}),
        ("\r\na 1\r\n", {"a": "1"}),
        ("ä é", {"ä": "é"}),
        ("", {}),
    ],
)
def test_properties(tmp_path, text, expected):
    path = tmp_path / "app.conf"
    path.write_bytes(text.encode())
    assert {name: entry[0] for name, entry in read_properties(str(path)).items()} == expected


def test_properties_tell_their_line(tmp_path):
    path = tmp_path / "app.conf"
    path.write_text("# head\nspark.master local\n")
    assert read_properties(str(path))["spark.master"] == ("local", "file app.conf:2")


def test_properties_that_cannot_be_read(tmp_path):
    with pytest.raises(OSError, match="none"):
        read_properties(str(tmp_path / "none"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="utf-8"):
        read_properties(str(tmp_path / "binary"))


def test_the_table():
    text = table({"spark.master": ("local", "code"), "a": ("", "default")})
    assert text.splitlines() == [
        "setting       value  origin",
        "a                    default",
        "spark.master  local  code",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("spark.ssl.keyPassword", "my.SECRET", "a.token", "x.access.key"),
        *("spark.authenticate.pass", "spark.redis.auth", "spark.db.pwd", "spark.mqtt.passphrase"),
        *("spark.hadoop.fs.s3a.credentials", "spark.api-key", "spark.privateKey"),
        *("spark.hadoop.fs.azure.account.key.x", "spark.hadoop.fs.azure.sas.x", "spark.jaasConfig"),
    ],
)
def test_secrets_are_hidden(name):
    assert "hunter2" not in table({name: ("hunter2", "code")})
    settings = merge({name: "hunter2"}, layers(flags={name: "other"}), {})
    assert "hunter2" not in repr(settings.messages)


@pytest.mark.parametrize(
    "value",
    [
        "-Djavax.net.ssl.trustStorePassword=hunter2 -Xmx1g",
        "username='ada' password: 'hunter2'",
        '{"token": "hunter2"}',
        "redis://ada:hunter2@localhost:6379",
        "amqp://:hunter2@localhost",
    ],
)
def test_secrets_in_values_are_hidden(value):
    assert "hunter2" not in table({"spark.driver.options": (value, "code")})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.master", "local[2]"),
        ("spark.app.name", "Token counter"),
        ("spark.authenticate", "true"),
        ("spark.sql.key", "a"),
        ("spark.hadoop.fs.defaultFS", "hdfs://ada@localhost:9000/tokens"),
        ("swiftwater.receiver.maxBuffered", "64m"),
    ],
)
def test_what_is_no_secret_is_shown(name, value):
    assert value in table({name: (value, "code")})


def test_a_value_is_one_line_of_the_table():
    shown = table({"spark.x": ("a\n\x1b[2J\u202eb", "file \x1b:1")}).splitlines()
    assert shown[1:] == [r"spark.x  a\n\x1b[2J\u202eb  file \x1b:1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((word, True) for word in ("true", "TRUE ", "yes", "Yes", "1")),
        *((word, False) for word in ("false", "False", "no", "NO", "0", "", None)),
    ],
)
def test_yes_and_no(text, expected):
    assert _settings.parse_flag("a.b", text) is expected


@pytest.mark.parametrize("text", ["on", "2", "y", "truee"])
@pytest.mark.parametrize(
    "name", ["swiftwater.errors.full", "spark.streaming.stopGracefullyOnShutdown"]
)
def test_what_is_neither_yes_nor_no_is_refused(name, text):
    with pytest.raises(ValueError, match=re.escape(f"{name}: '{text}' is not true or false")):
        SparkContext("local", "x", conf=SparkConf().set(name, text))
    assert SparkContext._active_spark_context is None


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["jobs/count.py", "x"], "count.py"),
        (["/a/b/count.py"], "count.py"),
        (["-c"], "swiftwater"),
        (["/a/swiftwater/__main__.py"], "swiftwater"),
        ([""], "swiftwater"),
        ([], "swiftwater"),
    ],
)
def test_a_job_without_a_name_has_its_scripts(monkeypatch, argv, expected):
    monkeypatch.setattr(sys, "argv", argv)
    assert merge({}, layers(), {}).entries["spark.app.name"] == (expected, "default")
    with SparkContext("local") as sc:
        assert sc.appName == expected
        assert sc.getConf().get("spark.app.name") == expected
    with SparkContext("local", "given") as sc:
        assert sc.appName == "given"


def test_a_context_takes_the_environment(monkeypatch, capfd):
    monkeypatch.setenv("SWIFTWATER_MASTER", "local[3]")
    monkeypatch.setenv("SWIFTWATER_NAME", "from outside")
    with SparkContext("local[2]", "from code") as sc:
        assert (sc.master, sc.appName, sc.defaultParallelism) == ("local[3]", "from outside", 3)
        assert sc.getConf().get("spark.master") == "local[3]"
    capfd.readouterr()


def test_a_context_refuses_unknown_settings():
    with pytest.raises(ValueError, match="unknown setting swiftwater.nothing"):
        SparkContext("local", "x", conf=SparkConf().set("swiftwater.nothing", 1))
    assert SparkContext._active_spark_context is None


def test_every_setting_is_described_and_named_once():
    definitions = engine.setting_definitions()
    names = [name for name, _, _ in definitions]
    assert len(names) == len(set(names))
    for name, default, description in definitions:
        assert name.startswith(("spark.", "swiftwater."))
        assert isinstance(default, str)
        assert description
