"""PySpark's name for ``swiftwater.statcounter``."""

from swiftwater.statcounter import StatCounter

__all__ = ["StatCounter"]
