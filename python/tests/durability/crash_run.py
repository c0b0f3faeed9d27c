"""Kills a job again and again, has it go on each time, and judges what it has written."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.durability.crash_feed import FileFeed, SocketFeed
from tests.durability.crash_judge import Given, has_outputs, judged, query, taken_in
from tests.durability.crash_power import lose_power

FOLDER = Path(__file__).resolve().parent
PACKAGE = FOLDER.parents[1]
HOST = PACKAGE.parent / ".build" / "release" / "swiftwater"
PATIENCE_SECONDS = 20
# A job that does not pass the point at which it is to die is killed after so long.
POINT_SECONDS = 3
# The status of one that a signal has stopped.
STOPPED = (-signal.SIGTERM, 128 + signal.SIGTERM)

POINT = re.compile(r'(?:KillPoints\.pass|pass_kill_point)\(f?"([^"]+)"')
KINDS = ("checkpoint", "data")


def points() -> list[str]:
    """Return the names of all points at which a process can be killed: those in the sources."""
    found = {"job.written", "job.committed"}
    for folder, suffix in ((PACKAGE.parent / "Sources", "swift"), (PACKAGE / "swiftwater", "py")):
        for path in folder.rglob(f"*.{suffix}"):
            for name in POINT.findall(path.read_text()):
                found.update(name.replace("{kind}", kind) for kind in KINDS)
    return sorted(found - {"block log.appended"})


@dataclass
class Kill:
    """When a process is killed: at a point, or some time after its beginning, start or stop."""

    point: str = ""
    after: str = ""
    seconds: float = 0.0
    # Of the batch that runs then, so much is over.
    phase: float = 0.0

    def __str__(self) -> str:
        return self.point or f"{self.seconds:.3f} s after its {self.after}"

    @property
    def is_of_power(self) -> bool:
        """What was not forced to the disk is gone, too."""
        return self.after == "power"


# Of ten kills, so many are of each kind.
MIXTURE = [*["point"] * 4, *["any"] * 2, "beginning", "start", "stop", "power"]
# Some jobs have some of them.
SETTINGS = [
    ("swiftwater.workers", "always"),
    ("spark.streaming.receiver.writeAheadLog.closeFileAfterWrite", "true"),
    ("swiftwater.files.commit", "manifest"),
]


def drawn(kind: str, name: str, chance: Random) -> Kill:
    """Return a kill of a kind, at a point of this name where it is to be at one."""
    if kind == "point":
        # There is one file of data in several batches, and many outputs in one.
        most = 2 if name.startswith("data") else 30 if name.startswith(("output.", "job.")) else 8
        return Kill(f"{name}:{chance.randint(1, most)}")
    if kind == "any":
        return Kill(f"*:{chance.randint(1, 300)}")
    longest = 0.1 if kind == "stop" else 0.4
    return Kill("", kind, chance.uniform(0, longest), chance.random())


@dataclass
class Scenario:
    """A job, and the kills that it meets. The same seed gives the same."""

    seed: int
    kills: list[Kill] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)

    @classmethod
    def drawn(cls, seed: int, count: int, names: list[str]) -> Scenario:
        chance = Random(seed)
        slide = chance.choice([1, 1, 2])
        options = {
            "interval_ms": chance.choice([50, 80, 100]),
            "window": slide * chance.choice([2, 3, 5]),
            "slide": slide,
            "data_every": slide * chance.choice([1, 2, 5]),
            "fails_every": chance.choice([0, 0, 5]),
            "settings": dict(setting for setting in SETTINGS if chance.random() < 0.15),
        }
        kinds = [MIXTURE[number % len(MIXTURE)] for number in range(count)]
        # Scenarios that follow each other go through the points in turn.
        order = Random(0).sample(names, len(names))
        turn = seed * kinds.count("point")
        chance.shuffle(kinds)
        kills = []
        for kind in kinds:
            kills.append(drawn(kind, order[turn % len(order)], chance))
            turn += kind == "point"
        return cls(seed, kills, options)


class Run:
    """A scenario on its way."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.folder = folder
        for name in ("in", "text", "failed"):
            (folder / name).mkdir()
        options = scenario.options
        self.given = Given(
            folder,
            options["interval_ms"],
            options["window"],
            options["slide"],
            len(scenario.kills),
            fails=bool(options["fails_every"]),
        )
        self.passed: list[str] = []
        self.lives = 0

    def whole(self) -> list[tuple[str, str]]:
        """Run it to its end; return what does not hold."""
        given = self.given
        files = FileFeed(self.folder / "in", self.scenario.seed)
        lines = SocketFeed(self.scenario.seed)
        given.files, given.socket = files.lines, lines.sent
        try:
            for kill in self.scenario.kills:
                self.killed(kill, lines.port)
            self.last_life(files, lines)
        finally:
            files.close()
            lines.close()
        return judged(given)

    def started(self, port, **environment):
        """Start the job."""
        self.lives += 1
        command = [HOST, "run", FOLDER / "crash_job.py", self.folder, port]
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [*map(str, command), json.dumps(self.scenario.options)],
                cwd=self.folder,
                env=job_environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self):
        return self.folder / f"log-{self.lives}"

    def has_started(self, process):
        return (self.folder / f"started-{process.pid}").exists()

    def killed(self, kill, port):
        """Start the job and kill it."""
        environment = {"SWIFTWATER_TEST_KILL": kill.point} if kill.point else {}
        process = self.started(port, **environment)
        try:
            if kill.point:
                if until(lambda: process.poll() is not None, POINT_SECONDS):
                    self.passed.append(kill.point.rpartition(":")[0])
            else:
                self.wait_for(kill, process)
        finally:
            process.kill()
            status = process.wait()
        # One that is told to stop may be over by then.
        if status != -signal.SIGKILL and not (kill.after == "stop" and status in STOPPED):
            self.problem("the job ends as it is told", f"life {self.lives} ended with {status}")
        self.read_log()
        if kill.is_of_power and status == -signal.SIGKILL:
            self.given.repeated += lose_power(self.folder / "checkpoint")
        self.given.taken |= taken_in(self.folder)
        if has_outputs(self.folder):
            (found,) = query(
                self.folder, "SELECT record FROM records WHERE output = 'socket lines'"
            )
            self.given.taken.update(json.loads(record) for (record,) in found)

    def wait_for(self, kill, process):
        """Wait until it is time to kill a process."""
        if kill.after != "beginning":
            until(lambda: self.has_started(process) or process.poll() is not None)
        if kill.after == "stop":
            time.sleep(4 * kill.seconds)
            process.send_signal(signal.SIGTERM)
        time.sleep(kill.seconds)
        if kill.after in ("start", "power"):
            interval = self.given.interval_ms / 1000
            time.sleep((kill.phase - time.time() / interval) % 1 * interval)

    def last_life(self, files, lines):
        """Have the job go on until it has all lines, and stop it."""
        # From here on no output fails: those that have failed run again.
        (self.folder / "failed" / "calm").touch()
        process = self.started(lines.port)
        try:
            until(lambda: self.has_started(process) or process.poll() is not None)
            files.finish()
            lines.finish()
            until(lambda: process.poll() is not None or self.has_last(files, lines))
            process.send_signal(signal.SIGTERM)
            status = process.wait(PATIENCE_SECONDS)
            if status not in STOPPED:
                self.problem("the job ends as it is told", f"the last life ended with {status}")
        except (subprocess.TimeoutExpired, TimeoutError):
            self.problem("the job ends as it is told", "the last life does not end")
        finally:
            process.kill()
            process.wait()
        self.read_log()

    def has_last(self, files, lines):
        """Return whether the last lines are in the outputs, and two batches behind them."""
        time.sleep(0.05)
        if files.last is None or lines.last is None or not has_outputs(self.folder):
            return False
        found, ended = query(
            self.folder,
            "SELECT record, MAX(time) FROM records WHERE output LIKE '% lines' GROUP BY record",
            "SELECT MAX(time) FROM batches GROUP BY output",
        )
        times = {json.loads(record): at_ms for record, at_ms in found}
        behind = 2 * self.given.slide * self.given.interval_ms
        return all(
            line in times and times[line] + behind <= at_ms
            for line in (files.last, lines.last)
            for (at_ms,) in ended
        )

    def problem(self, name, text):
        tail = self.log.read_text(errors="replace")[-2000:]
        self.given.problems.append((name, f"{text}\n{tail}"))

    def read_log(self):
        for line in self.log.read_text(errors="replace").splitlines():
            if "ConnectionError" in line or "ERROR" not in line:
                continue
            if not self.given.fails or "foreachRDD" not in line:
                self.given.problems.append(("the log has no error", f"life {self.lives}: {line}"))


def until(true, seconds=PATIENCE_SECONDS):
    """Wait until something holds, at most for a time; return whether it does."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def job_environment(**more):
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SWIFTWATER_", "PYTHONUNBUFFERED", "VIRTUAL_ENV"))
    }
    environment["PYTHONPATH"] = str(PACKAGE)
    return {**environment, **more}


def ran(scenario: Scenario, keep: Path | None = None):
    """Run a scenario in a folder of its own; return the run and what does not hold.

    The folder is kept, under ``keep``, where something does not.
    """
    folder = Path(tempfile.mkdtemp(prefix="crashes-"))
    run = Run(scenario, folder)
    problems = run.whole()
    if problems and keep is not None:
        shutil.move(folder, keep / f"seed-{scenario.seed}")
    else:
        shutil.rmtree(folder)
    return run, problems
