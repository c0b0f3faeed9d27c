"""A stream of records that the program has already: to try something out, or to show it.

::

    swiftwater run examples/queue_stream.py
"""

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

BATCHES = 3

sc = SparkContext(appName="QueueStream")
ssc = StreamingContext(sc, 1)
# One list a batch. When they are used up, batches are empty; default=[...] would fill them.
numbers = ssc.queueStream([range(100 * batch, 100 * batch + 100) for batch in range(BATCHES)])
# How many numbers of each batch end in 0, in 1, ...
numbers.map(lambda number: (number % 10, 1)).reduceByKey(lambda a, b: a + b).pprint()
ssc.start()
# A stream has no end of its own: this job just waits long enough.
ssc.awaitTerminationOrTimeout(BATCHES + 1)
ssc.stop(stopSparkContext=True, stopGraceFully=True)
