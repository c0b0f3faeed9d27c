"""PySpark's serializers by name. The engine uses none; ``dumps`` and ``loads`` work."""

import itertools
import marshal
import pickle
import struct
import zlib
from collections.abc import Iterable, Iterator

from swiftwater._typing import Any, BinaryIO

__all__ = [
    "AutoBatchedSerializer",
    "AutoSerializer",
    "BatchedSerializer",
    "CPickleSerializer",
    "CartesianDeserializer",
    "CloudPickleSerializer",
    "CompressedSerializer",
    "FramedSerializer",
    "MarshalSerializer",
    "NoOpSerializer",
    "PairDeserializer",
    "PickleSerializer",
    "Serializer",
    "UTF8Deserializer",
    "read_int",
    "read_long",
    "write_int",
    "write_long",
    "write_with_length",
]


class Serializer:
    """Turns values into bytes and back."""

    def dumps(self, obj: Any) -> bytes:
        """Return ``obj`` as bytes."""
        raise NotImplementedError

    def loads(self, obj: Any) -> Any:
        """Return the value of the bytes ``obj``."""
        raise NotImplementedError

    def dump_stream(self, iterator: Iterable[Any], stream: BinaryIO) -> None:
        """Write values, each behind its length."""
        for value in iterator:
            write_with_length(self.dumps(value), stream)

    def load_stream(self, stream: BinaryIO) -> Iterator[Any]:
        """Yield the values that ``dump_stream`` has written."""
        while len(head := stream.read(4)) == 4:
            yield self.loads(stream.read(struct.unpack("!i", head)[0]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class FramedSerializer(Serializer):
    """A serializer that writes each value behind its length."""


class PickleSerializer(FramedSerializer):
    """Python's ``pickle``."""

    def dumps(self, obj: Any) -> bytes:
        """Pickle."""
        return pickle.dumps(obj, pickle.HIGHEST_PROTOCOL)

    def loads(self, obj: Any, encoding: str = "bytes") -> Any:
        """Unpickle."""
        return pickle.loads(obj, encoding=encoding)


CPickleSerializer = PickleSerializer


class CloudPickleSerializer(FramedSerializer):
    """The package ``cloudpickle``, which also pickles functions by value."""

    def dumps(self, obj: Any) -> bytes:
        """Pickle."""
        import cloudpickle

        data: bytes = cloudpickle.dumps(obj)
        return data

    def loads(self, obj: Any, encoding: str = "bytes") -> Any:
        """Unpickle."""
        return pickle.loads(obj, encoding=encoding)


class MarshalSerializer(FramedSerializer):
    """Python's ``marshal``: quicker, for built-in types only."""

    def dumps(self, obj: Any) -> bytes:
        """Marshal."""
        return marshal.dumps(obj)

    def loads(self, obj: Any) -> Any:
        """Read what was marshalled."""
        return marshal.loads(obj)


class AutoSerializer(FramedSerializer):
    """``marshal`` where it can, ``pickle`` where it cannot; the first byte says which."""

    def dumps(self, obj: Any) -> bytes:
        """Write in the first of the two that takes the value."""
        try:
            return b"M" + marshal.dumps(obj)
        except ValueError:
            return b"P" + pickle.dumps(obj, -1)

    def loads(self, obj: Any) -> Any:
        """Read by the first byte."""
        kind, data = obj[:1], obj[1:]
        if kind == b"M":
            return marshal.loads(data)
        if kind == b"P":
            return pickle.loads(data)
        raise ValueError(f"invalid serialization type: {kind}")


class NoOpSerializer(FramedSerializer):
    """For values that are bytes already."""

    def dumps(self, obj: Any) -> bytes:
        """Return ``obj``."""
        data: bytes = obj
        return data

    def loads(self, obj: Any) -> Any:
        """Return ``obj``."""
        return obj


class UTF8Deserializer(Serializer):
    """Text in UTF-8; with ``use_unicode=False`` the bytes themselves."""

    def __init__(self, use_unicode: bool = True) -> None:
        """Say what ``loads`` returns."""
        self.use_unicode = use_unicode

    def dumps(self, obj: Any) -> bytes:
        """Encode."""
        return obj.encode() if isinstance(obj, str) else bytes(obj)

    def loads(self, obj: Any) -> Any:
        """Decode ``obj``: bytes, or a stream that has them behind their length."""
        data = obj.read(read_int(obj)) if hasattr(obj, "read") else obj
        return data.decode() if self.use_unicode else data

    def __repr__(self) -> str:
        return f"UTF8Deserializer({self.use_unicode})"


class _Wrapping(Serializer):
    """A serializer around another one."""

    def __init__(self, serializer: Serializer) -> None:
        """Take the other one."""
        self.serializer = serializer

    def dumps(self, obj: Any) -> bytes:
        """Write with the other one."""
        return self.serializer.dumps(obj)

    def loads(self, obj: Any) -> Any:
        """Read with the other one."""
        return self.serializer.loads(obj)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.serializer})"


class BatchedSerializer(_Wrapping):
    """Writes lists of ``batchSize`` values in place of single ones."""

    UNLIMITED_BATCH_SIZE = -1
    UNKNOWN_BATCH_SIZE = 0

    def __init__(self, serializer: Serializer, batchSize: int = UNLIMITED_BATCH_SIZE) -> None:
        """Take the serializer for the lists."""
        super().__init__(serializer)
        self.batchSize = batchSize

    def dump_stream(self, iterator: Iterable[Any], stream: BinaryIO) -> None:
        """Write lists of values."""
        values = iter(iterator)
        size = self.batchSize if self.batchSize > 0 else None
        while batch := list(itertools.islice(values, size)):
            write_with_length(self.dumps(batch), stream)

    def load_stream(self, stream: BinaryIO) -> Iterator[Any]:
        """Yield the values of the lists."""
        return itertools.chain.from_iterable(super().load_stream(stream))


class AutoBatchedSerializer(BatchedSerializer):
    """A ``BatchedSerializer`` whose lists have a thousand values."""

    def __init__(self, serializer: Serializer, bestSize: int = 1 << 16) -> None:
        """Take the serializer for the lists."""
        super().__init__(serializer, 1000)
        self.bestSize = bestSize


class CompressedSerializer(_Wrapping):
    """Compresses what another serializer writes."""

    def dumps(self, obj: Any) -> bytes:
        """Write and compress."""
        return zlib.compress(self.serializer.dumps(obj), 1)

    def loads(self, obj: Any) -> Any:
        """Decompress and read."""
        return self.serializer.loads(zlib.decompress(obj))


class PairDeserializer(Serializer):
    """The pairs of what two serializers write."""

    def __init__(self, key_ser: Serializer, val_ser: Serializer) -> None:
        """Take both."""
        self.key_ser = key_ser
        self.val_ser = val_ser

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key_ser}, {self.val_ser})"


class CartesianDeserializer(PairDeserializer):
    """All pairs of what two serializers write."""


def read_int(stream: BinaryIO) -> int:
    """Read four bytes. Raises ``EOFError`` at the end."""
    data = stream.read(4)
    if not data:
        raise EOFError
    number: int = struct.unpack("!i", data)[0]
    return number


def write_int(value: int, stream: BinaryIO) -> None:
    """Write four bytes."""
    stream.write(struct.pack("!i", value))


def read_long(stream: BinaryIO) -> int:
    """Read eight bytes. Raises ``EOFError`` at the end."""
    data = stream.read(8)
    if not data:
        raise EOFError
    number: int = struct.unpack("!q", data)[0]
    return number


def write_long(value: int, stream: BinaryIO) -> None:
    """Write eight bytes."""
    stream.write(struct.pack("!q", value))


def write_with_length(obj: bytes, stream: BinaryIO) -> None:
    """Write bytes behind their length."""
    write_int(len(obj), stream)
    stream.write(obj)
