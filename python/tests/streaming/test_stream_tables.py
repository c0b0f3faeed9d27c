"""Streams joined with tables: RDDs that the driver makes once, or now and then."""

import gc
import os

import pytest

from swiftwater.testing import StreamingTest

TABLE = [(f"key {n % 400}", n) for n in range(500)]

JOBS = {
    "join": lambda rdd, table, n: rdd.join(table, n),
    "join, swapped": lambda rdd, table, n: table.join(rdd, n),
    "leftOuterJoin": lambda rdd, table, n: rdd.leftOuterJoin(table, n),
    "leftOuterJoin, swapped": lambda rdd, table, n: table.leftOuterJoin(rdd, n),
    "rightOuterJoin": lambda rdd, table, n: rdd.rightOuterJoin(table, n),
    "rightOuterJoin, swapped": lambda rdd, table, n: table.rightOuterJoin(rdd, n),
    "fullOuterJoin": lambda rdd, table, n: rdd.fullOuterJoin(table, n),
    "subtractByKey": lambda rdd, table, n: rdd.subtractByKey(table, n),
    "subtractByKey, swapped": lambda rdd, table, n: table.subtractByKey(rdd, n),
    "cogroup": lambda rdd, table, n: rdd.cogroup(table, n).mapValues(lists),
    "groupWith": lambda rdd, table, n: rdd.groupWith(table).mapValues(lists),
}
TABLES = {
    "given": lambda sc: sc.parallelize(TABLE, 3),
    "cached": lambda sc: sc.parallelize(TABLE, 3).map(opaque).cache(),
    "divided": lambda sc: sc.parallelize(TABLE, 3).partitionBy(2),
    "of functions": lambda sc: sc.parallelize(TABLE, 3).filter(lambda kv: kv[1] != 7),
    "opaque": lambda sc: sc.parallelize(TABLE, 3).map(opaque),
    "empty": lambda sc: sc.parallelize([], 3),
}


def lists(groups):
    return [list(group) for group in groups]


def opaque(record):
    try:
        return record
    finally:
        pass


def lines_of(number):
    return [f"key {(number * 37 + n) % 450}" for n in range(number % 5)]


@pytest.fixture(params=["never", "always"])
def test(request):
    with StreamingTest(batch_interval=1.0, settings={"swiftwater.workers": request.param}) as test:
        yield test


@pytest.mark.parametrize("partitions", [2, None])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("job", JOBS)
def test_batches_are_those_of_a_table_made_anew(job, table, partitions):
    join, make = JOBS[job], TABLES[table]
    with StreamingTest(batch_interval=1.0) as test:
        once = make(test.sc)
        source = test.text_source()
        pairs = source.stream.map(lambda line: (line, 1))
        found = test.collect(pairs.transform(lambda rdd: join(rdd, once, partitions)).glom())
        expected = test.collect(
            pairs.transform(lambda rdd: join(rdd, make(test.sc), partitions)).glom()
        )
        for number in range(8):
            source.send(*lines_of(number))
            test.advance()
        assert found.batches == expected.batches
        assert any(found.batches)


def test_a_variable_that_is_bound_to_another_table_now_and_then(test):
    tables = [test.sc.parallelize([(key, (value, n)) for key, value in TABLE], 2) for n in range(3)]
    table = tables[0]
    source = test.text_source()
    # `opaque`: with objects that a worker has had.
    pairs = source.stream.map(lambda line: opaque((line, 1)))
    found = test.collect(pairs.transform(lambda rdd: rdd.join(table, 2)))
    bound = [0] * 5 + [1] * 3 + [0] * 2 + [2] * 5
    for number in bound:
        table = tables[number]
        source.send("key 399", "key 449")
        test.advance()
    assert found.batches == [[("key 399", (1, (399, number)))] for number in bound]


def test_a_table_that_fails_fails_in_each_batch_until_it_does_not(test, tmp_path):
    file = tmp_path / "table.txt"
    file.write_text("a,1\nb,x\n")
    table = test.sc.textFile(str(file)).map(lambda line: line.split(","))
    table = table.map(lambda fields: (fields[0], int(fields[1]))).cache()
    source = test.text_source()
    errors = []
    results = []

    def joined(rdd):
        try:
            results.append(rdd.join(table, 2).collect())
        except ValueError as error:
            errors.append(str(error))

    source.stream.map(lambda line: (line, 1)).foreachRDD(joined)
    for _ in range(3):
        source.send("a")
        test.advance()
    assert len(errors) == 3
    assert all("invalid literal" in error for error in errors)
    assert not results
    file.write_text("a,1\nb,2\n")
    for _ in range(3):
        source.send("a")
        test.advance()
    assert results == [[("a", (1, 1))]] * 3
    assert len(errors) == 3


def test_a_table_that_is_not_cached_is_read_in_each_batch(test, tmp_path):
    file = tmp_path / "table.txt"
    file.write_text("a,none\n")
    table = test.sc.textFile(str(file)).map(lambda line: line.split(","))
    table = table.map(lambda fields: (fields[0], fields[1]))
    source = test.text_source()
    found = test.collect(
        source.stream.map(lambda line: (line, 1)).transform(lambda rdd: rdd.join(table))
    )
    for value in ("one", "two", "two", "three"):
        file.write_text(f"a,{value}\nb,{value}\n")
        source.send("a")
        test.advance()
    assert [batch[0][1][1] for batch in found.batches] == ["one", "two", "two", "three"]


def test_windows_that_are_divided_alike_are_not_divided_again(streaming, capsys):
    sources = [streaming.text_source() for _ in range(2)]
    windows = [
        source.stream.map(lambda line: (line, 1)).partitionBy(2).window(3) for source in sources
    ]
    joined = windows[0].join(windows[1], 2)
    joined.foreachRDD(lambda rdd: rdd.explain())
    found = streaming.collect(joined)
    for number in range(4):
        for source in sources:
            source.send(f"key {number}")
        streaming.advance()
    assert "join engine" not in " ".join(capsys.readouterr().out.split())
    assert [len(batch) for batch in found.batches] == [1, 2, 3, 3]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("kind", ["columns", "objects"])
def test_memory_stays_as_it_is_over_thousands_of_batches(tmp_path, kind):
    file = tmp_path / "table.txt"
    file.write_text("".join(f"key {n},{n}\n" for n in range(5000)))
    with StreamingTest(batch_interval=1.0) as test:
        table = test.sc.textFile(str(file)).map(lambda line: line.split(","))
        table = table.map(lambda fields: (fields[0], fields[1])).cache()
        if kind == "objects":
            table = test.sc.parallelize(table.collect(), 2)
        source = test.text_source()
        pairs = source.stream.map(lambda line: (line, 1))
        counts = []
        pairs.transform(lambda rdd: rdd.join(table, 2)).foreachRDD(
            lambda rdd: counts.append(rdd.count())
        )
        sizes = []
        for number in range(3000):
            source.send(*(f"key {(number + n) % 6000}" for n in range(3)))
            test.advance()
            if number % 1000 == 999:
                gc.collect()
                sizes.append((len(gc.get_objects()), resident()))
    assert len(counts) == 3000
    assert sum(counts) == 3 * 3000
    objects, bytes_ = zip(*sizes[1:], strict=True)
    assert max(objects) - min(objects) < 500
    assert max(bytes_) - min(bytes_) < 8 << 20


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("workers", ["never", "always"])
def test_a_table_where_memory_is_short(workers, make):
    settings = {"swiftwater.workers": workers, "swiftwater.spill.memory": "1m"}
    with StreamingTest(batch_interval=1.0, settings=settings) as test:
        table = make(test.sc)
        records = table.collect()
        source = test.text_source()
        pairs = source.stream.map(lambda line: (line, 1))
        found = test.collect(pairs.transform(lambda rdd: rdd.leftOuterJoin(table, 1)))
        expected = []
        for number in range(6):
            source.send(*lines_of(number))
            test.advance()
            values = [(key, [v for k, v in records if k == key]) for key in lines_of(number)]
            expected.append([(key, (1, v)) for key, vs in values for v in vs or [None]])
        assert found.batches == expected
