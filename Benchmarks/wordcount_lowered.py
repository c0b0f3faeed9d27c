"""wordcount-lowered: the unmodified word count in Python, its functions run natively."""

from __future__ import annotations

from functools import partial

from counting import PLAIN, UNIT, agree, c_reference, in_turn, job, plain
from harness import Benchmark, Options
from rows import Row, rate

NAME = "wordcount-lowered"


def run(options: Options) -> list[Row]:
    engine, text = options.engine, options.text
    agree(options, partial(job, options, engine), partial(c_reference, options))
    one, reference, plainly, two = in_turn(
        NAME,
        options,
        [
            job(options, engine, text),
            c_reference(options, text),
            plain(options, text),
            job(options, engine, text, "local[2]", name="two cores"),
        ],
    )
    return [
        rate(NAME, one, UNIT, PLAIN, plainly, 20.0),
        rate(f"{NAME}.c", one, UNIT, "C", reference, 0.5),
        rate(f"{NAME}.two", two, UNIT, PLAIN, plainly, 30.0),
    ]


BENCHMARK = Benchmark(NAME, "word count of a file, the functions run natively", run)
