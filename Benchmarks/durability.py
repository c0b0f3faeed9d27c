"""durability: what a checkpoint folder with its logs costs, and how fast a socket is logged."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import text
from counting import UNIT, Contestant, Counted, in_turn, patience
from harness import Benchmark, Options, Sender, say
from processes import BenchmarkError, Child, processor_seconds
from rows import Row, failed, rate

NAME = "durability"
WITHOUT = "no checkpoint folder"

# Files: more comes each second than is counted in one, so that the job is behind all the time.
FILES_INTERVAL = 1  # seconds
FILES_TARGET = 0.95
FILES_A_BATCH = 8
FILE_BATCHES = 4
# From the call of a job to its first files, by when it has started.
START_SECONDS = 4

SOCKET_INTERVAL = 1
SOCKET_TARGET = 0.9
SOCKET_RATE = 50  # MB/s
SOCKET_SECONDS = 10

DISK_INTERVAL = 0.2
DISK_TARGET = 0.7
DISK_MEGABYTES = 1600
DISK_PIECE = 1 << 20
# In these nothing is forced to a disk.
MEMORY_SYSTEMS = ("tmpfs", "ramfs")


@contextmanager
def folder_on_disk(options: Options) -> Iterator[Path]:
    """A folder with the build. Raises BenchmarkError where that is in memory."""
    options.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        device, system = mount(Path(folder))
        if system in MEMORY_SYSTEMS:
            raise BenchmarkError(f"{options.data} is in memory ({system}), not on a disk")
        say(f"{NAME}: on {device} ({system})")
        yield Path(folder)


def mount(folder: Path) -> tuple[str, str]:
    """The device that a folder is on, and its file system."""
    found = ("?", "?")
    longest = -1
    for line in Path("/proc/self/mounts").read_text().splitlines():
        device, point, system = line.split(" ")[:3]
        # Of two at the same place the later one is seen.
        if folder.is_relative_to(point) and len(point) >= longest:
            found, longest = (device, system), len(point)
    return found


def times(megabytes: float, options: Options) -> int:
    """How often the text is sent to send about as many bytes; fewer where the text is short."""
    return max(1, round(megabytes / max(options.megabytes, 200)))


# --- jobs ---------------------------------------------------------------------------------------


class Job:
    """One run of jobs/durable.py, in a folder that is emptied behind it."""

    def __init__(
        self, options: Options, parent: Path, what: str, interval: float, *, logged: bool
    ) -> None:
        self.options = options
        self.what = what
        self.interval = interval
        self.logged = logged
        self.folder = tempfile.TemporaryDirectory(dir=parent)

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()

    @property
    def path(self) -> Path:
        return Path(self.folder.name)

    def child(self, place: object, total: int) -> Child:
        checkpoint = self.path / "checkpoint" if self.logged else "-"
        arguments = (self.what, self.interval, place, checkpoint, total, self.path / "result.json")
        engine = self.options.engine
        return Child(engine.run("durable.py", *arguments), engine.environment)

    def wait_for(self, child: Child, word: str) -> None:
        while child.line(patience(self.options))[1] != word:
            pass

    def counted(self, child: Child, total: int) -> Counted:
        """Waits until all is counted."""
        self.wait_for(child, "done")
        result = Counted(**json.loads((self.path / "result.json").read_text()))
        if result.words != total:
            raise BenchmarkError(child.failure(f"counted {result.words} instead of {total}"))
        return result


# --- files --------------------------------------------------------------------------------------


def files(options: Options, parent: Path, *, logged: bool) -> Contestant:
    """Counts the words of files, from the time of the first batch that has any."""

    def measure() -> Counted:
        with Job(options, parent, "words", FILES_INTERVAL, logged=logged) as job:
            watched = job.path / "watched"
            watched.mkdir()
            total = FILE_BATCHES * FILES_A_BATCH * options.words
            with job.child(watched, total) as child:
                place_links(options.text, watched)
                return job.counted(child, total)

    return Contestant("with logs" if logged else WITHOUT, options.text, measure)


def place_links(file: Path, watched: Path) -> None:
    """Gives each batch its files, as links: reading them is measured, not writing them.

    They come in the middle between two batches, so the same batches have the same files each time.
    """
    first = int(time.time()) + START_SECONDS
    # All of them have this time, which is behind the start of the job: each is new when it comes.
    os.utime(file, (first, first))
    for batch in range(FILE_BATCHES):
        time.sleep(max(0.0, first + (batch + 0.5) * FILES_INTERVAL - time.time()))
        for number in range(FILES_A_BATCH):
            os.link(file, watched / f"{batch}-{number}.txt")


def run_files(options: Options, parent: Path) -> list[Row]:
    contestants = [files(options, parent, logged=logged) for logged in (True, False)]
    words = FILE_BATCHES * FILES_A_BATCH * options.words
    ours, plainly = in_turn(NAME, options, contestants, records=words)
    return [rate(NAME, ours, UNIT, WITHOUT, plainly, FILES_TARGET)]


# --- a socket -----------------------------------------------------------------------------------


def processor_time(options: Options, parent: Path, *, logged: bool) -> float:
    """Seconds of the job's processes, from its start until all words are counted."""
    sent = times(min(SOCKET_SECONDS, options.seconds) * SOCKET_RATE, options)
    total = sent * options.words
    with (
        Job(options, parent, "words", SOCKET_INTERVAL, logged=logged) as job,
        Sender("flow", options.text, SOCKET_RATE, sent) as sender,
        job.child(sender.port, total) as child,
    ):
        job.wait_for(child, "started")
        before = processor_seconds(child.pid)
        job.counted(child, total)
        return processor_seconds(child.pid) - before


def run_socket(options: Options, parent: Path) -> list[Row]:
    """Words for each second of processor time: without the log that is less."""
    name = f"{NAME}.socket"
    sent = times(min(SOCKET_SECONDS, options.seconds) * SOCKET_RATE, options)
    words = sent * options.words / 1e6
    ours: list[float] = []
    plainly: list[float] = []
    for number in range(1, options.runs + 1):
        ours.append(processor_time(options, parent, logged=True))
        plainly.append(processor_time(options, parent, logged=False))
        say(
            f"{name}: run {number} of {options.runs}: {ours[-1]:.2f} s of processor time, "
            f"{WITHOUT} {plainly[-1]:.2f} s"
        )
    rates = [[words / seconds for seconds in each] for each in (ours, plainly)]
    return [rate(name, rates[0], "Mwords/CPU-s", WITHOUT, rates[1], SOCKET_TARGET)]


# --- a disk -------------------------------------------------------------------------------------


def taken_rate(options: Options, parent: Path, sent: int, *, logged: bool = True) -> float:
    """MB/s at which a socket is taken in, from the first byte sent until all lines are counted."""
    total = sent * (options.words // text.WORDS_PER_LINE)
    with (
        Job(options, parent, "lines", DISK_INTERVAL, logged=logged) as job,
        Sender("flow", options.text, "inf", sent) as sender,
        job.child(sender.port, total) as child,
    ):
        seconds = job.counted(child, total).ended - sender.first_sent(1)
        return sent * options.text.stat().st_size / seconds / 1e6


def written_rate(options: Options, parent: Path, sent: int) -> float:
    """MB/s at which the disk takes the same bytes, forced to it as often as batches do that."""
    content = memoryview(options.text.read_bytes())
    path = parent / "written"
    began = synced = time.monotonic()
    with path.open("wb", buffering=0) as file:
        for _ in range(sent):
            for at in range(0, len(content), DISK_PIECE):
                file.write(content[at : at + DISK_PIECE])
                if time.monotonic() - synced >= DISK_INTERVAL:
                    os.fdatasync(file)
                    synced = time.monotonic()
        os.fdatasync(file)
    seconds = time.monotonic() - began
    path.unlink()
    return sent * len(content) / seconds / 1e6


def run_disk(options: Options, parent: Path) -> list[Row]:
    """Beside the disk, and beside the same socket without a log, which may be the slower one."""
    name = f"{NAME}.disk"
    sent = times(DISK_MEGABYTES, options)
    ours: list[float] = []
    plainly: list[float] = []
    disk: list[float] = []
    for number in range(1, options.runs + 1):
        ours.append(taken_rate(options, parent, sent))
        plainly.append(taken_rate(options, parent, sent, logged=False))
        disk.append(written_rate(options, parent, sent))
        say(
            f"{name}: run {number} of {options.runs}: {ours[-1]:.0f} MB/s, "
            f"{WITHOUT} {plainly[-1]:.0f} MB/s, the disk {disk[-1]:.0f} MB/s"
        )
    return [
        rate(name, ours, "MB/s", "the disk alone", disk, DISK_TARGET),
        rate(f"{name}.socket", ours, "MB/s", WITHOUT, plainly, None),
    ]


def run(options: Options) -> list[Row]:
    rows: list[Row] = []
    with folder_on_disk(options) as folder:
        parts = ((NAME, run_files), (f"{NAME}.socket", run_socket), (f"{NAME}.disk", run_disk))
        for name, part in parts:
            try:
                rows += part(options, folder)
            except BenchmarkError as error:
                say(f"{name}: {error}")
                rows.append(failed(name))
    return rows


BENCHMARK = Benchmark(NAME, "what checkpoints and logs cost, and how fast a socket is logged", run)
