"""Not there: says so to whoever imports it."""

raise ImportError(
    "pyspark.resource (scheduling by resources) is not part of Swiftwater, "
    "which has DStreams, RDDs and SQL"
)
