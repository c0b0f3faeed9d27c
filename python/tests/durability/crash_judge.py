"""What must hold after a job was killed again and again, and went on each time."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.durability.crash_model import expected, mapped_problem

SOURCES = ("files", "socket")
DERIVED = ("window", "inverse", "state", "mapped")
LINE_IN_LOG = re.compile(rb"s\d+\.\d+ [a-e] [1-9]")

# What a recovery promises today: True, or why not. What is not promised is counted and told, and
# fails nothing; whoever builds what it waits for switches it on.
GUARANTEED: dict[str, bool | str] = {
    "files: nothing is lost": True,
    "files: nothing comes twice": True,
    "files: a batch that runs again has the same lines": True,
    "files: windows and states are those of the lines": True,
    "files: folders hold the lines": True,
    "files: tables hold the lines": True,
    "files: what failed runs again": True,
    "socket: nothing is lost that was taken in": True,
    "socket: nothing comes twice": True,
    "socket: no gap before what came": True,
    "socket: a batch that runs again has the same lines": True,
    "socket: windows and states are those of the lines": True,
    "socket: folders hold the lines": True,
    "socket: tables hold the lines": True,
    "socket: what failed runs again": True,
    "no batch time is missing": True,
    "what had committed does not run again": True,
    "nothing unfinished is left": True,
    "the log has no error": True,
    "the job ends as it is told": True,
}


@dataclass
class Given:
    """What a scenario has given to the job, and seen of it."""

    folder: Path
    interval_ms: int
    window: int
    slide: int
    kills: int = 0
    # Notes that a loss of power has taken.
    repeated: int = 0
    # There are outputs that fail.
    fails: bool = False
    files: list[str] = field(default_factory=list)
    # Of each connection, the lines in their order.
    socket: list[list[str]] = field(default_factory=list)
    # Lines of the socket that were in a log or an output when a process was killed.
    taken: set[str] = field(default_factory=set)
    problems: list[tuple[str, str]] = field(default_factory=list)


def query(folder: Path, *queries: str):
    """Return what the database of the outputs answers, all at one moment."""
    database = sqlite3.connect(f"file:{folder}/out.db?mode=ro", uri=True, isolation_level=None)
    try:
        database.execute("BEGIN")
        return [database.execute(text).fetchall() for text in queries]
    finally:
        database.close()


class Outputs:
    """What the outputs have written."""

    def __init__(self, folder: Path):
        batches, records, again = query(
            folder,
            "SELECT output, time FROM batches ORDER BY time",
            "SELECT output, time, record FROM records ORDER BY record",
            "SELECT output, time, first, now FROM again ORDER BY time",
        )
        self.batches: dict[str, dict[int, list[str]]] = {}
        for output, time in batches:
            self.batches.setdefault(output, {})[time] = []
        for output, time, record in records:
            self.batches[output][time].append(record)
        self.again = [
            (output, time, json.loads(first), json.loads(now)) for output, time, first, now in again
        ]

    def lines(self, source):
        return {
            time: [json.loads(record) for record in records]
            for time, records in self.batches.get(f"{source} lines", {}).items()
        }


def has_outputs(folder: Path) -> bool:
    """Return whether the database is there, with its tables."""
    if not (folder / "out.db").exists():
        return False
    (found,) = query(folder, "SELECT 1 FROM sqlite_master WHERE name = 'again'")
    return bool(found)


def taken_in(folder: Path):
    """Return the lines of the socket that a killed process has left in its logs."""
    found = set()
    for path in (folder / "checkpoint").rglob("*"):
        if path.is_file():
            found.update(match.decode() for match in LINE_IN_LOG.findall(path.read_bytes()))
    return found


def judged(given: Given) -> list[tuple[str, str]]:
    """Return what does not hold: the expectation, and how it shows."""
    if not has_outputs(given.folder):
        return [*given.problems, ("files: nothing is lost", "there is no output at all")]
    outputs = Outputs(given.folder)
    problems = [*given.problems]
    problems += _times(outputs, given)
    problems += _lines(outputs, given)
    for source in SOURCES:
        problems += _derived(outputs, source, given)
        problems += _texts(outputs, source, given)
        problems += _rows(outputs, source, given)
        problems += _failing(outputs, source, given)
    problems += _again(outputs, given)
    problems += _left(given)
    return problems


def _times(outputs, given):
    name = "no batch time is missing"
    batches = outputs.batches
    first = min(time for times in batches.values() for time in times)
    last = max(time for times in batches.values() for time in times)
    for source in SOURCES:
        for output in ("lines", *DERIVED, *["failing"] * given.fails):
            step = given.interval_ms
            begin = first
            if output in ("window", "inverse"):
                step *= given.slide
                begin = first - given.interval_ms + step
            wanted = set(range(begin, last + 1, step))
            have = set(batches.get(f"{source} {output}", {}))
            if wanted != have:
                missing, more = sorted(wanted - have), sorted(have - wanted)
                yield name, f"{source} {output}: without {missing}, and has {more}"


def _lines(outputs, given):
    for source in SOURCES:
        seen = Counter(line for lines in outputs.lines(source).values() for line in lines)
        sent = (
            given.files if source == "files" else [line for lines in given.socket for line in lines]
        )
        if twice := [line for line, count in seen.items() if count > 1]:
            yield f"{source}: nothing comes twice", f"{sorted(twice)[:10]} ({len(twice)})"
        if made_up := seen.keys() - set(sent):
            yield f"{source}: nothing comes twice", f"never given: {sorted(made_up)[:10]}"
        if source == "files":
            if lost := [line for line in sent if line not in seen]:
                yield "files: nothing is lost", f"{lost[:10]} ({len(lost)})"
            continue
        if lost := given.taken - seen.keys():
            yield "socket: nothing is lost that was taken in", f"{sorted(lost)[:10]} ({len(lost)})"
        for lines in given.socket:
            came = [line in seen for line in lines]
            if False in came and True in came[came.index(False) :]:
                gap = lines[came.index(False)]
                yield "socket: no gap before what came", f"{gap}, and then some that came"


def _derived(outputs, source, given):
    name = f"{source}: windows and states are those of the lines"
    lines = outputs.lines(source)
    if not lines:
        return
    wanted = expected(lines, given.interval_ms, given.window, given.slide)
    for output, batches in wanted.items():
        have = outputs.batches.get(f"{source} {output}", {})
        for time, records in batches.items():
            if have.get(time, records) != records:
                yield name, f"{output} at {time}: {have[time]} is not {records}"
                # Those after it are wrong for the same reason.
                break
    before: Counter[str] = Counter()
    for time, records in outputs.batches.get(f"{source} mapped", {}).items():
        found = [json.loads(record) for record in records]
        if problem := mapped_problem(found, lines.get(time, []), before):
            yield name, f"mapWithState at {time}: {problem}"
            break


def _texts(outputs, source, given):
    name = f"{source}: folders hold the lines"
    lines = outputs.lines(source)
    text = given.folder / "text"
    have = {int(path.name.rpartition("-")[2]): path for path in text.glob(f"{source}-*")}
    if have.keys() != lines.keys():
        missing, more = sorted(lines.keys() - have.keys()), sorted(have.keys() - lines.keys())
        yield name, f"without {missing}, and has {more}"
    for time in sorted(have.keys() & lines.keys()):
        found = [
            line for part in have[time].glob("part-*") for line in part.read_text().splitlines()
        ]
        if not (have[time] / "_SUCCESS").exists():
            yield name, f"{have[time].name} is not complete"
        if sorted(found) != sorted(lines[time]):
            yield name, f"{have[time].name} has {len(found)} lines, not {len(lines[time])}"


def _rows(outputs, source, given):
    lines = outputs.lines(source)
    database = sqlite3.connect(given.folder / "rows.db")
    try:
        rows = database.execute(f"SELECT batch_ms, line FROM {source}").fetchall()
    finally:
        database.close()
    found: dict[int, list[str]] = {}
    for time, line in rows:
        found.setdefault(time, []).append(line)
    for time in sorted(found.keys() | lines.keys()):
        have, wanted = found.get(time, []), lines.get(time, [])
        if sorted(have) != sorted(wanted):
            text = f"at {time} there are {len(have)} rows, not {len(wanted)}"
            yield f"{source}: tables hold the lines", text


def _failing(outputs, source, given):
    if not given.fails:
        return
    found = outputs.batches.get(f"{source} failing", {})
    for time, lines in outputs.lines(source).items():
        have = sorted(json.loads(record) for record in found.get(time, []))
        if have != sorted(lines):
            yield f"{source}: what failed runs again", f"at {time}: {have}, not {sorted(lines)}"
            # Those after it are wrong for the same reason.
            return


def _again(outputs, given):
    for output, time, first, now in outputs.again:
        if output.endswith(" lines") and first != now:
            source = output.partition(" ")[0]
            yield (
                f"{source}: a batch that runs again has the same lines",
                f"{output} at {time}: {now[:5]} ({len(now)}), before {first[:5]} ({len(first)})",
            )
    # Killed between the commit and its note, one output may run again.
    if len(outputs.again) > given.kills + given.repeated:
        yield (
            "what had committed does not run again",
            f"{len(outputs.again)} outputs ran again behind {given.kills} kills",
        )


def _left(given):
    name = "nothing unfinished is left"
    left = [path.name for path in (given.folder / "text").glob(".*")]
    checkpoint = given.folder / "checkpoint"
    left += [path.name for path in checkpoint.glob(".writing-*")]
    if left:
        yield name, f"{sorted(left)[:5]} ({len(left)})"
    if (count := len(list(checkpoint.glob("checkpoint-*")))) > 10:
        yield name, f"{count} checkpoints"
