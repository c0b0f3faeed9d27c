"""Runs random programs and PySpark's own examples on PySpark and on Swiftwater, and compares."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import shipped
from differences import Program, brief, broken, differences, listing, minimised
from engines import Engine, NotInstalledError, spark, swiftwater
from generate import program
from known import known, unknown

DESCRIPTION = "Runs the same programs on real PySpark and on Swiftwater, and compares the results."


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="scripts/compare", description=DESCRIPTION)
    add = result.add_argument
    add("--programs", metavar="N", type=int, default=100, help="random programs (100)")
    add("--seed", metavar="S", type=int, default=10_000, help="the first one's seed (10000)")
    add("--only", choices=("programs", "shipped"), help="one of the two parts")
    add(
        "--examples",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="the streaming examples of another release, beside the installed one's",
    )
    add("--small", action="store_true", help="make each program that differs smaller (slow)")
    return result


def compare_programs(theirs: Engine, ours: Engine, seeds: range, *, small: bool) -> int:
    """Compare random programs; how many differ."""
    programs = [program(seed) for seed in seeds]
    began = time.monotonic()
    found = list(ours.results(programs))
    print(f"{ours.name}: {len(programs)} programs in {time.monotonic() - began:.0f} s", flush=True)
    differing = 0
    explained: dict[str, int] = {}
    began = time.monotonic()
    for each, expected, result in zip(programs, theirs.results(programs), found, strict=True):
        if broken(expected):
            print(f"seed {each['seed']} is left out: {brief(expected)}", flush=True)
            continue
        all_of_them = differences(each, expected, result)
        rest = unknown(each, all_of_them)
        for difference in all_of_them:
            entry = known(each, difference)
            if entry is not None:
                explained[entry.name] = explained.get(entry.name, 0) + 1
        if rest:
            differing += 1
            print(f"\nDIFFERS: {listing(each)}\n{rest[0]}", flush=True)
            if small:
                print(f"as small as it gets: {smallest(each, theirs, ours)}", flush=True)
    print(f"{theirs.name}: {len(programs)} programs in {time.monotonic() - began:.0f} s")
    for name, count in sorted(explained.items()):
        print(f"known difference, {count} times: {name}")
    print(f"random programs: {len(programs) - differing} of {len(programs)} agree", flush=True)
    return differing


def smallest(each: Program, theirs: Engine, ours: Engine) -> str:
    """The listing of the smallest program that differs, with its first difference."""
    text = ""

    def which_differs(candidates: list[Program]) -> int | None:
        nonlocal text
        found = list(ours.results(candidates))
        results = theirs.results(candidates)
        for number, (candidate, expected, result) in enumerate(
            zip(candidates, results, found, strict=True)
        ):
            if not broken(expected):
                rest = unknown(candidate, differences(candidate, expected, result))
                if rest:
                    text = f"{listing(candidate)}\n{rest[0]}"
                    return number
        return None

    minimised(each, which_differs)
    return text or "the whole of it"


def main() -> None:
    """Compare, and end with status 1 where something differs."""
    options = parser().parse_args()
    try:
        theirs, ours = spark(), swiftwater()
    except NotInstalledError as error:
        sys.exit(f"scripts/compare: {error}")
    differing = 0
    if options.only != "shipped":
        seeds = range(options.seed, options.seed + options.programs)
        differing += compare_programs(theirs, ours, seeds, small=options.small)
    if options.only != "programs":
        differing += shipped.compare(theirs, ours, options.examples)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
