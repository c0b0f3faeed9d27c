"""Count the words of the last five seconds, once a second.

Start a sender, for example ``nc -lk 9999``, and then::

    swiftwater run examples/windowed_wordcount.py localhost 9999
"""

import sys
from operator import add, sub

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

WINDOW_SECONDS = 5
# How often a window ends. Both times are multiples of the batch interval.
SLIDE_SECONDS = 1

sc = SparkContext(appName="WindowedWordCount")
ssc = StreamingContext(sc, 1)
# Spark wants a folder for windows that are computed from the window before, as this one is.
ssc.checkpoint("checkpoint")
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
counts = (
    lines.flatMap(lambda line: line.split())
    .map(lambda word: (word, 1))
    # Add what comes into the window, take away what leaves it: so Spark wants it for a long window.
    # Here a long window costs no more than a short one either way: with None in the place of the
    # second function no folder is needed, and no filter.
    .reduceByKeyAndWindow(
        add,
        sub,
        WINDOW_SECONDS,
        SLIDE_SECONDS,
        # A word that is down to 0 would stay for ever.
        filterFunc=lambda pair: pair[1] > 0,
    )
)
counts.pprint()
ssc.start()
ssc.awaitTermination()
