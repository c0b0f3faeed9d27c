"""start: cold start of the host to the end of the first batch's output, interval 0.1 s."""

from __future__ import annotations

from engines import Engine
from first_batch import first_batches
from harness import Benchmark, Options
from rows import Row, beside, limit

NAME = "start"
LIMIT_MS = 250


def best(options: Options, engine: Engine) -> float:
    return min(batch.milliseconds for batch in first_batches(NAME, options, engine))


def run(options: Options) -> list[Row]:
    value = best(options, options.engine)
    spark = options.pyspark
    other = best(options, spark) if spark else None
    return [
        limit(NAME, value, "ms", LIMIT_MS),
        beside(f"{NAME}.pyspark", value, "ms", spark.name if spark else None, other),
    ]


BENCHMARK = Benchmark(NAME, "from nothing to the first batch's output", run)
