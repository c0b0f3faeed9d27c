"""``pyspark.sql`` on DuckDB."""
