"""For each path of an API: the good answers and their average length, over a log that is one batch.

log_file.py MASTER INTERVAL FILE RESULT
"""

import sys
import threading
import time

import outcome
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

master, interval, path, result = sys.argv[1:]
averages = {}
ended = 0.0
finished = threading.Event()


def output(rdd):
    global ended
    if finished.is_set():
        return
    averages.update(rdd.collect())
    ended = time.monotonic()
    if averages:
        finished.set()


sc = SparkContext(master, "log-file")
ssc = StreamingContext(sc, float(interval))
lines = ssc.queueStream([sc.textFile(path)])
fields = lines.map(lambda line: line.split(" "))
answers = fields.filter(lambda f: "/api/" in f[3] and 200 <= int(f[4]) < 400)
lengths = answers.map(lambda f: (f[3], (int(f[5]), 1)))
totals = lengths.reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1]))
totals.mapValues(lambda v: (v[1], v[0] / v[1])).foreachRDD(output)
started = time.monotonic()
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
total = sum(count for count, _ in averages.values())
outcome.write_results(result, started, ended, averages, total)
ssc.stop(True, False)
