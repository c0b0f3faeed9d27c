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
    "lines.transform(one)": "DStream[int]",
    "lines.transform(two)": "DStream[int]",
    "lines.foreachRDD(lambda time, rdd: print(time, rdd.collect()))": "None",
    "ssc.queueStream([[1, 2]])": "DStream[int]",
    'ssc.queueStream([sc.parallelize(["a"])])': "DStream[str]",
    "sc.parallelize([1]).sum()": "int",
    "sc.parallelize([1.5]).sum()": "float",
    'sc.parallelize(["a"]).takeOrdered(1)': "list[str]",
    'sc.textFile("x").first()': "str",
    'sc.parallelize([1]) + sc.parallelize(["a"])': "RDD[int | str]",
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
    for module in ("swiftwater.streaming.dstream.", "swiftwater.rdd."):
        text = text.replace(module, "")
    assert f'Revealed type is "{expected}"' in text
    # The one word against a call without a value is not about its types.
    assert "error" not in text or expected == "None"


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_are_seen(checked, number):
    assert any("error" in line for line in checked[len(TYPES) + number])
