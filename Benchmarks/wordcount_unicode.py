"""wordcount-unicode: what one word in twenty that is not ASCII costs."""

from __future__ import annotations

from counting import UNIT, in_turn, job, plain_python
from harness import Benchmark, Options
from rows import Row, rate

NAME = "wordcount-unicode"


def run(options: Options) -> list[Row]:
    text, mixed = options.text, options.mixed_text
    expected = {file: plain_python(options, file) for file in (text, mixed)}
    ours, ascii_only = in_turn(
        NAME,
        options,
        [
            job(options, options.engine, mixed, name="mixed"),
            job(options, options.engine, text, name="ASCII"),
        ],
        expected,
    )
    return [rate(NAME, ours, UNIT, "ASCII only", ascii_only, 0.7)]


BENCHMARK = Benchmark(NAME, "word count with one word in twenty that is not ASCII", run)
