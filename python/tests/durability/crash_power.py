"""What a loss of power does to a checkpoint folder: what was not forced to the disk is gone."""

from __future__ import annotations

import struct
from pathlib import Path

FRAME = struct.Struct("<4sII")
MAGIC = b"SWLOG\r\n\x01"
# The kinds of events that are forced to the disk before the job goes on, by their first byte:
# all that earlier files say, a job begins, a batch is planned, blocks are given to a batch.
FORCED = (1, 2, 3, 4)


def lose_power(folder: Path) -> int:
    """Have the newest checkpoint and the end of the batch log be gone.

    A checkpoint is renamed, and its new name is forced to the disk with the next data only. Return
    how many notes of outputs that had committed are gone with it: those may run again.
    """
    checkpoints = sorted(folder.glob("checkpoint-*"), key=number_of)
    if len(checkpoints) > 1:
        checkpoints[-1].unlink()
    logs = sorted(folder.glob("batches-*"), key=number_of)
    return cut(logs[-1]) if logs else 0


def number_of(path):
    return int(path.name.rpartition("-")[2])


def cut(path: Path) -> int:
    """Cut a batch log behind what was forced to the disk; return how many outputs it had noted."""
    content = path.read_bytes()
    if not content.startswith(MAGIC):
        return 0
    place = end = len(MAGIC)
    noted = number = 0
    while place + FRAME.size <= len(content):
        _, length, _ = FRAME.unpack_from(content, place)
        kind = content[place + FRAME.size] if length else 0
        place += FRAME.size + length
        number += 1
        # The first one is the name.
        if number == 1 or kind in FORCED:
            end, noted = place, 0
        else:
            noted += kind == 5
    path.write_bytes(content[:end])
    return noted
