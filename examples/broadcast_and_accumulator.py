"""Give a table to all functions (a broadcast), and count inside them (an accumulator).

Counts words, but leaves out those that carry no meaning, and says how many those were. Start a
sender, for example ``nc -lk 9999``, and then::

    swiftwater run examples/broadcast_and_accumulator.py localhost 9999
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext(appName="BroadcastAndAccumulator")
ssc = StreamingContext(sc, 1)
# A plain set would do as well on one machine; a broadcast is sent to each machine of a cluster
# once, instead of once with every task. Functions read its value and leave it as it is.
little_words = sc.broadcast({"a", "an", "and", "in", "is", "of", "or", "the", "to"})
# Functions add to it, and only the driver reads it. A global variable would not do: functions on
# records work on copies of what they use.
left_out = sc.accumulator(0)


def matters(word):
    """Return whether a word is counted."""
    if word not in little_words.value:
        return True
    left_out.add(1)
    return False


def show(time, rdd):
    """Print the counts of a batch. Functions given to foreachRDD run in the driver."""
    # An accumulator counts when the work is done, and again when it is done again: ask for the
    # result once, and read the accumulator afterwards.
    counts = rdd.collect()
    if counts:
        print(f"{time:%H:%M:%S} {sorted(counts)}, {left_out.value} words left out so far")


lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
counts = (
    lines.flatMap(lambda line: line.split())
    .filter(matters)
    .map(lambda word: (word, 1))
    .reduceByKey(lambda a, b: a + b)
)
counts.foreachRDD(show)
ssc.start()
ssc.awaitTermination()
