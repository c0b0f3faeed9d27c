"""PySpark's SQL types: DuckDB's."""

import swiftwater._sql  # noqa: F401 - says what to install where DuckDB is missing

# isort: split
from duckdb.experimental.spark.sql.types import *  # noqa: F403
