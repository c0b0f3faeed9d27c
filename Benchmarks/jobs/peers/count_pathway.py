"""Word count of a file with Pathway; PATHWAY_THREADS says on how many threads.

A batched function splits the lines; the words are counted natively, which is faster than to sum
ones from a Python function.

    count_pathway.py FILE RESULT
"""

import sys
import time
from pathlib import Path

import pathway as pw

sys.path.append(str(Path(__file__).parents[1]))
import outcome

path, result = sys.argv[1:]
counts = {}


@pw.udf(deterministic=True, max_batch_size=1024)
def split(lines: list[str]) -> list[list[str]]:
    return [line.split(" ") for line in lines]


def changed(key, row, time, is_addition):
    if is_addition:
        counts[row["word"]] = row["count"]


started = time.monotonic()
lines = pw.io.plaintext.read(path, mode="static")
words = lines.select(word=split(pw.this.data)).flatten(pw.this.word)
pw.io.subscribe(
    words.groupby(pw.this.word).reduce(pw.this.word, count=pw.reducers.count()), changed
)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
ended = time.monotonic()
outcome.write(result, started, ended, counts)
