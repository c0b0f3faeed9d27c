"""The analysis of log_file.py in plain Python, one thread: the same functions for each record.

python3 log_loop.py FILE RESULT
"""

import sys
import time

import outcome

split = lambda line: line.split(" ")
good = lambda f: "/api/" in f[3] and 200 <= int(f[4]) < 400
length = lambda f: (f[3], (int(f[5]), 1))
add = lambda a, b: (a[0] + b[0], a[1] + b[1])
average = lambda v: (v[1], v[0] / v[1])


def analyse(path, split, good, length, add, average):
    totals = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = split(line.rstrip("\n"))
            if good(fields):
                key, value = length(fields)
                try:
                    totals[key] = add(totals[key], value)
                except KeyError:
                    totals[key] = value
    return {key: average(value) for key, value in totals.items()}


started = time.monotonic()
averages = analyse(sys.argv[1], split, good, length, add, average)
ended = time.monotonic()
total = sum(count for count, _ in averages.values())
outcome.write_results(sys.argv[2], started, ended, averages, total)
