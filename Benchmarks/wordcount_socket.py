"""wordcount-socket: the same word count, the text coming from a socket of this machine."""

from __future__ import annotations

from counting import against_plain_python, socket_job
from harness import Benchmark, Options
from rows import Row

NAME = "wordcount-socket"


def run(options: Options) -> list[Row]:
    return against_plain_python(NAME, options, 0.9, socket_job)


BENCHMARK = Benchmark(NAME, "the same word count over a socket", run)
