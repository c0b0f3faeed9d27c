"""Word count in plain Python, one thread: the same three functions, each called for each record.

No other form that was tried (`in`, `get`, `map`, itertools, reading in blocks) is faster.

    python3 plain_loop.py FILE RESULT
"""

import sys
import time

import outcome

split = lambda line: line.split(" ")
pair = lambda word: (word, 1)
add = lambda a, b: a + b


def word_count(path, split, pair, add):
    counts = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            for word in split(line.rstrip("\n")):
                key, value = pair(word)
                try:
                    counts[key] = add(counts[key], value)
                except KeyError:
                    counts[key] = value
    return counts


started = time.monotonic()
counts = word_count(sys.argv[1], split, pair, add)
ended = time.monotonic()
outcome.write(sys.argv[2], started, ended, counts)
