"""What a checkpoint keeps of streams of files: which batch has which of them."""

from __future__ import annotations

import os

from swiftwater._native import engine
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._swiftwater import Handle

__all__ = ["chosen", "go_on"]


def chosen(stream: Handle, failed: list[int]) -> dict[str, Any]:
    """Return what a stream needs to choose the same files again.

    Of batches at the times ``failed``, which run again, also that they have none.
    """
    since_ms, batches = engine.chosen_files(stream, failed)
    return {"constructed_ms": since_ms, "batches": [[at_ms, paths] for at_ms, paths in batches]}


def go_on(stream: Handle, facts: dict[str, Any]) -> None:
    """Have a stream choose as the one that ``facts`` came from."""
    batches = [(at_ms, [os.fsencode(path) for path in paths]) for at_ms, paths in facts["batches"]]
    engine.restore_files(stream, facts["constructed_ms"], batches)
