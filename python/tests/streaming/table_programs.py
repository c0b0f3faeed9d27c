"""Programs of windows and states that are made by chance, each beside a plain model of PySpark's.

A program is a list of steps. Each makes a stream of one or two that are there, and the model of it:
a function from a batch number to the records of that batch, in their order.
"""

from dataclasses import dataclass

from tests.streaming.table_values import (
    KEYS,
    KINDS,
    copied,
    folded,
    is_even_length,
    negated,
    opaque,
)


class Stream:
    """A stream of the model: for a time its records, or None where it has no RDD."""

    def __init__(self, slide, compute):
        self.slide = slide
        self._compute = compute
        self._known = {}

    def at(self, time):
        if time <= 0 or time % self.slide:
            return None
        if time not in self._known:
            self._known[time] = self._compute(time)
        records = self._known[time]
        return None if records is None else copied(records)

    def between(self, start, end):
        """The records of the times behind `start` and up to `end`; None where there is no RDD."""
        found = [self.at(time) for time in range(max(start, 0) + 1, end + 1)]
        found = [records for records in found if records is not None]
        return [record for records in found for record in records] if found else None

    def mapped(self, function):
        return Stream(self.slide, lambda time: each(function, self.at(time)))


def each(function, records):
    return None if records is None else function(records)


def reduced(stream, kind):
    return stream.mapped(lambda records: list(folded(kind.combined, records).items()))


def window(stream, length, slide):
    return Stream(slide, lambda time: stream.between(time - length, time) or [])


def reduced_window(stream, kind, length, slide):
    return reduced(window(reduced(stream, kind), length, slide), kind)


def running_window(stream, kind, length, slide, keep=None):
    """With an inverse function: made from the one before it."""
    parent = reduced(stream, kind)

    def compute(time):
        before = found.at(time - slide)
        if before is None or length < 5 * slide:
            records = parent.between(time - length, time)
            if records is None:
                return None
            state = folded(kind.combined, records)
        else:
            state = dict(before)
            gone = parent.between(time - slide - length, time - length)
            for key, value in folded(kind.combined, gone or []).items():
                if key in state:
                    state[key] = kind.inverse(state[key], value)
            come = parent.between(time - slide, time)
            if come is None:
                return list(state.items())
            for key, value in folded(kind.combined, come).items():
                state[key] = kind.combined(state[key], value) if key in state else value
        return [pair for pair in state.items() if keep is None or keep(pair)]

    found = Stream(slide, compute)
    return found


def states(stream, update):
    def compute(time):
        before = found.at(time - stream.slide)
        records = stream.at(time)
        if records is None:
            return before
        new = folded(lambda a, b: a + b, [(key, [value]) for key, value in records])
        state = dict(before or [])
        for key in [*state, *(key for key in new if key not in state)]:
            value = update(copied(new.get(key, [])), copied(state.get(key)))
            if value is None:
                state.pop(key, None)
            else:
                state[key] = copied(value)
        return list(state.items())

    found = Stream(stream.slide, compute)
    return found


def lists_by_key(records):
    return folded(lambda a, b: a + b, [(key, [value]) for key, value in records])


def joined(left, right, kind):
    def compute(time):
        ones, others = left.at(time), right.at(time)
        if ones is None or others is None:
            return None
        ones, others = lists_by_key(ones), lists_by_key(others)
        return [
            (key, kind.combined(copied(a), copied(b)))
            for key in ones
            if key in others
            for a in ones[key]
            for b in others[key]
        ]

    return Stream(left.slide, compute)


def united(left, right):
    def compute(time):
        both = [left.at(time), right.at(time)]
        return None if None in both else both[0] + both[1]

    return Stream(left.slide, compute)


# --- steps ----------------------------------------------------------------------------------


@dataclass
class Step:
    """A stream of the job beside that of the model."""

    words: str
    stream: object
    model: Stream
    kind: object


def counted_twice(rdd):
    """The same RDD, of which an action has read all and another one a part."""
    found = rdd.take(1)
    assert (rdd.count() > 0) == bool(found)
    return rdd


# By name what makes a stream of a stream, and the same of the records of the model.
CHANGES = [
    ("mapValues", lambda s: s.mapValues(negated), lambda r: [(k, negated(v)) for k, v in r]),
    ("map", lambda s: s.map(opaque), lambda r: r),
    ("filter", lambda s: s.filter(is_even_length), lambda r: [*filter(is_even_length, r)]),
    ("cache", lambda s: s.cache(), lambda r: r),
    ("transform", lambda s: s.transform(counted_twice), lambda r: r),
]


class Program:
    """Steps over a source, drawn by chance.

    `partitions` are the numbers to draw from. `batches` bounds how long windows are.
    """

    def __init__(self, chance, source, batches, *, kind, partitions=(1,), length=20):
        self.chance = chance
        self.partitions = partitions
        self.length = length
        model = Stream(1, lambda time: batches[time - 1] if time <= len(batches) else [])
        self.steps = [Step("source", source, model, KINDS[kind])]

    def grow(self, count):
        while len(self.steps) <= count:
            step = self.chance.choice(self.STEPS)(self)
            if step is not None:
                self.steps.append(step)

    def _parent(self, kinds=None):
        parents = [step for step in self.steps if kinds is None or step.kind.name in kinds]
        return self.chance.choice(parents) if parents else None

    def _lengths(self, parent):
        step = parent.model.slide
        most = max(self.length // step, 1)
        slide = step * self.chance.choice([1, 1, 1, 2, 3, self.chance.randint(1, most)])
        if self.chance.random() < 0.4:
            length = slide * self.chance.randint(5, 9)
        else:
            length = step * self.chance.randint(1, most)
        return length, slide

    def _one_of(self, parent, words, stream, model, kind=None):
        number = self.steps.index(parent)
        return Step(f"{len(self.steps)}: {words} of {number}", stream, model, kind or parent.kind)

    def _partitions(self):
        return self.chance.choice(self.partitions)

    def _reduced_window(self):
        parent = self._parent()
        length, slide = self._lengths(parent)
        return self._one_of(
            parent,
            f"reduceByKeyAndWindow({length}, {slide})",
            parent.stream.reduceByKeyAndWindow(
                parent.kind.combine, None, length, slide, self._partitions()
            ),
            reduced_window(parent.model, parent.kind, length, slide),
        )

    def _running_window(self):
        parent = self._parent([kind for kind in KINDS if KINDS[kind].inverse])
        if parent is None:
            return None
        length, slide = self._lengths(parent)
        name, keep = self.chance.choice([("", None), (" keeping even", is_even_length)])
        return self._one_of(
            parent,
            f"reduceByKeyAndWindow with inverse{name}({length}, {slide})",
            parent.stream.reduceByKeyAndWindow(
                parent.kind.combine, parent.kind.inverse, length, slide, self._partitions(), keep
            ),
            running_window(parent.model, parent.kind, length, slide, keep),
        )

    def _window(self):
        parent = self._parent()
        length, slide = self._lengths(parent)
        length = min(length, 6 * parent.model.slide)
        return self._one_of(
            parent,
            f"window({length}, {slide})",
            parent.stream.window(length, slide),
            window(parent.model, length, slide),
        )

    def _grouped_window(self):
        parent = self._parent()
        length, slide = self._lengths(parent)
        kind = parent.kind
        lists = KINDS["lists of records"]
        listed = parent.model.mapped(lambda records: [(key, [value]) for key, value in records])
        model = running_window(listed, lists, length, slide)
        whole = kind.whole
        return self._one_of(
            parent,
            f"groupByKeyAndWindow({length}, {slide})",
            parent.stream.groupByKeyAndWindow(length, slide, self._partitions()).mapValues(
                lambda values: whole(list(values))
            ),
            model.mapped(lambda records: [(key, whole(values)) for key, values in records]),
        )

    def _counted_window(self):
        parent = self._parent()
        length, slide = self._lengths(parent)
        ints = KINDS["sums"]
        ones = parent.model.mapped(lambda records: [(1, 1) for _ in records])
        return self._one_of(
            parent,
            f"countByWindow({length}, {slide})",
            parent.stream.countByWindow(length, slide).map(lambda count: ("records", count)),
            running_window(ones, ints, length, slide).mapped(
                lambda records: [("records", count) for _, count in records]
            ),
            ints,
        )

    def _counted_values(self):
        parent = self._parent()
        length, slide = self._lengths(parent)
        ints = KINDS["sums"]
        ones = parent.model.mapped(lambda records: [(key, 1) for key, _ in records])
        return self._one_of(
            parent,
            f"countByValueAndWindow({length}, {slide})",
            parent.stream.map(lambda pair: pair[0]).countByValueAndWindow(
                length, slide, self._partitions()
            ),
            running_window(ones, ints, length, slide).mapped(
                lambda records: [pair for pair in records if pair[1] > 0]
            ),
            ints,
        )

    def _whole_window(self):
        parent = self._parent()
        kind = parent.kind
        # Of several partitions the order is not the model's.
        if self.partitions != (1,) and not kind.is_commutative:
            return None
        length, slide = self._lengths(parent)
        inverse = kind.inverse if self.chance.random() < 0.5 else None
        values = parent.model.mapped(lambda records: [(1, value) for _, value in records])
        if inverse is None:
            model = reduced_window(values, kind, length, slide)
        else:
            model = running_window(values, kind, length, slide)
        return self._one_of(
            parent,
            f"reduceByWindow({inverse is not None}, {length}, {slide})",
            parent.stream.map(lambda pair: pair[1])
            .reduceByWindow(kind.combine, inverse, length, slide)
            .map(lambda value: ("whole", value)),
            model.mapped(lambda records: [("whole", value) for _, value in records]),
        )

    def _state(self):
        parent = self._parent()
        name = self.chance.choice([*parent.kind.updates])
        update, kind = parent.kind.updates[name]
        return self._one_of(
            parent,
            f"updateStateByKey({name})",
            parent.stream.updateStateByKey(update, self._partitions()),
            states(parent.model, update),
            KINDS[kind],
        )

    def _reduced(self):
        parent = self._parent()
        return self._one_of(
            parent,
            "reduceByKey",
            parent.stream.reduceByKey(parent.kind.combine, self._partitions()),
            reduced(parent.model, parent.kind),
        )

    def _records(self):
        parent = self._parent()
        name, change, function = self.chance.choice(CHANGES)
        return self._one_of(parent, name, change(parent.stream), parent.model.mapped(function))

    def _other(self, parent):
        alike = [
            step
            for step in self.steps
            if step.model.slide == parent.model.slide and step.kind == parent.kind
        ]
        return self.chance.choice(alike)

    def _union(self):
        parent = self._parent()
        other = self._other(parent)
        return self._one_of(
            parent,
            f"union with {self.steps.index(other)}",
            parent.stream.union(other.stream),
            united(parent.model, other.model),
        )

    def _join(self):
        parent = self._parent()
        other = self._other(parent)
        kind = parent.kind
        combined = kind.combined
        return self._one_of(
            parent,
            f"join with {self.steps.index(other)}",
            parent.stream.join(other.stream, self._partitions()).mapValues(
                lambda both: combined(*both)
            ),
            joined(parent.model, other.model, kind),
        )

    STEPS = (
        _reduced_window,
        _reduced_window,
        _running_window,
        _running_window,
        _window,
        _grouped_window,
        _counted_window,
        _counted_values,
        _whole_window,
        _state,
        _state,
        _reduced,
        _records,
        _records,
        _union,
        _join,
    )

    def __str__(self):
        return "\n".join(step.words for step in self.steps)


def batches(chance, keys, kind, count):
    """Input with empty batches, bursts, and gaps in which a key does not come."""
    value = KINDS[kind].value
    found = []
    gap = 0
    for number in range(count):
        if gap == 0 and chance.random() < 0.08:
            gap = chance.randint(1, 8)
        size = 0 if gap else chance.choice([0, 1, 1, 2, 3, 5, 5, 30])
        gap = max(gap - 1, 0)
        some = chance.sample(keys, chance.randint(1, len(keys)))
        found.append([(chance.choice(some), value(number, chance)) for _ in range(size)])
    return found


__all__ = ["KEYS", "KINDS", "Program", "batches"]
