"""Runs that count: each is a process that reports what it counted and when, and all must agree."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import text
from engines import JOBS, Engine, clean_environment
from harness import BUILT, Options, Sender, say
from processes import BenchmarkError, Child
from rows import Row, rate

PLAIN = "plain Python"
REFERENCE = BUILT / "bench" / "wordcount"
UNIT = "Mwords/s"


@dataclass(frozen=True)
class Counted:
    """What a counting script reports of itself (jobs/outcome.py writes it)."""

    started: float
    ended: float
    words: int
    distinct: int
    digest: str

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass(frozen=True)
class Contestant:
    """Who counts a file."""

    name: str
    file: Path
    measure: Callable[[], Counted]


def in_turn(
    name: str,
    options: Options,
    contestants: Sequence[Contestant],
    expected: Mapping[Path, Counted] | None = None,
    unit: str = UNIT,
    records: int | None = None,
) -> list[list[float]]:
    """The rates of each contestant, measured in turn: what else the machine does hits all alike.

    Each finds its file in memory: what is measured is the program, not the disk. Who counts the
    same file has to get the same counts, those that are expected or the first ones.
    The rate is in million words a second, or in the records of another unit.
    """
    rates: list[list[float]] = [[] for _ in contestants]
    known = {file: (PLAIN, counted) for file, counted in (expected or {}).items()}
    for number in range(1, options.runs + 1):
        for contestant, measured in zip(contestants, rates, strict=True):
            _read(contestant.file)
            result = contestant.measure()
            measured.append((result.words if records is None else records) / result.seconds / 1e6)
            other, counts = known.setdefault(contestant.file, (contestant.name, result))
            _compare(contestant.name, result, other, counts)
        report = ", ".join(
            f"{contestant.name} {measured[-1]:.2f}"
            for contestant, measured in zip(contestants, rates, strict=True)
        )
        say(f"{name}: run {number} of {options.runs}: {report} {unit}")
    return rates


def agree(options: Options, *contestants: Callable[[Path], Contestant]) -> None:
    """Refuses who counts text with long, empty and strange words unlike plain Python."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "text.txt")
        file.write_bytes(text.awkward())
        expected = plain_python(options, file)
        for contestant in contestants:
            each = contestant(file)
            _compare(each.name, each.measure(), PLAIN, expected)


def _read(file: Path) -> None:
    """Read a file, so that the system keeps it in memory."""
    with file.open("rb", buffering=0) as content:
        while content.read(1 << 20):
            pass


def _compare(name: str, result: Counted, other: str, expected: Counted) -> None:
    if (result.words, result.digest) != (expected.words, expected.digest):
        raise BenchmarkError(
            f"{name} counted {result.words} words ({result.distinct} distinct), "
            f"{other} {expected.words} ({expected.distinct}): the counts differ"
        )


# --- those who count ----------------------------------------------------------------------------


def plain_python(options: Options, file: Path, script: str = "plain_loop.py") -> Counted:
    """The opponent: the same functions called by a plain loop, in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = [sys.executable, str(JOBS / script), str(file), str(result)]
        with Child(command, clean_environment()) as child:
            return counted(child, result, patience(options))


def plain(options: Options, file: Path, script: str = "plain_loop.py") -> Contestant:
    def measure() -> Counted:
        return plain_python(options, file, script)

    return Contestant(PLAIN, file, measure)


def job(
    options: Options,
    engine: Engine,
    file: Path,
    master: str = "local[1]",
    *,
    name: str | None = None,
    script: str = "count_file.py",
) -> Contestant:
    """An engine that counts a file: from start() to the result."""

    def measure() -> Counted:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder, "result.json")
            command = engine.run(script, master, engine.interval, file, result)
            with Child(command, engine.environment) as child:
                return counted(child, result, patience(options))

    return Contestant(name or engine.name, file, measure)


def socket_job(options: Options, engine: Engine) -> Contestant:
    """An engine that is sent the text: from the first byte sent until all words are counted."""

    def measure() -> Counted:
        with tempfile.TemporaryDirectory() as folder, Sender("file", options.text) as sender:
            result = Path(folder, "result.json")
            place = ("127.0.0.1", sender.port, options.words)
            command = engine.run(
                "count_socket.py", engine.socket_master, engine.interval, *place, result
            )
            with Child(command, engine.environment) as child:
                outcome = counted(child, result, patience(options))
                return replace(outcome, started=sender.first_sent(1))

    return Contestant(engine.name, options.text, measure)


def peer_job(options: Options, engine: Engine, script: str, file: Path) -> Contestant:
    """Another engine with its own script, which measures itself."""

    def measure() -> Counted:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder, "result.json")
            with Child(engine.run(script, file, result), engine.environment) as child:
                return counted(child, result, patience(options))

    return Contestant(engine.name, file, measure)


def program(options: Options, name: str, path: Path, file: Path, *arguments: str) -> Contestant:
    """A program that writes its times to RESULT and a line for each word to RESULT.counts.

    It is called with the arguments, the file to count and RESULT.
    """

    def measure() -> Counted:
        if not os.access(path, os.X_OK):
            raise BenchmarkError(f"there is no {path}: run scripts/bench, which builds it")
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder, "result.json")
            with Child([str(path), *arguments, str(file), str(result)]) as child:
                child.wait(patience(options))
                try:
                    return tallied(result)
                except (OSError, ValueError, TypeError):
                    raise BenchmarkError(child.failure("left no result")) from None

    return Contestant(name, file, measure)


def c_reference(options: Options, file: Path) -> Contestant:
    """The word count in C (reference/wordcount.c)."""
    return program(options, "C", REFERENCE, file)


def patience(options: Options) -> float:
    """Seconds after which a counting run is given up: at 50,000 words a second."""
    return 120 + options.megabytes * 1e6 / 7.5 / 50_000


def counted(child: Child, result: Path, timeout: float) -> Counted:
    """Waits for a counting script and reads its report."""
    child.wait(timeout)
    try:
        return Counted(**json.loads(result.read_text()))
    except (OSError, ValueError, TypeError):
        raise BenchmarkError(child.failure("left no result")) from None


def tallied(result: Path) -> Counted:
    """The report of a program that does not make it itself; as jobs/outcome.py makes it."""
    lines = Path(f"{result}.counts").read_bytes().split(b"\n")[:-1]
    # The bytes of UTF-8 have the order of the characters.
    words = sorted(line.rsplit(b" ", 1) for line in lines)
    digest = hashlib.sha256(b"".join(b"%b %b\n" % (word, count) for word, count in words))
    total = sum(int(count) for _, count in words)
    return Counted(
        **json.loads(result.read_text()),
        words=total,
        distinct=len(words),
        digest=digest.hexdigest(),
    )


# --- a comparison that more than one benchmark makes --------------------------------------------


def against_plain_python(
    name: str, options: Options, target: float, contestant: Callable[[Options, Engine], Contestant]
) -> list[Row]:
    """Python functions that stay in Python beside plain Python and PySpark."""
    pyspark = options.pyspark
    contestants = [
        contestant(options, options.engine.without_lowering()),
        plain(options, options.text),
    ]
    if pyspark is not None:
        contestants.append(contestant(options, pyspark))
    ours, plainly, *theirs = in_turn(name, options, contestants)
    return [
        rate(name, ours, UNIT, PLAIN, plainly, target),
        rate(
            f"{name}.pyspark",
            ours,
            UNIT,
            pyspark.name if pyspark else None,
            theirs[0] if theirs else [],
            None,
        ),
    ]
