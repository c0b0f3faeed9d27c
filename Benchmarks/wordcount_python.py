"""wordcount-python: how fast three Python functions, left in Python, count the words of a file."""

from __future__ import annotations

from counting import against_plain_python, job
from harness import Benchmark, Options
from rows import Row

NAME = "wordcount-python"


def run(options: Options) -> list[Row]:
    return against_plain_python(
        NAME, options, 1.0, lambda options, engine: job(options, engine, options.text)
    )


BENCHMARK = Benchmark(NAME, "word count of a file, the functions left in Python, one core", run)
