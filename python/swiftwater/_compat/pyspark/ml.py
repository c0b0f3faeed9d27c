"""Not there: says so to whoever imports it."""

raise ImportError(
    "pyspark.ml (machine learning) is not part of Swiftwater, which has DStreams, RDDs and SQL"
)
