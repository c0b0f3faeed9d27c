"""The sums of parse_file.py in plain Python, one thread: the same functions for each record.

python3 parse_loop.py FILE RESULT
"""

import sys
import time

import outcome


def parse(line):
    try:
        fields = line.split(" ")
        return (fields[3], int(fields[5]))
    except (IndexError, ValueError):
        return None


known = lambda pair: pair is not None
add = lambda a, b: a + b


def total(path, parse, known, add):
    totals = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            pair = parse(line.rstrip("\n"))
            if known(pair):
                key, value = pair
                try:
                    totals[key] = add(totals[key], value)
                except KeyError:
                    totals[key] = value
    return totals


started = time.monotonic()
totals = total(sys.argv[1], parse, known, add)
ended = time.monotonic()
outcome.write(sys.argv[2], started, ended, totals)
