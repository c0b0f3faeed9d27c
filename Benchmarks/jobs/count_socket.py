"""Word count over a socket: until as many words are counted as were sent.

count_socket.py MASTER INTERVAL HOST PORT WORDS RESULT
"""

import sys
import threading
import time

import outcome
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

master, interval, host, port, words, result = sys.argv[1:]
batches = []
missing = int(words)
ended = 0.0
finished = threading.Event()


def output(rdd):
    global ended, missing
    if finished.is_set():
        return
    batches.append(rdd.collect())
    missing -= sum([count for _, count in batches[-1]])
    ended = time.monotonic()
    if missing <= 0:
        finished.set()


sc = SparkContext(master, "count-socket")
ssc = StreamingContext(sc, float(interval))
lines = ssc.socketTextStream(host, int(port))
pairs = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
pairs.reduceByKey(lambda a, b: a + b).foreachRDD(output)
started = time.monotonic()
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
counts = {}
for batch in batches:
    for word, count in batch:
        counts[word] = counts.get(word, 0) + count
outcome.write(result, started, ended, counts)
ssc.stop(True, False)
