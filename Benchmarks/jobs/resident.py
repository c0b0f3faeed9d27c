"""Resident memory of this process and its descendants."""

import contextlib
import os
from pathlib import Path


def resident_megabytes():
    """In millions of bytes."""
    kilobytes = 0
    tree = [os.getpid()]
    for member in tree:
        with contextlib.suppress(OSError):
            folder = Path("/proc", str(member))
            for children in folder.glob("task/*/children"):
                tree += map(int, children.read_text().split())
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6
