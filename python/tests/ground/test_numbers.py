"""Numbers of users: what no operator can do anything with is refused where it comes in."""

import math

import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._numbers import MOST_PARTITIONS, whole, whole_and_no_truth
from swiftwater.streaming import StreamingContext
from swiftwater.testing import StreamingTest

# Too many, also where nothing overflows, and where everything does.
TOO_MANY = [MOST_PARTITIONS + 1, 10**13, 2**62, 2**63 - 1, 2**63, 10**40]
NO_COUNTS = [*TOO_MANY, 0, -1, -(2**63), 2.5, math.nan, math.inf, -math.inf, 1e300, True, "3"]

PAIRS = {
    "reduceByKey": lambda p, n: p.reduceByKey(max, n),
    "groupByKey": lambda p, n: p.groupByKey(n),
    "combineByKey": lambda p, n: p.combineByKey(abs, max, max, n),
    "aggregateByKey": lambda p, n: p.aggregateByKey(0, max, max, n),
    "foldByKey": lambda p, n: p.foldByKey(0, max, n),
    "partitionBy": lambda p, n: p.partitionBy(n),
    "distinct": lambda p, n: p.distinct(n),
    "groupBy": lambda p, n: p.groupBy(hash, n),
    "join": lambda p, n: p.join(p, n),
    "leftOuterJoin": lambda p, n: p.leftOuterJoin(p, n),
    "cogroup": lambda p, n: p.cogroup(p, n),
    "subtract": lambda p, n: p.subtract(p, n),
    "subtractByKey": lambda p, n: p.subtractByKey(p, n),
    "sortBy": lambda p, n: p.sortBy(hash, True, n),
    "sortByKey": lambda p, n: p.sortByKey(True, n),
    "repartitionAndSort": lambda p, n: p.repartitionAndSortWithinPartitions(n),
}


@pytest.mark.parametrize("number", NO_COUNTS, ids=repr)
@pytest.mark.parametrize("operator", PAIRS.values(), ids=PAIRS.keys())
def test_numbers_of_partitions_are_checked(sc, operator, number):
    pairs = sc.parallelize([(1, 2)], 2)
    if number is True and operator in (PAIRS["sortBy"], PAIRS["sortByKey"]):
        # Spark compares it with 1, before Java sees it.
        assert operator(pairs, number).getNumPartitions() == 1
        return
    with pytest.raises(ValueError, match=r"needs a positive number of partitions|are more than"):
        operator(pairs, number)


@pytest.mark.parametrize("number", NO_COUNTS, ids=repr)
@pytest.mark.parametrize("shuffle", [True, False])
def test_spreading_is_checked(sc, number, shuffle):
    rdd = sc.parallelize([1, 2], 2)
    if not shuffle and isinstance(number, int) and number > 2:
        # At most so many.
        assert rdd.coalesce(number).getNumPartitions() == 2
        return
    for spread in (rdd.repartition, lambda n: rdd.coalesce(n, shuffle)):
        with pytest.raises((ValueError, TypeError)):
            spread(number)


@pytest.mark.parametrize("number", [*TOO_MANY, math.inf, -math.inf, math.nan, 1e300], ids=repr)
def test_slices_are_checked(sc, number, tmp_path):
    (tmp_path / "a.txt").write_text("a\n" * 9)
    file = str(tmp_path / "a.txt")
    for call in (
        lambda: sc.parallelize([1, 2], number),
        lambda: sc.parallelize(range(3), number),
        lambda: sc.range(0, 10, 1, number),
        lambda: sc.textFile(file, number),
        lambda: sc.wholeTextFiles(file, number),
        lambda: sc.binaryFiles(file, number),
    ):
        with pytest.raises(ValueError, match=r"are more than|number of|NaN|at least one"):
            call()


@pytest.mark.parametrize("ends", [(2**63,), (0, 10**40), (-(2**63), 2**63, 1)])
def test_a_range_is_as_long_as_can_be_counted(sc, ends):
    with pytest.raises(ValueError, match="has more numbers than can be counted"):
        sc.range(*ends)
    assert sc.range(0, 2**62).take(2) == [0, 1]


def test_the_most_partitions_work(sc):
    most = sc.parallelize([("a", 1), ("b", 2)], 2).partitionBy(MOST_PARTITIONS)
    assert most.getNumPartitions() == MOST_PARTITIONS
    assert sc.parallelize([1, 2], 20_000).union(sc.parallelize([3], 10_000)).count() == 3


def test_partitions_are_counted_together(sc):
    many = sc.parallelize([1], 2).repartition(MOST_PARTITIONS)
    with pytest.raises(ValueError, match="union: 2000000 partitions are more than 1000000"):
        many.union(many)
    with pytest.raises(ValueError, match="cartesian: 2000000 partitions are more than"):
        many.cartesian(sc.parallelize([1], 2))


@pytest.mark.parametrize("number", [0, False], ids=repr)
def test_no_number_of_splits_is_the_default(sc, number, tmp_path):
    (tmp_path / "a.txt").write_text("a\n" * 9)
    (tmp_path / "b.txt").write_text("a\n" * 9)
    for read in (sc.textFile, sc.wholeTextFiles, sc.binaryFiles):
        files = read(str(tmp_path))
        assert read(str(tmp_path), number).getNumPartitions() == files.getNumPartitions()
        assert read(str(tmp_path), number).collect() == files.collect()


def test_truth_is_a_number_of_records(sc, tmp_path):
    """The results are those of PySpark 4.3.0; what a sample draws is its own."""
    rdd = sc.parallelize([5, 3, 4], 2)
    assert (rdd.take(True), rdd.take(False)) == ([5], [])
    assert (rdd.top(True), rdd.top(False)) == ([5], [])
    assert (rdd.takeOrdered(True), rdd.takeOrdered(False)) == ([3], [])
    assert rdd.takeSample(False, True, 1) == rdd.takeSample(False, 1, 1)
    assert rdd.takeSample(False, False) == []
    assert rdd.treeReduce(max, True) == 5
    assert rdd.histogram(True) == ([3, 5], [3])
    assert rdd.sample(True, 1.0, True).collect() == [5, 5, 3, 4, 4]
    assert [part.collect() for part in rdd.randomSplit([1, 1], True)] == [[5, 4], [3]]
    rdd.saveAsPickleFile(str(tmp_path / "out"), True)
    assert sorted(sc.pickleFile(str(tmp_path / "out")).collect()) == [3, 4, 5]
    assert sc.parallelize([1, 2, 3], True).getNumPartitions() == 1
    with pytest.raises(ValueError, match="Depth cannot be smaller than 1"):
        rdd.treeReduce(max, False)


@pytest.mark.parametrize("number", [2.5, math.nan, math.inf, "3", None], ids=repr)
@pytest.mark.parametrize("action", ["take", "top", "takeOrdered", "takeSample"])
def test_numbers_of_records_are_whole(sc, action, number):
    rdd = sc.parallelize([1, 2], 2)
    with pytest.raises(TypeError, match="must be a whole number"):
        rdd.takeSample(False, number) if action == "takeSample" else getattr(rdd, action)(number)


@pytest.mark.parametrize("number", [10**13, 2**63 - 1, 2**63, 10**40])
def test_as_many_records_as_there_are(sc, number):
    rdd = sc.parallelize([1, 2, 3], 2)
    assert (rdd.take(number), rdd.top(number)) == ([1, 2, 3], [3, 2, 1])
    assert rdd.takeOrdered(number) == [1, 2, 3]


@pytest.mark.parametrize(
    "call",
    [
        lambda rdd: rdd.sample(True, math.inf),
        lambda rdd: rdd.sample(False, math.nan),
        lambda rdd: rdd.sample(True, 0.5, 2.5),
        lambda rdd: rdd.map(lambda n: (n, n)).sampleByKey(True, {1: math.inf}),
        lambda rdd: rdd.randomSplit([1, math.inf]),
        lambda rdd: rdd.randomSplit([1, math.nan]),
        lambda rdd: rdd.histogram(10**13),
        lambda rdd: rdd.histogram(0),
        lambda rdd: rdd.treeReduce(max, 2.5),
        lambda rdd: rdd.treeAggregate(0, max, max, math.nan),
        lambda rdd: rdd.saveAsPickleFile("/nowhere/out", 2.5),
        lambda rdd: rdd.ctx.binaryRecords("/etc/hostname", 2**63),
        lambda rdd: rdd.ctx.binaryRecords("/etc/hostname", True),
    ],
)
def test_other_numbers_of_rdds_are_checked(sc, call):
    with pytest.raises((ValueError, TypeError, AssertionError)):
        call(sc.parallelize([1, 2], 2))


def test_a_record_longer_than_the_file_needs_no_memory(sc, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"abc")
    with pytest.raises(EOFError):
        sc.binaryRecords(str(tmp_path / "a.bin"), 2**62).collect()


NO_DURATIONS = [-1, -(10**18), math.nan, math.inf, -math.inf, 10**13, 1e300, 10**40, 2**63]


@pytest.mark.parametrize("seconds", NO_DURATIONS, ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        lambda test, s, x: test.ssc.remember(x),
        lambda test, s, x: s.window(x),
        lambda test, s, x: s.window(4, x),
        lambda test, s, x: s.reduceByWindow(max, None, x, 1),
        lambda test, s, x: s.countByWindow(x, 1),
        lambda test, s, x: s.map(lambda n: (n, n)).groupByKeyAndWindow(x, 1),
        lambda test, s, x: s.map(lambda n: (n, n)).reduceByKeyAndWindow(max, None, 4, x),
        lambda test, s, x: test.advance(x),
        lambda test, s, x: StreamingContext(test.sc, x),
    ],
)
def test_durations_are_checked(streaming, use, seconds):
    stream = streaming.ssc.queueStream([[1]])
    stream.pprint()
    with pytest.raises(ValueError, match=r"negative|seconds|go back"):
        use(streaming, stream, seconds)


@pytest.mark.parametrize("seconds", [math.nan, math.inf, 10**13, 1e300, 10**40])
def test_checkpoint_intervals_are_checked(streaming, seconds):
    with pytest.raises(ValueError, match="the checkpoint interval must be"):
        streaming.ssc.queueStream([[1]]).checkpoint(seconds)


@pytest.mark.parametrize("given", ["4 seconds of them", None, True, [1]], ids=repr)
def test_durations_are_numbers(streaming, given):
    for use in (streaming.ssc.remember, streaming.ssc.queueStream([[1]]).checkpoint):
        with pytest.raises(TypeError, match="must be a number of seconds"):
            use(given)


def test_a_window_of_a_century_costs_what_its_batches_cost():
    with StreamingTest(batch_interval=0.001) as test:
        out = test.collect(test.ssc.queueStream([[1], [2], [3]]).window(3_000_000_000))
        test.run_until_idle()
        assert out.batches == [[1], [1, 2], [1, 2, 3]]


@pytest.mark.parametrize("number", [*TOO_MANY, "2.5", "0", "-1", "nan"], ids=repr)
def test_settings_are_checked(number):
    name = "spark.default.parallelism"
    conf = SparkConf().setMaster("local").setAppName("x").set(name, number)
    with pytest.raises(ValueError, match=f"{name}: '{number}' is not a whole number from 1 to"):
        SparkContext(conf=conf)


@pytest.mark.parametrize("given", [True, 2.5, None, "3", 1j], ids=repr)
def test_what_is_no_whole_number(given):
    checks = [whole_and_no_truth] if given is True else [whole, whole_and_no_truth]
    for check in checks:
        with pytest.raises(TypeError, match="it must be a whole number"):
            check(given, "it")


class Three:
    """A whole number that is no ``int``, as NumPy's are."""

    def __index__(self):
        return 3


def test_whole_numbers_of_others(sc, tmp_path, capsys):
    (tmp_path / "in").write_bytes(b"abcdef")
    assert sc.binaryRecords(str(tmp_path / "in"), Three()).collect() == [b"abc", b"def"]
    with StreamingTest(spark_context=sc) as test:
        test.ssc.socketTextStream("localhost", Three())
        test.ssc.binaryRecordsStream(str(tmp_path), Three())
        test.ssc.queueStream([range(5)]).pprint(Three())
        test.advance()
    assert capsys.readouterr().out.split("\n")[3:7] == ["0", "1", "2", "..."]
