"""The events that listeners are given. All is read by methods, as PySpark's programs do."""

from __future__ import annotations

from swiftwater._typing import Any
from swiftwater.streaming._java import Time

__all__ = [
    "BatchEvent",
    "BatchInfo",
    "OutputOperationEvent",
    "OutputOperationInfo",
    "ReceiverEvent",
    "ReceiverInfo",
    "StreamInputInfo",
    "StreamingStarted",
    "event",
]


class StreamingStarted:
    """The context has started."""

    def __init__(self, time_ms: int) -> None:
        """Take the time."""
        self._time_ms = time_ms

    def time(self) -> int:
        """Return when, in milliseconds since the epoch."""
        return self._time_ms


class ReceiverInfo:
    """What is known of a receiver."""

    def __init__(self, row: tuple[int, str, bool, str, str | None, str | None, int]) -> None:
        """Take the engine's row."""
        self._row = row

    def streamId(self) -> int:
        """Return the number of its stream."""
        return self._row[0]

    def name(self) -> str:
        """Return its name."""
        return self._row[1]

    def active(self) -> bool:
        """Return whether it receives."""
        return self._row[2]

    def location(self) -> str:
        """Return where it runs."""
        return self._row[3]

    def executorId(self) -> str:
        """Return what runs it."""
        return "driver"

    def lastErrorMessage(self) -> str:
        """Return what it said at its last error; empty where there was none."""
        return self._row[4] or ""

    def lastError(self) -> str:
        """Return its last error; empty where there was none."""
        return self._row[5] or ""

    def lastErrorTime(self) -> int:
        """Return when that was."""
        return self._row[6]


class ReceiverEvent:
    """Something happened to a receiver."""

    def __init__(self, info: ReceiverInfo) -> None:
        """Take what is known of it."""
        self._info = info

    def receiverInfo(self) -> ReceiverInfo:
        """Return what is known of the receiver."""
        return self._info


class StreamInputInfo:
    """How much a source has given to a batch."""

    def __init__(self, row: tuple[int, int, str | None]) -> None:
        """Take the engine's row."""
        self._row = row

    def inputStreamId(self) -> int:
        """Return the number of the stream."""
        return self._row[0]

    def numRecords(self) -> int:
        """Return the number of records."""
        return self._row[1]

    def metadata(self) -> dict[str, str]:
        """Return what else is known, by name."""
        description = self.metadataDescription()
        return {"Description": description} if description else {}

    def metadataDescription(self) -> str | None:
        """Return what else is known, as a text."""
        return self._row[2] or None


class OutputOperationInfo:
    """An output of a batch."""

    def __init__(self, row: tuple[int, int, str, str, int, int, str | None]) -> None:
        """Take the engine's row."""
        self._row = row

    def batchTime(self) -> Time:
        """Return the time of the batch."""
        return Time(self._row[0])

    def id(self) -> int:
        """Return the output's number among those of the context."""
        return self._row[1]

    def name(self) -> str:
        """Return the operator."""
        return self._row[2]

    def description(self) -> str:
        """Return the operator and the place of its call."""
        return self._row[3]

    def startTime(self) -> int:
        """Return when it began."""
        return self._row[4]

    def endTime(self) -> int:
        """Return when it was over."""
        return self._row[5]

    def failureReason(self) -> str | None:
        """Return what went wrong; ``None`` where nothing did."""
        return self._row[6]


class OutputOperationEvent:
    """An output has begun, or is over."""

    def __init__(self, info: OutputOperationInfo) -> None:
        """Take what is known of it."""
        self._info = info

    def outputOperationInfo(self) -> OutputOperationInfo:
        """Return what is known of the output."""
        return self._info


class BatchInfo:
    """A batch."""

    def __init__(self, row: tuple[int, int, int, int, list[Any], list[Any]]) -> None:
        """Take the engine's row."""
        self._time_ms, self._submitted, self._began, self._ended, inputs, outputs = row
        self._inputs = {each[0]: StreamInputInfo(each) for each in inputs}
        self._outputs = {each[1]: OutputOperationInfo(each) for each in outputs}

    def batchTime(self) -> Time:
        """Return the batch time."""
        return Time(self._time_ms)

    def submissionTime(self) -> int:
        """Return when it began to wait."""
        return self._submitted

    def processingStartTime(self) -> int:
        """Return when its first output began."""
        return self._began

    def processingEndTime(self) -> int:
        """Return when its last output was over."""
        return self._ended

    def schedulingDelay(self) -> int:
        """Return how long it waited."""
        return _difference(self._submitted, self._began)

    def processingDelay(self) -> int:
        """Return how long its outputs took."""
        return _difference(self._began, self._ended)

    def totalDelay(self) -> int:
        """Return how long both took."""
        return _difference(self._submitted, self._ended)

    def numRecords(self) -> int:
        """Return the number of records from all sources that count them."""
        return sum(each.numRecords() for each in self._inputs.values())

    def streamIdToInputInfo(self) -> dict[int, StreamInputInfo]:
        """Return what each source has given, by the number of its stream."""
        return self._inputs

    def outputOperationInfos(self) -> dict[int, OutputOperationInfo]:
        """Return the outputs, by their numbers."""
        return self._outputs


class BatchEvent:
    """A batch waits, has begun, or is over."""

    def __init__(self, info: BatchInfo) -> None:
        """Take what is known of it."""
        self._info = info

    def batchInfo(self) -> BatchInfo:
        """Return what is known of the batch."""
        return self._info


def _difference(begin_ms: int, end_ms: int) -> int:
    return -1 if begin_ms < 0 or end_ms < 0 else end_ms - begin_ms


def event(kind: str, row: Any) -> Any:
    """Return what a listener gets for an event of the engine."""
    if kind == "streamingStarted":
        return StreamingStarted(row)
    if kind.startswith("receiver"):
        return ReceiverEvent(ReceiverInfo(row))
    if kind.startswith("batch"):
        return BatchEvent(BatchInfo(row))
    return OutputOperationEvent(OutputOperationInfo(row))
