"""Not there: says so to whoever imports it."""

raise ImportError(
    "structured streaming (pyspark.sql.streaming) is not part of Swiftwater: use pyspark.streaming"
)
