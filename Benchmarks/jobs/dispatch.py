"""A short task again and again: one partition of lines through one Python function.

Reports the time of each run, the results, and whether the function ran in this process.

    dispatch.py FILE WARM_UP MEASURED RESULT
"""

import json
import os
import sys
import time
from pathlib import Path

from pyspark import SparkContext

path, warm_up, measured, result = sys.argv[1:]
seconds = []


def number(line):
    try:
        return int(line.split(" ", 1)[0])
    except ValueError:
        return -1


def process(line):
    try:
        return os.getpid()
    except OSError:
        return 0


sc = SparkContext("local[2]", "dispatch")
lines = sc.textFile(path, 1).cache()
numbers = lines.map(number)
for _ in range(int(warm_up) + int(measured)):
    started = time.perf_counter()
    results = numbers.collect()
    seconds.append(time.perf_counter() - started)
report = {
    "seconds": seconds[int(warm_up) :],
    "partitions": lines.getNumPartitions(),
    "results": results,
    "in_driver": os.getpid() in lines.map(process).collect(),
}
Path(result).write_text(json.dumps(report))
sc.stop()
