"""Runs random programs twice, lowered and in plain CPython, and finds where they differ.

    python lowering_programs.py --count 100000             # with a new seed, which is printed
    python lowering_programs.py --seed 7 --show 123        # what program 123 of seed 7 is

Each process works on its own share of the numbers, in chunks that share a context: first all
programs of a chunk lowered, then all of them plain. A process that ends or stands still before its
time is a finding too: the program that it was at is reported, and a new process goes on behind it.
What is found is made smaller by ``lowering_program_shrinking`` in processes of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_PYTHON = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[0] = str(_PYTHON)

from tests.lowering.lowering_program_jobs import CHUNK, Program, program  # noqa: E402

SWITCH = "swiftwater.lowering"
LOWERED, PLAIN = "true", "false"
# A program takes about a millisecond.
PATIENCE_SECONDS = 30.0
MOST_FINDINGS = 20
# A process then ends and another goes on: a stream that failed leaves things behind.
MOST_CHUNKS = 100
MEMORY_BYTES = 8 << 30


# --- what is the same -------------------------------------------------------------------------


def difference(first: object, second: object, place: str = "result") -> str:
    """Say where two values differ, in type, value or order; "" where they are the same.

    Floats are the same where Python writes them the same way: -0.0 is not 0.0, and NaN is NaN.
    """
    if type(first) is not type(second):
        return f"{place}: {_shown(first)} is {type(first)}, {_shown(second)} is {type(second)}"
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return _difference_of_items(first, second, place)
    if isinstance(first, dict) and isinstance(second, dict):
        return _difference_of_items(list(first.items()), list(second.items()), place)
    if isinstance(first, BaseException) and isinstance(second, BaseException):
        return difference(first.args, second.args, f"{place}: arguments of {type(first).__name__}")
    if isinstance(first, (float, complex, set, frozenset)):
        same = repr(first) == repr(second)
    else:
        # Of other objects there is nothing to compare but the type.
        same = not isinstance(first, (int, str, bytes)) or first == second
    return "" if same else f"{place}: {_shown(first)} and {_shown(second)}"


def _difference_of_items(first: Sequence[Any], second: Sequence[Any], place: str) -> str:
    if len(first) != len(second):
        return f"{place}: {len(first)} items and {len(second)}: {_shown(first)}, {_shown(second)}"
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        if found := difference(one, other, f"{place}[{at}]"):
            return found
    return ""


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


# --- running ----------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a run gave: a value, or what it raised, for each time it was asked."""

    results: list[Any] = field(default_factory=list)
    # How each operator with a function runs: "native", "Python"...
    forms: list[str] = field(default_factory=list)

    @property
    def raised(self) -> bool:
        return any(isinstance(result, BaseException) for result in self.results)

    def __str__(self) -> str:
        return "\n".join(
            f"raised {type(result).__name__}: {_shown(str(result))}"
            if isinstance(result, BaseException)
            else ascii(result)
            for result in self.results
        )


class Runner:
    """Runs programs in a context of their own, lowered or not."""

    def __init__(self, like: Program, lowering: str) -> None:
        from swiftwater import SparkConf, SparkContext

        conf = SparkConf().setAll({**like.settings, "swiftwater.log.level": "error"}.items())
        if _has_switch():
            conf.set(SWITCH, lowering)
        self.context = SparkContext(like.master, "programs", conf=conf)
        # On disk in memory where there is one: a file for each program.
        shared = Path("/dev/shm")
        self.folder = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
        self._path = os.path.join(self.folder.name, "lines.txt")

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.stop()
        self.folder.cleanup()

    def run(self, given: Program, code: types.CodeType) -> Outcome:
        outcome = Outcome()
        self._run(given, code, outcome)
        for result in outcome.results:
            if isinstance(result, BaseException):
                _let_go(result)
        return outcome

    def _run(self, given: Program, code: types.CodeType, outcome: Outcome) -> None:
        names: dict[str, Any] = {"inf": math.inf, "nan": math.nan, "__name__": "programs"}
        try:
            exec(code, names)
            run = self._run_stream if given.is_stream else self._run_rdd
            run(given, names, outcome)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
            outcome.results.append(error)

    def _run_rdd(self, given: Program, names: dict[str, Any], outcome: Outcome) -> None:
        records = given.records * given.times
        if given.form == "file":
            text = "\n".join(records) + ("\n" if given.ended and records else "")
            with open(self._path, "wb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
            first = self.context.textFile(self._path, given.partitions)
        else:
            first = self.context.parallelize(records, given.partitions)
        data, ask = names["job"](first)
        outcome.results.append(_asked(ask))
        if given.rebound:
            exec(given.rebound, names)
            outcome.results.append(_asked(ask))
        outcome.forms = _forms(data)

    def _run_stream(self, given: Program, names: dict[str, Any], outcome: Outcome) -> None:
        from swiftwater.testing import StreamingTest

        batches = [batch * given.times for batch in given.records]
        with StreamingTest(1.0, spark_context=self.context) as test:
            if given.form == "lines":
                source = test.text_source()
                first = source.stream
            else:
                queue = [self.context.parallelize(batch, given.partitions) for batch in batches]
                first = test.ssc.queueStream(queue)
            out = test.collect(names["job"](first))
            for number in range(len(batches) + 1):
                if given.form == "lines" and number < len(batches):
                    source.send(*batches[number])
                if given.rebound and number == 1:
                    exec(given.rebound, names)
                seen = len(out.batches)
                raised = _asked(test.advance)
                outcome.results += out.batches[seen:] if raised is None else [raised]


def _forms(data: Any) -> list[str]:
    from swiftwater._native import engine

    if not hasattr(engine, "explain"):
        return []
    return [form for _, _, _, form, *_ in engine.explain(data._handle) if form != "engine"]


def _asked(ask: Any) -> Any:
    try:
        result = ask()
        return list(result) if isinstance(result, Iterator) else result
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        return error


def _let_go(error: BaseException) -> None:
    """Let go of what the frames hold that an error went through: streams and contexts."""
    traceback.clear_frames(error.__traceback__)
    error.__context__ = error.__cause__ = None
    error.__traceback__ = None


def _has_switch() -> bool:
    from swiftwater._native import engine

    return SWITCH in {name for name, *_ in engine.setting_definitions()}


def compiled(given: Program) -> types.CodeType | None:
    """Compile a program; None where it is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile(given.source, "<program>", "exec")
        except (SyntaxError, ValueError, RecursionError):
            return None


def compare(given: Program) -> str:
    """Run one program both ways and return the difference."""
    code = compiled(given)
    if code is None:
        return ""
    outcomes = []
    for lowering in (LOWERED, PLAIN):
        with Runner(given, lowering) as runner:
            outcomes.append(runner.run(given, code))
    found = difference(outcomes[0].results, outcomes[1].results)
    return found if not found or is_steady(given, code, outcomes[1]) else ""


def is_steady(given: Program, code: types.CodeType, plain: Outcome) -> bool:
    """Whether plain Python gives the same every time.

    A key that is NaN has its address as hash: where it goes is chance. So the memory is filled in
    another way for each run.
    """
    taken = []
    for number in range(6):
        taken.append([float(item) for item in range(7 * number)])
        with Runner(given, PLAIN) as runner:
            again = runner.run(given, code)
        if difference(plain.results, again.results):
            return False
    return True


# --- a process's share ------------------------------------------------------------------------


class Worker:
    """Runs the chunks of one process; says in a file at which program it is."""

    def __init__(self, source: ProgramSource, progress: Path, skipped: set[int]) -> None:
        self.source = source
        self.skipped = skipped
        self.progress = os.open(progress, os.O_WRONLY | os.O_CREAT, 0o600)
        self.counts: Counter[str] = Counter()

    def work(self, chunks: Iterable[int]) -> None:
        for chunk in chunks:
            self._note(chunk * CHUNK)
            numbers = [n for n in self.source.numbers(chunk) if n not in self.skipped]
            programs = [(number, self.source.program(number)) for number in numbers]
            ready = [(n, p, code) for n, p in programs if (code := compiled(p)) is not None]
            found = self._compared(ready) if ready else []
            print(json.dumps({"chunk": chunk, "counts": self.counts, "found": found}), flush=True)
            self.counts = Counter()

    def _compared(
        self, ready: list[tuple[int, Program, types.CodeType]]
    ) -> list[tuple[int, str, str, str]]:
        outcomes: dict[str, list[Outcome]] = {}
        for lowering in (LOWERED, PLAIN):
            with Runner(ready[0][1], lowering) as runner:
                outcomes[lowering] = [self._one(runner, *each) for each in ready]
        found = []
        for each, lowered, plain in zip(ready, *outcomes.values(), strict=True):
            self._note(each[0])
            self.counts["programs"] += 1
            self.counts["raised"] += plain.raised
            self.counts.update(lowered.forms)
            self.counts["lowered"] += any("native" in form for form in lowered.forms)
            if text := difference(lowered.results, plain.results):
                if is_steady(each[1], each[2], plain):
                    found.append((each[0], text, str(lowered), str(plain)))
                else:
                    self.counts["unsteady"] += 1
        return found

    def _one(self, runner: Runner, number: int, given: Program, code: types.CodeType) -> Outcome:
        self._note(number)
        return runner.run(given, code)

    def _note(self, number: int) -> None:
        os.pwrite(self.progress, b"%12d" % number, 0)


@dataclass(frozen=True)
class ProgramSource:
    """Where programs come from: a seed, or a file of given programs."""

    seed: str
    count: int
    given: tuple[Program, ...] = ()

    @staticmethod
    def of_file(path: str) -> ProgramSource:
        programs = tuple(map(loaded, Path(path).read_text().splitlines()))
        return ProgramSource("", len(programs), programs)

    def program(self, number: int) -> Program:
        return self.given[number] if self.given else program(self.seed, number)

    def numbers(self, chunk: int) -> range:
        return range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.count))

    @property
    def chunks(self) -> int:
        return -(-self.count // CHUNK)


def dumped(given: Program) -> str:
    """Return a program as one line of text."""
    return json.dumps({**asdict(given), "records": ascii(given.records)})


def loaded(line: str) -> Program:
    """Read what ``dumped`` wrote."""
    values = json.loads(line)
    records = eval(values.pop("records"), {"inf": math.inf, "nan": math.nan})
    return Program(records=records, **values)


# --- all processes ----------------------------------------------------------------------------


@dataclass
class Finding:
    """A program that did not give the same, or did not end as it should."""

    number: int
    program: Program
    difference: str
    lowered: str = ""
    plain: str = ""
    smaller: str = ""


@dataclass
class Report:
    """What came of many programs."""

    seed: str
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    def summary(self) -> str:
        programs = self.counts["programs"]
        text = f"seed {self.seed}: {programs} programs in {self.seconds:.0f} s"
        for name in ("raised", "lowered"):
            text += f", {self.counts[name] / max(programs, 1):.0%} {name}"
        forms = {name: self.counts[name] for name in ("native", "native where types allow")}
        python = self.counts["Python"]
        for name, number in forms.items():
            text += f", {number / max(python + sum(forms.values()), 1):.0%} of functions {name}"
        return f"{text}, {len(self.findings)} differ"

    def __str__(self) -> str:
        parts = [self.summary()]
        for finding in self.findings:
            parts += [
                f"--- program {finding.number} of seed {self.seed}: {finding.difference}",
                str(finding.program),
                f"lowered: {finding.lowered}",
                f"plain:   {finding.plain}",
            ]
            if finding.smaller:
                parts.append(f"--- the same, smaller:\n{finding.smaller}")
        return "\n".join(parts)


class _Process:
    """A worker process and what is left of its share."""

    def __init__(self, arguments: list[str], folder: Path, index: int, chunks: list[int]) -> None:
        self.arguments = arguments
        self.folder = folder
        self.index = index
        self.chunks = chunks
        self.skipped: list[int] = []
        self.started = 0
        self.start()

    def start(self) -> None:
        self.started += 1
        self.progress = self.folder / f"progress-{self.index}"
        self.progress.write_text("")
        self.output = self.folder / f"output-{self.index}-{self.started}"
        self.errors = self.folder / f"errors-{self.index}-{self.started}"
        share = self.folder / f"share-{self.index}"
        share.write_text(json.dumps({"chunks": self.chunks[:MOST_CHUNKS], "skipped": self.skipped}))
        command = [sys.executable, __file__, *self.arguments]
        command += ["--share", str(share), "--progress", str(self.progress)]
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment()
            )
        self.read = 0
        self.last = ("", time.monotonic())

    def lines(self) -> Iterator[dict[str, Any]]:
        """Read what has come since the last time, and strike off the chunks that are done."""
        with self.output.open("rb") as file:
            file.seek(self.read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.read += len(whole)
        for line in whole.splitlines():
            values = json.loads(line)
            self.chunks.remove(values["chunk"])
            yield values

    def trouble(self) -> str:
        """Say what is wrong with the process; "" where nothing is, or where it is done."""
        status = self.process.poll()
        if status is not None:
            if status == 0:
                return ""
            tail = self.errors.read_text("utf-8", "replace")[-2000:]
            return f"the process ended with status {status}\n{tail}"
        at = self.progress.read_text()
        if at != self.last[0]:
            self.last = (at, time.monotonic())
        if time.monotonic() - self.last[1] < PATIENCE_SECONDS:
            return ""
        self.process.kill()
        self.process.wait()
        return f"the process stood still for {PATIENCE_SECONDS:.0f} s"

    @property
    def number(self) -> int:
        """The program that it is at; -1 before the first."""
        return int(self.progress.read_text() or -1)


def environment() -> dict[str, str]:
    """Return the environment of a process: no settings from outside, hashes without a seed."""
    kept = {name: value for name, value in os.environ.items() if "SWIFTWATER_" not in name}
    path = os.pathsep.join([str(_PYTHON), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONPATH": path}


def run_programs(
    seed: str,
    count: int,
    *,
    workers: int = 2,
    seconds: float = math.inf,
    given: Sequence[Program] = (),
    first: int = 0,
    shrunk: int = 5,
    most: int = MOST_FINDINGS,
) -> Report:
    """Run programs in processes of their own, and report what differs.

    Stops early after ``seconds``, or when ``most`` differ. The first ``shrunk`` findings are made
    smaller.
    """
    began = time.monotonic()
    report = Report(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = ["--seed", seed, "--count", str(count)]
        source = ProgramSource(seed, count, tuple(given))
        if given:
            path = folder / "given"
            path.write_text("\n".join(map(dumped, given)))
            arguments = ["--given", str(path)]
            source = ProgramSource("", len(given), tuple(given))
        chunks = range(first // CHUNK, source.chunks)
        processes = [
            _Process(arguments, folder, index, list(chunks[index::workers]))
            for index in range(min(workers, len(chunks)))
        ]
        try:
            while processes and time.monotonic() - began < seconds:
                time.sleep(0.05)
                processes = [each for each in processes if _goes_on(each, source, report)]
                if len(report.findings) >= most:
                    break
        finally:
            for each in processes:
                each.process.kill()
                each.process.wait()
        report.seconds = time.monotonic() - began
        for finding in report.findings[:shrunk]:
            finding.smaller = shrunken(finding.program, folder)
    return report


def _goes_on(each: _Process, source: ProgramSource, report: Report) -> bool:
    trouble = each.trouble()
    ended = each.process.poll() is not None
    for values in each.lines():
        report.counts.update(values["counts"])
        for number, text, lowered, plain in values["found"]:
            finding = Finding(number, source.program(number), text, lowered, plain)
            report.findings.append(finding)
    if ended and not trouble and each.chunks:
        each.start()
        return True
    if not trouble:
        return not ended
    number = each.number
    if number < 0:
        raise RuntimeError(trouble)
    report.findings.append(Finding(number, source.program(number), trouble))
    each.skipped.append(number)
    each.start()
    return True


def shrunken(given: Program, folder: Path, seconds: float = 60.0) -> str:
    """Return a smaller program with a difference, in a process of its own."""
    path, result = folder / "large", folder / "small"
    path.write_text(dumped(given))
    result.write_text("")
    command = [sys.executable, str(Path(__file__).with_name("lowering_program_shrinking.py"))]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [*command, str(path), str(result), str(seconds)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds + 30,
            check=False,
        )
    return result.read_text()


def limit_memory() -> None:
    """Make what grows beyond reason an error of this process, not of the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main() -> None:
    parser = argparse.ArgumentParser(description="Run random programs lowered and plain.")
    parser.add_argument("--seed", default=str(time.time_ns() % 1_000_000_000))
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--shrunk", type=int, default=5)
    parser.add_argument("--show", type=int)
    parser.add_argument("--given")
    parser.add_argument("--share", help=argparse.SUPPRESS)
    parser.add_argument("--progress", help=argparse.SUPPRESS)
    given = parser.parse_args()
    source = ProgramSource(given.seed, given.count)
    if given.given:
        source = ProgramSource.of_file(given.given)
    if given.share:
        limit_memory()
        warnings.simplefilter("ignore")
        share = json.loads(Path(given.share).read_text())
        Worker(source, Path(given.progress), set(share["skipped"])).work(share["chunks"])
    elif given.show is not None:
        print(source.program(given.show))
    else:
        print(f"seed {given.seed}", flush=True)
        report = run_programs(
            given.seed,
            source.count,
            workers=given.workers,
            seconds=given.seconds,
            given=source.given,
            first=given.first,
            shrunk=given.shrunk,
        )
        print(report)
        sys.exit(bool(report.findings))


if __name__ == "__main__":
    _main()
