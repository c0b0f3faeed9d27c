"""One operator over batches of typed records: how long the driver waits for each batch.

The output counts the records, so each of them passes the operator, and few come to the driver.
The first two batches are not measured: of their records there is a digest, which does not
depend on their order.

    operators.py OPERATOR RECORDS INTERVAL WARM_UP MEASURED FOLDER RESULT
"""

import json
import sys
import threading
import time
import zlib
from pathlib import Path

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

name, records, interval, warm_up, measured, folder, result = sys.argv[1:]
KEYS = 10_000
DIGESTED = 2
size = int(records)
batches = DIGESTED + int(warm_up) + int(measured)
seconds = []
counts = []
digests = []
finished = threading.Event()


def digest(record):
    key, value = record if isinstance(record, tuple) else (None, record)
    # The values of a group come in any order, and as a type of the engine's own.
    value = sorted(value) if hasattr(value, "__iter__") and name == "groupByKey" else value
    return zlib.crc32(repr((key, value)).encode())


def output(rdd):
    if finished.is_set():
        return
    if len(digests) < DIGESTED:
        digests.append(rdd.map(digest).sum())
        return
    started = time.perf_counter()
    count = rdd.count()
    seconds.append(time.perf_counter() - started)
    counts.append(count)
    if len(seconds) == batches - DIGESTED:
        finished.set()


def total(new, old):
    return sum(new, old or 0)


def numbers(first):
    return range(first, first + size)


def pairs(first):
    return [(number * 7919 % KEYS, number) for number in numbers(first)]


def lines(first):
    return [f"{number} to be or not" for number in numbers(first)]


def sides(first):
    return [(key, -key) for key in {key for key, _ in pairs(first)}]


def queue(make):
    # Two RDDs in turn: no batch has the records of the one before.
    rdds = [sc.parallelize(make(first)) for first in (0, size)]
    return ssc.queueStream([rdds[batch % 2] for batch in range(batches)])


OPERATORS = {
    "map": lambda: queue(numbers).map(lambda number: number + 1),
    "filter": lambda: queue(numbers).filter(lambda number: number % 3),
    "flatMap": lambda: queue(lines).flatMap(lambda line: line.split(" ")),
    "reduceByKey": lambda: queue(pairs).reduceByKey(lambda a, b: a + b),
    "groupByKey": lambda: queue(pairs).groupByKey(),
    "join": lambda: queue(pairs).join(queue(sides)),
    "updateStateByKey": lambda: queue(pairs).updateStateByKey(
        total, initialRDD=sc.parallelize([(key, key) for key in range(KEYS)])
    ),
}

sc = SparkContext("local[2]", "operators")
sc.setLogLevel("ERROR")
sc.setCheckpointDir(folder)  # Spark does not run a state without it
ssc = StreamingContext(sc, float(interval))
OPERATORS[name]().foreachRDD(output)
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
outcome = {"seconds": seconds[int(warm_up) :], "counts": counts, "digests": digests}
Path(result).write_text(json.dumps(outcome))
ssc.stop(True, False)
