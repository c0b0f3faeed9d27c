"""Py4J's errors. Once this module is imported, failed jobs raise ``Py4JJavaError``."""

from swiftwater import _py4j
from swiftwater.errors import Py4JAuthenticationError, Py4JError, Py4JJavaError, Py4JNetworkError

__all__ = ["Py4JAuthenticationError", "Py4JError", "Py4JJavaError", "Py4JNetworkError"]

_py4j.install()
