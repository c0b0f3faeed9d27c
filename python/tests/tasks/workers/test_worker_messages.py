"""Between a driver and a worker: nothing depends on what comes with a task, or with its end."""

import os

import pytest

from swiftwater import SparkConf, SparkContext

# The records of a partition, which are all at hand where it is cached: in one batch, in several (a
# block is at most a megabyte), and with results that are too large for the end of their task.
SIZES = {"one": 1, "one batch": 1000, "several batches": 60_000}


def opaque(record):
    """Cannot be lowered."""
    try:
        return record + "!"
    except TypeError:
        return None


def first_only(records):
    for record in records:
        yield opaque(record)
        return


def nothing(_records):
    return iter([os.getpid()])


def all_of(records):
    return [len([opaque(record) for record in records])]


def pairs(records):
    for left, right in records:
        yield opaque(left), opaque(right)


FUNCTIONS = [first_only, nothing, all_of]


@pytest.fixture
def sc():
    conf = SparkConf().set("swiftwater.workers", "always")
    with SparkContext("local[2]", "messages", conf=conf) as context:
        yield context


@pytest.fixture
def lines(request, sc, tmp_path):
    """Cached text in one partition: its batches are at hand."""
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{number} {'word ' * 8}\n" for number in range(request.param)))
    rdd = sc.textFile(str(path), 1).cache()
    assert rdd.count() == request.param
    return rdd


sizes = pytest.mark.parametrize("lines", SIZES.values(), ids=SIZES.keys(), indirect=True)


@sizes
def test_records_that_are_at_hand(lines):
    expected = [f"{line}!" for line in lines.collect()]
    # Twice: the second task comes to a worker that has had one.
    for _ in range(2):
        assert lines.map(opaque).collect() == expected
        assert lines.map(opaque).count() == len(expected)
    assert lines.map(opaque).take(2) == expected[:2]


@sizes
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_function_that_reads_as_it_likes(lines, function):
    expected = list(function(iter(lines.collect())))
    result = lines.mapPartitions(function).collect()
    if function is nothing:
        # Who has been sent a batch need not read it.
        assert len(result) == 1
        assert result[0] != os.getpid()
    else:
        assert result == expected


@sizes
def test_two_inputs_of_which_one_is_at_hand(lines):
    expected = [(f"{line}!", f"{len(line)}!") for line in lines.collect()]
    other = lines.map(lambda line: str(len(line)))
    assert lines.zip(other).mapPartitions(pairs).collect() == expected
    assert other.zip(lines).map(lambda pair: (opaque(pair[1]), opaque(pair[0]))).collect() == (
        expected
    )


@sizes
def test_what_accumulators_gain_comes_with_the_records(sc, lines):
    count, total = sc.accumulator(0), lines.count()

    def counting(line):
        count.add(1)
        return opaque(line)

    assert len(lines.map(counting).collect()) == total
    assert count.value == total


@pytest.mark.parametrize("lines", [1000], indirect=True)
def test_an_error_behind_the_first_records(lines):
    def failing(records):
        yield next(records)
        raise ValueError("behind the first")

    with pytest.raises(ValueError, match="behind the first"):
        lines.mapPartitions(failing).collect()
    assert len(lines.map(opaque).collect()) == 1000


@pytest.mark.parametrize("lines", [1000], indirect=True)
def test_where_a_worker_has_died(lines, tmp_path):
    """Records that came with the task are numbered as all others are."""
    marker = str(tmp_path / "died")

    def dying(line):
        if line.startswith("700 ") and not os.path.exists(marker):
            open(marker, "w").close()
            os._exit(3)
        return opaque(line)

    assert lines.map(dying).count() == 1000
    os.unlink(marker)

    def always_dying(line):
        if line.startswith("700 "):
            os._exit(3)
        return opaque(line)

    with pytest.raises(Exception, match=r"record 701|record 700"):
        lines.map(always_dying).collect()


def test_memory_of_large_results_is_given_back(sc):
    """Also where the last of them is small, and comes with the end of its task."""

    def large_then_small(_records):
        # Two parts: a list is pickled 8,192 records at a time, where they are of two types.
        return ["x" * 8000 if number < 8192 else number for number in range(8200)]

    assert len(sc.parallelize([0], 1).mapPartitions(large_then_small).collect()) == 8200
    areas = [
        os.stat(f"/proc/self/fd/{number}").st_blocks * 512
        for number in os.listdir("/proc/self/fd")
        if "memfd:swiftwater" in _target(number)
    ]
    # What stays is 16 MB each, and the first page.
    assert areas
    assert max(areas) <= (16 << 20) + 4096


def _target(number):
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        return ""
