"""Not there yet: says so to whoever imports it."""

raise ImportError("pyspark.sql is not part of this release of Swiftwater; it comes in a later one")
