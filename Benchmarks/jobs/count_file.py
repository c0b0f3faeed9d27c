"""Word count over a file that is one batch: from start() to the collected result.

count_file.py MASTER INTERVAL FILE RESULT
"""

import sys
import threading
import time

import outcome
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

master, interval, path, result = sys.argv[1:]
counts = {}
ended = 0.0
finished = threading.Event()


def output(rdd):
    global ended
    if finished.is_set():
        return
    counts.update(rdd.collect())
    ended = time.monotonic()
    if counts:
        finished.set()


sc = SparkContext(master, "count-file")
ssc = StreamingContext(sc, float(interval))
lines = ssc.queueStream([sc.textFile(path)])
pairs = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
pairs.reduceByKey(lambda a, b: a + b).foreachRDD(output)
started = time.monotonic()
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
outcome.write(result, started, ended, counts)
ssc.stop(True, False)
