"""PySpark's SQL types: DuckDB's."""

import swiftwater._sql.session  # noqa: F401 - says what to install where DuckDB is missing

# isort: split
from duckdb.experimental.spark.sql.types import *  # noqa: F403

from swiftwater._sql.missing import kind

CharType = kind("CharType", "use StringType()")
VarcharType = kind("VarcharType", "use StringType()")
YearMonthIntervalType = kind("YearMonthIntervalType", "use IntegerType() for months")
