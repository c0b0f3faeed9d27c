"""The two programs that run ``execute.py``: real PySpark, and Swiftwater."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
SPARK_OPTIONS = (
    "--master local[2] --driver-memory 1g --conf spark.ui.enabled=false "
    "--conf spark.log.level=OFF --conf spark.ui.showConsoleProgress=false pyspark-shell"
)
Program = dict[str, Any]
Result = dict[str, Any]


class NotInstalledError(Exception):
    """An engine that cannot be run here; the message says what is missing."""


@dataclass(frozen=True)
class Engine:
    """What runs a Python script in which ``pyspark`` can be imported."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    # A program that takes longer counts as broken, in seconds.
    patience: float = 150.0
    start: float = 30.0
    version: str = field(default="", compare=False)

    def results(self, programs: Sequence[Program]) -> Iterator[Result]:
        """The programs' results, in order, each as soon as it is there.

        A program at which the engine ends or hangs has the result ``{"broken": reason}``; the
        engine is started again for those after it.
        """
        done = 0
        while done < len(programs):
            began = done
            for result in self._run(programs[done:]):
                yield result
                done += 1
            if done < len(programs):
                why = "ended" if done > began or began == 0 else "ended again"
                yield {"broken": f"{self.name} {why} at this program"}
                done += 1

    def _run(self, programs: Sequence[Program]) -> Iterator[Result]:
        with temporary_folder() as folder:
            given = folder / "programs.jsonl"
            given.write_text("".join(json.dumps(program) + "\n" for program in programs))
            results = folder / "results.jsonl"
            os.mkfifo(results)
            # Both ends, so that opening waits for nobody; a line is read when there is one.
            with (
                open(results, "r+b", buffering=0) as pipe,
                self.process("execute.py", given, results, *self.options) as process,
            ):
                buffer = b""
                patience = self.start + self.patience
                for _ in programs:
                    while b"\n" not in buffer:
                        found = read_some(pipe.fileno(), process, patience)
                        if not found:
                            return
                        buffer += found
                    line, _, buffer = buffer.partition(b"\n")
                    yield json.loads(line)
                    patience = self.patience

    @contextmanager
    def process(self, script: str | Path, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
        """A script's process, ended with all its children when the block is left."""
        process = subprocess.Popen(
            [*self.command, str(FOLDER / script), *map(str, arguments)],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if "SWIFTWATER_DIFFERENTIAL_LOG" in os.environ else subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own session, and what it has started."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(5.0)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_some(descriptor: int, process: subprocess.Popen[bytes], patience: float) -> bytes:
    """What comes next; nothing when the process has ended or said nothing for so long."""
    import select
    from time import monotonic

    last = monotonic() + patience
    while True:
        ended = process.poll() is not None
        readable, _, _ = select.select([descriptor], [], [], 0.0 if ended else 0.2)
        if readable:
            return os.read(descriptor, 1 << 20)
        if ended:
            return b""
        if monotonic() > last:
            process.kill()
            return b""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed when the block is left."""
    with tempfile.TemporaryDirectory(prefix="swiftwater-differential-") as name:
        yield Path(name)


def clean_environment() -> dict[str, str]:
    """This environment without what would change a run."""
    names = ("VIRTUAL_ENV", "PYTHON", "SWIFTWATER_", "SPARK_", "PYSPARK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(names)}


def swiftwater(command: Sequence[str] | None = None) -> Engine:
    """Swiftwater: the release build of this clone, or what ``command`` names."""
    if command is None:
        host = ROOT / ".build" / "release" / "swiftwater"
        if not os.access(host, os.X_OK):
            raise NotInstalledError(f"there is no {host}: build it with scripts/quickstart")
        command = [str(host)]
    return Engine("Swiftwater", (*command, "run"), clean_environment(), ("--virtual",), 30.0)


def spark(python: str | None = None) -> Engine:
    """Real PySpark: in ``python``, in what SWIFTWATER_BENCH_PYSPARK names, or in this Python."""
    python = python or os.environ.get("SWIFTWATER_BENCH_PYSPARK") or sys.executable
    environment = clean_environment() | {
        "PYSPARK_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": SPARK_OPTIONS,
        "SPARK_LOCAL_IP": "127.0.0.1",
        # As spark-submit has it; without it the driver refuses to find a key's partition.
        "PYTHONHASHSEED": "0",
        # Its workers import the catalogue.
        "PYTHONPATH": str(FOLDER),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    java = Path(environment.get("JAVA_HOME", ""), "bin", "java")
    if not (shutil.which("java") or java.exists()):
        raise NotInstalledError("Java is not installed")
    question = "import pyspark, pyspark.streaming as s; print(pyspark.__version__, s.__file__)"
    try:
        found = subprocess.run(
            [python, "-c", question],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{python} does not run: {error}") from None
    if found.returncode != 0:
        raise NotInstalledError(
            f"{python} has no PySpark; SWIFTWATER_BENCH_PYSPARK can name a Python that has it"
        )
    version = found.stdout.split()[0]
    return Engine(f"PySpark {version}", (python, "-u"), environment, version=version)
