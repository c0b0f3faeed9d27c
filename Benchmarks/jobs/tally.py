"""What a job with a checkpoint has counted.

In a module of its own: of the script's own functions a checkpoint holds what they read, and an
event cannot be held.
"""

import threading
import time

finished = threading.Event()
counts = {}
missing = 0
started = 0.0
ended = 0.0


def words(at, rdd):
    """Adds the counts of a batch."""
    pairs = rdd.collect()
    if pairs:
        for word, count in pairs:
            counts[word] = counts.get(word, 0) + count
        _took(at, sum([count for _, count in pairs]))


def lines(at, rdd):
    """Adds the number of lines of a batch."""
    count = rdd.count()
    if count:
        counts["lines"] = counts.get("lines", 0) + count
        _took(at, count)


def _took(at, count):
    global ended, missing, started
    if finished.is_set():
        return
    ended = time.monotonic()
    if started == 0.0:
        # The batch's time, on the monotonic clock.
        started = ended - (time.time() - at.timestamp())
    missing -= count
    if missing <= 0:
        finished.set()
