"""Tries what no crash and no damage may do.

    python -m tests.durability crashes --kills 2000 --seed 1
    python -m tests.durability mutations --count 10000 --seed 1
    python -m tests.durability --long

Prints what does not hold, each with the line that repeats it, and ends with status 1 then.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.durability.crash_judge import GUARANTEED
from tests.durability.crash_run import Scenario, points, ran
from tests.durability.mutations import mutations

KILLS_EACH = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.durability", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["crashes", "mutations"])
    parser.add_argument("--kills", type=int, default=50, help="how many times jobs are killed")
    parser.add_argument("--count", type=int, default=300, help="how many mutations there are")
    parser.add_argument("--seed", type=int, default=1, help="of the first scenario, or mutation")
    parser.add_argument("--long", action="store_true", help="2000 kills and 10000 mutations")
    parser.add_argument("--all", action="store_true", help="also what nobody promises yet")
    parser.add_argument("--keep", type=Path, help="a folder for those of jobs that failed")
    given = parser.parse_args()
    if given.long:
        given.kills, given.count = 2000, 10000
    failed = False
    if given.what != "mutations":
        failed |= crashes(given)
    if given.what != "crashes":
        failed |= damage(given)
    return 1 if failed else 0


def crashes(given) -> bool:
    """Run scenarios; return whether something does not hold."""
    names = points()
    passed: Counter[str] = Counter()
    known: Counter[str] = Counter()
    failures = 0
    began = time.monotonic()
    seed, left = given.seed, given.kills
    while left > 0:
        count = min(KILLS_EACH, left)
        scenario = Scenario.drawn(seed, count, names)
        run, problems = ran(scenario, given.keep)
        passed.update(run.passed)
        counts = Counter(name for name, _ in problems)
        # The later ones mostly follow from the first.
        for name, text in dict(reversed(problems)).items():
            if GUARANTEED[name] is True or given.all:
                failures += 1
                print(f"{name} ({counts[name]} times), first: {text}", flush=True)
                print(f"    {repeats(seed, count)}", flush=True)
            else:
                known[name] += counts[name]
        seed, left = seed + 1, left - count
    never = [name for name in names if name not in passed]
    print(f"{given.kills} kills in {time.monotonic() - began:.0f} s, {failures} failures")
    print(f"killed at {dict(sorted(passed.items()))}, never at {never}")
    for name, times in sorted(known.items()):
        print(f"not promised yet: {name} ({times} times): {GUARANTEED[name]}")
    return failures > 0


def damage(given) -> bool:
    """Try damage to the folder of a job; return whether some is neither noticed nor harmless."""
    began = time.monotonic()
    failures = 0
    for seed, done, problem in mutations(given.seed, given.count):
        failures += 1
        print(f"{done}: {problem}", flush=True)
        print(
            f"    again: python -m tests.durability mutations --count 1 --seed {seed}", flush=True
        )
    print(f"{given.count} mutations in {time.monotonic() - began:.0f} s, {failures} failures")
    return failures > 0


def repeats(seed: int, count: int) -> str:
    return f"again: python -m tests.durability crashes --kills {count} --seed {seed}"


if __name__ == "__main__":
    sys.exit(main())
