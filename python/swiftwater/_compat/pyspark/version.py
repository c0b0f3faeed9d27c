"""The version of Spark whose API this is."""

from swiftwater.context import SPARK_VERSION

__version__: str = SPARK_VERSION
