"""Word count of lines that each carry the time when they were sent, as a last word `@NANOSECONDS`.

Notes for every line how long after that its counts were there, until all lines are out.

    latency.py HOST PORT INTERVAL LINES RESULT
"""

import json
import sys
import threading
import time
from pathlib import Path

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

host, port, interval, expected, result = sys.argv[1:]
delays_ns = []
batches = 0
finished = threading.Event()


def output(rdd):
    global batches
    pairs = rdd.collect()
    now = time.monotonic_ns()
    batches += 1
    delays_ns.extend(now - int(word[1:]) for word, _ in pairs if word.startswith("@"))
    if len(delays_ns) >= int(expected):
        finished.set()


sc = SparkContext("local[2]", "latency")
ssc = StreamingContext(sc, float(interval))
lines = ssc.socketTextStream(host, int(port))
counts = (
    lines.flatMap(lambda line: line.split(" "))
    .map(lambda word: (word, 1))
    .reduceByKey(lambda a, b: a + b)
)
counts.foreachRDD(output)
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.1)  # raises what went wrong in a batch
Path(result).write_text(json.dumps({"batches": batches, "delays_ns": delays_ns}))
ssc.stop(True, False)
