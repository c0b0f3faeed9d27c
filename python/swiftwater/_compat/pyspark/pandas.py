"""Not there: says so to whoever imports it."""

raise ImportError(
    "pyspark.pandas (pandas on Spark) is not part of Swiftwater, which has DStreams, RDDs and SQL"
)
