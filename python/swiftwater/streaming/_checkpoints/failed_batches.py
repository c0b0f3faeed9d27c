"""Batches of which an output has failed: they run again when the job is recovered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swiftwater._typing import Any
from swiftwater.streaming._checkpoints import format as files

__all__ = ["FailedBatches"]

# As many batches wait at most, and so many bytes of what they need are kept.
_MOST_BATCHES = 1000
_MOST_BYTES = 256 << 20

Row = dict[str, Any]


class FailedBatches:
    """Which outputs of which batches have failed, and where the data is that they need.

    Of a batch that runs again its failed outputs do, and no others: those have had their result.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._batches: dict[int, tuple[list[int], list[Row]]] = {}
        # The input of batches that will run again with all of their outputs.
        self._ahead: dict[int, tuple[list[int], list[Row]]] = {}
        # The bytes of the files that were written for them.
        self._sizes: dict[str, int] = {}

    def __contains__(self, time_ms: int) -> bool:
        """Return whether the batch at a time has failed."""
        return time_ms in self._batches

    def add(self, time_ms: int, outputs: list[int], data: list[Row]) -> None:
        """Note a batch with the numbers of its failed outputs and the rows of its data."""
        self._batches[time_ms] = (outputs, data)

    def failed_again(self, time_ms: int, outputs: list[int]) -> None:
        """Note which outputs of a batch that ran again have failed. Its data is as it was."""
        self._batches[time_ms] = (outputs, self._batches[time_ms][1])

    def has_run(self, time_ms: int) -> None:
        """Forget a batch whose outputs have had their result."""
        self._batches.pop(time_ms, None)

    @property
    def times(self) -> list[int]:
        """The times of all."""
        return list(self._batches)

    @property
    def oldest_ms(self) -> int | None:
        """The time of the oldest one."""
        return min(self._batches, default=None)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all data."""
        for _, data in self._batches.values():
            yield from data
        for _, data in self._ahead.values():
            yield from data

    def is_over(self, time_ms: int) -> None:
        """Forget the input of batches until a time: they have run."""
        self._ahead = {at_ms: batch for at_ms, batch in self._ahead.items() if at_ms > time_ms}

    @property
    def most_bytes(self) -> int:
        """So many bytes are kept at most."""
        return _MOST_BYTES

    # --- their bound --------------------------------------------------------------------------

    def has_written(self, file: str, size: int) -> None:
        """Note the size of a file that was written for them."""
        self._sizes[file] = size

    def given_up(self) -> list[int]:
        """Forget the oldest ones beyond the bound; return their times."""
        gone = []
        while self._batches and (len(self._batches) > _MOST_BATCHES or self._bytes() > _MOST_BYTES):
            oldest = min(self._batches)
            del self._batches[oldest]
            gone.append(oldest)
        return gone

    def _bytes(self) -> int:
        named = files.named_in(self.rows())
        self._sizes = {file: size for file, size in self._sizes.items() if file in named}
        return sum(self._sizes.values())

    # --- in a checkpoint ----------------------------------------------------------------------

    def facts(self) -> list[dict[str, Any]]:
        """Return what a checkpoint says of them."""
        return [
            {"time_ms": time_ms, "outputs": outputs, "data": data}
            for time_ms, (outputs, data) in sorted({**self._ahead, **self._batches}.items())
        ]

    def go_on(self, facts: Iterable[dict[str, Any]], data_ms: int) -> None:
        """Begin with what a checkpoint has said that goes on behind ``data_ms``.

        What has failed behind that runs as if for the first time; its input is kept until it has.
        """
        for batch in facts:
            if batch["time_ms"] <= data_ms:
                self.add(batch["time_ms"], batch["outputs"], batch["data"])
            else:
                inputs = [
                    row
                    for row in batch["data"]
                    if row["parent"] == "input" and row["time_ms"] > data_ms
                ]
                self._ahead[batch["time_ms"]] = (batch["outputs"], inputs)
