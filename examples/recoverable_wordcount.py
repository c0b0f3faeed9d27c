"""Count the words since the job was started for the first time, whatever happens in between.

The third argument is a folder for checkpoints. Start a sender, for example ``nc -lk 9999``, and
then::

    swiftwater run examples/recoverable_wordcount.py localhost 9999 /tmp/checkpoints

End the job with Ctrl-C and start it again: it goes on with its counts. To begin anew, remove the
folder.
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

host, port, checkpoints = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def total(new, before):
    """Return the new count of a word."""
    return sum(new) + (before or 0)


def define():
    """Define the job.

    Called only where the folder has no checkpoint. Otherwise all of this comes from there: the
    functions too, as they were when it was written, and the names they use (host, port).
    """
    print("a new beginning", flush=True)
    ssc = StreamingContext(SparkContext(appName="RecoverableWordCount"), 1)
    lines = ssc.socketTextStream(host, port)
    words = lines.flatMap(lambda line: line.split()).map(lambda word: (word, 1))
    words.updateStateByKey(total).pprint()
    return ssc


ssc = StreamingContext.getOrCreate(checkpoints, define)
ssc.start()
ssc.awaitTermination()
