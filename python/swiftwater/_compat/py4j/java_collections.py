"""PySpark's name for ``py4j.java_gateway``."""

from py4j.java_gateway import JavaObject

__all__ = ["JavaObject"]
