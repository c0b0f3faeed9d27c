"""What a state with text keys and whole numbers adds to the memory, or a dictionary with the same.

state_memory.py state|dict KEYS RESULT
"""

import json
import sys
from pathlib import Path

from resident import resident_megabytes

subject, count, result = sys.argv[1:]
KEYS = int(count)
# Enough that what a batch keeps only for a while is given back.
BATCHES = 12


def of_dictionary():
    before = resident_megabytes()
    numbers = {f"key-{number:08d}": number for number in range(1000, 1000 + KEYS)}
    grown = resident_megabytes() - before
    return grown, len(numbers)


def of_state():
    from swiftwater.testing import StreamingTest

    def new_keys(size):
        # The first batch is small: what it adds is the engine's own. Two numbers stand for all of
        # them: a list of all would be there before, be freed meanwhile, and seem to make room.
        half = size // 2
        numbers = test.sc.parallelize([(1000, 1000 + half), (1000 + half, 1000 + size)], 2)
        return numbers.flatMap(lambda part: [(f"key-{n:08d}", n) for n in range(*part)])

    counts = []
    # In one process: what a worker process takes is no state's.
    with StreamingTest(master="local[2]", settings={"swiftwater.workers": "never"}) as test:
        pairs = test.ssc.queueStream([new_keys(10), new_keys(KEYS)])
        states = pairs.updateStateByKey(lambda new, old: sum(new) + (old or 0), 2)
        states.foreachRDD(lambda rdd: counts.append(rdd.count()))
        test.advance()
        before = resident_megabytes()
        test.advance(BATCHES)
        return resident_megabytes() - before, counts[-1]


grown, found = of_dictionary() if subject == "dict" else of_state()
Path(result).write_text(json.dumps({"bytes": grown * 1e6 / KEYS, "keys": found}))
