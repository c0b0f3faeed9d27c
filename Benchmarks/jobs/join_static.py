"""A stream joined with a table that stays what it is, under virtual time.

Reports the time of each batch, and how many pairs came out of it.

    join_static.py SIZE RECORDS WARM_UP MEASURED RESULT
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from swiftwater.testing import StreamingTest

size, records, warm_up, measured = map(int, sys.argv[1:5])
# Far from each other, and no two of a batch alike: prime to all sizes.
STEP = 104_729
seconds = []
counts = []

with tempfile.TemporaryDirectory() as folder, StreamingTest(batch_interval=1.0) as test:
    file = Path(folder, "table.txt")
    file.write_text("".join(f"key-{number} {number}\n" for number in range(size)))
    fields = test.sc.textFile(str(file), 2).map(lambda line: line.split(" "))
    table = fields.map(lambda pair: (pair[0], int(pair[1]))).cache()
    source = test.text_source()
    pairs = source.stream.map(lambda key: (key, 1))
    joined = pairs.transform(lambda rdd: rdd.join(table, 2))
    joined.foreachRDD(lambda rdd: counts.append(rdd.count()))
    for batch in range(warm_up + measured):
        first = batch * records
        source.send(*(f"key-{(first + number) * STEP % size}" for number in range(records)))
        started = time.perf_counter()
        test.advance()
        seconds.append(time.perf_counter() - started)

outcome = {"seconds": seconds[warm_up:], "counts": counts[warm_up:]}
Path(sys.argv[5]).write_text(json.dumps(outcome))
