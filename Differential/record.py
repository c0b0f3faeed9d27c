"""Records what real PySpark gives for random programs, for the test that replays them.

    SWIFTWATER_BENCH_PYSPARK=PYTHON python Differential/record.py [--programs N] [--seed S]
        [--twice]
    SWIFTWATER_BENCH_PYSPARK=PYTHON python Differential/record.py --again [SEED ...]

Writes ``recorded/programs-<first seed>.json.gz``: a line of JSON for the version of PySpark and for
each program with its result. With ``--twice`` every program runs two times, and one whose results
are not the same both times is left out and named. ``--again`` runs recorded programs again (all,
or those of the seeds), names those whose results are not what they were, and records the new ones.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from differences import broken, differences, listing
from engines import FOLDER, Engine, NotInstalledError, spark
from generate import program

RECORDED = FOLDER / "recorded"
A_FILE = 100  # programs


def recorded(folder: Path = RECORDED) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The recorded programs with PySpark's results."""
    for path in sorted(folder.glob("*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            next(lines)
            for line in lines:
                entry = json.loads(line)
                yield entry["program"], entry["result"]


def write(path: Path, version: str, entries: list[dict[str, Any]]) -> None:
    """Write a file of recorded programs."""
    lines = [{"pyspark": version}, *entries]
    text = "".join(
        json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines
    )
    # Without the time, so that the same recording gives the same file.
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def record_again(engine: Engine, seeds: list[int]) -> None:
    """Run recorded programs once more and keep the new results."""
    for path in sorted(RECORDED.glob("*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            version = json.loads(next(lines))["pyspark"]
            entries = [json.loads(line) for line in lines]
        chosen = [entry for entry in entries if not seeds or entry["program"]["seed"] in seeds]
        results = engine.results([entry["program"] for entry in chosen])
        changed = 0
        for entry, result in zip(chosen, results, strict=True):
            found = differences(entry["program"], entry["result"], result)
            if found and not broken(result):
                changed += 1
                print(f"not as before: {listing(entry['program'])}\n{found[0]}", flush=True)
                entry["result"] = result
        print(f"{path.name}: {changed} of {len(chosen)} programs are not as before", flush=True)
        if changed:
            write(path, version, entries)


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser(description="Records PySpark's results of random programs.")
    parser.add_argument("--programs", type=int, default=500, help="how many (500)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--twice", action="store_true", help="leave out what is not stable")
    parser.add_argument("--again", type=int, nargs="*", metavar="SEED", help="run them once more")
    options = parser.parse_args()
    try:
        engine = spark()
    except NotInstalledError as error:
        sys.exit(f"record.py: {error}")
    if options.again is not None:
        record_again(engine, options.again)
        return
    RECORDED.mkdir(exist_ok=True)
    for first in range(options.seed, options.seed + options.programs, A_FILE):
        last = min(first + A_FILE, options.seed + options.programs)
        programs = [program(seed) for seed in range(first, last)]
        results = list(engine.results(programs))
        again = list(engine.results(programs)) if options.twice else results
        kept = []
        for each, one, other in zip(programs, results, again, strict=True):
            if broken(one) or broken(other):
                print(f"left out, broken: {one.get('broken')}\n{listing(each)}", flush=True)
            elif one != other:
                found = differences(each, one, other)
                print(f"left out, not stable: {listing(each)}\n{found[0]}", flush=True)
            else:
                kept.append({"program": each, "result": one})
        path = RECORDED / f"programs-{first:05}.json.gz"
        write(path, engine.version, kept)
        print(f"{path.name}: {len(kept)} of {len(programs)} programs", flush=True)


if __name__ == "__main__":
    main()
