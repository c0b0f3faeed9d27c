"""States of many keys of which few are touched: how long a batch takes.

FUNCTION is sum, opaque (which nobody can look into) or map-with-state; ACTION is take or count; an
interval of 0 stands for virtual time. After the last batch the number of keys, the sum of all
states and the states of some keys are compared with what plain Python expects.

    state.py FUNCTION ACTION KEYS TOUCHED WARM_UP MEASURED SECONDS INTERVAL FOLDER RESULT
"""

import random
import sys
import zlib
from collections import Counter

from pyspark.streaming import DStream
from stream_times import Batches, by_the_clock, report, same, virtual

function, action, keys, touched, warm_up, measured, seconds, interval, folder, result = sys.argv[1:]
KEYS, TOUCHED = int(keys), int(touched)
INTERVAL = float(interval)
WARM_UP, MEASURED = int(warm_up), int(measured)
BATCHES = WARM_UP + MEASURED + 60
VARIANTS = min(BATCHES, 200)
PROBES = 20


def key(number):
    return f"key-{number:08d}"


generator = random.Random(20_300_101)
touched_numbers = [[generator.randrange(KEYS) for _ in range(TOUCHED)] for _ in range(VARIANTS)]
probed = set(touched_numbers[0][:PROBES])


def opaque(new, old):
    # The checksum of no bytes is the one that it goes on from.
    return zlib.crc32(b"", sum(new) + (old or 0))


def counted(key, value, state):
    total = (value or 0) + (state.getOption() or 0)
    state.update(total)
    return key, total


def act(rdd):
    return len(rdd.take(10)) if action == "take" else rdd.count()


def last(rdd):
    probes = {key(number) for number in probed}
    return (
        rdd.count(),
        rdd.map(lambda pair: pair[1]).fold(0, lambda a, b: a + b),
        sorted(rdd.filter(lambda pair: pair[0] in probes).collect()),
    )


def states(sc, pairs):
    initial = sc.parallelize(range(KEYS), 2).map(lambda number: (f"key-{number:08d}", number))
    if function == "map-with-state":
        from pyspark.streaming import StateSpec

        spec = StateSpec.function(counted).initialState(initial).numPartitions(2)
        return pairs.mapWithState(spec).stateSnapshots()
    update = opaque if function == "opaque" else lambda new, old: sum(new) + (old or 0)
    return pairs.updateStateByKey(update, 2, initial)


def define(sc, ssc, output):
    rdds = [
        sc.parallelize([(key(number), 1) for number in numbers], 2) for numbers in touched_numbers
    ]
    pairs = ssc.queueStream([rdds[batch % VARIANTS] for batch in range(BATCHES)])
    states(sc, pairs).foreachRDD(output)


if function == "map-with-state" and not hasattr(DStream, "mapWithState"):
    report(result, 0, [])
    sys.exit()
batches = Batches(act, last)
pace = (1, WARM_UP, MEASURED, float(seconds))
if INTERVAL:
    filled, took = by_the_clock(define, batches, *pace, INTERVAL, folder)
else:
    filled, took = virtual(define, batches, *pace)
for number, found in batches.results:
    same(f"the output of batch {number}", found, min(KEYS, 10) if action == "take" else KEYS)
number, (count, total, probes) = batches.final
seen = Counter(
    each for batch in range(min(number, BATCHES)) for each in touched_numbers[batch % VARIANTS]
)
same("the number of keys", count, KEYS)
same("the sum of the states", total, KEYS * (KEYS - 1) // 2 + seen.total())
same("the states of some keys", probes, sorted((key(each), each + seen[each]) for each in probed))
report(result, filled, took)
