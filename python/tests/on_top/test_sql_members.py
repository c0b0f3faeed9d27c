"""pyspark.sql: what there is beside DuckDB's interface, and what the rest says."""

import datetime as dt
import importlib
import json
import os
import sys

import pytest

pytest.importorskip("duckdb")

from swiftwater import errors
from swiftwater._sql import files, functions, missing, session
from swiftwater._sql.session import SparkSession

COMPAT = os.path.join(os.path.dirname(sys.modules["swiftwater"].__file__), "_compat")


@pytest.fixture(scope="module")
def sql():
    """``pyspark.sql``, its functions and its types, as a job has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(COMPAT)
        yield {
            name: importlib.import_module(f"pyspark.sql.{name}") for name in ("functions", "types")
        }
        for name in [name for name in sys.modules if name.split(".")[0] in ("pyspark", "py4j")]:
            del sys.modules[name]


@pytest.fixture
def fn(sql):
    return sql["functions"]


@pytest.fixture
def spark(sc):
    return SparkSession.builder.getOrCreate()


@pytest.fixture
def users(spark):
    return spark.createDataFrame([("ann", 3), ("bob", 1), (None, None)], "user string, n int")


def rows(frame):
    return sorted(map(tuple, frame.collect()), key=repr)


# --- what is missing ----------------------------------------------------------------------------

MEMBERS = [
    (owner, name)
    for owner, groups in missing.MEMBERS.items()
    for names in groups
    for name in names.split()
]


@pytest.mark.parametrize(("owner", "name"), MEMBERS)
def test_a_member_that_is_missing_says_what_to_use(spark, users, owner, name):
    instance = {
        "DataFrame": lambda: users,
        "GroupedData": lambda: users.groupBy("user"),
        "Column": lambda: users.n,
        "Catalog": lambda: spark.catalog,
        "DataFrameReader": lambda: spark.read,
        "DataFrameWriter": lambda: users.write,
        "SparkSession": lambda: spark,
    }[owner]()
    member = getattr(type(instance), name)
    if getattr(member, "__qualname__", "") != f"{owner}.{name}" and not isinstance(
        member, property
    ):
        return  # a newer DuckDB has it
    message = rf"^{owner}\.{name} is not part of Swiftwater: \w+ .+"
    with pytest.raises(NotImplementedError, match=message):
        getattr(instance, name)("any", argument=1)


@pytest.mark.parametrize("name", missing.FUNCTIONS)
def test_every_function_is_there_or_says_what_to_use(fn, name):
    function = getattr(fn, name)
    if function.__name__ == name and "Raise ``NotImplementedError``" in (function.__doc__ or ""):
        message = rf"^pyspark\.sql\.functions\.{name} is not part of Swiftwater: \w+ .+"
        with pytest.raises(NotImplementedError, match=message):
            function("n", 1)


def test_names_that_nobody_has_are_python_s_own_errors(fn, users):
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fn.nothing  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        users.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["CharType", "VarcharType", "YearMonthIntervalType"])
def test_types_that_are_missing(sql, name):
    with pytest.raises(NotImplementedError, match=f"types.{name} is not part of Swiftwater: use"):
        getattr(sql["types"], name)(3)


@pytest.mark.parametrize("words", [(), ("no comments in csv",)])
def test_what_duckdb_refuses_says_what_to_do_here(words):
    said = str(session.duckdb_exception.ContributionsAcceptedError(*words))
    assert "github" not in said
    assert said.startswith(words or "this form of the call is not part of Swiftwater")
    assert said.endswith("createOrReplaceTempView and SparkSession.sql")


# --- data frames --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda f, fn: f.agg(fn.sum("n")), [(4,)]),
        (lambda f, fn: f.agg({"n": "max"}), [(3,)]),
        (lambda f, fn: f.groupBy().agg({"*": "count"}), [(3,)]),
        (lambda f, fn: f.selectExpr("n + 1 as m", "user"), [(2, "bob"), (4, "ann"), (None, None)]),
        (lambda f, fn: f.selectExpr(["user"]), [("ann",), ("bob",), (None,)]),
        (
            lambda f, fn: f.coalesce(1).repartition(3, "n").hint("broadcast").agg(fn.max("n")),
            [(3,)],
        ),
        (lambda f, fn: f.persist().unpersist().checkpoint().agg(fn.max("n")), [(3,)]),
        (lambda f, fn: f.dropna(), [("ann", 3), ("bob", 1)]),
        (lambda f, fn: f.na.drop(), [("ann", 3), ("bob", 1)]),
        (lambda f, fn: f.dropna("all", subset=["n"]), [("ann", 3), ("bob", 1)]),
        (lambda f, fn: f.dropna(thresh=0).agg(fn.count("*")), [(3,)]),
        (lambda f, fn: f.na.fill(0), [("ann", 3), ("bob", 1), (None, 0)]),
        (lambda f, fn: f.fillna("nobody"), [("ann", 3), ("bob", 1), ("nobody", None)]),
        (lambda f, fn: f.fillna({"n": 7, "user": "x"}), [("ann", 3), ("bob", 1), ("x", 7)]),
        (lambda f, fn: f.fillna(5, subset="user").agg(fn.sum("n")), [(4,)]),
        (lambda f, fn: f.subtract(f.filter("n = 1")), [("ann", 3), (None, None)]),
        (lambda f, fn: f.filter(f.n.between(2, 3)), [("ann", 3)]),
        (lambda f, fn: f.filter(f.n.eqNullSafe(None)).select(fn.lit(1)), [(1,)]),
        (lambda f, fn: f.select(f.n.astype("string")), [("1",), ("3",), (None,)]),
        (lambda f, fn: f.select(f.user.substr(1, 2)), [("an",), ("bo",), (None,)]),
    ],
)
def test_data_frames(fn, users, call, expected):
    assert rows(call(users, fn)) == sorted(expected, key=repr)


def test_what_frames_say_of_themselves(users, capsys):
    assert users.isStreaming is False
    assert users.isLocal() is True
    assert users.sql_ctx.sparkSession is users.sparkSession
    assert [row.user for row in users.tail(2)] == ["bob", None]
    assert len(list(users.toLocalIterator())) == 3
    users.explain()
    assert capsys.readouterr().out
    texts = users.toJSON().collect()
    assert [json.loads(text) for text in texts] == [
        {"user": "ann", "n": 3},
        {"user": "bob", "n": 1},
        {},
    ]


def test_views(spark, users):
    users.createTempView("people")
    with pytest.raises(errors.AnalysisException, match="already exists"):
        users.createTempView("people")
    assert spark.catalog.tableExists("people")
    assert spark.catalog.dropTempView("people") is True
    assert spark.catalog.dropTempView("people") is False
    assert (spark.catalog.currentDatabase(), spark.catalog.isCached("x")) == ("default", False)


# --- functions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda fn: fn.explode("l"), [(1,), (2,), (2,)]),
        (lambda fn: fn.explode_outer("l"), [(1,), (2,), (2,), (None,), (None,)]),
        (lambda fn: fn.size("l"), [(-1,), (0,), (3,)]),
        (lambda fn: fn.collect_set("s"), [(["a"],)]),
        (lambda fn: fn.countDistinct("s"), [(1,)]),
        (lambda fn: fn.count_distinct("s", "d"), [(1,)]),
        (lambda fn: fn.date_add("d", 3), [(dt.date(2026, 3, 2),), (None,), (None,)]),
        (lambda fn: fn.date_sub("d", 1), [(dt.date(2026, 2, 26),), (None,), (None,)]),
        (lambda fn: fn.date_format("d", "dd.MM.yyyy"), [("27.02.2026",), (None,), (None,)]),
        (lambda fn: fn.get_json_object("j", "$.a"), [("1",), (None,), (None,)]),
        (lambda fn: fn.from_json("j", "a int, b string").a, [(1,), (None,), (None,)]),
        (lambda fn: fn.log(fn.size("l") + 2.0).isNull(), [(False,), (False,), (False,)]),
    ],
)
def test_functions(fn, spark, call, expected):
    day = dt.date(2026, 2, 27)
    frame = spark.createDataFrame(
        [
            ([1, 2, 2], "a", day, '{"a": 1, "b": "x"}'),
            ([], None, None, "no json"),
            (None, "a", None, None),
        ],
        "l array<int>, s string, d date, j string",
    )
    assert rows(frame.select(call(fn))) == sorted(expected, key=repr)


def test_the_time_of_a_query(fn, users):
    (first, *_) = users.withColumn("at", fn.current_timestamp()).collect()
    assert isinstance(first["at"], dt.datetime)


def test_functions_of_a_program(fn, sql, users):
    pytest.importorskip("numpy")

    @fn.udf("int")
    def double(n):
        return None if n is None else 2 * n

    upper = fn.udf(lambda text: text and text.upper())
    long = fn.udf(len, returnType=sql["types"].IntegerType())
    found = rows(users.dropna().select(upper("user").alias("u"), double("n"), long("user")))
    assert found == [("ANN", 6, 3), ("BOB", 2, 3)]


def test_functions_of_a_program_need_numpy(fn, users, monkeypatch):
    monkeypatch.setattr(functions, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="with NumPy, which is not installed .*pip install numpy"):
        fn.udf(str.upper)("user")


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("json", {}),
        ("parquet", {}),
        ("csv", {"header": True}),
        ("csv", {"header": "true", "sep": ";"}),
    ],
)
def test_files_and_modes(spark, users, tmp_path, kind, options):
    path = str(tmp_path / "out")

    def read():
        frame = spark.read.options(**options).schema("user string, n int").format(kind).load(path)
        return rows(frame)

    def write(frame, mode=None):
        frame.write.mode(mode).options(**options).format(kind).save(path)

    write(users)
    everything = rows(users)
    assert read() == everything
    assert "_SUCCESS" in os.listdir(path)
    with pytest.raises(errors.AnalysisException, match="PATH_ALREADY_EXISTS"):
        write(users)
    write(users, "ignore")
    assert read() == everything
    write(users.filter("n = 1"), "append")
    assert read() == sorted([*everything, ("bob", 1)], key=repr)
    (tmp_path / "out" / "_notes").write_text("stays")
    write(users.filter("n = 1"), "overwrite")
    assert read() == [("bob", 1)]
    assert (tmp_path / "out" / "_notes").exists()
    assert os.listdir(tmp_path) == ["out"]


def test_the_forms_of_writing(spark, users, tmp_path):
    users.write.json(f"{tmp_path}/a", mode="overwrite")
    users.write.save(f"{tmp_path}/a", format="json", mode="append")
    assert spark.read.json(f"{tmp_path}/a").count() == 6
    users.select("user").dropna().write.text(f"{tmp_path}/t")
    assert rows(spark.read.text(f"{tmp_path}/t")) == [("ann",), ("bob",)]
    users.write.saveAsTable("kept")
    users.write.mode("append").saveAsTable("kept")
    assert spark.read.table("kept").count() == 6
    users.limit(1).write.saveAsTable("kept", mode="overwrite")
    assert spark.table("kept").count() == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f, p: f.write.mode("twice"), ValueError, "the mode must be one of append"),
        (lambda f, p: f.write.save(), ValueError, "save needs a path"),
        (lambda f, p: f.write.format("orc").save(p), NotImplementedError, "the format orc is not"),
        (lambda f, p: f.write.save("s3://a/b"), ValueError, "local files only, not s3"),
        (lambda f, p: f.write.text(p), errors.AnalysisException, "text writes one column of text"),
        (
            lambda f, p: f.write.partitionBy("n").parquet(p),
            NotImplementedError,
            "DataFrameWriter.partitionBy is not part of Swiftwater",
        ),
        (
            lambda f, p: f.sparkSession.read.format("avro").load(p),
            NotImplementedError,
            "the format avro is not part of Swiftwater: use csv, json, parquet, text",
        ),
        (lambda f, p: f.sparkSession.read.json(p), FileNotFoundError, "Input path does not exist"),
    ],
)
def test_what_cannot_be_written_or_read(users, tmp_path, call, error, message):
    with pytest.raises(error, match=message):
        call(users, str(tmp_path / "out"))
    assert os.listdir(tmp_path) == []


def test_an_option_without_effect_is_told(users, tmp_path, capfd):
    users.write.option("mapred.output", "x").json(str(tmp_path / "out"))
    assert "the option mapred.output of json has no effect in Swiftwater" in capfd.readouterr().err


@pytest.mark.parametrize("schema", [None, "user string, n int"])
def test_json_of_an_rdd(spark, sc, schema):
    lines = sc.parallelize(['{"user": "ann", "n": 3}', '{"user":\n"bob",\n "n": 1}'])
    reader = spark.read if schema is None else spark.read.schema(schema)
    frame = reader.json(lines)
    assert sorted((row["user"], row["n"]) for row in frame.collect()) == [("ann", 3), ("bob", 1)]
    assert spark.read.json(sc.emptyRDD()).count() == 0


def test_json_in_each_batch_of_a_stream(streaming):
    seen = []

    def process(rdd):
        if not rdd.isEmpty():
            session = SparkSession.builder.getOrCreate()
            seen.append([row["n"] for row in session.read.json(rdd).collect()])

    streaming.ssc.queueStream([['{"n": 1}', '{"n": 2}'], [], ['{"n": 3}']]).foreachRDD(process)
    streaming.advance(3)
    assert seen == [[1, 2], [3]]


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_a_folder_of_many_parts(spark, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(files, "_TOGETHER", 3)
    path = str(tmp_path / "out")
    for number in range(11):
        frame = spark.createDataFrame([(number,)], ["n"])
        frame.write.mode("append").format(kind).save(path)
    read = spark.read.format(kind).schema("n long").load(path)
    assert rows(read) == sorted(((number,) for number in range(11)), key=repr)


def test_parts_whose_columns_differ(spark, sc, tmp_path):
    for line in ('{"a": 1}', '{"b": "x"}'):
        spark.read.json(sc.parallelize([line])).write.mode("append").json(f"{tmp_path}/out")
    (tmp_path / "out" / "part-9.json").write_text("")
    found = [row.asDict() for row in spark.read.json(f"{tmp_path}/out").collect()]
    # The parts have random names, and the columns come in the order of the parts.
    assert sorted(found, key=lambda row: row["a"] is None) == [
        {"a": 1, "b": None},
        {"a": None, "b": "x"},
    ]
