"""PySpark's SQL functions: DuckDB's, and some made of them; the others say what to use."""

import swiftwater._sql.session  # noqa: F401 - says what to install where DuckDB is missing

# isort: split
from duckdb.experimental.spark.sql.functions import *  # noqa: F403

from swiftwater._sql import functions as _functions

_functions.complete(globals())
