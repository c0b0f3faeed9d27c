"""How a counting script reports what it counted and when."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def write(path: str, started: float, ended: float, counts: Mapping[str, int]) -> None:
    """Times are of the monotonic clock, which all processes of a machine share."""
    write_results(path, started, ended, counts, sum(counts.values()))


def write_results(
    path: str, started: float, ended: float, results: Mapping[str, object], words: int
) -> None:
    """The same for other results than counts; `words` is how much was counted in all."""
    text = "".join(f"{key} {result}\n" for key, result in sorted(results.items()))
    report = {
        "started": started,
        "ended": ended,
        "words": words,
        "distinct": len(results),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
    Path(path).write_text(json.dumps(report))
