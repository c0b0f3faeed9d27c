"""Jobs with checkpoints for the tests beside this file: what looks back, and its input."""

import random

from swiftwater.streaming import StateSpec


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def total(new, old):
    return sum(new) + (old or 0)


def while_small(new, old):
    now = sum(new) + (old or 0)
    return now if now < 12 else None


def gathered(new, old):
    old = old or []
    old.extend(new)
    return old


def mapped(key, value, state):
    state.update((state.getOption() or 0) + value)
    return key, value, state.get()


def timed(key, value, state):
    if state.isTimingOut():
        return key, "gone", state.get()
    return mapped(key, value, state)


def pairs(lines):
    return lines.map(lambda line: line.split()).map(lambda two: (two[0], int(two[1])))


# Every kind of operator that looks back.
KINDS = {
    "window": lambda s: s.window(3),
    "window, slower": lambda s: s.window(4, 2),
    "window with gaps": lambda s: s.window(1, 3),
    "window of a window": lambda s: s.window(2).window(3),
    "window of sums": lambda s: s.reduceByKey(add).window(2),
    "reduceByKeyAndWindow": lambda s: s.reduceByKeyAndWindow(add, None, 3, 2),
    "with inverse": lambda s: s.reduceByKeyAndWindow(add, subtract, 6, 1),
    "with inverse, short": lambda s: s.reduceByKeyAndWindow(add, subtract, 2, 1),
    "with inverse, slower": lambda s: s.reduceByKeyAndWindow(add, subtract, 10, 2, 3),
    "with filter": lambda s: s.reduceByKeyAndWindow(
        add, subtract, 5, 1, filterFunc=lambda pair: pair[1] > 0
    ),
    "reduceByWindow": lambda s: s.map(lambda pair: pair[1]).reduceByWindow(max, None, 3, 1),
    "countByWindow": lambda s: s.countByWindow(7, 1),
    "countByValueAndWindow": lambda s: s.countByValueAndWindow(5, 1),
    "groupByKeyAndWindow": lambda s: s.groupByKeyAndWindow(5, 1).mapValues(list),
    "updateStateByKey": lambda s: s.updateStateByKey(total),
    "state that ends": lambda s: s.updateStateByKey(while_small, 3),
    "state of lists": lambda s: s.updateStateByKey(gathered),
    "state with a beginning": lambda s: s.updateStateByKey(total, initialRDD=[("z", 7), ("a", 1)]),
    "state of a window": lambda s: s.window(2, 2).updateStateByKey(total),
    "window of a state": lambda s: s.updateStateByKey(total).window(2, 1),
    "mapWithState": lambda s: s.mapWithState(StateSpec.function(mapped)),
    "mapWithState with a beginning": lambda s: s.mapWithState(
        StateSpec.function(mapped).initialState([("z", 7), ("a", 1)]).numPartitions(3)
    ).stateSnapshots(),
    "updateStateByKey with a time to live": lambda s: s.updateStateByKey(total, timeToLive=2),
    "state of lists with a time to live": lambda s: s.updateStateByKey(gathered, timeToLive=1),
    "with inverse and a time to live": lambda s: s.reduceByKeyAndWindow(
        add, subtract, 5, 1, timeToLive=6
    ),
    "with inverse, slower, and a time to live": lambda s: s.reduceByKeyAndWindow(
        add, subtract, 10, 2, 3, timeToLive=1
    ),
    "mapWithState with a time-out": lambda s: s.mapWithState(StateSpec.function(timed).timeout(2)),
    "window of mapWithState": lambda s: s.mapWithState(StateSpec.function(mapped)).window(3, 2),
    "transform": lambda s: s.transform(lambda rdd: rdd.map(lambda pair: pair[0])).window(2),
    "join of windows": lambda s: s.window(2).join(s.window(3).mapValues(str)),
}


def feed(test, batches):
    for batch in batches:
        test.sources[0].send(*batch)
        test.advance()


def made_up(seed, batches):
    chance = random.Random(seed)
    return [
        [f"{chance.choice('abcde')} {chance.randint(1, 4)}" for _ in range(chance.randint(0, 4))]
        for _ in range(batches)
    ]
