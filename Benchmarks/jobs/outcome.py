"""How a counting script reports what it counted and when."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def write(path: str, started: float, ended: float, counts: Mapping[str, int]) -> None:
    """Times are of the monotonic clock, which all processes of a machine share."""
    text = "".join(f"{word} {count}\n" for word, count in sorted(counts.items()))
    report = {
        "started": started,
        "ended": ended,
        "words": sum(counts.values()),
        "distinct": len(counts),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
    Path(path).write_text(json.dumps(report))
