import copy
import os
import pickle
import re
import sys
import time

import pytest

import swiftwater
from swiftwater import RDD, SparkConf, SparkContext
from swiftwater.streaming import DStream


def test_what_a_context_says_of_itself(sc):
    assert (sc.master, sc.appName) == ("local[2]", "test")
    assert repr(sc) == "<SparkContext master=local[2] appName=test>"
    assert (sc.defaultParallelism, sc.defaultMinPartitions) == (2, 2)
    assert abs(sc.startTime - time.time() * 1000) < 60_000
    assert sc.applicationId == f"local-{sc.startTime}"
    assert sc.version.split(".")[0] >= "3"
    assert swiftwater.__version__


@pytest.mark.parametrize(
    ("master", "cores", "partitions"), [("local", 1, 1), ("local[1]", 1, 1), ("local[4]", 4, 2)]
)
def test_cores_of_the_master(master, cores, partitions):
    with SparkContext(master, "cores") as sc:
        assert (sc.defaultParallelism, sc.defaultMinPartitions) == (cores, partitions)


def test_default_parallelism_is_a_setting():
    conf = SparkConf().set("spark.default.parallelism", 7)
    with SparkContext("local[2]", "p", conf=conf) as sc:
        assert sc.defaultParallelism == 7
        assert sc.parallelize(range(10)).getNumPartitions() == 7


def test_arguments_win_over_conf_and_conf_is_copied():
    conf = SparkConf().setMaster("local[3]").setAppName("from conf").set("spark.ui.port", "1")
    with SparkContext("local[2]", conf=conf) as sc:
        conf.setAppName("changed later")
        assert (sc.master, sc.appName) == ("local[2]", "from conf")
        assert sc.getConf().get("spark.ui.port") == "1"
        sc.getConf().set("spark.ui.port", "2")
        assert sc.getConf().get("spark.ui.port") == "1"
        assert sc.getConf().get("spark.app.id") == sc.applicationId


def test_arguments_of_old_programs_are_accepted():
    with SparkContext("local", "x", "/opt/spark", [], {"A": "1"}, 0, object()) as sc:
        assert sc.getConf().get("spark.executorEnv.A") == "1"
        assert sc.sparkHome == "/opt/spark"


def test_a_second_context_is_refused_and_says_where_the_first_is(sc):
    text = (
        "Cannot run multiple SparkContexts at once; existing SparkContext(app=test, "
        "master=local[2]) created by __init__ at "
    )
    with pytest.raises(ValueError, match=re.escape(text) + r".*conftest\.py:\d+"):
        SparkContext("local", "second")
    assert sc.parallelize([1]).collect() == [1]


def test_a_context_may_follow_a_stopped_one():
    for name in ("first", "second"):
        with SparkContext("local", name) as sc:
            assert SparkContext._active_spark_context is sc
        assert SparkContext._active_spark_context is None


def test_get_or_create():
    made = SparkContext.getOrCreate(SparkConf().setMaster("local[2]").setAppName("made"))
    try:
        assert made.appName == "made"
        assert SparkContext.getOrCreate() is made
    finally:
        made.stop()


@pytest.mark.parametrize("master", ["locla", "local[0]", "local[x]", "spark://host:7077", "yarn"])
def test_an_unknown_master_is_refused(master):
    with pytest.raises(ValueError, match=re.escape(master)):
        SparkContext(master, "x")
    assert SparkContext._active_spark_context is None


@pytest.mark.parametrize(
    "arguments", [{"master": 3}, {"appName": b"x"}, {"conf": {"spark.master": "local"}}]
)
def test_arguments_of_the_wrong_type_are_refused(arguments):
    with pytest.raises(TypeError):
        SparkContext(**arguments)


def test_a_stopped_context_refuses_work():
    sc = SparkContext("local", "x")
    rdd = sc.parallelize([1, 2])
    sc.stop()
    sc.stop()
    for use in (lambda: sc.parallelize([1]), rdd.collect, rdd.count, lambda: rdd.map(str)):
        with pytest.raises(RuntimeError, match="Cannot call methods on a stopped SparkContext"):
            use()
    assert repr(sc) == "<SparkContext master=local appName=x>"


@pytest.mark.parametrize("level", ["WARN", "info", "OFF", "ALL"])
def test_log_levels(sc, level):
    sc.setLogLevel(level)
    sc.setLogLevel("INFO")


def test_an_unknown_log_level_is_refused(sc):
    with pytest.raises(ValueError, match="bogus"):
        sc.setLogLevel("bogus")


def test_a_context_is_neither_pickled_nor_copied(sc):
    for use in (pickle.dumps, copy.deepcopy):
        with pytest.raises(RuntimeError, match="CONTEXT_ONLY_VALID_ON_DRIVER"):
            use(sc)
        with pytest.raises(RuntimeError, match="RDD_TRANSFORM_ONLY_VALID_ON_DRIVER"):
            use(sc.parallelize([1]))


@pytest.mark.parametrize(
    ("values", "slices", "parts"),
    [
        (range(5), 3, [[0], [1, 2], [3, 4]]),
        ([1, 2], 3, [[], [1], [2]]),
        ([], 2, [[], []]),
        ("abc", 1, [["a", "b", "c"]]),
        (iter([1, 2, 3]), 2, [[1], [2, 3]]),
        ({"k": 1}, 1, [["k"]]),
        ((x * x for x in range(3)), None, [[0], [1, 4]]),
    ],
)
def test_parallelize_slices(sc, values, slices, parts):
    assert sc.parallelize(values, slices).glom().collect() == parts


@pytest.mark.parametrize("slices", [0, -1])
def test_parallelize_needs_a_slice(sc, slices):
    with pytest.raises(ValueError, match="at least one slice"):
        sc.parallelize([1], slices)


def test_parallelize_needs_an_iterable(sc):
    with pytest.raises(TypeError):
        sc.parallelize(None)


def test_empty_rdd(sc):
    empty = sc.emptyRDD()
    assert (empty.getNumPartitions(), empty.collect(), empty.count()) == (0, [], 0)
    assert empty.isEmpty()
    assert empty.map(str).collect() == []


def test_union_of_many(sc):
    rdds = [sc.parallelize([n], n) for n in (1, 2, 3)]
    both = sc.union(rdds)
    assert (both.collect(), both.getNumPartitions()) == ([1, 2, 3], 6)
    with pytest.raises(ValueError, match="at least one"):
        sc.union([])
    with pytest.raises(TypeError, match="int"):
        sc.union([rdds[0], 3])


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"a\r\nb\rc\n\xff\xc3\xa9\n\nlast")
    return path


def test_text_file_lines(sc, text):
    lines = ["a", "b", "c", "\ufffd\u00e9", "", "last"]
    assert sc.textFile(str(text)).collect() == lines
    assert sc.textFile(text).collect() == lines
    assert sc.textFile(f"file://{text}").collect() == lines
    assert sc.textFile(f"file:{text}").collect() == lines
    assert sc.textFile(str(text), 3).getNumPartitions() >= 3
    assert sc.textFile(str(text), use_unicode=False).first() == b"a"


def test_text_file_that_is_not_there(sc, tmp_path):
    with pytest.raises(OSError, match="none"):
        sc.textFile(str(tmp_path / "none.txt")).collect()
    with pytest.raises(ValueError, match="hdfs"):
        sc.textFile("hdfs://host/file")
    with pytest.raises(TypeError, match="int"):
        sc.textFile(3)


def test_python_files_are_on_the_path(tmp_path):
    (tmp_path / "swiftwater_test_module.py").write_text("VALUE = 42\n")
    path = str(tmp_path / "swiftwater_test_module.py")
    with SparkContext("local", "x", pyFiles=[path]):
        import swiftwater_test_module  # noqa: PLC0415 - not there before
    sys.path.remove(str(tmp_path))
    assert swiftwater_test_module.VALUE == 42
    with pytest.raises(FileNotFoundError, match=r"gone\.py"):
        SparkContext("local", "x", pyFiles=["gone.py"])


def test_rdds_are_true_and_named(sc):
    rdd = sc.parallelize([])
    assert isinstance(rdd, RDD)
    assert bool(rdd) is True
    assert not hasattr(rdd, "__len__")
    assert rdd.name() is None
    assert rdd.setName("words") is rdd
    assert rdd.name() == "words"
    assert rdd.id() != sc.parallelize([]).id()
    assert str(rdd.id()) in repr(rdd)
    assert (rdd.context, rdd.ctx) == (sc, sc)


def test_classes_can_be_subscripted():
    assert RDD[int] is not None
    assert DStream[tuple[str, int]] is not None


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((5,), [[0, 1], [2, 3, 4]]),
        ((1, 10, 3, 2), [[1], [4, 7]]),
        ((5, 1, -2, 1), [[5, 3]]),
        ((-3,), [[], []]),
        ((0, 3, 1, 5), [[], [0], [], [1], [2]]),
    ],
)
def test_ranges(sc, arguments, parts):
    assert sc.range(*arguments).glom().collect() == parts


def test_a_long_range_is_made_in_its_tasks(sc):
    numbers = sc.range(3, 3_000_000, 7, numSlices=3)
    whole = range(3, 3_000_000, 7)
    assert numbers.count() == len(whole)
    assert numbers.glom().map(len).collect() == [142857, 142857, 142857]
    assert numbers.take(3) == [3, 10, 17]
    assert numbers.sum() == sum(whole)
    assert sc.range(2**62).take(1) == [0]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [((5, 1, 0), ValueError), ((5.5,), TypeError), ((0, 1, 1, 0), ValueError)],
)
def test_what_is_no_range(sc, arguments, kind):
    with pytest.raises(kind):
        sc.range(*arguments)


def test_run_job(sc):
    rdd = sc.parallelize(range(6), 3)
    assert sc.runJob(rdd, lambda part: [sum(part)]) == [1, 5, 9]
    assert sc.runJob(rdd, lambda part: [sum(part)], [2, 0], True) == [9, 1]
    assert sc.runJob(rdd, lambda part: part, []) == []


def test_union_keeps_what_is_partitioned_by_key(sc):
    pairs = sc.parallelize([(n, n) for n in range(6)], 2)
    by_key = pairs.partitionBy(3)
    assert sc.union([by_key, by_key]).getNumPartitions() == 3
    assert sc.union([by_key, by_key, by_key]).getNumPartitions() == 3
    assert sc.union([by_key, pairs]).getNumPartitions() == 5
    assert sc.union([by_key, by_key, pairs]).getNumPartitions() == 8
    assert sc.union([by_key, pairs.partitionBy(2)]).getNumPartitions() == 5
    assert sorted(sc.union([by_key, by_key]).keys().collect()) == sorted([*range(6)] * 2)


def test_the_folder_for_checkpoints(sc, tmp_path):
    assert sc.getCheckpointDir() is None
    assert sc._checkpoint_dir is None
    sc.setCheckpointDir(str(tmp_path / "new"))
    first = sc._checkpoint_dir
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/new/[0-9a-f-]{{36}}", first)
    assert os.path.isdir(first)
    assert sc.getCheckpointDir() == f"file:{first}"
    sc.setCheckpointDir(f"file://{tmp_path}/new")
    assert sc._checkpoint_dir != first
    assert len(os.listdir(tmp_path / "new")) == 2


def test_what_old_programs_ask_for(sc):
    assert (sc.uiWebUrl, sc.resources, sc.environment) == (None, {}, {})
    assert sc.sparkUser()
    assert sc.pythonExec == sys.executable
    assert sc.pythonVer == "{}.{}".format(*sys.version_info)
    assert sc._conf.get("spark.master") == "local[2]"
    assert "<code>local[2]</code>" in sc._repr_html_()
    with pytest.raises(ValueError, match="did not match one of: ALL,DEBUG,ERROR,WARN"):
        sc.setLogLevel("bogus")
