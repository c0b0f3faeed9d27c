"""How much memory grows while text goes through a window with one key.

window_memory.py BATCHES LINES_A_BATCH LENGTH RESULT
"""

import json
import sys
from pathlib import Path

from resident import resident_megabytes
from stream_times import same
from swiftwater.testing import StreamingTest

batches, lines_a_batch, length = map(int, sys.argv[1:4])
LINE = b"to be, or not to be, that is the question: whether 'tis nobler in the mind to suffer\n"
# By then all that a batch needs for itself is there, and of the window hardly anything.
SETTLED = 5

block = LINE * lines_a_batch
memory = []
with StreamingTest(master="local[2]") as test:
    source = test.text_source()
    pairs = source.stream.map(lambda line: ("all", len(line) + 1))
    sums = test.collect(pairs.reduceByKeyAndWindow(lambda a, b: a + b, None, length))
    for number in range(1, batches + 1):
        source.send_bytes(block)
        test.advance()
        kept = min(number, length)
        same(f"the window of batch {number}", sums.last, [("all", kept * len(block))])
        memory.append(resident_megabytes())
report = {"growth": max(memory[SETTLED:]) - memory[SETTLED - 1], "sent": batches * len(block) / 1e6}
Path(sys.argv[4]).write_text(json.dumps(report))
