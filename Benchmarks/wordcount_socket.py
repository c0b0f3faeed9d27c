"""wordcount-socket: the same word count, the text coming from a socket of this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from engines import Engine
from harness import Benchmark, Counted, Options, Sender, against_plain_python, counted, patience
from processes import Child
from rows import Row

NAME = "wordcount-socket"


def measure(options: Options, engine: Engine) -> tuple[Counted, float]:
    """From the first byte sent until all words are counted."""
    with tempfile.TemporaryDirectory() as folder, Sender("file", options.text) as sender:
        result = Path(folder, "result.json")
        place = ("127.0.0.1", sender.port)
        command = engine.run(
            "count_socket.py", engine.socket_master, engine.interval, *place, options.words, result
        )
        with Child(command, engine.environment) as child:
            outcome = counted(child, result, patience(options))
            return outcome, outcome.rate(sender.first_sent(1))


def run(options: Options) -> list[Row]:
    return against_plain_python(NAME, options, 0.9, measure)


BENCHMARK = Benchmark(NAME, "the same word count over a socket", run)
