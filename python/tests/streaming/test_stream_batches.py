"""Stream operators that see a batch as a whole."""

import pytest

from swiftwater.testing import StreamingTest, run_batches


@pytest.mark.parametrize(
    ("batches", "operation", "expected"),
    [
        (
            [[("a", 1), ("b", 1), ("a", 1)], [("b", 5)], []],
            lambda s: s.reduceByKey(lambda a, b: a + b),
            [[("a", 2), ("b", 1)], [("b", 5)], []],
        ),
        (
            [[("a", 1), ("a", 2)]],
            lambda s: s.combineByKey(lambda v: [v], lambda c, v: [*c, v], lambda a, b: a + b),
            [[("a", [1, 2])]],
        ),
        ([[1, 2, 3], [4], []], lambda s: s.reduce(lambda a, b: a + b), [[6], [4], []]),
        ([["x", "y"], [], ["z"]], lambda s: s.count(), [[2], [0], [1]]),
        ([[2, 1, 2], [3]], lambda s: s.countByValue(), [[(1, 1), (2, 2)], [(3, 1)]]),
    ],
)
def test_operator(batches, operation, expected):
    assert [sorted(batch) for batch in run_batches(operation, batches)] == expected


def test_an_operator_is_what_spark_says_in_which_partition():
    # What PySpark 4.3 gives on local[2].
    assert run_batches(lambda s: s.countByValue().glom(), [[1, 2, 1]]) == [[[(2, 1)], [(1, 2)]]]


@pytest.mark.parametrize(("given", "partitions"), [(None, 2), (1, 1), (5, 5)])
def test_partitions_are_the_context_s_default(given, partitions):
    def grouped(stream):
        return stream.reduceByKey(lambda a, b: a + b, given).glom()

    assert [len(batch) for batch in run_batches(grouped, [[(1, 1)] * 9])] == [partitions]


def test_count_of_a_socket_without_data_has_no_record(streaming):
    lines = streaming.text_source()
    out = streaming.collect(lines.stream.count())
    streaming.advance()
    lines.send("a")
    streaming.advance()
    assert out.batches == [[], [1]]


@pytest.mark.parametrize("union", [lambda ssc, a, b: a.union(b), lambda ssc, a, b: ssc.union(a, b)])
def test_union(streaming, union):
    ssc = streaming.ssc
    left = ssc.queueStream([[1, 2, 1], [3]])
    right = ssc.queueStream([[4]])
    out = streaming.collect(union(ssc, left, right).glom())
    streaming.advance(3)
    # What PySpark 4.3 gives on local[2].
    assert out.batches == [[[1], [2, 1], [], [4]], [[], [3], []], [[], []]]


def test_union_of_one_is_itself_and_of_none_an_error(streaming):
    stream = streaming.ssc.queueStream([[1]])
    assert streaming.ssc.union(stream) is stream
    with pytest.raises(ValueError, match="^should have at least one DStream to union$"):
        streaming.ssc.union()
    for use in (lambda: stream.union([1]), lambda: streaming.ssc.union(stream, 3)):
        with pytest.raises(TypeError, match="^union needs"):
            use()


def test_streams_of_two_contexts_do_not_mix(streaming):
    stream = streaming.ssc.queueStream([[1]])
    with StreamingTest(1.0, spark_context=streaming.sc) as other:
        theirs = other.ssc.queueStream([[1]])
        with pytest.raises(ValueError, match="different StreamingContexts"):
            stream.union(theirs)
    with StreamingTest(2.0, spark_context=streaming.sc) as slower:
        theirs = slower.ssc.queueStream([[1]])
        with pytest.raises(ValueError, match="^the two DStream should have same slide duration$"):
            stream.union(theirs)
        with pytest.raises(ValueError, match="^All DStreams should have same slide duration$"):
            streaming.ssc.union(stream, theirs)


def test_cached_streams_compute_once(streaming, tmp_path):
    log = str(tmp_path / "log")

    def note(record):
        with open(log, "a") as file:
            file.write("x")
        return record

    noted = streaming.ssc.queueStream([[1, 2]]).map(note)
    assert noted.cache() is noted
    assert noted.is_cached
    first, second = streaming.collect(noted), streaming.collect(noted.map(str))
    streaming.advance()
    with open(log) as file:
        assert file.read() == "xx"
    assert (first.last, second.last) == ([1, 2], ["1", "2"])


def test_cache_comes_before_the_start(streaming):
    stream = streaming.ssc.queueStream([[1]])
    streaming.collect(stream)
    streaming.start()
    with pytest.raises(RuntimeError, match="^Cannot change storage level of a DStream after"):
        stream.cache()
