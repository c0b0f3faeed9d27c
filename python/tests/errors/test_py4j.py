"""Errors under the names that PySpark programs catch."""

import pickle
import subprocess
import sys
import weakref

import pytest

from swiftwater import SparkContext, _py4j, _uncaught_errors, errors
from swiftwater.streaming import StreamingContext


@pytest.fixture
def translating(monkeypatch):
    """As after an import of py4j.protocol."""
    for name in _py4j._RUNNING:
        function = getattr(_py4j.engine, name)
        monkeypatch.setattr(_py4j.engine, name, getattr(function, "__wrapped__", function))
    monkeypatch.setattr(_py4j, "_installed", False)
    _py4j.install()


def raised(error, cause=None):
    try:
        raise error from cause  # noqa: TRY301 - it needs a traceback
    except BaseException as caught:  # noqa: BLE001 - whatever was given
        return caught


class Own(Exception):
    def __init__(self, first, second):
        super().__init__(first)
        self.second = second


EXAMPLES = [
    ValueError("x"),
    KeyError("k"),
    ZeroDivisionError(),
    FileNotFoundError(2, "No such file", "/x"),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "reason"),
    SyntaxError("bad", ("f.py", 3, 2, "text")),
    ImportError("no", name="n", path="p"),
    AttributeError("no", name="n", obj=3),
    StopIteration(4),
    ExceptionGroup("g", [ValueError(1)]),
    Own("first", "second"),
    errors.PySparkValueError("text", errorClass="C"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("cause", [None, OSError("before")])
def test_a_translation_is_both(error, cause):
    error = raised(error, cause)
    error.add_note("a note")
    made = _py4j.translated(error)
    assert made is not error
    assert isinstance(made, errors.Py4JJavaError)
    assert isinstance(made, type(error))
    assert made.args == error.args
    for name in ("__traceback__", "__cause__", "__context__", "__suppress_context__", "__notes__"):
        assert getattr(made, name) == getattr(error, name)
    for name in dir(error):
        if not name.startswith("_") and not callable(getattr(error, name, print)):
            assert getattr(made, name) == getattr(error, name)
    assert _py4j.translated(made) is made
    assert _py4j.untranslated(made) is error


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), errors.IllegalStateException("x")]
)
def test_what_is_not_translated(error):
    assert _py4j.translated(error) is error


def test_notes_that_come_later_are_on_both():
    error = raised(ValueError("x"))
    made = _py4j.translated(error)
    made.add_note("later")
    assert error.__notes__ == ["later"]


def test_the_text_holds_the_python_traceback():
    made = _py4j.translated(raised(ValueError("boom"), KeyError("first")))
    beginning = "An exception was raised by Python:\n"
    for text in (str(made), made.java_exception.getMessage(), made.java_exception.toString()):
        python = text[text.index(beginning) + len(beginning) :]
        assert python.startswith("KeyError: 'first'\n")
        assert "Traceback (most recent call last):" in python
        assert python.endswith("ValueError: boom")
    assert "org.apache.spark.SparkException: An exception was raised by Python:" in str(made)
    assert made.java_exception.getClass().getName() == "org.apache.spark.SparkException"
    assert type(made).__name__ == "Py4JJavaError"


def test_a_block_can_be_translated():
    with pytest.raises(errors.Py4JJavaError) as caught, _py4j.raising():
        raise ValueError("x")
    assert isinstance(caught.value, ValueError)
    assert caught.value.__context__ is None
    with _py4j.raising():
        pass


def fail(n):
    raise ValueError(f"boom {n}")


@pytest.mark.usefixtures("translating")
@pytest.mark.parametrize("action", ["collect", "count", "first", "sum", "isEmpty"])
def test_actions(sc, action):
    rdd = sc.parallelize([1], 1).map(fail)
    for kind in (errors.Py4JJavaError, ValueError):
        with pytest.raises(kind, match="boom 1") as caught:
            getattr(rdd, action)()
        assert "An exception was raised by Python" in str(caught.value)
        assert any("map" in note for note in caught.value.__notes__)
        # Uncaught, it is shown as the error that it is.
        shown = _uncaught_errors.render(caught.value)
        assert "ValueError: boom 1" in shown
        assert "Py4JJavaError" not in shown
        assert "by Python" not in shown


@pytest.mark.usefixtures("translating")
def test_what_the_driver_raises_stays(sc):
    with pytest.raises(ValueError, match="RDD is empty") as caught:
        sc.parallelize([]).first()
    assert type(caught.value) is ValueError
    with pytest.raises(TypeError) as wrong:
        sc.parallelize([1]).map(3)
    assert type(wrong.value) is TypeError


@pytest.mark.usefixtures("translating")
def test_waiting_for_a_stream(streaming):
    streaming.ssc.queueStream([[1]]).map(fail).pprint()
    with pytest.raises(errors.Py4JJavaError, match="boom 1") as caught:
        streaming.run_until_idle()
    assert isinstance(caught.value, ValueError)


def test_without_py4j_nothing_changes(sc):
    with pytest.raises(ValueError, match="boom") as caught:
        sc.parallelize([1]).map(fail).collect()
    assert type(caught.value) is ValueError
    assert "py4j.protocol" not in sys.modules


PROGRAM = """
from pyspark import SparkContext
{imports}
sc = SparkContext("local[2]", "x")
try:
    sc.parallelize([1]).map(lambda n: 1 // 0).collect()
except {kind} as error:
    print(type(error).__name__, "by Python" in str(error), isinstance(error, ZeroDivisionError))
sc.stop()
"""


@pytest.mark.parametrize(
    ("imports", "kind", "out"),
    [
        ("", "Exception", "ZeroDivisionError False True"),
        ("from py4j.protocol import Py4JJavaError", "Py4JJavaError", "Py4JJavaError True True"),
        ("import py4j.protocol", "ZeroDivisionError", "Py4JJavaError True True"),
    ],
)
def test_programs(tmp_path, imports, kind, out):
    job = tmp_path / "job.py"
    job.write_text(PROGRAM.format(imports=imports, kind=kind))
    run = subprocess.run(
        [sys.executable, "-m", "swiftwater", "run", str(job)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == out, run.stderr


def stopped(sc):
    sc.stop()
    sc.parallelize([1])


def without_output(sc):
    StreamingContext(sc, 1).start()


def start_after_stop(sc):
    ssc = StreamingContext(sc, 1)
    ssc.queueStream([[1]]).pprint()
    ssc.stop(stopSparkContext=False)
    ssc.start()


@pytest.mark.parametrize(
    ("use", "kind", "text"),
    [
        (stopped, errors.IllegalStateException, "Cannot call methods on a stopped SparkContext"),
        (
            without_output,
            errors.IllegalArgumentException,
            "requirement failed: No output operations registered, so nothing to execute",
        ),
        (
            start_after_stop,
            errors.IllegalStateException,
            "StreamingContext has already been stopped",
        ),
        (lambda sc: sc.setLogLevel("LOUD"), errors.IllegalArgumentException, "requirement failed"),
        (
            lambda sc: sc.runJob(sc.parallelize([1], 2), list, [2]),
            errors.IllegalArgumentException,
            "Attempting to access a non-existent partition: 2. Total number of partitions: 2",
        ),
    ],
)
def test_states_of_the_engine(sc, use, kind, text):
    with pytest.raises(kind, match=text) as caught:
        use(sc)
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, errors.Py4JJavaError)
    assert caught.value.java_exception.getMessage() == str(caught.value)
    assert caught.value.java_exception.getClass().getSimpleName() == kind.__name__


@pytest.mark.parametrize("name", errors.__all__)
def test_every_class_can_be_raised_and_pickled(name):
    kind = getattr(errors, name)
    if not issubclass(kind, Exception):
        pytest.skip("no error")
    error = raised(kind("some text"))
    assert str(error) == "some text"
    assert type(pickle.loads(pickle.dumps(error))) is kind


def test_conditions_and_parameters():
    error = errors.PySparkTypeError(errorClass="NOT_INT", messageParameters={"arg_name": "n"})
    assert (error.getCondition(), error.getErrorClass()) == ("NOT_INT", "NOT_INT")
    assert error.getMessageParameters() == {"arg_name": "n"}
    assert error.getMessage() == str(error) == "[NOT_INT] arg_name: n"
    old = errors.PySparkTypeError(error_class="NOT_INT", message_parameters={"arg_name": "n"})
    assert str(old) == str(error)
    assert isinstance(error, TypeError)


@pytest.mark.parametrize(
    ("use", "name", "instead"),
    [
        (lambda sc: sc._jvm.java.lang.System.nanoTime(), "sc._jvm.java.lang.System", "time"),
        (
            lambda sc: sc._jvm.org.apache.hadoop.fs.Path("/x"),
            "sc._jvm.org.apache.hadoop.fs.Path()",
            "pathlib",
        ),
        (lambda sc: sc._gateway.jvm.PythonUtils.toSeq([]), "sc._jvm.PythonUtils.toSeq()", "Python"),
        (lambda sc: sc._jsc.sc().addJar("x"), "sc._jsc.sc().addJar()", "Python"),
        (lambda sc: sc._gateway.start_callback_server(), "sc._gateway.start_callback", "Python"),
        (lambda sc: setattr(sc._jvm.x, "y", 3), "sc._jvm.x.y = 3", "Python"),
    ],
)
def test_calls_into_the_jvm_say_what_to_use(sc, use, name, instead):
    with pytest.raises(errors.NoJVMError) as caught:
        use(sc)
    text = str(caught.value)
    assert text.startswith(name)
    assert "needs a JVM, and Swiftwater has none: use " in text
    assert instead in text
    assert isinstance(caught.value, (errors.Py4JError, NotImplementedError))


def test_what_works_without_a_jvm(sc, capfd):
    assert sc._jvm
    assert sc._gateway
    assert sc._jsc.sc().isStopped() is False
    assert sc._jsc.sc().applicationId() == sc.applicationId
    sc._jsc.setLocalProperty("a", "b")
    assert sc.getLocalProperty("a") == "b"
    sc._jsc.hadoopConfiguration().set("fs.x", 1)
    assert sc._jsc.hadoopConfiguration().get("fs.x") == "1"
    log4j = sc._jvm.org.apache.log4j
    log4j.LogManager.getLogger("org").setLevel(log4j.Level.ERROR)
    log4j.LogManager.getLogger("mine").warn("three sheep")
    kept = sc._jsc
    sc.stop()
    assert sc._jsc is None
    assert kept.sc().isStopped() is True
    shown = capfd.readouterr().err
    assert "WARNING mine: three sheep" in shown
    assert "fs.x has no effect" in shown


def test_the_level_of_the_log_can_be_asked_for_and_put_back(sc, capfd):
    # What tests do around code that is meant to fail.
    root = sc._jvm.org.apache.log4j.LogManager.getRootLogger()
    before = root.getLevel()
    root.setLevel(sc._jvm.org.apache.log4j.Level.FATAL)
    root.warn("unseen")
    assert (before, root.getLevel()) == ("INFO", "FATAL")
    root.setLevel(before)
    root.warn("seen")
    sc.setLogLevel("warn")
    assert root.getLevel() == "WARN"
    shown = capfd.readouterr().err
    assert "unseen" not in shown
    assert "seen" in shown


def test_the_level_of_the_log_is_that_of_the_settings(monkeypatch):
    monkeypatch.setenv("SWIFTWATER_LOG_LEVEL", "warning")
    with SparkContext("local[1]", "quiet") as sc:
        assert sc._jvm.org.apache.log4j.Logger.getLogger("a").getLevel() == "WARN"


def test_the_jvm_is_there_in_the_classes_too(streaming):
    assert SparkContext._jvm is StreamingContext._jvm is streaming.sc._jvm
    contexts = SparkContext._jvm.org.apache.spark.streaming.StreamingContext
    assert contexts.getActive().isEmpty()
    with pytest.raises(LookupError):
        contexts.getActive().get()
    streaming.collect(streaming.ssc.queueStream([[1]]))
    streaming.start()
    active = contexts.getActive()
    assert (active.nonEmpty(), active.isDefined(), active.isEmpty()) == (True, True, False)
    active.get().stop(False)
    assert StreamingContext.getActive() is None


def test_garbage_is_collected(sc):
    class Cycle:
        pass

    one = Cycle()
    one.itself = one
    seen = weakref.ref(one)
    del one
    assert seen() is not None
    sc._jvm.System.gc()
    assert seen() is None
    assert sc._jvm.java.lang.System.gc() is None


def test_the_context_has_no_other_names(sc):
    with pytest.raises(AttributeError, match="'SparkContext' object has no attribute 'nothing'"):
        _ = sc.nothing
    for name in ("sequenceFile", "newAPIHadoopFile", "hadoopRDD", "show_profiles"):
        with pytest.raises(NotImplementedError, match=f"SparkContext.{name} .* use "):
            getattr(sc, name)("a", b="c")
    assert isinstance(SparkContext.getOrCreate(), SparkContext)
