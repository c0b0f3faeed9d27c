"""StorageLevel: where a program would like the records of an RDD to be kept."""

from __future__ import annotations

from swiftwater._typing import ClassVar

__all__ = ["StorageLevel"]


class StorageLevel:
    """Where records are kept after ``RDD.persist``: the constants are Spark's.

    The engine keeps records in memory, once, as they are. So every level but ``NONE`` means the
    same to it; an RDD remembers its level and shows it.

    Example::

        >>> print(StorageLevel.MEMORY_AND_DISK_2)
        Disk Memory Serialized 2x Replicated
    """

    NONE: ClassVar[StorageLevel]
    DISK_ONLY: ClassVar[StorageLevel]
    DISK_ONLY_2: ClassVar[StorageLevel]
    DISK_ONLY_3: ClassVar[StorageLevel]
    MEMORY_ONLY: ClassVar[StorageLevel]
    MEMORY_ONLY_2: ClassVar[StorageLevel]
    MEMORY_AND_DISK: ClassVar[StorageLevel]
    MEMORY_AND_DISK_2: ClassVar[StorageLevel]
    MEMORY_AND_DISK_DESER: ClassVar[StorageLevel]
    OFF_HEAP: ClassVar[StorageLevel]
    # Names of Spark 2, which mean the levels without "SER".
    MEMORY_ONLY_SER: ClassVar[StorageLevel]
    MEMORY_ONLY_SER_2: ClassVar[StorageLevel]
    MEMORY_AND_DISK_SER: ClassVar[StorageLevel]
    MEMORY_AND_DISK_SER_2: ClassVar[StorageLevel]

    __slots__ = ("deserialized", "replication", "useDisk", "useMemory", "useOffHeap")

    def __init__(
        self,
        useDisk: bool,
        useMemory: bool,
        useOffHeap: bool,
        deserialized: bool,
        replication: int = 1,
    ) -> None:
        """Make a level of its parts."""
        self.useDisk = useDisk
        self.useMemory = useMemory
        self.useOffHeap = useOffHeap
        self.deserialized = deserialized
        self.replication = replication

    def _parts(self) -> tuple[bool, bool, bool, bool, int]:
        return (
            self.useDisk,
            self.useMemory,
            self.useOffHeap,
            self.deserialized,
            self.replication,
        )

    def __repr__(self) -> str:
        """Return the call that makes this level."""
        return f"StorageLevel{self._parts()}"

    def __str__(self) -> str:
        """Return the level in Spark's words."""
        words = [
            *(["Disk"] if self.useDisk else []),
            *(["Memory"] if self.useMemory else []),
            *(["OffHeap"] if self.useOffHeap else []),
            "Deserialized" if self.deserialized else "Serialized",
            f"{self.replication}x Replicated",
        ]
        return " ".join(words)

    def __eq__(self, other: object) -> bool:
        """Return whether two levels have the same parts."""
        return isinstance(other, StorageLevel) and self._parts() == other._parts()

    def __hash__(self) -> int:
        """Return a hash of the parts."""
        return hash(self._parts())


StorageLevel.NONE = StorageLevel(False, False, False, False)
StorageLevel.DISK_ONLY = StorageLevel(True, False, False, False)
StorageLevel.DISK_ONLY_2 = StorageLevel(True, False, False, False, 2)
StorageLevel.DISK_ONLY_3 = StorageLevel(True, False, False, False, 3)
StorageLevel.MEMORY_ONLY = StorageLevel(False, True, False, False)
StorageLevel.MEMORY_ONLY_2 = StorageLevel(False, True, False, False, 2)
StorageLevel.MEMORY_AND_DISK = StorageLevel(True, True, False, False)
StorageLevel.MEMORY_AND_DISK_2 = StorageLevel(True, True, False, False, 2)
StorageLevel.MEMORY_AND_DISK_DESER = StorageLevel(True, True, False, True)
StorageLevel.OFF_HEAP = StorageLevel(True, True, True, False)
StorageLevel.MEMORY_ONLY_SER = StorageLevel.MEMORY_ONLY
StorageLevel.MEMORY_ONLY_SER_2 = StorageLevel.MEMORY_ONLY_2
StorageLevel.MEMORY_AND_DISK_SER = StorageLevel.MEMORY_AND_DISK
StorageLevel.MEMORY_AND_DISK_SER_2 = StorageLevel.MEMORY_AND_DISK_2
