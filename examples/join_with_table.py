"""Look the records of a stream up in a table that does not change.

The table is a file with a line ``name,price`` for each thing that is sold. The stream has a line
``name number`` for each order. Start a sender, for example ``nc -lk 9999``, and then::

    swiftwater run examples/join_with_table.py localhost 9999 examples/prices.csv
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext


def price(line):
    """Return ``(name, price)`` of a line of the table."""
    name, amount = line.split(",")
    return name, float(amount)


def order(line):
    """Return ``[(name, number)]`` of a line of the stream, or nothing if it is not an order."""
    words = line.split()
    return [(words[0], int(words[1]))] if len(words) == 2 and words[1].isdigit() else []


sc = SparkContext(appName="JoinWithTable")
ssc = StreamingContext(sc, 1)
# An RDD, not a stream. It is read once, and kept for the batches to come.
prices = sc.textFile(sys.argv[3]).map(price).cache()
orders = ssc.socketTextStream(sys.argv[1], int(sys.argv[2])).flatMap(order)
# transform gives each batch's RDD, and with it everything that RDDs can do among themselves.
priced = orders.transform(lambda rdd: rdd.leftOuterJoin(prices))


def bill(pair):
    """Return a line for an order with its price, which is None for what is not sold."""
    name, (number, one) = pair
    return f"{number} x {name}: " + ("not sold here" if one is None else f"{number * one:.2f}")


priced.map(bill).pprint()
ssc.start()
ssc.awaitTermination()
