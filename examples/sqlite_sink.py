"""Keep totals in a database, each batch exactly once, also after a crash.

Counts the words of files that appear in a folder. The first argument is that folder, the second
one is for checkpoints, the third is the database::

    mkdir /tmp/in
    swiftwater run examples/sqlite_sink.py /tmp/in /tmp/checkpoints /tmp/words.db
    echo "to be or not to be" > /tmp/words.txt && mv /tmp/words.txt /tmp/in

End the job in any way, ``kill -9`` too, and start it again: a batch may run a second time then,
because nobody can know whether it had come to its end. The database knows: the time of a batch is
stored in the same transaction as what the batch changes.
"""

import sqlite3
import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

folder, checkpoints, database = sys.argv[1:4]

TABLES = """
create table if not exists batches (time real primary key);
create table if not exists words (word text primary key, total integer);
"""
ADD = """
insert into words values (?, ?)
on conflict (word) do update set total = total + excluded.total
"""


def store(time, rdd):
    """Add the counts of a batch to the totals."""
    # Ask for the result before the transaction: other programs wait while one is open.
    counts = rdd.collect()
    # Opened here, and not outside: a connection cannot be part of a checkpoint.
    connection = sqlite3.connect(database)
    try:
        connection.executescript(TABLES)
        with connection:  # A transaction: all of it, or nothing where something fails.
            connection.execute("insert into batches values (?)", [time.timestamp()])
            connection.executemany(ADD, counts)
    except sqlite3.IntegrityError:
        print(f"the batch of {time:%H:%M:%S} is in the database already", flush=True)
    else:
        print(f"the batch of {time:%H:%M:%S} had {len(counts)} words", flush=True)
    finally:
        connection.close()


def define():
    """Define the job; called only where there is no checkpoint to go on from."""
    ssc = StreamingContext(SparkContext(appName="SQLiteSink"), 1)
    (
        ssc.textFileStream(folder)
        .flatMap(lambda line: line.split())
        .map(lambda word: (word, 1))
        .reduceByKey(lambda a, b: a + b)
        .foreachRDD(store)
    )
    return ssc


ssc = StreamingContext.getOrCreate(checkpoints, define)
ssc.start()
ssc.awaitTermination()
