"""Count the words of each batch in SQL.

Under Swiftwater ``pyspark.sql`` needs DuckDB: ``pip install 'swiftwater[sql]'``. Start a sender,
for example ``nc -lk 9999``, and then::

    swiftwater run examples/sql_wordcount.py localhost 9999
"""

import sys

from pyspark import SparkContext
from pyspark.sql import Row, SparkSession
from pyspark.streaming import StreamingContext

QUERY = "select word, count(*) as total from words group by word order by total desc, word"


def count(time, rdd):
    """Print a table of the words of a batch."""
    # The columns are taken from the first record.
    if rdd.isEmpty():
        return
    # One session for all batches.
    spark = SparkSession.builder.getOrCreate()
    words = spark.createDataFrame(rdd.map(lambda word: Row(word=word)))
    words.createOrReplaceTempView("words")
    print(f"{time:%H:%M:%S}")
    spark.sql(QUERY).show()


sc = SparkContext(appName="SQLWordCount")
ssc = StreamingContext(sc, 1)
lines = ssc.socketTextStream(sys.argv[1], int(sys.argv[2]))
lines.flatMap(lambda line: line.split()).foreachRDD(count)
ssc.start()
ssc.awaitTermination()
