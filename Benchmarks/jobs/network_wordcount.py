"""The word count of the README, with the batch interval as an argument.

network_wordcount.py HOST PORT INTERVAL
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext("local[2]", "NetworkWordCount")
ssc = StreamingContext(sc, float(sys.argv[3]))
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
counts = (
    lines.flatMap(lambda line: line.split(" "))
    .map(lambda word: (word, 1))
    .reduceByKey(lambda a, b: a + b)
)
counts.pprint()
ssc.start()
ssc.awaitTermination()
