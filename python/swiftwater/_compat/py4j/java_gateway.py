"""Names of Py4J's gateway. What would talk to a JVM raises an error that says there is none."""

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from swiftwater._jvm import JavaName
from swiftwater._typing import NoReturn
from swiftwater.errors import NoJVMError

__all__ = [
    "GatewayParameters",
    "JavaClass",
    "JavaGateway",
    "JavaObject",
    "JavaPackage",
    "Py4JError",
    "Py4JJavaError",
    "Py4JNetworkError",
    "is_instance_of",
    "java_import",
]


class _NeedsJVM:
    def __init__(self, *arguments: object, **named: object) -> None:
        raise NoJVMError(f"{type(self).__name__}() needs a JVM, and Swiftwater has none")


class JavaGateway(_NeedsJVM):
    """The connection to a JVM; cannot be made."""


class GatewayParameters(_NeedsJVM):
    """The address of a JVM; cannot be made."""


class JavaObject(_NeedsJVM):
    """An object in a JVM; cannot be made."""


class JavaClass(_NeedsJVM):
    """A class in a JVM; cannot be made."""


JavaPackage = JavaName


def java_import(jvm_view: object, import_str: str) -> None:
    """Do nothing: the imported class raises an error where it is called."""


def is_instance_of(gateway: object, java_object: object, java_class: object) -> NoReturn:
    """Raise an error: there are no Java objects."""
    raise NoJVMError("is_instance_of() needs a JVM, and Swiftwater has none: use isinstance")
