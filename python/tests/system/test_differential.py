"""Programs whose results real PySpark has given before: the same must come out here."""

import gzip
import json
import subprocess
import sys

from jobs import PYTHON, environment, require_host

FOLDER = PYTHON.parent / "Differential"


def replay(*arguments):
    return subprocess.run(
        [sys.executable, str(FOLDER / "replay.py"), *map(str, arguments)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_recorded_programs(door):
    done = replay(*door)
    assert done.returncode == 0, done.stdout + done.stderr


def recording(path, change):
    """Write the first recorded program that gives records, with another result."""
    with gzip.open(next(iter(sorted((FOLDER / "recorded").iterdir()))), "rt") as lines:
        head, *entries = map(json.loads, lines)
    for entry in entries:
        outputs = entry["result"].get("outputs", {})
        if entry["program"]["family"] == "stream" and any(map(change, outputs.values())):
            with gzip.open(path / "changed.json.gz", "wt") as file:
                file.write(f"{json.dumps(head)}\n{json.dumps(entry)}\n")
            return entry["program"]["seed"]
    raise AssertionError("no program has what is to be changed")


def longest(batches):
    """The partition with the most records, of all batches."""
    partitions = [part for batch in batches if isinstance(batch, list) for part in batch]
    return max(partitions, key=len, default=[])


def one_record_less(batches):
    part = longest(batches)
    return bool(part) and part.pop() is not Ellipsis


def other_order(batches):
    part = longest(batches)
    before = list(part)
    part.reverse()
    return part != before


def one_partition_more(batches):
    return isinstance(batches[0], list) and not batches[0].append([])


def test_a_difference_is_found(tmp_path):
    for change in (one_record_less, other_order, one_partition_more):
        seed = recording(tmp_path, change)
        done = replay("--recorded", tmp_path, require_host())
        assert done.returncode == 1, change
        assert f"seeds that differ: {seed}" in done.stdout
        assert f"DIFFERS: seed {seed}, family stream" in done.stdout
