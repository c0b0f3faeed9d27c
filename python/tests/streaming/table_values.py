"""Keys and values of all kinds, and functions that combine them, for programs by chance."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Named:
    """A key of the program's own, equal to others of its name whatever the case."""

    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return isinstance(other, Named) and self.name.lower() == other.name.lower()

    def __hash__(self):
        return hash(self.name.lower())

    def __repr__(self):
        return f"Named({self.name})"


KEYS = {
    "texts": ["", "a", "b", "é", "a\x00b", "long " * 20, "\U0001d4b3", "ß"],
    "integers": [0, 1, -1, 7, 2**62, -(2**63)],
    "numbers that are equal": [True, 1, 1.0, False, 0, 0.0, -0.0, 2**60, 2.0**60],
    "mixed": [None, "a", 1, 2.5, (1, "a"), ((1, (2,)), None), 10**30, frozenset([1, 2]), True],
    "floats": [0.0, -0.0, 1.5, float("inf"), -1e300, 5e-324],
    "tuples": [(1, "a"), (1, "b"), (2, "a"), (True, "a"), (1.0, "a"), ()],
    "bytes": [b"", b"a", "a", b"\x00\xff", b"long" * 50],
    "flags": [True, False, None],
    "big": [10**30, -(10**30), 2**63, 2**64, 2**63 - 1, 1e30],
    "own": [Named("a"), Named("A"), Named("b"), "a", ("a", Named("a")), ("a", Named("A"))],
}


def copied(value):
    """A value with the lists in it copied."""
    if isinstance(value, list):
        return [copied(item) for item in value]
    if type(value) is tuple:
        return tuple(copied(item) for item in value)
    return value


def folded(function, pairs, result=None):
    """Each key's values combined in their order; keys as they are first seen."""
    result = {} if result is None else result
    for key, value in pairs:
        result[key] = function(result[key], value) if key in result else value
    return result


# --- functions ------------------------------------------------------------------------------


def sums(a, b):
    return a + b


def opaque_sums(a, b):
    try:
        return a + b
    finally:
        pass


def minus(a, b):
    return a - b


def without_first(a, b):
    return a[len(b) :]


def in_place(a, b):
    a.extend(b)
    return a


def first(a, b):
    return a


def last(a, b):
    return b


def largest_first(a, b):
    return max(a, b, key=lambda value: value[0])


def opaque(record):
    try:
        return record
    finally:
        pass


def negated(value):
    if isinstance(value, list):
        value.reverse()
        return value
    if isinstance(value, str):
        return value[::-1]
    return -value if isinstance(value, int | float) else value


def is_even_length(pair):
    value = pair[1]
    if isinstance(value, list | str | tuple):
        return len(value) % 2 == 0
    return value is not None and value % 2 == 0


def total(new, state):
    return sum(new) + (state or 0)


def total_or_none(new, state):
    return (sum(new, state or 0)) or None


def count(new, state):
    return (state or 0) + len(new)


def latest(new, state):
    return new[-1] if new else state


def ages(new, state):
    age = 0 if new else (state or 0) + 1
    return age if age < 4 else None


def mutated(new, state):
    state = [] if state is None else state
    for values in new:
        state.extend(values)
    return state if len(state) < 12 else None


def mutated_for_nothing(new, state):
    if state is None:
        return [item for values in new for item in values][:5]
    state.append("lost")
    new.append("lost")
    return state[:-1] if len(state) < 9 or len(new) < 3 else None


def ends(new, state):
    return ((state or "") + "".join(new))[-10:]


def newest(new, state):
    return new[0] if new else None


# --- kinds of values ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Kind:
    """Values, and what is done with them."""

    name: str
    value: Callable[..., Any]
    combine: Callable[[Any, Any], Any]
    inverse: Callable[[Any, Any], Any] | None = None
    is_commutative: bool = False
    # By name the function of a state, and the kind of what it gives.
    updates: dict[str, tuple[Callable[[Any, Any], Any], str]] = field(default_factory=dict)

    def combined(self, a, b):
        """`combine`, without what it changes of its arguments."""
        return self.combine(copied(a), copied(b))

    def whole(self, values):
        """All values of a list combined; what an empty one comes to."""
        if not values:
            return {"lists": [], "texts": "", "ties": (0, 0)}.get(self.name, 0)
        result = copied(values[0])
        for value in values[1:]:
            result = self.combined(result, value)
        return result


def _integers(number, chance):
    return chance.randrange(-100, 100)


def _changing(number, chance):
    kinds = [
        lambda: chance.randrange(-5, 5),
        lambda: chance.random() < 0.5,
        lambda: chance.choice([2**62, -(2**62), 2**63, 10**30]),
        lambda: chance.choice([2**62, -(2**62), 1]),
    ]
    return kinds[min(number // 5, 3)]()


NUMBER_STATES = {
    "total": (total, "sums"),
    "total or none": (total_or_none, "sums"),
    "count": (count, "sums"),
    "latest": (latest, "sums"),
    "ages": (ages, "sums"),
}
COUNTED = {"count": (count, "sums"), "ages": (ages, "sums")}

KINDS = {
    kind.name: kind
    for kind in [
        Kind("sums", _integers, sums, minus, True, NUMBER_STATES),
        Kind("opaque sums", _integers, opaque_sums, minus, True, NUMBER_STATES),
        Kind("largest", _integers, max, None, True, NUMBER_STATES),
        Kind("changing", _changing, sums, minus, True, NUMBER_STATES),
        Kind(
            "halves",
            lambda number, chance: chance.randrange(-9, 9) * (1 if number < 9 else 0.5),
            sums,
            minus,
            True,
            NUMBER_STATES,
        ),
        Kind(
            "texts",
            lambda number, chance: chance.choice(["a", "b", "cd", "é", ""]),
            sums,
            without_first,
            False,
            {"ends": (ends, "texts"), "newest": (newest, "texts"), **COUNTED},
        ),
        Kind(
            "lists",
            lambda number, chance: [chance.randrange(9)],
            in_place,
            without_first,
            False,
            {
                "mutated": (mutated, "lists"),
                "mutated for nothing": (mutated_for_nothing, "lists"),
                "newest": (newest, "lists"),
                **COUNTED,
            },
        ),
        Kind("lists of records", lambda number, chance: [chance.randrange(9)], sums, without_first),
        Kind(
            "first",
            lambda number, chance: chance.choice([1, 2, 3, 2.5, True]),
            first,
            None,
            False,
            NUMBER_STATES,
        ),
        Kind("last", _integers, last, None, False, NUMBER_STATES),
        Kind(
            "ties",
            lambda number, chance: (chance.randrange(3), chance.randrange(99)),
            largest_first,
            None,
            False,
            {"newest": (newest, "ties"), "latest": (latest, "ties"), **COUNTED},
        ),
    ]
}
