"""An error that somebody keeps holds no record, no block and no share of a receiver's buffer."""

import gc
import itertools
import tempfile
import traceback
import weakref

import pytest

from swiftwater._native import engine
from swiftwater.testing import StreamingTest

# Of text: three batches are more than the bound.
BOUND = "64k"
LINES = ["1" * 99] * 200
BATCHES = 8

FAILURES = (AttributeError, KeyError, TypeError, ValueError)


def numbers(rdd):
    return rdd.map(int)


def pairs(rdd):
    return rdd.map(lambda line: (len(line), int(line)))


ACTIONS = {
    "aggregate": lambda rdd: numbers(rdd).aggregate(0, max, max),
    "cache": lambda rdd: numbers(rdd).cache().count(),
    "cartesian": lambda rdd: numbers(rdd).cartesian(rdd).count(),
    "cogroup": lambda rdd: pairs(rdd).cogroup(pairs(rdd)).collect(),
    "collect": lambda rdd: numbers(rdd).collect(),
    "combineByKey": lambda rdd: pairs(rdd).combineByKey(str, max, max).collect(),
    "count": lambda rdd: numbers(rdd).count(),
    "countByValue": lambda rdd: numbers(rdd).countByValue(),
    "distinct": lambda rdd: numbers(rdd).distinct().collect(),
    "flatMap": lambda rdd: rdd.flatMap(lambda line: [int(line)]).collect(),
    "fold": lambda rdd: numbers(rdd).fold(0, max),
    "foreach": lambda rdd: numbers(rdd).foreach(print),
    "foreachPartition": lambda rdd: numbers(rdd).foreachPartition(list),
    "glom": lambda rdd: numbers(rdd).glom().collect(),
    "groupByKey": lambda rdd: pairs(rdd).groupByKey().collect(),
    "histogram": lambda rdd: numbers(rdd).histogram(2),
    "join": lambda rdd: pairs(rdd).join(pairs(rdd)).collect(),
    "mapPartitions": lambda rdd: rdd.mapPartitions(lambda it: [sum(map(int, it))]).collect(),
    "mapPartitions that yields": lambda rdd: numbers(rdd).mapPartitions(each).collect(),
    "mapPartitions that lists": lambda rdd: rdd.mapPartitions(at_once).collect(),
    "mapPartitions twice": lambda rdd: numbers(rdd).mapPartitions(each).mapPartitions(each).count(),
    "mean": lambda rdd: numbers(rdd).mean(),
    "reduce": lambda rdd: numbers(rdd).reduce(max),
    "reduceByKey": lambda rdd: pairs(rdd).reduceByKey(max).collect(),
    "repartition": lambda rdd: numbers(rdd).repartition(3).collect(),
    "retried": lambda rdd: tried(lambda: numbers(rdd).sum()),
    "saveAsTextFile": lambda rdd: saved(numbers(rdd)),
    "sortBy": lambda rdd: numbers(rdd).sortBy(str).collect(),
    "sortByKey": lambda rdd: pairs(rdd).sortByKey().collect(),
    "stats": lambda rdd: numbers(rdd).stats(),
    "sum": lambda rdd: numbers(rdd).sum(),
    "take": lambda rdd: numbers(rdd).take(1000),
    "takeOrdered": lambda rdd: numbers(rdd).takeOrdered(3),
    "toLocalIterator": lambda rdd: list(numbers(rdd).toLocalIterator()),
    "top": lambda rdd: numbers(rdd).top(3),
    "treeReduce": lambda rdd: numbers(rdd).treeReduce(max),
    "union": lambda rdd: numbers(rdd).union(rdd).collect(),
    "zip": lambda rdd: numbers(rdd).zip(rdd).collect(),
    "zipWithIndex": lambda rdd: numbers(rdd).zipWithIndex().collect(),
}

# What is raised outside of every job.
OUTPUTS = {
    "behind a job": lambda rdd: [rdd.count(), int("oops")],
    "by a name": lambda rdd: rdd.coutn(),
}


def each(records):
    for record in records:
        yield int(record)


def summed(rdd):
    total = rdd.map(int).sum()
    return rdd.map(lambda line: (line, total))


def tried(attempt):
    # A function that has captured the RDD, and whose frame knows what it has captured.
    try:
        return attempt()
    except ValueError:
        return attempt()


def saved(rdd):
    with tempfile.TemporaryDirectory() as folder:
        rdd.saveAsTextFile(f"{folder}/out")


def at_once(records):
    lines = list(records)
    return [int(line) for line in lines]


def run_batches_that_fail(define, keeps=()):
    """Return what the batches of a source of text raised: none waited for room, or left text."""
    waiting = []
    left = []
    kept = []
    with StreamingTest(settings={"swiftwater.receiver.maxBuffered": BOUND}) as test:
        lines = test.text_source()
        define(lines.stream)
        for _ in range(BATCHES):
            lines.send(*LINES, "oops", *LINES[:9])
            try:
                test.advance()
            except FAILURES as error:
                kept.append(error)
            waiting.append(engine.has_pending_input(test.ssc._handle))
            left.append(engine.kept_input(test.ssc._handle))
        if keeps:
            # Nothing that one asks later is lost.
            assert [rdd.count() for rdd in keeps] == [len(LINES) + 10] * BATCHES
    assert waiting == [False] * BATCHES
    assert (max(left) > 0) is bool(keeps)
    return kept


@pytest.mark.parametrize("name", [*ACTIONS, *OUTPUTS])
def test_a_batch_whose_output_fails_gives_its_blocks_back(name):
    output = {**ACTIONS, **OUTPUTS}[name]
    assert len(run_batches_that_fail(lambda stream: stream.foreachRDD(output))) == BATCHES


@pytest.mark.parametrize("name", ACTIONS)
def test_one_whose_output_keeps_the_error_of_a_job_does_so_too(name):
    kept = []

    def attempted(rdd):
        try:
            ACTIONS[name](rdd)
        except FAILURES as error:
            kept.append(error)

    def output(rdd):
        attempted(rdd)
        return rdd.getNumPartitions()

    assert run_batches_that_fail(lambda stream: stream.foreachRDD(output)) == []
    assert len(kept) == BATCHES


STREAMS = {
    "count": lambda stream: stream.map(int).count().pprint(),
    "countByValue": lambda stream: stream.map(int).countByValue().pprint(),
    "mapPartitions": lambda stream: stream.mapPartitions(at_once).pprint(),
    "pprint": lambda stream: stream.map(int).pprint(1000),
    "reduce": lambda stream: stream.map(int).reduce(max).pprint(),
    "reduceByKey": lambda stream: stream.map(int).map(lambda n: (n, n)).reduceByKey(max).pprint(),
    "repartition": lambda stream: stream.map(int).repartition(2).pprint(),
    "transform": lambda stream: stream.transform(lambda rdd: [rdd, int("oops")]).pprint(),
    "transform with a job": lambda stream: stream.transform(summed).pprint(),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_fails_gives_its_blocks_back(name):
    assert len(run_batches_that_fail(STREAMS[name])) == BATCHES


class Closed(ValueError):
    """An error that does not tell where it comes from."""

    def __getattribute__(self, name):
        if name in {"__traceback__", "__cause__", "__context__", "exceptions"}:
            raise RuntimeError(name)
        return super().__getattribute__(name)


class ClosedGroup(ExceptionGroup):
    __getattribute__ = Closed.__getattribute__


def closed(rdd):
    try:
        rdd.map(int).count()
    except ValueError as error:
        raise Closed("oops") from error


def closed_group(rdd):
    try:
        rdd.map(int).count()
    except ValueError as error:
        raise ValueError("oops") from ClosedGroup("oops", [error])


@pytest.mark.parametrize("output", [closed, closed_group])
def test_one_whose_error_does_not_tell_where_it_comes_from_does_so_too(output):
    assert len(run_batches_that_fail(lambda stream: stream.foreachRDD(output))) == BATCHES


@pytest.mark.parametrize("fails", [False, True])
def test_a_batch_whose_output_keeps_its_rdd_does_not_hold_the_input_back(fails):
    kept = []

    def output(rdd):
        kept.append(rdd)
        rdd.map(int).count() if fails else rdd.count()

    raised = run_batches_that_fail(lambda stream: stream.foreachRDD(output), kept)
    assert len(raised) == fails * BATCHES


there = weakref.WeakSet()


class Record:
    """What can be asked whether it is still there."""

    def __init__(self, number):
        self.number = number
        there.add(self)

    def fail_at_last(self):
        if self.number == 999:
            raise ValueError(self.number)
        return self


def counted(records):
    return [sum(record.fail_at_last().number for record in records)]


def indexed(records):
    found = list(records)

    def number(index):
        return found[index].fail_at_last().number

    return [number(index) for index in range(len(found))]


def passed_on(records):
    for record in records:
        try:
            yield record.fail_at_last()
        except ValueError as error:
            raise KeyError(record.number) from error


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(lambda rdd: rdd.map(Record.fail_at_last).collect(), id="a method"),
        pytest.param(lambda rdd: rdd.map(lambda it: it.fail_at_last()).count(), id="a lambda"),
        pytest.param(lambda rdd: rdd.mapPartitions(counted).collect(), id="a partition"),
        pytest.param(lambda rdd: rdd.mapPartitions(indexed).collect(), id="a captured list"),
        pytest.param(lambda rdd: rdd.mapPartitions(passed_on).collect(), id="a generator"),
        pytest.param(lambda rdd: rdd.mapPartitions(list).map(counted).collect(), id="a list"),
        pytest.param(lambda rdd: rdd.map(lambda it: it.nothing).collect(), id="a name"),
        pytest.param(lambda rdd: rdd.keyBy(Record.fail_at_last).sortByKey().count(), id="a sort"),
        pytest.param(lambda rdd: rdd.map(counted).collect(), id="an iterator that is none"),
        pytest.param(lambda rdd: rdd.map(Record.fail_at_last).zip(rdd).collect(), id="a zip"),
    ],
)
def test_an_error_that_is_kept_holds_no_record(sc, job):
    with pytest.raises(FAILURES) as kept:
        job(sc.parallelize(range(1000), 2).map(Record))
    gc.collect()
    assert list(there) == []
    text = "".join(traceback.format_exception(kept.value))
    assert "test_kept_errors.py" in text
    assert "in operator: " in text


def test_the_program_s_own_frames_and_errors_keep_their_variables(sc):
    def outer():
        handled = "of the driver"
        try:
            int(handled)
        except ValueError as error:
            with pytest.raises(ZeroDivisionError) as kept:
                sc.parallelize([0], 1).map(lambda n: 1 // n).collect()
            return error, kept.value

    handled, kept = outer()
    assert handled.__traceback__.tb_frame.f_locals["handled"] == "of the driver"
    assert kept.__traceback__.tb_frame.f_locals["handled"] == "of the driver"
    innermost = list(traceback.walk_tb(kept.__traceback__))[-1][0]
    assert innermost.f_code.co_name == "<lambda>"
    assert innermost.f_locals == {}


def test_a_generator_of_the_driver_that_kept_an_error_goes_on():
    def tried():
        results = [0]
        while True:
            rdd = yield results[-1]
            try:
                results.append(rdd.map(int).sum())
            except ValueError as error:
                results.append(repr(error)[:10])
                kept.append(error)

    kept = []
    found = []
    generator = tried()
    next(generator)
    with StreamingTest() as test:
        batches = [["1", "2"], ["oops"], ["3"]]
        test.ssc.queueStream(batches).foreachRDD(lambda rdd: found.append(generator.send(rdd)))
        test.advance(3)
    assert found == [3, "ValueError", 3]
    assert len(kept) == 1


def test_the_iterator_of_a_partition_is_at_its_end_when_the_stage_is_over(sc):
    kept = []
    rdd = sc.parallelize(range(1000), 1)

    def first(records):
        found = [next(records)]
        hold(records)
        return found

    hold = kept.append if sc._settings.get("swiftwater.workers") != "always" else list
    assert rdd.mapPartitions(first).collect() == [0]
    assert list(itertools.chain.from_iterable(kept)) == []


class Guarded(Exception):
    """An error with rules of its own for attributes."""

    def __setattr__(self, name, value):
        raise RuntimeError(name)

    def __getattr__(self, name):
        raise RuntimeError(name)


def raises_guarded(number):
    raise Guarded(number)


def test_an_error_with_rules_of_its_own_stays_what_it_is(sc):
    with pytest.raises(Guarded):
        sc.parallelize([1], 1).map(raises_guarded).collect()
