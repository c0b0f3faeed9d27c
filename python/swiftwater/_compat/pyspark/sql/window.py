"""Not there: says so to whoever imports it."""

raise ImportError(
    "pyspark.sql.window is not part of Swiftwater: write the window in SQL, with SparkSession.sql"
)
