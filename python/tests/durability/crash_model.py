"""What the outputs of the job must hold, given which lines were in which batch.

The undisturbed run, in a few lines of Python: nothing of the engine is in it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict


def expected(batches, interval_ms, window, slide):
    """Return what each output holds at each batch time, as sorted JSON texts.

    ``batches`` has the lines of each batch time, in the order of the times. What ``mapWithState``
    returns is left out: it depends on the order within a batch, see ``mapped_problem``.
    """
    times = list(batches)
    state: Counter[str] = Counter()
    found = defaultdict(dict)
    sums = {time: summed(batches[time]) for time in times}
    zero_ms = times[0] - interval_ms
    for time in times:
        state.update(sums[time])
        found["state"][time] = texts(state)
        if (time - zero_ms) % (slide * interval_ms) == 0:
            held = Counter()
            for back in range(window):
                held.update(sums.get(time - back * interval_ms, {}))
            found["window"][time] = found["inverse"][time] = texts(held)
    return found


def summed(lines):
    sums = Counter()
    for line in lines:
        _, key, value = line.split()
        sums[key] += int(value)
    return sums


def texts(sums):
    return sorted(json.dumps([key, value]) for key, value in sums.items())


def mapped_problem(records, lines, before):
    """Return what is wrong with a batch of ``mapWithState``, or ``None``; ``before`` goes on.

    Each record of a key must see the state that the one before it has left.
    """
    given = Counter(tuple(line.split()[1:]) for line in lines)
    seen = Counter((key, str(value)) for key, value, _ in records)
    if given != seen:
        return f"records {dict(seen - given)} too many, {dict(given - seen)} too few"
    problem = None
    # Numbers are above zero, so the sums of a key are in the order of its records.
    for key, value, running in sorted(records, key=lambda record: record[2]):
        if before[key] + value != running and problem is None:
            problem = f"{key}: {before[key]} + {value} is not {running}"
        before[key] = running
    return problem
