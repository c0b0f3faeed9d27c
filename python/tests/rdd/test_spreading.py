"""Where `repartition` sends records: by Spark's rule, in whatever form they come."""

import itertools
import random

import pytest

from swiftwater import SparkContext

LOW_32 = (1 << 32) - 1
LOW_64 = (1 << 64) - 1


def murmur3(data, seed):
    """MurmurHash3 of bytes, as many as a multiple of four."""
    value = seed
    for start in range(0, len(data), 4):
        word = int.from_bytes(data[start : start + 4], "little") * 0xCC9E2D51 & LOW_32
        word = (word << 15 | word >> 17) & LOW_32
        value ^= word * 0x1B873593 & LOW_32
        value = (value << 13 | value >> 19) & LOW_32
        value = value * 5 + 0xE6546B64 & LOW_32
    value ^= len(data)
    value ^= value >> 16
    value = value * 0x85EBCA6B & LOW_32
    value ^= value >> 13
    value = value * 0xC2B2AE35 & LOW_32
    return value ^ value >> 16


def first_place(partition, partitions):
    """Spark: new Random(partition).nextInt(partitions), of its XORShiftRandom."""
    seed = partition.to_bytes(8, "big")
    low = murmur3(seed, 0x3C074A61)
    state = murmur3(seed, low) << 32 | low
    while True:
        state ^= state << 21 & LOW_64
        state ^= state >> 35
        state ^= state << 4 & LOW_64
        bits = state & 0x7FFFFFFF
        if partitions & (partitions - 1) == 0:
            return partitions * bits >> 31
        place = bits % partitions
        if bits - place + partitions - 1 <= 0x7FFFFFFF:
            return place


def spread(parts, partitions):
    """What `repartition` makes of partitions: packets of ten records, in turn."""
    result = [[] for _ in range(partitions)]
    for partition, part in enumerate(parts):
        records = iter(part)
        for place in itertools.count(first_place(partition, partitions) + 1):
            packet = list(itertools.islice(records, 10))
            if not packet:
                break
            result[place % partitions] += packet
    return result


def opaque(record):
    try:
        return record
    finally:
        pass


FORMS = {
    "lines": lambda lines: lines,
    "texts": lambda lines: lines.map(lambda line: line[:20]),
    "numbers": lambda lines: lines.map(len),
    "pairs": lambda lines: lines.map(lambda line: (line, len(line) / 3)),
    "lists": lambda lines: lines.map(lambda line: line.split("1")),
    "some": lambda lines: lines.filter(lambda line: "7" not in line),
    "many": lambda lines: lines.flatMap(lambda line: line.split("1")),
    "through Python": lambda lines: lines.map(opaque),
    "natively, then through Python": lambda lines: lines.map(len).map(opaque),
    "lists of Python's": lambda lines: lines.map(opaque).map(lambda line: [line, {line: None}]),
    "united": lambda lines: lines.union(lines.map(len)).union(lines.map(opaque)),
    "through Python, united": lambda lines: lines.map(opaque).union(lines.map(opaque)),
    "fewer": lambda lines: lines.map(opaque).coalesce(2),
    "spread before": lambda lines: lines.repartition(5).map(lambda line: line + "!"),
    "kept": lambda lines: lines.map(opaque).cache(),
    "partitions": lambda lines: lines.mapPartitions(lambda part: reversed(list(part))),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("lowering", ["true", "false"])
def test_records_of_all_forms(tmp_path, form, lowering):
    rng = random.Random(str(lowering))
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{'é' * (n % 30)}{n}\n" for n in rng.sample(range(10**6), 3000)))
    with SparkContext("local[2]", "spread") as sc:
        conf = sc.getConf().set("swiftwater.lowering", lowering)
    with SparkContext("local[2]", "spread", conf=conf) as sc:
        records = form(sc.textFile(str(path), 4))
        parts = records.glom().collect()
        for partitions in (1, 2, 3, 7, 64, 1000):
            moved = records.repartition(partitions)
            assert moved.partitioner is None
            assert moved.getNumPartitions() == partitions
            assert moved.glom().collect() == spread(parts, partitions)
            again = records.coalesce(partitions, shuffle=True).map(opaque)
            assert again.glom().collect() == spread(parts, partitions)


@pytest.mark.parametrize("seed", range(10))
def test_objects_in_any_number(sc, seed):
    rng = random.Random(seed)
    values = [rng.choice((n, str(n), None, [n], (n, "é"))) for n in range(rng.randrange(300))]
    slices, partitions = rng.randrange(1, 9), rng.randrange(1, 12)
    rdd = sc.parallelize(values, slices)
    expected = spread(rdd.glom().collect(), partitions)
    assert rdd.repartition(partitions).glom().collect() == expected


def test_what_is_moved_is_nobody_elses(sc):
    rdd = sc.parallelize([[n] for n in range(30)], 2).repartition(3)
    for _ in range(2):
        changed = rdd.map(lambda record: (record.append(0), record)[1]).collect()
        assert all(len(record) == 2 for record in changed)


@pytest.mark.parametrize("head", [0, 3])
@pytest.mark.parametrize("slices", [1, 2])
def test_records_of_a_packet_share_what_they_shared(sc, head, slices):
    def twins(records):
        yield from range(head)
        for _ in range(20):
            shared = []
            yield from (shared, shared, (shared,), {"a": shared})

    def told(records):
        records = list(records)
        # What belongs to a packet of ten, and is one object.
        owners = [one if isinstance(one, list) else None for one in records]
        return [
            sum(other is one for other in owners) if isinstance(one, list) else 0 for one in owners
        ]

    def expected(part):
        records = list(twins(part))
        numbers = {}
        packets = [(at // 10, id(one)) for at, one in enumerate(records)]
        for at, one in enumerate(records):
            if isinstance(one, list):
                numbers[packets[at]] = numbers.get(packets[at], 0) + 1
        return [
            numbers[packets[at]] if isinstance(one, list) else 0 for at, one in enumerate(records)
        ]

    moved = sc.parallelize(range(slices), slices).mapPartitions(twins).repartition(3)
    for _ in range(2):
        found = moved.mapPartitions(told).glom().collect()
        assert found == spread([expected([n]) for n in range(slices)], 3)


def test_the_plan_and_the_lineage(sc, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a\n")
    moved = sc.textFile(str(tmp_path / "a.txt"), 2).repartition(3).map(lambda line: (line, 1))
    moved.explain()
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == [
        "stage",
        "textFile",
        "stage",
        "repartition",
        "map",
    ]
    assert "native" in told[-1].split()
    lineage = moved.toDebugString().decode().splitlines()
    assert lineage[0].startswith("(3) RDD")
    assert "repartition at" in lineage[1]
    assert lineage[2].startswith(" +-(2) ")
