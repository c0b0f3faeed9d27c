"""How long it takes to read Python functions for the first time, each on its own.

lower.py RESULT
"""

import json
import operator
import sys
import time
from pathlib import Path

from swiftwater._lowering import lowered

(result,) = sys.argv[1:]
LIMIT = 200
STOP_WORDS = {"a", "and", "of", "the"}


def is_number(text):
    return text.strip().isdigit()


def grade(record):
    _, value = record
    if value < 10:
        return "low"
    if value < LIMIT:
        return "middle"
    return "high"


def status_class(fields):
    status = int(fields[4])
    return f"{status // 100}xx" if 100 <= status < 600 else "other"


# The number of arguments and the function, as jobs have them.
FUNCTIONS = [
    (1, lambda line: line.split(" ")),
    (1, lambda word: (word, 1)),
    (2, lambda a, b: a + b),
    (1, lambda line: line.split()),
    (1, lambda word: word.lower()),
    (1, lambda word: word.strip(".,;:!?").lower()),
    (1, lambda word: len(word) > 3),
    (1, lambda word: word not in STOP_WORDS and word != ""),
    (1, lambda line: "ERROR" in line),
    (1, lambda line: line.startswith("2026-") and not line.endswith("ok")),
    (1, lambda f: "/api/" in f[3] and 200 <= int(f[4]) < 400),
    (1, lambda f: (f[3], (int(f[5]), 1))),
    (2, lambda a, b: (a[0] + b[0], a[1] + b[1])),
    (1, lambda v: (v[1], v[0] / v[1])),
    (1, lambda pair: (pair[1], pair[0])),
    (1, lambda pair: pair[1] >= LIMIT),
    (1, lambda number: number * number % 97),
    (1, lambda number: -number if number < 0 else number),
    (1, lambda text: float(text) * 1.8 + 32),
    (2, lambda a, b: a if a > b else b),
    (2, lambda a, b: (min(a[0], b[0]), max(a[1], b[1]))),
    (1, lambda line: line.split(",", 2)[1].strip()),
    (1, lambda line: line[:10] + line[-4:]),
    (1, lambda f: f"{f[0]}:{int(f[1]):05d}"),
    (1, lambda word: word.replace("-", "").upper()),
    (1, lambda key: abs(key) // 3 + key % 3),
    (1, is_number),
    (1, lambda word: is_number(word) or word == "none"),
    (1, grade),
    (1, status_class),
    (2, operator.add),
    (1, operator.itemgetter(0, 2)),
    (1, str.split),
]

milliseconds = []
for arity, function in FUNCTIONS:
    started = time.perf_counter()
    lowered(function, arity)
    milliseconds.append((time.perf_counter() - started) * 1000)
Path(result).write_text(json.dumps(milliseconds))
