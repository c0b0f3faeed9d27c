"""Count the words of text files that appear in a folder.

::

    mkdir /tmp/in
    swiftwater run examples/file_wordcount.py /tmp/in

Files must appear whole: write them elsewhere on the same disk, and move them into the folder::

    echo "to be or not to be" > /tmp/words.txt && mv /tmp/words.txt /tmp/in
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

sc = SparkContext(appName="FileWordCount")
ssc = StreamingContext(sc, 1)
# Files that are there already when the job starts are left alone, and so are changes to files.
lines = ssc.textFileStream(sys.argv[1])
counts = (
    lines.flatMap(lambda line: line.split())
    .map(lambda word: (word, 1))
    .reduceByKey(lambda a, b: a + b)
)
counts.pprint()
ssc.start()
ssc.awaitTermination()
