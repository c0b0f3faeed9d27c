"""wordcount-swift: a job in Swift runs on the same kernels as the word count in Python."""

from __future__ import annotations

from pathlib import Path

from counting import UNIT, Contestant, agree, in_turn, job, program
from harness import BUILT, Benchmark, Options
from rows import Row, alike

NAME = "wordcount-swift"
PROGRAM = BUILT / "release" / "FileWordCount"


def run(options: Options) -> list[Row]:
    engine, text = options.engine, options.text

    def swift_job(file: Path) -> Contestant:
        return program(options, "Swift", PROGRAM, file, "local[1]", engine.interval)

    agree(options, swift_job)
    swift, python = in_turn(NAME, options, [swift_job(text), job(options, engine, text)])
    return [alike(NAME, swift, UNIT, "wordcount-lowered", python, 1.3)]


BENCHMARK = Benchmark(NAME, "the word count as a job in Swift", run)
