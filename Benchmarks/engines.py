"""The programs that run a job script: Swiftwater, and PySpark where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from processes import BenchmarkError

JOBS = Path(__file__).resolve().parent / "jobs"


@dataclass(frozen=True)
class Engine:
    """What runs a job script."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    # The batch interval for one big batch, in seconds: short, because the first batch waits
    # for a multiple of it, but such that the empty batches after it cost nothing.
    interval: str
    # Spark's receiver holds one core of the master for itself.
    socket_master: str

    def run(self, job: str, *arguments: object) -> list[str]:
        """The command that runs a script of jobs/."""
        return [*self.command, str(JOBS / job), *map(str, arguments)]

    def with_setting(self, name: str, value: str) -> Engine:
        """Swiftwater with another value of a setting."""
        return replace(self, command=(*self.command, "--conf", f"{name}={value}"))

    def without_lowering(self) -> Engine:
        """Swiftwater with functions that stay in Python."""
        return self.with_setting("swiftwater.lowering", "false")

    def with_workers(self, use: str) -> Engine:
        """Swiftwater whose Python functions run in workers `always`, `never` or as it decides."""
        return self.with_setting("swiftwater.workers", use)


def swiftwater(program: Path) -> Engine:
    """The engine under test."""
    if not os.access(program, os.X_OK):
        raise BenchmarkError(f"there is no {program}: run scripts/bench, which builds it")
    return Engine("Swiftwater", (str(program), "run"), clean_environment(), "0.01", "local[1]")


def pyspark() -> Engine:
    """PySpark, in this interpreter or in the one that SWIFTWATER_BENCH_PYSPARK names.

    Raises BenchmarkError where it is not installed.
    """
    python = os.environ.get("SWIFTWATER_BENCH_PYSPARK", sys.executable)
    environment = clean_environment() | {
        "PYSPARK_PYTHON": python,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": "--driver-memory 4g --conf spark.ui.enabled=false pyspark-shell",
    }
    java = Path(environment.get("JAVA_HOME", ""), "bin", "java")
    if not (shutil.which("java") or java.exists()):
        raise BenchmarkError("Java is not installed")
    script = "import pyspark.streaming; print(pyspark.__version__)"
    version = _output(python, [script], environment)
    if version is None:
        raise BenchmarkError(
            "it is not installed here; SWIFTWATER_BENCH_PYSPARK can name a Python that has it"
        )
    name = f"PySpark {version}"
    # -u: PySpark leaves the output of a batch in Python's buffer.
    return Engine(name, (python, "-u"), environment, "1", "local[2]")


def peer(title: str, package: str) -> Engine:
    """Another engine, in this interpreter or in the one that SWIFTWATER_BENCH_PEERS names.

    Raises BenchmarkError where it is not installed.
    """
    python = os.environ.get("SWIFTWATER_BENCH_PEERS", sys.executable)
    environment = clean_environment() | {"PATHWAY_THREADS": str(os.cpu_count() or 1)}
    script = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    version = _output(python, [script, package], environment)
    if version is None:
        raise BenchmarkError(
            "it is not installed here; SWIFTWATER_BENCH_PEERS can name a Python that has it"
        )
    return Engine(f"{title} {version}", (python,), environment, "", "")


def _output(python: str, script: list[str], environment: Mapping[str, str]) -> str | None:
    """What the script prints, None where it fails."""
    try:
        found = subprocess.run(
            [python, "-c", *script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise BenchmarkError(f"{python} does not run") from None
    return found.stdout.strip() if found.returncode == 0 else None


def clean_environment() -> dict[str, str]:
    """This environment without what would change a measured run."""
    names = ("VIRTUAL_ENV", "PYTHON", "SWIFTWATER_", "SPARK_", "PYSPARK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(names)}
