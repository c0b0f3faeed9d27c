"""PySpark's SQL functions: DuckDB's."""

import swiftwater._sql  # noqa: F401 - says what to install where DuckDB is missing

# isort: split
from duckdb.experimental.spark.sql.functions import *  # noqa: F403
