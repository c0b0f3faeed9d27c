"""Where PySpark starts its JVM. There is none here."""

from swiftwater._typing import NoReturn
from swiftwater.errors import NoJVMError

__all__ = ["launch_gateway"]


def launch_gateway(conf: object = None, popen_kwargs: object = None) -> NoReturn:
    """Raise an error: there is no JVM to start."""
    raise NoJVMError(
        "launch_gateway() starts a JVM, and Swiftwater has none: make a SparkContext instead"
    )
