"""Count the words since the job was started, once a second.

Start a sender, for example ``nc -lk 9999``, and then::

    swiftwater run examples/stateful_wordcount.py localhost 9999
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext


def total(new, before):
    """Return the new state of a word; ``before`` is None for a word that was not there.

    It is called for every word in every batch, with an empty list where the word did not come.
    To forget a word, return None.
    """
    return sum(new) + (before or 0)


sc = SparkContext(appName="StatefulWordCount")
ssc = StreamingContext(sc, 1)
# Spark refuses to start a job with state without such a folder.
ssc.checkpoint("checkpoint")
# What is known before the first batch; leave it out to begin with nothing.
known = sc.parallelize([("hello", 1), ("world", 1)])
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
counts = (
    lines.flatMap(lambda line: line.split())
    .map(lambda word: (word, 1))
    .updateStateByKey(total, initialRDD=known)
)
counts.pprint()
ssc.start()
ssc.awaitTermination()
