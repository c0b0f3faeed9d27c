"""PySpark's name for ``swiftwater.resultiterable``."""

from swiftwater.resultiterable import ResultIterable

__all__ = ["ResultIterable"]
