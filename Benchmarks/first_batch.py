"""From nothing to the first batch's output: what `start` and `memory` measure."""

from __future__ import annotations

from dataclasses import dataclass

from engines import Engine
from harness import Options, Sender, say
from processes import Child, printed_batches, resident_megabytes

PATIENCE_SECONDS = 60
INTERVAL = "0.1"


@dataclass(frozen=True)
class FirstBatch:
    """One start."""

    milliseconds: float
    megabytes: float


def first_batches(name: str, options: Options, engine: Engine) -> list[FirstBatch]:
    """Starts the word count over a socket as often as asked for.

    The time runs from the start of the process to the last line of the first batch, as the
    reader of a pipe sees it; the memory is that of the whole process tree right after it.
    """
    found: list[FirstBatch] = []
    for number in range(1, options.runs + 1):
        with Sender("pace", 10, INTERVAL, 100_000) as sender:
            command = engine.run("network_wordcount.py", "127.0.0.1", sender.port, INTERVAL)
            with Child(command, engine.environment) as child:
                batch = next(printed_batches(child, PATIENCE_SECONDS))
                megabytes = resident_megabytes(child.pid)
                found.append(FirstBatch((batch.at - child.started) * 1000, megabytes))
        say(
            f"{name}: {engine.name}, run {number} of {options.runs}: "
            f"{found[-1].milliseconds:.0f} ms, {found[-1].megabytes:.1f} MB"
        )
    return found
