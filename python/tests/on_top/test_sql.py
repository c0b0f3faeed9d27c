"""pyspark.sql on DuckDB."""

import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("duckdb")

from swiftwater import SparkConf, SparkContext, errors
from swiftwater._sql.session import Row, SparkSession, SQLContext

COMPAT = os.path.join(os.path.dirname(sys.modules["swiftwater"].__file__), "_compat")


@pytest.fixture
def spark(sc):
    return SparkSession.builder.config(conf=sc.getConf()).getOrCreate()


# What the shipped sql_network_wordcount.py does with each batch, printed by Spark.
SHOWN = """\
+-----+-----+
| word|total|
+-----+-----+
|hello|    2|
|world|    1|
+-----+-----+

"""


def test_the_lines_of_the_shipped_example(sc, capsys):
    words = sc.parallelize(["hello", "world", "hello"])
    spark = SparkSession.builder.config(conf=words.context.getConf()).getOrCreate()
    frame = spark.createDataFrame(words.map(lambda w: Row(word=w)))
    frame.createOrReplaceTempView("words")
    counts = spark.sql("select word, count(*) as total from words group by word")
    counts.show()
    # The groups have no order.
    assert sorted(capsys.readouterr().out.split("\n")) == sorted(SHOWN.split("\n"))
    spark.sql("select word, count(*) as total from words group by word order by word").show()
    assert capsys.readouterr().out == SHOWN


def test_a_stream_with_sql_in_each_batch(streaming):
    seen = []

    def process(time, rdd):
        try:
            session = SparkSession.builder.config(conf=rdd.context.getConf()).getOrCreate()
            session.createDataFrame(rdd.map(lambda w: Row(word=w))).createOrReplaceTempView("words")
            counts = session.sql("select word, count(*) as total from words group by word")
            seen.append(sorted(map(tuple, counts.collect())))
        except ValueError as error:
            seen.append(str(error))

    streaming.ssc.queueStream([["a", "b", "a"], [], ["c"]]).foreachRDD(process)
    streaming.run_until_idle()
    assert seen == [[("a", 2), ("b", 1)], "RDD is empty", [("c", 1)]]


def test_there_is_one_session_for_a_context(spark, sc):
    assert spark.sparkContext is sc
    assert SparkSession.builder.getOrCreate() is spark
    assert SparkSession.getActiveSession() is spark
    assert SparkSession.active() is spark
    assert SQLContext(sc).sparkSession is spark
    sc.stop()
    assert SparkSession.getActiveSession() is None
    with pytest.raises(errors.PySparkRuntimeError, match="getOrCreate"):
        SparkSession.active()
    with SparkContext("local", "next") as other:
        made = SparkSession.builder.getOrCreate()
        assert made is not spark
        assert made.sparkContext is other


def test_the_builder_makes_a_context():
    spark = (
        SparkSession.builder.master("local[3]").appName("made").config("a.b", True).getOrCreate()
    )
    try:
        assert repr(spark.sparkContext) == "<SparkContext master=local[3] appName=made>"
        assert spark.conf.get("a.b") == "true"
        assert spark.version == spark.sparkContext.version
    finally:
        spark.stop()
    assert SparkContext._active_spark_context is None
    spark.stop()


def test_settings(spark):
    built = SparkSession.builder.config(map={"x": 1}).config(conf=SparkConf().set("y", 2))
    assert built.getOrCreate() is spark
    assert (spark.conf.get("x"), spark.conf.get("y")) == ("1", "2")
    spark.conf.set("spark.sql.shuffle.partitions", 5)
    assert spark.conf.get("spark.sql.shuffle.partitions") == "5"
    spark.conf.unset("spark.sql.shuffle.partitions")
    assert spark.conf.get("spark.sql.shuffle.partitions") == "200"
    assert spark.conf.get("none", None) is None
    with pytest.raises(errors.SparkNoSuchElementException, match="none"):
        spark.conf.get("none")


@pytest.mark.parametrize(
    ("records", "schema", "columns"),
    [
        ([Row(a=1, b="x"), Row(a=2, b=None)], None, ["a", "b"]),
        ([(1, "x"), (2, None)], ["a", "b"], ["a", "b"]),
        ([(1, "x"), (2, None)], None, ["_1", "_2"]),
        ([(1, "x"), (2, None)], "a int, b string", ["a", "b"]),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": None}], None, ["a", "b"]),
    ],
)
def test_records_of_every_form(spark, sc, records, schema, columns):
    for data in (sc.parallelize(records), records, iter(records)):
        frame = spark.createDataFrame(data, schema)
        assert frame.columns == columns
        assert sorted(map(tuple, frame.collect())) == [(1, "x"), (2, None)]


def test_rdds_become_frames_and_frames_rdds(spark, sc):
    frame = sc.parallelize([(1, "x"), (2, "y")]).toDF(["n", "s"])
    assert frame.sparkSession is spark
    assert frame.rdd.map(lambda row: row.n).sum() == 3
    assert not frame.isEmpty()
    seen = sc.accumulator(0)
    frame.foreach(lambda row: seen.add(row.n))
    assert seen.value == 3


def test_empty_rdds(spark, sc):
    for schema in (None, ["a"]):
        with pytest.raises(ValueError, match="^RDD is empty$"):
            spark.createDataFrame(sc.emptyRDD(), schema)
    assert spark.createDataFrame(sc.emptyRDD(), "a int").collect() == []
    with pytest.raises(errors.PySparkValueError):
        spark.createDataFrame([])


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("select nope from words", errors.AnalysisException),
        ("select * from nothing", errors.AnalysisException),
        ("selec", errors.ParseException),
    ],
)
def test_errors_of_queries(spark, query, kind):
    spark.createDataFrame([("a",)], ["word"]).createOrReplaceTempView("words")
    with pytest.raises(kind):
        spark.sql(query)
    with pytest.raises(errors.AnalysisException):
        spark.table("nothing")


def test_sessions_have_views_of_their_own(spark):
    spark.createDataFrame([(1,)], ["n"]).createOrReplaceTempView("numbers")
    other = spark.newSession()
    assert other.sparkContext is spark.sparkContext
    with pytest.raises(errors.AnalysisException):
        other.table("numbers")
    assert spark.table("numbers").count() == 1
    assert SparkSession.builder.getOrCreate() is spark


def test_the_old_names(sc):
    context = SQLContext.getOrCreate(sc)
    frame = context.createDataFrame([(1,)], ["n"])
    context.registerDataFrameAsTable(frame, "numbers")
    assert context.sql("select n from numbers").first().n == 1
    context.dropTempTable("numbers")
    with pytest.raises(errors.AnalysisException):
        context.table("numbers")


@pytest.mark.parametrize("name", ["readStream", "streams"])
def test_structured_streaming_is_not_there(spark, name):
    with pytest.raises(NotImplementedError, match="structured streaming is not part"):
        getattr(spark, name)


PROGRAM = """
from pyspark.sql import SparkSession, Row
from pyspark.sql.types import StructType, StructField, StringType, IntegerType
from pyspark.sql.functions import col
spark = SparkSession.builder.master("local[2]").appName("x").getOrCreate()
rows = spark.sparkContext.parallelize(["a", "b"]).map(lambda word: Row(word=word, n=1))
schema = StructType([StructField("word", StringType()), StructField("n", IntegerType())])
frame = spark.createDataFrame(rows, schema)
print(frame.filter(col("word") == "a").collect())
"""


def test_a_program_that_ends_without_a_stop(tmp_path):
    job = tmp_path / "job.py"
    job.write_text(PROGRAM)
    run = subprocess.run(
        [sys.executable, "-m", "swiftwater", "run", str(job)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "[Row(word='a', n=1)]\n", run.stderr
    assert "leaked" not in run.stderr


def test_without_duckdb_the_import_says_what_to_install():
    code = (
        "import sys\n"
        "sys.modules['duckdb'] = None\n"
        f"sys.path.insert(0, {COMPAT!r})\n"
        "for name in ('pyspark.sql', 'pyspark.sql.types', 'pyspark.sql.functions'):\n"
        "    try:\n"
        "        __import__(name)\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(re.findall(r"pip install 'swiftwater\[sql\]'", run.stdout)) == 3, run.stdout
