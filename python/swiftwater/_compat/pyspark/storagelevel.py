"""PySpark's name for ``swiftwater.storagelevel``."""

from swiftwater.storagelevel import StorageLevel

__all__ = ["StorageLevel"]
