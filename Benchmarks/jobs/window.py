"""Windows over batches of text keys, and over none at all: how long a batch takes.

KIND is plain, inverse or idle; an interval of 0 stands for virtual time. The output adds up the
values of all keys, which reads each of them and costs little; an idle window has none to read and
is counted. Each result is compared with what plain Python expects, the last one key by key.

    window.py KIND LENGTH RECORDS WARM_UP MEASURED SECONDS INTERVAL FOLDER RESULT
"""

import random
import sys
from collections import Counter

from stream_times import Batches, by_the_clock, report, same, virtual

kind, length, records, warm_up, measured, seconds, interval, folder, result = sys.argv[1:]
LENGTH, RECORDS = int(length), int(records)
INTERVAL = float(interval)
WARM_UP, MEASURED = int(warm_up), int(measured)
KEYS = [f"key-{number:05d}" for number in range(RECORDS)]
VARIANTS = 7  # batches in turn, so that what leaves a window is not what comes in

choice = random.Random(20_300_101).choice
batches_of_records = [
    [(choice(KEYS), variant + 1) for _ in range(RECORDS)] for variant in range(VARIANTS)
]
counts_of_keys = [Counter(key for key, _ in batch) for batch in batches_of_records]


def variants(number):
    """How many batches of each variant are in the window that ends with this batch."""
    if kind == "idle":
        return {0: 1} if number <= LENGTH else {}
    return Counter(
        (batch - 1) % VARIANTS for batch in range(max(1, number - LENGTH + 1), number + 1)
    )


def expected_keys(number):
    totals = Counter()
    for variant, times in variants(number).items():
        for key, count in counts_of_keys[variant].items():
            totals[key] += count * (variant + 1) * times
    return dict(totals)


def expected_total(number):
    """What the output gives, without the keys."""
    if kind == "idle":
        return len(counts_of_keys[0]) if number <= LENGTH else 0
    return sum(RECORDS * (variant + 1) * times for variant, times in variants(number).items())


def act(rdd):
    if kind == "idle":
        return rdd.count()
    return rdd.map(lambda pair: pair[1]).fold(0, lambda a, b: a + b)


def define(sc, ssc, output):
    rdds = [sc.parallelize(batch, 2) for batch in batches_of_records]
    # One more for the keys, and some that come while the end is seen.
    count = 1 if kind == "idle" else LENGTH + WARM_UP + MEASURED + 60
    inverse = (lambda a, b: a - b) if kind == "inverse" else None
    pairs = ssc.queueStream([rdds[batch % VARIANTS] for batch in range(count)])
    step = INTERVAL or 1
    windows = pairs.reduceByKeyAndWindow(lambda a, b: a + b, inverse, LENGTH * step, step)
    windows.foreachRDD(output)


# One batch fewer for an idle window: the last one that still holds records is looked at.
fill = LENGTH - 1 if kind == "idle" else LENGTH
batches = Batches(act, lambda rdd: rdd.collect())
pace = (fill, WARM_UP, MEASURED, float(seconds))
if INTERVAL:
    filled, took = by_the_clock(define, batches, *pace, INTERVAL, folder)
else:
    filled, took = virtual(define, batches, *pace)
for number, total in batches.results:
    same(f"the window of batch {number}", total, expected_total(number))
number, pairs = batches.final
# With an inverse function a key that has left stays, with 0.
found = {key: value for key, value in pairs if value}
same(f"the keys of the window of batch {number}", found, expected_keys(number))
report(result, filled + (LENGTH - fill), took)
