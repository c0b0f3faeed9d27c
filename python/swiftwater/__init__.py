"""Swiftwater: streaming jobs in Python on a native engine, with PySpark Streaming's API.

Example::

    from swiftwater import SparkContext
    from swiftwater.streaming import StreamingContext

    sc = SparkContext("local[2]", "NetworkWordCount")
    ssc = StreamingContext(sc, 1)
    lines = ssc.socketTextStream("localhost", 9999)
    lines.flatMap(lambda line: line.split(" ")).countByValue().pprint()
    ssc.start()
    ssc.awaitTermination()
"""

from swiftwater._native import engine as _engine
from swiftwater.conf import SparkConf
from swiftwater.context import SparkContext
from swiftwater.rdd import RDD

__all__ = ["RDD", "SparkConf", "SparkContext", "__version__"]

__version__: str = _engine.__version__
