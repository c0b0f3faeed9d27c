"""PySpark's SQL on DuckDB. Without DuckDB the import fails and says what to install."""

from swiftwater._sql.session import (
    Catalog,
    Column,
    DataFrame,
    DataFrameReader,
    DataFrameWriter,
    GroupedData,
    Row,
    SparkSession,
    SQLContext,
)

__all__ = [
    "Catalog",
    "Column",
    "DataFrame",
    "DataFrameReader",
    "DataFrameWriter",
    "GroupedData",
    "Row",
    "SQLContext",
    "SparkSession",
]
