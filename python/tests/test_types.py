"""What a strict type checker says of a job."""

import pytest

api = pytest.importorskip("mypy.api")

HEAD = """
from datetime import datetime
from swiftwater import RDD, SparkContext
from swiftwater.streaming import DStream, StreamingContext
from swiftwater.testing import run_batches

sc = SparkContext("local[2]", "types")
ssc = StreamingContext(sc, 1)
lines = ssc.socketTextStream("localhost", 9999)
pairs = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
counts = sc.parallelize([("a", 1)])
names = sc.parallelize([("a", "b")])

def one(rdd: RDD[str]) -> RDD[int]:
    return rdd.map(len)

def two(time: datetime, rdd: RDD[str]) -> RDD[int]:
    return rdd.map(len)

"""

TYPES = {
    "pairs.reduceByKey(lambda a, b: a + b)": "DStream[tuple[str, int]]",
    "lines.count()": "DStream[int]",
    "lines.countByValue()": "DStream[tuple[str, int]]",
    "pairs.mapValues(str)": "DStream[tuple[str, str]]",
    "pairs.flatMapValues(range)": "DStream[tuple[str, int]]",
    "lines.glom()": "DStream[list[str]]",
    "lines.union(lines.map(len))": "DStream[str | int]",
    "lines.transform(one)": "TransformedDStream[int]",
    "lines.transform(two)": "TransformedDStream[int]",
    "lines.foreachRDD(lambda time, rdd: print(time, rdd.collect()))": "None",
    "ssc.queueStream([[1, 2]])": "DStream[int]",
    'ssc.queueStream([sc.parallelize(["a"])])': "DStream[str]",
    "sc.parallelize([1]).sum()": "int",
    "sc.parallelize([1.5]).sum()": "float",
    'sc.parallelize(["a"]).takeOrdered(1)': "list[str]",
    'sc.textFile("x").first()': "str",
    'sc.parallelize([1]) + sc.parallelize(["a"])': "RDD[int | str]",
    "counts.join(names)": "RDD[tuple[str, tuple[int, str]]]",
    "counts.leftOuterJoin(names)": "RDD[tuple[str, tuple[int, str | None]]]",
    "counts.rightOuterJoin(names)": "RDD[tuple[str, tuple[int | None, str]]]",
    "counts.fullOuterJoin(names)": "RDD[tuple[str, tuple[int | None, str | None]]]",
    "counts.cogroup(names)": "RDD[tuple[str, tuple[ResultIterable[int], ResultIterable[str]]]]",
    "counts.groupWith(names, counts)": (
        "RDD[tuple[str, tuple[ResultIterable[int], ResultIterable[str], ResultIterable[int]]]]"
    ),
    "counts.groupByKey()": "RDD[tuple[str, ResultIterable[int]]]",
    "counts.groupByKey().mapValues(list)": "RDD[tuple[str, list[int]]]",
    "counts.keys().groupBy(len)": "RDD[tuple[int, ResultIterable[str]]]",
    "counts.aggregateByKey('', lambda a, n: a + str(n), lambda a, b: a + b)": (
        "RDD[tuple[str, str]]"
    ),
    "counts.foldByKey(0, max)": "RDD[tuple[str, int]]",
    "counts.subtractByKey(names)": "RDD[tuple[str, int]]",
    "counts.partitionBy(2)": "RDD[tuple[str, int]]",
    "counts.sortByKey(False)": "RDD[tuple[str, int]]",
    "counts.repartitionAndSortWithinPartitions(2)": "RDD[tuple[str, int]]",
    "counts.sampleByKey(False, {'a': 0.5})": "RDD[tuple[str, int]]",
    "counts.collectAsMap()": "dict[str, int]",
    "counts.countByKey()['a']": "int",
    "counts.reduceByKeyLocally(max)": "dict[str, int]",
    'counts.lookup("a")': "list[int]",
    "counts.zip(names)": "RDD[tuple[tuple[str, int], tuple[str, str]]]",
    "counts.keys().cartesian(counts.values())": "RDD[tuple[str, int]]",
    "counts.keys().zipWithIndex()": "RDD[tuple[str, int]]",
    "counts.keys().zipWithUniqueId()": "RDD[tuple[str, int]]",
    "counts.keys().sortBy(len)": "RDD[str]",
    "counts.keys().distinct()": "RDD[str]",
    "counts.keys().intersection(names.keys())": "RDD[str]",
    "counts.keys().subtract(names.values())": "RDD[str]",
    "counts.keys().sample(False, 0.5)": "RDD[str]",
    "counts.keys().randomSplit([1, 2])": "list[RDD[str]]",
    "counts.keys().takeSample(False, 2)": "list[str]",
    "counts.keys().repartition(2).coalesce(1)": "RDD[str]",
    'counts.pipe("cat")': "RDD[str]",
    "counts.keys().toLocalIterator()": "Iterator[str]",
    "counts.keys().top(2)": "list[str]",
    "counts.keys().countByValue()['a']": "int",
    "counts.values().aggregate('', lambda a, n: a + str(n), lambda a, b: a + b)": "str",
    "counts.values().treeReduce(max)": "int",
    "counts.values().fold(0, max)": "int",
    "counts.values().stats()": "StatCounter",
    "counts.values().mean()": "float",
    "counts.values().histogram(3)": "tuple[list[int], list[int]]",
    "counts.values().histogram((0, 5))": "tuple[tuple[int, ...], list[int]]",
    "counts.cache().getStorageLevel()": "StorageLevel",
    "counts.getCheckpointFile()": "str | None",
    "counts.toDebugString()": "bytes",
    "run_batches(lambda s: s.map(str), [[1]])": "list[list[str]]",
    'run_batches(lambda a, b: a.union(b), [[1]], [["x"]])': "list[list[int | str]]",
}

MISTAKES = [
    "lines.map(3)",
    "lines.reduceByKey(lambda a, b: a)",
    "lines.filter(lambda a, b: True)",
    "lines.no_such_operator()",
    "ssc.socketTextStream(9999, 'localhost')",
    "sc.parallelize(3)",
    "sc.parallelize([1]).join(names)",
    "counts.groupBy(3)",
    "counts.countApprox(1)",
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    rows = [*(f"reveal_type({text})" for text in TYPES), *MISTAKES]
    path = folder / "job.py"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    cache = f"--cache-dir={folder / 'cache'}"
    out, err, _ = api.run(["--strict", "--no-error-summary", cache, str(path)])
    assert not err
    first = HEAD.count("\n") + 1
    found = {}
    for line in out.splitlines():
        _, number, rest = line.split(":", 2)
        found.setdefault(int(number) - first, []).append(rest)
    return found


@pytest.mark.parametrize(("number", "expected"), list(enumerate(TYPES.values())))
def test_types(checked, number, expected):
    text = "\n".join(checked[number])
    for module in ("streaming.dstream", "rdd", "resultiterable", "statcounter", "storagelevel"):
        text = text.replace(f"swiftwater.{module}.", "")
    text = text.replace("collections.abc.", "").replace("typing.", "")
    assert f'Revealed type is "{expected}"' in text
    # The one word against a call without a value is not about its types.
    assert "error" not in text or expected == "None"


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_are_seen(checked, number):
    assert any("error" in line for line in checked[len(TYPES) + number])
