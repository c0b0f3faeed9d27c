"""Names that a module of PySpark has only because it uses them; programs import them from there."""

from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["SERIALIZERS", "found_elsewhere"]

SERIALIZERS = dict.fromkeys(
    (
        "AutoBatchedSerializer", "BatchedSerializer", "CPickleSerializer", "CartesianDeserializer",
        "CloudPickleSerializer", "MarshalSerializer", "NoOpSerializer", "PairDeserializer",
        "PickleSerializer", "Serializer", "UTF8Deserializer",
    ),
    "pyspark.serializers",
)  # fmt: skip


def found_elsewhere(module: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a module: it takes each name from the module where it lives.

    Nothing is loaded before a program asks for it.
    """

    def found(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value: object = getattr(import_module(homes[name]), name)
        return value

    return found
