"""What one output does at one batch time, by name."""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["BatchIdentity"]


class BatchIdentity:
    """Names what one output does at one batch time.

    It is the same for a batch that runs again, also in another process: who writes it down in the
    same step with what the batch has written can tell later that the batch is done. ``job`` is the
    job's name (``spark.app.name``), ``output`` the output's within the job, and ``time_ms`` the
    batch time in milliseconds since 1970. ``str`` gives all three as one text.

    Example::

        >>> from swiftwater.streaming import BatchIdentity
        >>> batch = BatchIdentity("counts", "foreachRDDOnce-1", 1893456001000)
        >>> str(batch)
        'counts/foreachRDDOnce-1/1893456001000'
    """

    __slots__ = ("job", "output", "time_ms")

    def __init__(self, job: str, output: str, time_ms: int) -> None:
        """Name a batch. Programs are given such names."""
        self.job = job
        self.output = output
        self.time_ms = time_ms

    @property
    def time(self) -> datetime:
        """The batch time as the functions of ``foreachRDD`` are given it, local.

        Example::

            >>> BatchIdentity("counts", "foreachRDDOnce-1", 1893456001000).time.second
            1
        """
        from datetime import datetime

        return datetime.fromtimestamp(self.time_ms / 1000.0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BatchIdentity) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"{self.job}/{self.output}/{self.time_ms}"

    def __repr__(self) -> str:
        return f"BatchIdentity({self.job!r}, {self.output!r}, {self.time_ms})"
