"""What is computed once and kept."""

from __future__ import annotations

from swiftwater._native import engine
from swiftwater._rdd.core import RDDCore, T, T_co
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater.rdd import RDD
    from swiftwater.storagelevel import StorageLevel

__all__ = ["Keeping"]


class Keeping(RDDCore[T_co]):
    """Records kept in memory or in files."""

    def cache(self: Keeping[T]) -> RDD[T]:
        """Keep the records after the first action has computed them. Returns the RDD itself.

        Example::

            >>> squares = sc.parallelize(range(3)).map(lambda n: n * n).cache()
            >>> squares.is_cached
            True
        """
        return self.persist()

    def persist(self: Keeping[T], storageLevel: StorageLevel | None = None) -> RDD[T]:
        """Do what ``cache`` does; the RDD remembers the level, by default ``MEMORY_ONLY``.

        Records are kept in memory at every level. Another level than the one that the RDD has is
        an ``UnsupportedOperationException``: unpersist it first.

        Example::

            >>> from swiftwater.storagelevel import StorageLevel
            >>> print(sc.parallelize([1]).persist(StorageLevel.DISK_ONLY).getStorageLevel())
            Disk Serialized 1x Replicated
        """
        from swiftwater.storagelevel import StorageLevel as Level

        level = Level.MEMORY_ONLY if storageLevel is None else storageLevel
        if not isinstance(level, Level):
            raise TypeError(f"persist needs a StorageLevel, not {type(level).__name__}: {level!r}")
        if self._level is not None and self._level != level:
            from swiftwater.errors import UnsupportedOperationException

            raise UnsupportedOperationException(
                "Cannot change storage level of an RDD after it was already assigned a level"
            )
        if level != Level.NONE:
            engine.set_cached(self._live, True)
        self._level = level
        self.is_cached = True
        return self._itself

    def unpersist(self: Keeping[T], blocking: bool = False) -> RDD[T]:
        """Drop what ``cache`` has kept. Returns the RDD itself.

        Example::

            >>> sc.parallelize([1]).cache().unpersist().is_cached
            False
        """
        engine.set_cached(self._live, False)
        self._level = None
        self.is_cached = False
        return self._itself

    def getStorageLevel(self) -> StorageLevel:
        """Return the level that ``persist`` was given; ``NONE`` where it was not called.

        Example::

            >>> sc.parallelize([1]).cache().getStorageLevel()
            StorageLevel(False, True, False, False, 1)
        """
        from swiftwater.storagelevel import StorageLevel

        if self._level is not None:
            return self._level
        local = self._kept == "local"
        return StorageLevel.MEMORY_AND_DISK_DESER if local else StorageLevel.NONE

    def checkpoint(self) -> None:
        """Write the records to the context's checkpoint folder at the next action on them.

        From then on they are read from there, and what they were computed from is forgotten.
        Raises ``SparkException`` where ``SparkContext.setCheckpointDir`` was not called.

        Example::

            >>> sc.setCheckpointDir(tmp)
            >>> squares = sc.parallelize(range(3)).map(lambda n: n * n)
            >>> squares.checkpoint()
            >>> squares.sum(), squares.isCheckpointed()
            (5, True)
        """
        from swiftwater._rdd.kept import mark

        mark(self._itself, local=False)
        self.is_checkpointed = True

    def localCheckpoint(self) -> None:
        """Keep the records in memory at the next action on them, and forget their lineage.

        Example::

            >>> squares = sc.parallelize(range(3)).map(lambda n: n * n)
            >>> squares.localCheckpoint()
            >>> squares.sum(), squares.isLocallyCheckpointed()
            (5, True)
        """
        from swiftwater._rdd.kept import mark

        mark(self._itself, local=True)

    def isCheckpointed(self) -> bool:
        """Return whether the records are kept by ``checkpoint`` or ``localCheckpoint`` by now.

        Example::

            >>> sc.parallelize([1]).isCheckpointed()
            False
        """
        return self._is_settled

    def isLocallyCheckpointed(self) -> bool:
        """Return whether ``localCheckpoint`` was called.

        Example::

            >>> sc.parallelize([1]).isLocallyCheckpointed()
            False
        """
        return self._kept == "local"

    def getCheckpointFile(self) -> str | None:
        """Return the folder that ``checkpoint`` has written, as a ``file:`` URL.

        Example::

            >>> sc.parallelize([1]).getCheckpointFile() is None
            True
        """
        return self._checkpoint_file

    def _keep(self) -> None:
        """Keep the records, which an action has just computed."""
        from swiftwater._rdd.kept import keep

        keep(self._itself)
