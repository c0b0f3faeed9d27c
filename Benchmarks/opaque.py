"""opaque: functions that have to run in Python, on one core and on two, beside a plain loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from counting import PLAIN, UNIT, Contestant, agree, in_turn, job, plain
from engines import Engine
from harness import Benchmark, Options
from rows import Row, rate

NAME = "opaque"
PARSER = f"{NAME}.parser"
LINES = "Mlines/s"
TARGET, TARGET_OF_TWO = 1.0, 1.7


def rows(
    name: str,
    options: Options,
    run: Callable[..., Contestant],
    opponent: Contestant,
    unit: str = UNIT,
    records: int | None = None,
) -> list[Row]:
    """Both rows of a job."""
    contestants = [run(name="one core"), run(master="local[2]", name="two cores"), opponent]
    one, two, plainly = in_turn(name, options, contestants, unit=unit, records=records)
    return [
        rate(name, one, unit, PLAIN, plainly, TARGET),
        rate(f"{name}.two", two, unit, PLAIN, plainly, TARGET_OF_TWO),
    ]


def words(options: Options, engine: Engine) -> list[Row]:
    """The word count: functions that could be lowered, and are not."""
    # The text is too short to go to workers by itself.
    moved = partial(job, options, engine.with_workers("always"), master="local[2]")
    agree(options, partial(job, options, engine), partial(moved, name="two cores"))
    return rows(
        NAME, options, partial(job, options, engine, options.text), plain(options, options.text)
    )


def parser(options: Options, engine: Engine) -> list[Row]:
    """A function that is not understood, because of its `try`, and two more behind it."""
    log = options.log
    return rows(
        PARSER,
        options,
        partial(job, options, engine, log, script="parse_file.py"),
        plain(options, log, "parse_loop.py"),
        LINES,
        log.read_bytes().count(b"\n"),
    )


def run(options: Options) -> list[Row]:
    return words(options, options.engine.without_lowering()) + parser(options, options.engine)


BENCHMARK = Benchmark(NAME, "functions that stay in Python, on one core and on two", run)
