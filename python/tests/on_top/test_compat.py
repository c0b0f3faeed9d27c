"""PySpark's module names lead to the same classes."""

import importlib
import os
import subprocess
import sys
import threading
import unittest

import pytest

import swiftwater
from swiftwater import errors, streaming

FOLDER = os.path.join(os.path.dirname(swiftwater.__file__), "_compat")


@pytest.fixture
def compat(monkeypatch):
    def ours():
        return [name for name in sys.modules if name.split(".")[0] in ("pyspark", "py4j")]

    hidden = {name: sys.modules[name] for name in ours()}
    for name in hidden:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(FOLDER)
    # What py4j.protocol does to the engine's functions is tested elsewhere.
    monkeypatch.setattr("swiftwater._py4j.install", lambda: None)
    yield
    for name in ours():
        del sys.modules[name]


def home(name):
    return importlib.import_module(f"swiftwater.{name}")


# PySpark 4.3's own `__all__` of the package, without RDDBarrier.
EXPORTED = (
    "SparkConf SparkContext SparkFiles RDD StorageLevel Broadcast Accumulator AccumulatorParam "
    "StatusTracker SparkJobInfo SparkStageInfo SparkExecutorInfo TaskContext BarrierTaskContext "
    "BarrierTaskInfo InheritableThread inheritable_thread_target"
).split()


@pytest.mark.parametrize(
    ("module", "names", "place"),
    [
        ("pyspark", EXPORTED, "swiftwater"),
        ("pyspark.conf", ["SparkConf"], "swiftwater.conf"),
        ("pyspark.context", ["SparkContext"], "swiftwater.context"),
        ("pyspark.core.context", ["SparkContext"], "swiftwater.context"),
        ("pyspark.rdd", ["RDD", "portable_hash"], "swiftwater.rdd"),
        ("pyspark.core.rdd", ["RDD"], "swiftwater.rdd"),
        ("pyspark.accumulators", ["Accumulator", "AccumulatorParam"], "swiftwater.accumulators"),
        ("pyspark.broadcast", ["Broadcast"], "swiftwater.broadcast"),
        ("pyspark.core.broadcast", ["Broadcast"], "swiftwater.broadcast"),
        ("pyspark.files", ["SparkFiles"], "swiftwater.files"),
        ("pyspark.core.files", ["SparkFiles"], "swiftwater.files"),
        ("pyspark.status", ["StatusTracker", "SparkJobInfo"], "swiftwater.status"),
        ("pyspark.core.status", ["StatusTracker"], "swiftwater.status"),
        ("pyspark.taskcontext", ["TaskContext", "BarrierTaskContext"], "swiftwater.taskcontext"),
        ("pyspark.util", ["InheritableThread"], "swiftwater.threads"),
        ("pyspark.storagelevel", ["StorageLevel"], "swiftwater.storagelevel"),
        ("pyspark.streaming", ["StreamingContext", "DStream"], "swiftwater.streaming"),
        ("pyspark.streaming.context", ["StreamingContext"], "swiftwater.streaming"),
        ("pyspark.streaming.dstream", ["DStream"], "swiftwater.streaming"),
        ("py4j.protocol", ["Py4JError", "Py4JJavaError", "Py4JNetworkError"], "swiftwater.errors"),
        ("py4j.java_gateway", ["Py4JError"], "swiftwater.errors"),
        ("pyspark.sql.utils", ["AnalysisException"], "swiftwater.errors"),
        ("pyspark.errors.exceptions.captured", ["AnalysisException"], "swiftwater.errors"),
    ],
)
@pytest.mark.usefixtures("compat")
def test_names(module, names, place):
    if module.startswith("pyspark.sql"):
        pytest.importorskip("duckdb")
    found, source = importlib.import_module(module), importlib.import_module(place)
    for name in names:
        assert getattr(found, name) is getattr(source, name)
        assert name in found.__all__


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("pyspark.context", "SparkConf RDD StorageLevel Broadcast Accumulator Py4JError"),
        ("pyspark.core.context", "SparkConf RDD TaskContext BasicProfiler PickleSerializer"),
        ("pyspark.rdd", "ResultIterable StatCounter StorageLevel RDDSampler python_join"),
        ("pyspark.core.rdd", "PipelinedRDD ResultIterable fail_on_stopiteration Aggregator"),
        ("pyspark.streaming.context", "SparkContext SparkConf RDD DStream StreamingListener"),
        ("pyspark.streaming.dstream", "RDD StorageLevel ResultIterable portable_hash"),
        ("pyspark.streaming.util", "SparkContext RDD"),
        ("pyspark.streaming", "context dstream listener util"),
        ("pyspark", "core cloudpickle join shuffle resultiterable java_gateway is_remote_only"),
    ],
)
@pytest.mark.usefixtures("compat")
def test_names_are_found_where_pyspark_uses_them(module, names):
    found = importlib.import_module(module)
    for name in names.split():
        assert getattr(found, name) is not None
    with pytest.raises(ImportError):
        exec(f"from {module} import nothing")
    if "RDD" in names.split():
        assert found.RDD is swiftwater.RDD


@pytest.mark.usefixtures("compat")
def test_samplers_draw_what_rdds_draw(sc):
    module = importlib.import_module("pyspark.rddsampler")
    rdd = sc.parallelize(range(40), 2)
    for again in (False, True):
        drawn = rdd.mapPartitionsWithIndex(module.RDDSampler(again, 0.4, 10).func)
        assert drawn.collect() == rdd.sample(again, 0.4, 10).collect()
    lower = module.RDDRangeSampler(0, 0.3, 5).func
    upper = module.RDDRangeSampler(0.3, 1, 5).func
    parts = [rdd.mapPartitionsWithIndex(part).collect() for part in (lower, upper)]
    assert parts == [part.collect() for part in rdd.randomSplit([3, 7], 5)]
    pairs = rdd.map(lambda n: ("ab"[n % 2], n))
    sampler = module.RDDStratifiedSampler(False, {"a": 1.0, "b": 0.0}, 1)
    assert pairs.mapPartitionsWithIndex(sampler.func).countByKey() == {"a": 20}


def outcome(case):
    result = unittest.TestResult()
    unittest.TestLoader().loadTestsFromTestCase(case).run(result)
    failed = [test.id().split(".")[-1] for test, _ in result.failures + result.errors]
    return result.testsRun, failed


@pytest.mark.usefixtures("compat")
def test_base_classes_for_tests_of_jobs(capfd):
    utils = importlib.import_module("pyspark.testing.utils")
    contexts = []

    class Own(utils.PySparkTestCase):
        def test_sum(self):
            contexts.append(self.sc)
            assert self.sc.parallelize([1, 2]).sum() == 3

        test_again = test_sum

    class Shared(utils.ReusedPySparkTestCase):
        @classmethod
        def conf(cls):
            return swiftwater.SparkConf().set("a.b", "c")

        def test_settings(self):
            contexts.append(self.sc)
            assert self.sc.getConf().get("a.b") == "c"
            with self.quiet(), utils.QuietTest(self.sc):
                self.sc._jsc.hadoopConfiguration().set("unseen", 1)
            self.sc._jsc.hadoopConfiguration().set("seen", 1)

        def test_that_fails(self):
            contexts.append(self.sc)
            raise AssertionError

    assert outcome(Own) == (2, [])
    assert outcome(Shared) == (2, ["test_that_fails"])
    assert len({id(sc) for sc in contexts[:2]}) == 2
    assert contexts[2] is contexts[3]
    shown = capfd.readouterr().err
    assert "setting unseen" not in shown
    assert "setting seen" in shown


@pytest.mark.usefixtures("compat")
def test_base_class_for_tests_of_streams():
    module = importlib.import_module("pyspark.testing.streamingutils")

    class Streams(module.PySparkStreamingTestCase):
        duration = 0.02

        def test_sums(self):
            sums = [[("a", 3), ("b", 1)], [("a", 1)]]
            self._test_func(
                [[("b", 1), ("a", 1), ("a", 2)], [], [("a", 1)]],
                lambda stream: stream.reduceByKey(lambda a, b: a + b),
                sums,
                sort=True,
            )

        def test_two_inputs(self):
            self._test_func([[1]], lambda a, b: a.union(b), [[1, 2], [3]], input2=[[2], [3]])

        def test_records(self):
            assert self._take(self.ssc.queueStream([[1, 2], [3, 4]]), 3) == [1, 2, 3]

        def test_that_fails(self):
            self._test_func([[1]], lambda stream: stream, [[2]])

        def test_that_waits_for_nothing(self):
            self.timeout = 0.1
            assert self._collect(self.ssc.queueStream([[1]]), 2) == [[1]]

    assert outcome(Streams) == (5, ["test_that_fails"])


@pytest.mark.usefixtures("compat")
def test_helpers_of_tests_that_wait():
    utils = importlib.import_module("pyspark.testing.utils")
    answers = iter([0, AssertionError("no"), True])

    def condition():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    utils.eventually(catch_assertions=True, interval=0.0)(condition)()
    assert next(answers, "none left") == "none left"
    with pytest.raises(AssertionError, match="still returns 7"):
        utils.eventually(timeout=0.01, interval=0.001)(lambda: 7)()

    @utils.eventually(timeout=0.01, catch_timeout=True, interval=0.001)
    def late():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        late()
    assert utils.timeout(5)(max)(1, 2) == 2

    @utils.timeout(1)
    def wait():
        threading.Event().wait(30)

    with pytest.raises(TimeoutError, match="Function wait timed out after 1 seconds"):
        wait()


# PySpark 4.3's pyspark.errors.__all__.
ERRORS = (
    "PySparkException AnalysisException SessionNotSameException TempTableAlreadyExistsException "
    "ParseException IllegalArgumentException ArithmeticException UnsupportedOperationException "
    "ArrayIndexOutOfBoundsException DateTimeException NumberFormatException "
    "StreamingQueryException QueryExecutionException PythonException UnknownException "
    "SparkRuntimeException SparkUpgradeException SparkNoSuchElementException PySparkTypeError "
    "PySparkValueError PySparkImportError PySparkIndexError PySparkAttributeError "
    "PySparkRuntimeError PySparkAssertionError PySparkNotImplementedError "
    "PySparkPicklingError PySparkKeyError QueryContext QueryContextType "
    "StreamingPythonRunnerInitializationException PickleException"
).split()


@pytest.mark.parametrize("module", ["pyspark.errors", "pyspark.errors.exceptions.base"])
@pytest.mark.usefixtures("compat")
def test_errors(module):
    found = importlib.import_module(module)
    assert sorted(found.__all__) == sorted(ERRORS)
    for name in ERRORS:
        assert getattr(found, name) is getattr(errors, name)


@pytest.mark.usefixtures("compat")
def test_everything_that_is_named_is_there():
    found = importlib.import_module("pyspark")
    for name in found.__all__:
        assert getattr(found, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = found.nothing
    with pytest.raises(ImportError):
        exec("from pyspark import nothing")
    assert found.util is importlib.import_module("pyspark.util")


@pytest.mark.usefixtures("compat")
def test_the_version_is_that_of_the_api():
    assert importlib.import_module("pyspark").__version__ == "4.3.0"
    assert importlib.import_module("pyspark.version").__version__ == "4.3.0"


@pytest.mark.parametrize(
    "module",
    [
        "pyspark.streaming.kafka",
        "pyspark.streaming.flume",
        "pyspark.streaming.mqtt",
        "pyspark.streaming.kinesis",
        "pyspark.ml",
        "pyspark.mllib",
        "pyspark.pandas",
        "pyspark.graphx",
        "pyspark.sql.window",
        "pyspark.sql.streaming",
    ],
)
@pytest.mark.usefixtures("compat")
def test_what_is_not_there_says_so(module):
    pytest.importorskip("duckdb")
    with pytest.raises(ImportError, match=f"{module}.* is not (there yet|part)"):
        importlib.import_module(module)


SERIALIZERS = [
    "PickleSerializer",
    "CPickleSerializer",
    "CloudPickleSerializer",
    "MarshalSerializer",
    "AutoSerializer",
]


@pytest.mark.parametrize("name", SERIALIZERS)
@pytest.mark.parametrize("value", [None, 1, "é", b"x", (1, [2.5]), {"a": {1}}])
@pytest.mark.usefixtures("compat")
def test_serializers(name, value, tmp_path):
    module = importlib.import_module("pyspark.serializers")
    serializer = getattr(module, name)()
    assert serializer.loads(serializer.dumps(value)) == value
    for wrapped in (
        serializer,
        module.BatchedSerializer(serializer, 2),
        module.AutoBatchedSerializer(serializer),
        module.CompressedSerializer(serializer),
    ):
        assert wrapped.loads(wrapped.dumps(value)) == value
        with open(tmp_path / "stream", "wb") as file:
            wrapped.dump_stream([value, 1, "last"], file)
        with open(tmp_path / "stream", "rb") as file:
            assert list(wrapped.load_stream(file)) == [value, 1, "last"]
    assert serializer == type(serializer)()


@pytest.mark.usefixtures("compat")
def test_text_serializer(tmp_path):
    module = importlib.import_module("pyspark.serializers")
    for use_unicode, out in ((True, "é"), (False, "é".encode())):
        text = module.UTF8Deserializer(use_unicode)
        with open(tmp_path / "stream", "wb") as file:
            text.dump_stream(["é"], file)
        with open(tmp_path / "stream", "rb") as file:
            assert list(text.load_stream(file)) == [out]
        with open(tmp_path / "stream", "rb") as file:
            assert text.loads(file) == out


@pytest.mark.usefixtures("compat")
def test_cloudpickle():
    module = importlib.import_module("pyspark.cloudpickle")
    assert module.loads(module.dumps(lambda n: n + 1))(2) == 3


@pytest.mark.usefixtures("compat")
def test_profilers(sc, tmp_path, capsys):
    module = importlib.import_module("pyspark.profiler")
    profiler = module.BasicProfiler(sc)
    assert profiler.stats() is None
    assert [profiler.profile(sorted, [2, 1]) for _ in range(2)] == [[1, 2], [1, 2]]
    profiler.show(3)
    assert "Profile of RDD<id=3>" in capsys.readouterr().out
    profiler.dump(3, str(tmp_path / "p"))
    assert (tmp_path / "p" / "rdd_3.pstats").exists()


@pytest.mark.usefixtures("compat")
def test_util():
    module = importlib.import_module("pyspark.util")
    assert module.VersionUtils.majorMinorVersion("4.3.0-SNAPSHOT") == (4, 3)
    with pytest.raises(ValueError, match="no version"):
        module.VersionUtils.majorMinorVersion("four")
    with pytest.raises(errors.PySparkRuntimeError, match="StopIteration"):
        module.fail_on_stopiteration(lambda: next(iter(())))()

    class Keywords:
        @module.keyword_only
        def set(self, *, a=1):
            return self._input_kwargs

    assert Keywords().set(a=2) == {"a": 2}
    with pytest.raises(TypeError, match="forces keyword arguments"):
        Keywords().set(2)


@pytest.mark.usefixtures("compat")
def test_py4j():
    gateway = importlib.import_module("py4j.java_gateway")
    gateway.java_import(object(), "java.util.*")
    for use in (gateway.JavaGateway, lambda: gateway.is_instance_of(1, 2, 3)):
        with pytest.raises(errors.NoJVMError):
            use()
    with pytest.raises(errors.NoJVMError, match="make a SparkContext"):
        importlib.import_module("pyspark.java_gateway").launch_gateway()


def test_the_package_alone_loads_next_to_nothing():
    code = (
        "import sys, swiftwater\n"
        "print(*sorted(name for name in sys.modules if name.startswith('swiftwater')))\n"
        "print(swiftwater.rdd.RDD is swiftwater.RDD, {'RDD', 'context'} <= set(dir(swiftwater)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "swiftwater swiftwater._native swiftwater._process_end",
        "True True",
    ]


def test_a_word_count_loads_no_more_than_it_needs():
    code = (
        "import sys\n"
        f"sys.path.insert(0, {FOLDER!r})\n"
        "from pyspark import SparkContext\n"
        "from pyspark.streaming import StreamingContext\n"
        "from swiftwater.testing import run_batches\n"
        "run_batches(lambda s: s.map(lambda w: (w, 1)).reduceByKey(lambda a, b: a + b), [['a']])\n"
        "print(*sorted(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    for name in (
        "swiftwater.errors",
        "swiftwater.accumulators",
        "swiftwater.broadcast",
        "swiftwater.files",
        "swiftwater.status",
        "swiftwater.taskcontext",
        "swiftwater.threads",
        "swiftwater._context.running_jobs",
        "swiftwater._py4j",
        "swiftwater._sql.session",
        "duckdb",
        "pickle",
        "tempfile",
        "uuid",
        # A third of a start, with what they load: see `_typing`.
        "contextlib",
        "dataclasses",
        "enum",
        "inspect",
        "re",
        "signal",
        "typing",
    ):
        assert name not in loaded
    assert streaming.StreamingContext is not None


@pytest.mark.parametrize(
    ("flags", "absent"),
    [([], {"argparse", "gettext", "locale", "shutil"}), (["--name", "a"], {"shutil"})],
    ids=["without flags", "with a flag"],
)
def test_the_command_line_loads_no_more_than_it_needs(tmp_path, flags, absent):
    script = tmp_path / "job.py"
    script.write_text("import sys\nprint(*sorted(sys.modules))\n")
    command = [sys.executable, "-m", "swiftwater", "run", *flags, str(script)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not absent & set(run.stdout.split())


def test_nothing_is_on_the_path_without_the_command_line():
    assert FOLDER not in sys.path
