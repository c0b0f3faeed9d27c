"""Counts words or lines until there are as many as were given; CHECKPOINT is `-` for no folder.

Reads new files of a folder, or from a port of this machine. Prints `started`, and `done` when
RESULT is written, and goes on until it is ended, so that its processor time can be read.

    durable.py words|lines INTERVAL FOLDER|PORT CHECKPOINT TOTAL RESULT
"""

import sys

import outcome
import tally
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

what, interval, place, checkpoint, total, result = sys.argv[1:]
tally.missing = int(total)

sc = SparkContext("local[1]", "durable")
ssc = StreamingContext(sc, float(interval))
if checkpoint != "-":
    ssc.checkpoint(checkpoint)
if place.isdecimal():
    text = ssc.socketTextStream("127.0.0.1", int(place))
else:
    text = ssc.textFileStream(place)
if what == "words":
    pairs = text.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
    pairs.reduceByKey(lambda a, b: a + b).foreachRDD(tally.words)
else:
    text.foreachRDD(tally.lines)
ssc.start()
print("started", flush=True)
while not tally.finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
outcome.write(result, tally.started, tally.ended, tally.counts)
print("done", flush=True)
ssc.awaitTermination()
