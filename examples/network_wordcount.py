"""Count the words of the lines that a TCP server sends, once a second.

Start a sender, for example ``nc -lk 9999``, and then::

    swiftwater run examples/network_wordcount.py localhost 9999
"""

import sys

from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "NetworkWordCount")
ssc = StreamingContext(sc, 1)
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
counts = (
    lines.flatMap(lambda line: line.split(" "))
    .map(lambda word: (word, 1))
    .reduceByKey(lambda a, b: a + b)
)
counts.pprint()
ssc.start()
ssc.awaitTermination()
