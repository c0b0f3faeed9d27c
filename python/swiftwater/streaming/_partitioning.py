"""How a stream's RDDs are partitioned: known, so that unions and joins need not shuffle again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from swiftwater._native import engine
from swiftwater.rdd import Partitioner, portable_hash

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle
    from swiftwater.context import SparkContext

__all__ = ["Partitioning", "partitioner", "united"]


def partitioner(partitions: int, function: Callable[[Any], int] = portable_hash) -> Partitioner:
    """Return what RDDs of so many partitions know of how their keys are placed."""
    return Partitioner(partitions, function)


class Partitioning:
    """The partitioner of a stream's RDD at each batch time (``None``: it has none)."""

    __slots__ = ("_always", "_at", "_reach_ms")

    def __init__(self, always: Partitioner | None = None) -> None:
        """Say that every RDD has the partitioner ``always``."""
        self._always = always
        # Of RDDs that a user's function made: only it knows.
        self._at: dict[int, Partitioner] = {}
        self._reach_ms = 0

    def at(self, time_ms: int) -> Partitioner | None:
        """Return the partitioner of the RDD at a batch time."""
        return self._always if self._always is not None else self._at.get(time_ms)

    def look_back(self, reach_ms: int) -> None:
        """Remember at least the partitioners of so many milliseconds."""
        self._reach_ms = max(self._reach_ms, reach_ms)

    def note(self, time_ms: int, partitioner: Partitioner | None) -> None:
        """Note what the RDD at a batch time has turned out to have."""
        if partitioner is not None:
            self._at[time_ms] = partitioner
        if self._at:
            for old in [time for time in self._at if time < time_ms - self._reach_ms]:
                del self._at[old]


def _common(partitioners: Iterator[Partitioner | None]) -> Partitioner | None:
    """Return the one partitioner that all have, else ``None``."""
    first = next(partitioners, None)
    if first is None or any(other != first for other in partitioners):
        return None
    return first


def united(
    sc: SparkContext, rdds: Sequence[tuple[Handle, Partitioner | None]], name: str
) -> tuple[Handle, Partitioner | None]:
    """Return the union of RDDs, each given with its partitioner, and the partitioner of that.

    Spark: where all have the same one, partition ``i`` of the union has the records of all
    partitions ``i``. RDDs without partitions do not count.
    """
    filled = [(rdd, known) for rdd, known in rdds if engine.partition_count(rdd) > 0]
    common = _common(known for _, known in filled)
    if common is None:
        return _concatenated(sc, [rdd for rdd, _ in rdds]), None
    if len(filled) == 1:
        return filled[0]
    plan = [
        [(number, partition) for number in range(len(filled))]
        for partition in range(engine.partition_count(filled[0][0]))
    ]
    handles = [rdd for rdd, _ in filled]
    return engine.lay_out(sc._engine, handles, plan, name), common


def _concatenated(sc: SparkContext, rdds: Sequence[Handle]) -> Handle:
    if not rdds:
        return sc.emptyRDD()._handle
    return rdds[0] if len(rdds) == 1 else engine.union(sc._engine, rdds)
