"""Not there: says so to whoever imports it."""

raise ImportError(
    "pyspark.graphx (graphs) is not part of Swiftwater, which has DStreams, RDDs and SQL"
)
