"""What explain tells: which functions run natively, and why others do not."""

import json
import re

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._plan_text import plan_text
from swiftwater.streaming import StreamingContext
from swiftwater.testing import StreamingTest

FILE = "test_explain.py"
total = 0


def counts(record):
    global total
    total += 1
    return record


def parsed(line):
    return json.loads(line)


def loops(line):
    found = 0
    for character in line:
        found += character == "a"
    return found


def catches(line):
    try:
        return int(line)
    except ValueError:
        return 0


def generates(line):
    yield line


def calls_a_helper(line):
    return parsed(line)


def add(a, b):
    return a + b


def lines_of(printed):
    """The lines of a plan without places in this file and with single spaces."""
    text = re.sub(rf"(\n {{6}}| at {FILE}:\d+)", " ", printed)
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture
def explained(capsys):
    """What explain prints of an RDD or of a context's streams."""

    def told(what):
        capsys.readouterr()
        assert what.explain() is None
        return capsys.readouterr().out

    return told


@pytest.fixture
def text(sc, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("a b\nc\n")
    return sc.textFile(str(path))


def words(lines):
    return lines.flatMap(lambda line: line.split(" "))


def pairs(lines):
    return words(lines).map(lambda word: (word, 1))


# --- RDDs ---------------------------------------------------------------------------------------

OF_TEXT = [
    (words, ["stage 1", "textFile engine -> str", "flatMap native -> str"]),
    (
        lambda text: pairs(text).reduceByKey(add),
        [
            "stage 1",
            "textFile engine -> str",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "reduceByKey native -> tuple[str, int]",
            "stage 2",
            "reduceByKey native -> tuple[str, int]",
        ],
    ),
    (
        lambda text: text.map(lambda line: (line[0], float(line))).mapValues(lambda n: n < 1),
        [
            "stage 1",
            "textFile engine -> str",
            "map native -> tuple[str, float]",
            "mapValues native -> tuple[str, bool]",
        ],
    ),
    (
        lambda text: text.map(len).cache().map(lambda n: n / 2),
        ["stage 1", "textFile engine -> str", "map native -> int", "map native -> float"],
    ),
    (
        lambda text: text.map(parsed).map(str.lower),
        [
            "stage 1",
            "textFile engine -> str",
            "map Python it calls json.loads, which has no native form",
            "map Python it gets Python's objects from map",
        ],
    ),
    (
        lambda text: text.mapPartitions(list).filter(lambda line: line != ""),
        [
            "stage 1",
            "textFile engine -> str",
            "mapPartitions Python it works on whole partitions",
            "filter Python it gets Python's objects from mapPartitions",
        ],
    ),
    (
        lambda text: pairs(text).groupByKey(),
        [
            "stage 1",
            "textFile engine -> str",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "groupByKey native -> tuple[str, int]",
            "stage 2",
            "groupByKey Python it makes objects of ResultIterable",
        ],
    ),
    (
        lambda text: pairs(text).join(pairs(text)),
        [
            "stage 1",
            "textFile engine -> str",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "stage 2",
            "join engine -> tuple[str, int]",
            "stage 3",
            "join engine -> tuple[str, tuple[int, int]]",
        ],
    ),
    (
        lambda text: text.union(text.context.parallelize(["a"])).map(len),
        [
            "stage 1",
            "textFile engine -> str",
            "stage 2",
            "parallelize engine",
            "union engine",
            "map native where types allow",
        ],
    ),
]


@pytest.mark.parametrize(("job", "expected"), OF_TEXT)
def test_text(explained, text, job, expected):
    # Without what follows a reason: place and instruction have a test of their own.
    found = [re.sub(r" \(.*\)$", "", line) for line in lines_of(explained(job(text)))]
    assert found == expected


OF_OBJECTS = [
    (lambda rdd: rdd.map(lambda n: n + 1), ["map native where types allow"]),
    (
        lambda rdd: rdd.filter(bool).map(lambda n: (n, 1)),
        ["filter native where types allow", "map native where types allow"],
    ),
    (
        lambda rdd: rdd.map(lambda n: (n, 1)).reduceByKey(add),
        [
            "map native where types allow",
            "reduceByKey native where types allow",
            "stage 2",
            "reduceByKey native where types allow",
        ],
    ),
    (
        lambda rdd: rdd.map(loops).map(lambda n: n + 1),
        [
            "map Python it loops",
            "map Python it gets Python's objects from map",
        ],
    ),
    (lambda rdd: rdd.map(lambda n: n), ["map native where types allow"]),
]


@pytest.mark.parametrize(("job", "expected"), OF_OBJECTS)
def test_objects(explained, sc, job, expected):
    found = lines_of(explained(job(sc.parallelize([1, 2]))))
    assert found[:2] == ["stage 1", "parallelize engine"]
    assert [re.sub(r" \(.*\)$", "", line) for line in found[2:]] == expected


WHOLE = "Python it works on whole partitions"

# What puts partitions together, and what finds a key's partition.
PLACED = [
    (lambda rdd: rdd.cogroup(rdd), ["cogroup engine", f"cogroup {WHOLE}"]),
    (lambda rdd: rdd.join(rdd), ["join engine", "join native where types allow"]),
    # What is divided already is not moved.
    (
        lambda rdd: (placed := rdd.partitionBy(2)).join(placed),
        ["partitionBy engine", "join native where types allow"],
    ),
    (
        lambda rdd: rdd.cogroup(rdd.partitionBy(2), 2),
        ["cogroup engine", "partitionBy engine", f"cogroup {WHOLE}"],
    ),
    (lambda rdd: rdd.subtractByKey(rdd), ["subtractByKey engine", f"subtractByKey {WHOLE}"]),
    (lambda rdd: rdd.partitionBy(2), ["partitionBy engine"]),
    (
        lambda rdd: rdd.partitionBy(2, lambda key: 3),
        ["partitionBy Python keys are placed by a function of the program's"],
    ),
    (lambda rdd: rdd.sortByKey(), ["sortByKey native where types allow"]),
    (lambda rdd: rdd.zip(rdd), [f"zip {WHOLE}"]),
    (lambda rdd: rdd.cartesian(rdd), [f"cartesian {WHOLE}"]),
    (lambda rdd: rdd.coalesce(1), ["coalesce engine"]),
]


@pytest.mark.parametrize(("job", "expected"), PLACED)
def test_placed(explained, sc, job, expected):
    found = lines_of(explained(job(sc.parallelize([("a", 1), ("b", 2)], 2))))
    told = [line for line in found if not re.match(r"stage|parallelize", line)]
    assert told == expected


@pytest.mark.parametrize("use", ["never", "always"])
def test_where_a_function_runs(explained, use):
    conf = SparkConf().set("swiftwater.workers", use)
    with SparkContext("local[1]", "where", conf=conf) as sc:
        found = lines_of(explained(sc.parallelize([1]).map(loops)))
    place = "Python, in a worker" if use == "always" else "Python"
    assert found[-1].startswith(f"map {place} it loops")


# --- reasons ------------------------------------------------------------------------------------

# A function, its reason, and the line behind its first one at which it is not understood.
REFUSED = [
    (counts, "it assigns the global variable total", 2),
    (parsed, "it calls json.loads, which has no native form", 1),
    (loops, "it loops", 2),
    (catches, "it catches exceptions", 2),
    (generates, "it is a generator", 0),
    (lambda line: line.title(), "it calls the method title of str, which has no native form", 0),
    (lambda line: line + 1, "it uses str + int, which has no native form", 0),
    (lambda line: [], "it makes an empty list, whose type nobody knows", 0),
    (lambda line: 1 if line else "a", "it gives int or str, depending on the record", 0),
    (lambda line: line[::2], None, 0),
    (lambda line: {"a": line}, None, 0),
    (lambda line: f"{line:>10}", "it formats str with {:>10}, which has no native form", 0),
    (lambda line: print(line, line), None, 0),
    (lambda line: line.split(",")[1:], None, 0),
    (lambda line: sorted(line)[1], None, 0),
]


@pytest.mark.parametrize(("function", "reason", "line"), REFUSED)
def test_a_reason_has_its_place(explained, text, function, reason, line):
    printed = explained(text.map(function))
    last = lines_of(printed)[-1]
    # At the line of the function, not at that of the call.
    at = re.fullmatch(rf"map Python (.+) \({FILE}:(\d+)(, [A-Z_]+.*)?\)", last)
    assert at is not None, last
    assert reason in (None, at[1])
    assert len(at[1]) > 5
    assert int(at[2]) == function.__code__.co_firstlineno + line
    assert at[3] or function is generates


def test_the_place_is_that_of_a_function_that_is_called(explained, text):
    last = lines_of(explained(text.map(calls_a_helper)))[-1]
    line = parsed.__code__.co_firstlineno + 1
    assert last.startswith("map Python parsed calls json.loads, which has no native form ")
    assert last.endswith(f"({FILE}:{line}, CALL)")


def test_functions_without_lines(explained, text):
    assert lines_of(explained(text.map(len)))[-1] == "map native -> int"
    (last,) = lines_of(explained(text.map(json.dumps)))[2:]
    assert last.startswith("map Python it ")


# How two values of a key are combined.
COMBINED = [
    (lambda a, b: a + b, None),
    (max, None),
    (min, None),
    (lambda a, b: b if not a < b else a, None),
    (lambda a, b: a if a > b + 0 else b, "it combines"),
    (lambda a, b: b, None),
    (lambda a, b: a * b, "it combines two values otherwise than by a sum, a minimum, a maximum"),
    (lambda a, b: a + b + 1, "it combines two values otherwise than by a sum, a minimum, a"),
    (lambda a, b: print(a) or b, "it "),
]


@pytest.mark.parametrize(("function", "reason"), COMBINED)
def test_combining(explained, text, function, reason):
    found = lines_of(explained(pairs(text).reduceByKey(function)))
    combining = [line for line in found if line.startswith("reduceByKey ")]
    assert len(combining) == 2
    for line in combining:
        if reason is None:
            assert line == "reduceByKey native -> tuple[str, int]"
        else:
            assert line.startswith(f"reduceByKey Python {reason}")


# --- streams ------------------------------------------------------------------------------------

STREAMS = [
    (
        lambda lines: words(lines).pprint(),
        ["stage 1", "SOURCE engine -> str", "flatMap native -> str", "pprint driver -> str"],
    ),
    (
        lambda lines: lines.window(3).map(len).pprint(),
        [
            "stage 1",
            "SOURCE engine -> str",
            "SOURCE engine -> str",
            "map native -> int",
            "pprint driver -> int",
        ],
    ),
    (
        lambda lines: lines.transform(lambda rdd: rdd.map(loops)).foreachRDD(print),
        ["stage 1", "SOURCE engine -> str", "stage 2", "transform driver", "foreachRDD driver"],
    ),
    (
        lambda lines: lines.map(loops).filter(lambda n: n > 1).pprint(),
        [
            "stage 1",
            "SOURCE engine -> str",
            "map Python it loops",
            "filter Python it gets Python's objects from map",
            "pprint driver",
        ],
    ),
    (
        lambda lines: pairs(lines).updateStateByKey(lambda new, old: sum(new)).pprint(),
        [
            "stage 1",
            "SOURCE engine -> str",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "updateStateByKey native -> tuple[str, int]",
            "stage 2",
            (
                "updateStateByKey native all keys: it may give something else than the state for a "
                "key without new values"
            ),
            "pprint driver",
        ],
    ),
    (
        lambda lines: pairs(lines).join(pairs(lines).reduceByKey(add)).pprint(),
        [
            "stage 1",
            "SOURCE engine -> str",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "reduceByKey native -> tuple[str, int]",
            "stage 2",
            "reduceByKey native -> tuple[str, int]",
            "stage 3",
            "join native where types allow",
            "pprint driver",
        ],
    ),
    (
        lambda lines: lines.union(lines.map(str.upper)).map(len).pprint(),
        [
            "stage 1",
            "SOURCE engine -> str",
            "map native -> str",
            "SOURCE engine -> str",
            "map native -> int",
            "pprint driver -> int",
        ],
    ),
    (
        lambda lines: pairs(lines).partitionBy(2).cogroup(pairs(lines)).pprint(),
        [
            "stage 1",
            "SOURCE engine -> str",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "flatMap native -> str",
            "map native -> tuple[str, int]",
            "stage 2",
            "partitionBy engine -> tuple[str, int]",
            "stage 3",
            "cogroup Python it works on whole partitions",
            "pprint driver",
        ],
    ),
]


def named_source(found):
    """The plan with the same name for all sources of text."""
    found = [re.sub(r" \(.*\)$", "", line) for line in found]
    return [re.sub(r"^\w+ engine -> str$", "SOURCE engine -> str", line) for line in found]


@pytest.mark.parametrize(("job", "expected"), STREAMS)
def test_streams(explained, streaming, job, expected):
    job(streaming.text_source().stream)
    assert named_source(lines_of(explained(streaming.ssc))) == expected
    streaming.start()
    assert named_source(lines_of(explained(streaming.ssc))) == expected
    streaming.advance()
    assert named_source(lines_of(explained(streaming.ssc))) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            lambda ssc, folder: ssc.socketTextStream("localhost", 1),
            "socketTextStream engine -> str",
        ),
        (lambda ssc, folder: ssc.queueStream([["a"]]), "queueStream engine"),
    ],
)
def test_sources(explained, streaming, tmp_path, source, expected):
    source(streaming.ssc, str(tmp_path)).pprint()
    found = lines_of(explained(streaming.ssc))
    assert found[:2] == ["stage 1", expected]


def test_nothing_is_put_out(explained, streaming):
    streaming.text_source().stream.map(len)
    expected = "no output operation is registered: nothing is computed\n"
    assert explained(streaming.ssc) == expected


def test_nothing_is_computed(explained, streaming):
    seen = []
    streaming.ssc.queueStream([[1, 2]]).map(seen.append).foreachRDD(seen.append)
    explained(streaming.ssc)
    assert seen == []


def test_a_context_that_was_stopped(explained, sc):
    ssc = StreamingContext(sc, 1)
    ssc.queueStream([[1]]).pprint()
    ssc.stop(stopSparkContext=True)
    with pytest.raises(RuntimeError):
        ssc.explain()


# --- lowering is off ----------------------------------------------------------------------------


def test_off(explained, tmp_path):
    conf = SparkConf().set("swiftwater.lowering", "false")
    (tmp_path / "a").write_text("a\n")
    with SparkContext("local[1]", "off", conf=conf) as sc:
        found = lines_of(explained(pairs(sc.textFile(str(tmp_path / "a"))).reduceByKey(add)))
    assert [line for line in found if "native" in line] == []
    assert [line for line in found if "Python" in line] == [
        f"{name} Python swiftwater.lowering is false"
        for name in ("flatMap", "map", "reduceByKey", "reduceByKey")
    ]


def test_off_for_streams(explained):
    with StreamingTest(settings={"swiftwater.lowering": "false"}) as test:
        test.text_source().stream.map(len).pprint()
        found = lines_of(explained(test.ssc))
    assert found[2:] == ["map Python swiftwater.lowering is false", "pprint driver"]


# --- how it looks -------------------------------------------------------------------------------


def line_of(stage=1, name="map", form="native", **more):
    rest = {"site": "job.py:1", "type": "", "reason": "", "file": "", "line": 0, "instruction": ""}
    rest |= more
    return (stage, name, rest["site"], form, *[rest[key] for key in list(rest)[1:]])


def test_columns():
    long = "it calls a function of a library that nobody here has ever heard of, with all its words"
    told = [
        line_of(name="textFile", form="engine", site="", type="str"),
        line_of(site="job.py:100", type="int"),
        line_of(2, "filter", "Python", reason="it loops", file="/a/job.py", line=7),
        line_of(1, "map", "Python", reason=long, file="/a/b.py", line=7, instruction="CALL"),
    ]
    assert plan_text(told).splitlines() == [
        "stage 1",
        "  textFile            engine  -> str",
        "  map at job.py:100   native  -> int",
        "  map at job.py:1     Python",
        f"      {long}",
        "      (b.py:7, CALL)",
        "stage 2",
        "  filter at job.py:1  Python  it loops (job.py:7)",
    ]


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        ("tuple[str, int]", "tuple[str, int]"),
        (
            f"tuple[str, tuple[{', '.join(['float'] * 20)}], list[int]]",
            "tuple[str, tuple[...], list[int]]",
        ),
        (
            f"tuple[{', '.join(['tuple[str, list[str]]'] * 4)}]",
            f"tuple[{', '.join(['tuple[...]'] * 3 + ['tuple[str, list[str]]'])}]",
        ),
        (f"tuple[{', '.join(['float'] * 20)}]", "tuple[" + ("float, " * 20)),
    ],
)
def test_long_types(type_, shown):
    text = plan_text([line_of(type=type_)]).splitlines()[1]
    assert len(text) <= 100
    found = text.split("-> ")[1]
    assert found == shown or (found.endswith("...") and shown.startswith(found[:-3]))


def test_a_call_is_one_line():
    told = [
        line_of(1, "distinct", type="tuple[int, None]"),
        line_of(1, "distinct", type="int"),
        line_of(1, "map", type="str"),
        line_of(1, "map", type="float"),
        line_of(1, "count", "Python", reason="first"),
        line_of(1, "count", "Python", reason="second"),
        line_of(2, "sortBy", "engine", site=""),
        line_of(2, "sortBy", "Python", reason="third"),
        line_of(3, "sortBy", "engine", site=""),
    ]
    assert lines_of(plan_text(told).replace("job.py:1", FILE + ":1")) == [
        "stage 1",
        "distinct native -> int",
        "map native -> str",
        "map native -> float",
        "count Python first",
        "stage 2",
        "sortBy Python third",
        "stage 3",
        "sortBy engine",
    ]


def test_no_plan():
    assert plan_text([]) == ""
