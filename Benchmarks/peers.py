"""peers: the word count of a file beside other engines, each on as many cores as it can use."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import engines
import text
from counting import UNIT, Contestant, in_turn, job, peer_job, plain_python
from harness import Benchmark, Options, say
from processes import BenchmarkError
from rows import Row, rate

NAME = "peers"
CORES = "local[*]"
PYTHON_TARGET = 40.0
SQL_TARGET = 2.0


@dataclass(frozen=True)
class Peer:
    """Another engine."""

    title: str
    package: str
    runs_python: bool  # functions in Python, where DuckDB has SQL
    share: float  # of the text: the slow ones count less of it

    @property
    def row(self) -> str:
        return f"{NAME}.{self.package}"

    def contestant(self, options: Options) -> Contestant:
        """Raises BenchmarkError where it is not installed."""
        spark = self.package == "pyspark"
        engine = engines.pyspark() if spark else engines.peer(self.title, self.package)
        file = text.text_file(options.megabytes * self.share, options.data, say)
        if spark:
            return job(options, engine, file, CORES)
        return peer_job(options, engine, f"peers/count_{self.package}.py", file)


# Spark's batch is the whole file, in partitions of 32 MB: smaller batches are slower.
PEERS = (
    Peer("PySpark", "pyspark", True, 1.0),
    Peer("Bytewax", "bytewax", True, 1.0),
    Peer("Pathway", "pathway", True, 0.25),
    Peer("DuckDB", "duckdb", False, 1.0),
)


def run(options: Options) -> list[Row]:
    found: dict[Peer, Contestant] = {}
    for peer in PEERS:
        try:
            found[peer] = peer.contestant(options)
        except BenchmarkError as error:
            say(f"{peer.title} is left out: {error}")
    contestants = [job(options, options.engine, options.text, CORES), *found.values()]
    files: set[Path] = {contestant.file for contestant in contestants}
    expected = {file: plain_python(options, file) for file in files}
    ours, *theirs = in_turn(NAME, options, contestants, expected)
    rates = dict(zip(found, theirs, strict=True))
    row = partial(rate, values=ours, unit=UNIT)
    pythons = [peer for peer in found if peer.runs_python]
    best = max(pythons, key=lambda peer: statistics.median(rates[peer]), default=None)
    if best is None:
        rows = [row(NAME, reference="none is installed", references=(), target=None)]
    else:
        name = found[best].name
        rows = [row(NAME, reference=name, references=rates[best], target=PYTHON_TARGET)]
    for peer in PEERS:
        if peer not in found:
            absent = f"{peer.title} (not installed)"
            rows.append(row(peer.row, reference=absent, references=(), target=None))
            continue
        target = None if peer.runs_python else SQL_TARGET
        reference = found[peer].name
        rows.append(row(peer.row, reference=reference, references=rates[peer], target=target))
    return rows


BENCHMARK = Benchmark(NAME, "the word count beside PySpark, Bytewax, Pathway and DuckDB", run)
