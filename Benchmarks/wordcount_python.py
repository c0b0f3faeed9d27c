"""wordcount-python: how fast three Python functions count the words of a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from engines import Engine
from harness import Benchmark, Counted, Options, against_plain_python, counted, patience
from processes import Child
from rows import Row

NAME = "wordcount-python"


def measure(options: Options, engine: Engine) -> tuple[Counted, float]:
    """From start() to the result, on one core."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        command = engine.run("count_file.py", "local[1]", engine.interval, options.text, result)
        with Child(command, engine.environment) as child:
            outcome = counted(child, result, patience(options))
            return outcome, outcome.rate()


def run(options: Options) -> list[Row]:
    return against_plain_python(NAME, options, 1.0, measure)


BENCHMARK = Benchmark(NAME, "word count of a file with three Python functions, one core", run)
