"""PySpark's own streaming examples, unmodified, on both engines with the same input.

Each example runs in both at the same time, each with a server (or folder) of its own that is fed
the same. A feed has phases: all lines of a phase are sent at once in the middle of a batch, and the
next phase begins when the example has printed something new. What the examples print is compared
batch for batch, without the batch times and without empty batches.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engines import Engine

# No more than ten words in all: the examples print ten records of a batch.
PHASES: tuple[tuple[str, ...], ...] = (
    ("to be or not to be", "a b hello"),
    ("ä b ä 日本語", "hello world hello", "to be"),
    ("a b a b", "to not"),
)
PATIENCE = 120.0  # seconds for one phase, or for the start
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


@dataclass(frozen=True)
class Example:
    """One of the scripts, and how it is run."""

    name: str
    arguments: Callable[[Place], list[str]]
    batches: Callable[[list[str]], list[list[str]]]
    # Sends one phase; None: the script needs no input and ends by itself.
    feed: Callable[[Place, Sequence[str], int], None] | None
    interval: float = 1.0
    runs: int = 1  # how many times it is started, each time going on from before
    repeats: bool = False  # prints the same again in a batch without input


# --- one run's surroundings -----------------------------------------------------------------------


class Place:
    """A folder to work in, and a server of text lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.input = folder / "input"
        self.input.mkdir()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._clients: list[socket.socket] = []
        self.connected = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._clients.append(client)
                self.connected.set()

    def send(self, lines: Sequence[str]) -> None:
        """Send lines to who connected last."""
        self._clients[-1].sendall("".join(f"{line}\n" for line in lines).encode())

    def disconnect(self) -> None:
        """Close the connections, for the next run of the script."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.connected.clear()

    def close(self) -> None:
        """Close the server too."""
        # An accept() that waits is not ended by close() alone.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.disconnect()


def send_lines(place: Place, lines: Sequence[str], phase: int) -> None:
    """A phase over the socket."""
    if not place.connected.wait(PATIENCE):
        raise TimeoutError("the script did not connect")
    place.send(lines)


def put_file(place: Place, lines: Sequence[str], phase: int) -> None:
    """A phase as a file that appears at once."""
    file = place.folder / f"phase-{phase}.txt"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    file.rename(place.input / file.name)


class Output:
    """The lines that a process has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_until(self, condition: Callable[[list[str]], bool], what: str) -> None:
        """Wait until the lines fulfil a condition."""
        limit = time.monotonic() + PATIENCE
        while not condition(list(self.lines)):
            if self._process.poll() is not None:
                raise ChildProcessError(f"it ended ({self._process.returncode}) before {what}")
            if time.monotonic() > limit:
                raise TimeoutError(f"it did not come to {what}")
            time.sleep(0.05)

    def finish(self) -> None:
        """Wait for the rest."""
        self._reader.join(5.0)


@contextmanager
def running(
    engine: Engine, script: Path, place: Place, arguments: Sequence[str]
) -> Iterator[tuple[subprocess.Popen[str], Output]]:
    """A script that runs, and what it prints."""
    master = () if engine.name.startswith("PySpark") else ("--master", "local[2]")
    with open(place.folder / "errors.txt", "ab") as errors:
        process = subprocess.Popen(
            [*engine.command, *master, str(script), *arguments],
            env=dict(engine.environment),
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
    try:
        yield process, Output(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# --- what is printed ------------------------------------------------------------------------------


def plain(lines: list[str]) -> list[str]:
    """Lines without what differs from run to run."""
    return [re.sub(r"to /\S+", "to FILE", TIME.sub("TIME", line)) for line in lines]


def split(lines: list[str], head: Callable[[str], bool]) -> list[list[str]]:
    """The lines from each head to the next."""
    found: list[list[str]] = []
    for line in lines:
        if head(line):
            found.append([])
        if found:
            found[-1].append(line)
    return found


def printed(lines: list[str]) -> list[list[str]]:
    """The batches of ``pprint`` that have records."""
    result = []
    for batch in split(plain(lines), lambda line: line == "Time: TIME"):
        records = [line for line in batch[1:] if line and line != "-" * 43]
        if records and batch[-1] in ("", "-" * 43):
            result.append(records)
    return result


def echoed(lines: list[str]) -> list[list[str]]:
    """The batches of the recoverable example."""
    batches = split(plain(lines), lambda line: line.startswith("Counts at time"))
    created = [["Creating new context"] for line in lines if line == "Creating new context"]
    full = []
    dropped = "Dropped 0 word(s) totally"
    for counts, *rest in batches:
        if len(rest) >= 2 and (not counts.endswith(" []") or rest[0] != dropped):
            full.append([counts, *rest[:2]])
            dropped = rest[0]
    return created + full


def happiest(lines: list[str]) -> list[list[str]]:
    """The batches of the sentiments example."""
    batches = split(plain(lines), lambda line: line.startswith("Happiest topics"))
    return [batch for batch in batches if "(0 total)" not in batch[0]]


def tables(lines: list[str]) -> list[list[str]]:
    """The tables of the SQL example; SQL promises no order of their rows."""
    batches = split(plain(lines), lambda line: line.startswith("========= "))
    found = []
    for batch in batches:
        rules = [number for number, line in enumerate(batch) if line.startswith("+-")]
        if len(rules) == 3:
            rows = sorted(batch[rules[1] + 1 : rules[2]])
            found.append([*batch[rules[0] : rules[1] + 1], *rows, batch[rules[2]]])
    return found


def without_repeats(batches: list[list[str]]) -> list[list[str]]:
    """Batches of which none is the same as the one before."""
    return [
        batch for number, batch in enumerate(batches) if not number or batch != batches[number - 1]
    ]


EXAMPLES: tuple[Example, ...] = (
    Example("queue_stream", lambda place: [], printed, None),
    Example("network_wordcount", lambda place: ["localhost", str(place.port)], printed, send_lines),
    Example("hdfs_wordcount", lambda place: [str(place.input)], printed, put_file),
    Example(
        "stateful_network_wordcount",
        lambda place: ["localhost", str(place.port)],
        printed,
        send_lines,
        repeats=True,
    ),
    Example(
        "recoverable_network_wordcount",
        lambda place: [
            "localhost",
            str(place.port),
            str(place.folder / "checkpoint"),
            str(place.folder / "out.txt"),
        ],
        echoed,
        send_lines,
        runs=2,
    ),
    Example(
        "network_wordjoinsentiments",
        lambda place: ["localhost", str(place.port)],
        happiest,
        send_lines,
        interval=5.0,
    ),
    Example(
        "sql_network_wordcount", lambda place: ["localhost", str(place.port)], tables, send_lines
    ),
)


# --- the comparison -------------------------------------------------------------------------------


def run(engine: Engine, example: Example, script: Path) -> list[list[str]]:
    """The batches that an example prints."""
    with tempfile.TemporaryDirectory(prefix="swiftwater-shipped-") as name:
        place = Place(Path(name))
        try:
            return fed(engine, example, script, place)
        except (TimeoutError, ChildProcessError) as error:
            text = (place.folder / "errors.txt").read_text(errors="replace")
            lines = [line for line in text.splitlines() if "WARN" not in line]
            return [[f"{engine.name}: {error}", *lines[-12:]]]
        finally:
            place.close()


def fed(engine: Engine, example: Example, script: Path, place: Place) -> list[list[str]]:
    """Run an example and send its phases."""
    word_list(script, place)
    lines: list[str] = []
    for number in range(example.runs):
        with running(engine, script, place, example.arguments(place)) as (process, output):
            if example.feed is None:
                output.wait_until(lambda found: process.poll() is not None, "its end")
                output.finish()
                return collapsed(example, output.lines)
            output.wait_until(lambda found: any(map(heading, found)), "its first batch")
            phases = PHASES if number == 0 else PHASES[::-1]
            for phase, given in enumerate(phases):
                before = len(collapsed(example, output.lines))
                wait_for_the_middle(example.interval)
                example.feed(place, given, phase)
                output.wait_until(
                    partial(has_more, example, before), f"the result of phase {phase + 1}"
                )
            # So that the last batch is over, with all that it prints.
            time.sleep(1.5 * example.interval)
        output.finish()
        lines += output.lines
        place.disconnect()
    return collapsed(example, lines)


def collapsed(example: Example, lines: list[str]) -> list[list[str]]:
    """The batches that are compared."""
    batches = example.batches(lines)
    return without_repeats(batches) if example.repeats else batches


def has_more(example: Example, before: int, lines: list[str]) -> bool:
    """There are more batches than before."""
    return len(collapsed(example, lines)) > before


def heading(line: str) -> bool:
    """The first line of a batch, of whichever example."""
    return line.startswith(("Time: ", "Counts at time", "Happiest topics", "========= "))


def wait_for_the_middle(interval: float) -> None:
    """Wait until a batch has begun, but not long ago."""
    while not 0.25 < time.time() % interval < max(0.5, interval - 1.5):
        time.sleep(0.02)


def word_list(script: Path, place: Place) -> None:
    """The list of words that the sentiments example reads; its releases split it differently."""
    if script.stem == "network_wordjoinsentiments":
        separator = "\t" if r'split("\t")' in script.read_text() else " "
        values = {"be": 1, "not": -2, "hello": 3, "world": 3, "b": 5, "a": 4, "to": 2}
        folder = place.folder / "data" / "streaming"
        folder.mkdir(parents=True)
        text = "".join(f"{word}{separator}{worth}\n" for word, worth in values.items())
        (folder / "AFINN-111.txt").write_text(text)


def examples_of(engine: Engine) -> Path:
    """The folder of the examples that the installed PySpark has."""
    found = subprocess.run(
        [engine.command[0], "-c", "import pyspark; print(pyspark.__path__[0])"],
        env=dict(engine.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(found.stdout.strip()) / "examples" / "src" / "main" / "python" / "streaming"


def compare(theirs: Engine, ours: Engine, folders: Sequence[Path] = ()) -> int:
    """Compare all examples; how many differ."""
    differing = 0
    for folder in (examples_of(theirs), *folders):
        print(f"the examples in {folder}", flush=True)
        for example in EXAMPLES:
            script = folder / f"{example.name}.py"
            if not script.exists():
                print(f"{script} is not there", flush=True)
                differing += 1
                continue
            results: dict[str, Any] = {}

            def one(engine: Engine, example: Example = example, script: Path = script) -> None:
                results[engine.name] = run(engine, example, script)  # noqa: B023 - joined below

            threads = [threading.Thread(target=one, args=(engine,)) for engine in (theirs, ours)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            expected, found = results[theirs.name], results[ours.name]
            if expected == found:
                print(f"{example.name}: the same {len(found)} batches", flush=True)
                continue
            differing += 1
            print(f"{example.name}: DIFFERS", flush=True)
            for name, batches in ((theirs.name, expected), (ours.name, found)):
                print(f"  {name}:")
                for batch in batches:
                    print("    | " + "\n    | ".join(line[:160] for line in batch), flush=True)
    return differing
