"""For each path of a log that is one batch: the bytes sent, by a parser that skips bad lines.

parse_file.py MASTER INTERVAL FILE RESULT
"""

import sys
import threading
import time

import outcome
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

master, interval, path, result = sys.argv[1:]
totals = {}
ended = 0.0
finished = threading.Event()


def parse(line):
    try:
        fields = line.split(" ")
        return (fields[3], int(fields[5]))
    except (IndexError, ValueError):
        return None


def output(rdd):
    global ended
    if finished.is_set():
        return
    totals.update(rdd.collect())
    ended = time.monotonic()
    if totals:
        finished.set()


sc = SparkContext(master, "parse-file")
ssc = StreamingContext(sc, float(interval))
lines = ssc.queueStream([sc.textFile(path)])
pairs = lines.map(parse).filter(lambda pair: pair is not None)
pairs.reduceByKey(lambda a, b: a + b).foreachRDD(output)
started = time.monotonic()
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
outcome.write(result, started, ended, totals)
ssc.stop(True, False)
