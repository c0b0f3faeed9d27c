"""memory: resident memory of the process tree at the end of the first batch's output."""

from __future__ import annotations

import statistics

from engines import Engine
from first_batch import first_batches
from harness import Benchmark, Options
from rows import Row, beside, limit

NAME = "memory"
LIMIT_MB = 60


def typical(options: Options, engine: Engine) -> float:
    return statistics.median(batch.megabytes for batch in first_batches(NAME, options, engine))


def run(options: Options) -> list[Row]:
    value = typical(options, options.engine)
    spark = options.pyspark
    other = typical(options, spark) if spark else None
    return [
        limit(NAME, value, "MB", LIMIT_MB),
        beside(f"{NAME}.pyspark", value, "MB", spark.name if spark else None, other),
    ]


BENCHMARK = Benchmark(NAME, "resident memory of all its processes after the first batch", run)
