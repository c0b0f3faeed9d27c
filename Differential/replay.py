"""Replays the recorded programs on Swiftwater and compares with what PySpark gave.

    python Differential/replay.py [--seed S] [--recorded FOLDER] [COMMAND ...]

COMMAND is a command line of Swiftwater (the release build's): ``python -m swiftwater``, say. Each
program that differs is printed with its seed, cut down to the first output that differs, the steps
that it stands on, and the batches up to there. ``scripts/compare --small --programs 1 --seed S``
makes it smaller still, with PySpark's help. Ends with status 1 where something differs, or where an
entry of ``known.py`` explains nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from differences import differences, focused, listing
from engines import NotInstalledError, swiftwater
from known import KNOWN, known
from record import RECORDED, recorded

SHOWN = 20  # programs


def main() -> None:
    """Replay."""
    parser = argparse.ArgumentParser(prog="replay.py", description="Replays recorded programs.")
    parser.add_argument("--seed", type=int, action="append", help="only the program of this seed")
    parser.add_argument("--recorded", type=Path, default=RECORDED, help="the folder (recorded/)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a command line of Swiftwater")
    options = parser.parse_args()
    try:
        engine = swiftwater(options.command or None)
    except NotInstalledError as error:
        sys.exit(f"replay.py: {error}")
    entries = [
        entry
        for entry in recorded(options.recorded)
        if not options.seed or entry[0]["seed"] in options.seed
    ]
    used = dict.fromkeys((entry.name for entry in KNOWN), 0)
    differing: list[int] = []
    found = engine.results([program for program, _ in entries])
    for (program, expected), result in zip(entries, found, strict=True):
        rest = []
        for difference in differences(program, expected, result):
            entry = known(program, difference)
            if entry is None:
                rest.append(difference)
            else:
                used[entry.name] += 1
        if rest:
            differing.append(program["seed"])
            if len(differing) <= SHOWN:
                print(f"DIFFERS: {listing(focused(program, rest))}\n{rest[0]}\n", flush=True)
    for name, times in used.items():
        print(f"known difference, {times} times: {name}")
    print(f"{len(entries) - len(differing)} of {len(entries)} programs agree with PySpark")
    if differing:
        print(f"seeds that differ: {', '.join(map(str, differing))}")
    whole = not options.seed and options.recorded == RECORDED
    unused = whole and not all(used.values())
    sys.exit(1 if differing or unused or not entries else 0)


if __name__ == "__main__":
    main()
