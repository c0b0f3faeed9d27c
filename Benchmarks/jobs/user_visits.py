"""The streaming workloads of HiBench: identity, repartition, state and window.

A batch is a file of visits; the batches have the files in turn, the first one that of EVERY, where
it is not `-`. The windows are of ten batches and slide by five. Prints `warm` when so many outputs
have been written, and `done` after so many more.

    user_visits.py WORKLOAD INTERVAL EVERY FILES WARM_UP MEASURED FOLDER
"""

import sys
import threading

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

workload, interval, every, files, warm_up, measured, folder = sys.argv[1:]
INTERVAL = float(interval)
WARM_UP, LAST = int(warm_up), int(warm_up) + int(measured)
WINDOW, SLIDE = 10, 5
finished = threading.Event()
written = 0


def time_of_address(line):
    fields = line.split(",")
    return fields[1], (int(fields[0]), 1)


def earliest_and_count(a, b):
    return min(a[0], b[0]), a[1] + b[1]


def count_of_address(line):
    return line.split(",")[1], 1


def count_all(new, old):
    return sum(new) + (old or 0)


def output(rdd):
    global written
    if finished.is_set():
        return
    written += 1
    if workload == "state":
        rdd.count()
    else:
        rdd.saveAsTextFile(f"{folder}/output-{written}")
    if written == WARM_UP:
        print("warm", flush=True)
    if written == LAST:
        print("done", flush=True)
        if workload == "state":
            rdd.saveAsTextFile(f"{folder}/output-{written}")
        finished.set()


WORKLOADS = {
    "identity": lambda lines: lines.map(lambda line: line),
    "repartition": lambda lines: lines.repartition(2),
    "state": lambda lines: lines.map(count_of_address).updateStateByKey(count_all),
    "window": lambda lines: lines.map(time_of_address).reduceByKeyAndWindow(
        earliest_and_count, None, WINDOW * INTERVAL, SLIDE * INTERVAL
    ),
}

sc = SparkContext("local[2]", workload)
sc.setLogLevel("ERROR")
sc.setCheckpointDir(f"{folder}/state")
ssc = StreamingContext(sc, INTERVAL)
visits = [sc.textFile(path) for path in files.split(":")]
batches = LAST * (SLIDE if workload == "window" else 1)
queue = [visits[batch % len(visits)] for batch in range(batches)]
if every != "-":
    queue[0] = sc.textFile(every)
WORKLOADS[workload](ssc.queueStream(queue)).foreachRDD(output)
ssc.start()
while not finished.is_set():
    ssc.awaitTerminationOrTimeout(0.05)  # raises what went wrong in a batch
ssc.stop(True, False)
