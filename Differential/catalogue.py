"""The functions that random programs are made of, by name.

A program is plain data and names a function as ``[name, argument, ...]``; ``made`` calls the maker
of that name. The kind of the records that a function takes and gives stands beside it, so that the
generator makes programs that fit together. Kinds: ``"int"``, ``"str"``, ``"float"``, ``"any"``
(whatever can be hashed), ``["pair", K, V]``, ``["list", K]``, ``["iter", K]`` (PySpark's
ResultIterable) and ``["opt", K]`` (K or None).

Makers return functions of every sort that users write: lambdas, closures with state, partials,
callable objects, bound methods, generators, built-in functions; some change their argument, some
raise.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

Kind = Any
Function = Callable[..., Any]
MISSING = object()


@dataclass(frozen=True)
class Entry:
    """A maker: what it is for, the kind that its functions take, and the kind that they give."""

    name: str
    role: str
    takes: str
    gives: Callable[[Kind], Kind]
    arguments: Callable[[Random], list[Any]]
    make: Callable[..., Any]
    weight: float


ENTRIES: dict[str, Entry] = {}


def entry(
    role: str,
    takes: str,
    gives: Kind | Callable[[Kind], Kind] = MISSING,
    arguments: Callable[[Random], list[Any]] = lambda random: [],
    weight: float = 1.0,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a maker into the catalogue; without ``gives`` the kind stays as it is."""

    def added(make: Callable[..., Any]) -> Callable[..., Any]:
        name = make.__name__
        assert name not in ENTRIES, name
        if gives is MISSING:
            given: Callable[[Kind], Kind] = lambda kind: kind  # noqa: E731
        elif callable(gives):
            given = gives
        else:
            given = lambda kind: gives  # noqa: E731
        ENTRIES[name] = Entry(name, role, takes, given, arguments, make, weight)
        return make

    return added


def made(form: list[Any]) -> Any:
    """The function (or the tuple of functions) that a program names."""
    name, *arguments = form
    return ENTRIES[name].make(*arguments)


def hashable(kind: Kind) -> bool:
    """Records of this kind can be keys."""
    if isinstance(kind, str):
        return True
    return kind[0] in ("pair", "opt") and all(hashable(part) for part in kind[1:])


def orderable(kind: Kind) -> bool:
    """Records of this kind can be sorted among each other."""
    if isinstance(kind, str):
        return kind != "any"
    return kind[0] in ("pair", "list") and all(orderable(part) for part in kind[1:])


def fits(pattern: str, kind: Kind) -> bool:
    """Functions that take ``pattern`` work on records of ``kind``."""
    match pattern:
        case "*":
            return True
        case "hashable":
            return hashable(kind)
        case "order":
            return orderable(kind)
        case "sized":
            return kind == "str" or (not isinstance(kind, str) and kind[0] in ("list", "pair"))
        case "list:int":
            return bool(kind == ["list", "int"])
        case "pair" | "list" | "iter" | "opt":
            return not isinstance(kind, str) and kind[0] == pattern
    return bool(kind == pattern)


def pair(key: Kind, value: Kind) -> Kind:
    """The kind of (key, value) tuples."""
    return ["pair", key, value]


def small(random: Random) -> list[Any]:
    """One small positive number."""
    return [random.randint(1, 5)]


def by_value(source: str) -> Function:
    """The function ``f`` of a script: pickled with its globals, as what ``__main__`` defines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source, names)
    function: Function = names["f"]
    return function


# --- map ------------------------------------------------------------------------------------------


@entry("map", "int", arguments=small)
def add(n: int) -> Function:
    return lambda x: x + n


@entry("map", "int", arguments=small)
def partial_add(n: int) -> Function:
    return functools.partial(operator.add, n)


@entry("map", "int")
def absolute() -> Function:
    return abs


@entry("map", "int")
def big() -> Function:
    return lambda x: x * 2**62


@entry("map", "int", "float")
def half() -> Function:
    return lambda x: x / 2


@entry("map", "int", "str")
def numeral() -> Function:
    return str


@entry("map", "int", ["list", "int"])
def up_to() -> Function:
    return lambda x: list(range(x % 4))


@entry("map", "int", lambda kind: pair("int", "int"), lambda r: [r.randint(2, 5)], 3)
def by_remainder(n: int) -> Function:
    return lambda x: (x % n, x)


@entry("map", "int", arguments=lambda r: [r.randint(3, 7)], weight=0.3)
def raise_on_multiple(n: int) -> Function:
    def checked(x: int) -> int:
        if x and x % n == 0:
            raise ValueError(f"{x} is refused")
        return x

    return checked


@entry("map", "int", "float", weight=0.3)
def inverse() -> Function:
    return lambda x: 1 / x


@entry("map", "float", "float")
def doubled() -> Function:
    return lambda x: x * 2


@entry("map", "float", "int")
def whole() -> Function:
    return int


@entry("map", "float", lambda kind: pair("int", "float"), weight=2)
def by_whole() -> Function:
    return lambda x: (round(x) % 3, x)


@entry("map", "str", "str")
def upper() -> Function:
    return str.upper


@entry("map", "str", "int")
def length() -> Function:
    return len


@entry("map", "str", lambda kind: pair("str", "int"), weight=3)
def one_each() -> Function:
    return lambda word: (word, 1)


@entry("map", "str", lambda kind: pair("str", "str"), weight=2)
def by_initial() -> Function:
    return lambda word: (word[:1], word)


@entry("map", "str", "str", weight=0.3)
def last_letter() -> Function:
    return lambda word: word[-1]


@entry("map", "str", ["list", "int"])
def code_points() -> Function:
    return lambda word: [ord(letter) for letter in word]


@entry("map", "any", "str")
def shown() -> Function:
    return repr


@entry("map", "any", lambda kind: pair("str", "any"), weight=2)
def by_type() -> Function:
    return lambda x: (type(x).__name__, x)


@entry("map", "hashable", lambda kind: pair(kind, "int"), weight=2)
def counted_once() -> Function:
    return lambda x: (x, 1)


@entry("map", "*", lambda kind: pair("int", kind))
def to_one_key() -> Function:
    return lambda x: (0, x)


@entry("map", "*", lambda kind: pair("int", kind))
def numbered_by_closure() -> Function:
    seen: list[Any] = []

    def numbered(x: Any) -> tuple[int, Any]:
        seen.append(None)
        return len(seen), x

    return numbered


class Counter:
    """A callable object that counts its calls."""

    def __init__(self, first: int) -> None:
        self.count = first

    def __call__(self, x: Any) -> tuple[int, Any]:
        self.count += 1
        return self.count, x

    def again(self, x: Any) -> tuple[int, Any]:
        """The same as a bound method."""
        return self(x)


@entry("map", "*", lambda kind: pair("int", kind), small)
def numbered_by_object(n: int) -> Function:
    return Counter(n)


@entry("map", "*", lambda kind: pair("int", kind), small)
def numbered_by_method(n: int) -> Function:
    return Counter(n).again


@entry("map", "*", lambda kind: pair("int", kind))
def numbered_by_script() -> Function:
    return by_value(
        "seen = {'count': 0}\ndef f(x):\n    seen['count'] += 1\n    return seen['count'], x\n"
    )


@entry("map", "*", lambda kind: pair("int", kind))
def numbered_by_global() -> Function:
    return by_value("count = 0\ndef f(x):\n    global count\n    count += 1\n    return count, x\n")


@entry("map", "*", lambda kind: pair("int", kind))
def numbered_by_default() -> Function:
    def numbered(x: Any, seen: list[Any] = []) -> tuple[int, Any]:  # noqa: B006 - meant
        seen.append(x)
        return len(seen), x

    return numbered


@entry("map", "*", lambda kind: kind, weight=0.2)
def stop_iteration() -> Function:
    count = itertools.count()

    def stopping(x: Any) -> Any:
        if next(count) == 2:
            raise StopIteration
        return x

    return stopping


@entry("map", "pair", lambda kind: kind[1], weight=0.7)
def key_of() -> Function:
    return operator.itemgetter(0)


@entry("map", "pair", lambda kind: kind[2])
def value_of() -> Function:
    return lambda kv: kv[1]


@entry("map", "pair", lambda kind: pair(kind[2], kind[1]))
def swapped() -> Function:
    return lambda kv: (kv[1], kv[0])


@entry("map", "pair", lambda kind: pair(kind[1], pair(kind[1], kind[2])), weight=0.5)
def key_in_value() -> Function:
    return lambda kv: (kv[0], kv)


@entry("map", "list:int", "int")
def total() -> Function:
    return sum


@entry("map", "list", "int")
def size() -> Function:
    return lambda x: len(x)


@entry("map", "list", lambda kind: pair("int", kind), weight=2)
def by_size() -> Function:
    return lambda x: (len(x), x)


@entry("map", "list:int", arguments=small, weight=2)
def append_in_place(n: int) -> Function:
    def appended(x: list[int]) -> list[int]:
        x.append(n)
        return x

    return appended


@entry("map", "list", weight=2)
def clear_in_place() -> Function:
    def cleared(x: list[Any]) -> list[Any]:
        before = list(x)
        x.clear()
        return before

    return cleared


@entry("map", "list", weight=1)
def kept_by_closure() -> Function:
    kept: list[Any] = []

    def kept_so_far(x: list[Any]) -> list[Any]:
        kept.extend(x)
        return list(kept)

    return kept_so_far


@entry("map", "list", weight=0.7)
def one_list_for_all() -> Function:
    kept: list[Any] = []

    def same(x: list[Any]) -> list[Any]:
        kept.extend(x)
        return kept

    return same


@entry("map", "iter", lambda kind: ["list", kind[1]], weight=3)
def as_list() -> Function:
    return list


@entry("map", "iter", "int")
def iter_length() -> Function:
    return len


@entry("map", "opt", lambda kind: "any" if hashable(kind) else ["list", "any"])
def none_as_list() -> Function:
    return lambda x: "none" if x is None else x


@entry("map", "opt", "int")
def is_none() -> Function:
    return lambda x: int(x is None)


# --- flatMap --------------------------------------------------------------------------------------


@entry("flat", "*", arguments=lambda r: [r.randint(0, 2)])
def repeated(n: int) -> Function:
    return lambda x: [x] * n


@entry("flat", "*")
def yielded_twice() -> Function:
    def twice(x: Any) -> Iterator[Any]:
        yield x
        yield x

    return twice


@entry("flat", "int", "int")
def divisors() -> Function:
    return lambda x: (d for d in range(1, abs(x) % 7) if x % d == 0)


@entry("flat", "str", "str", weight=2)
def letters() -> Function:
    return lambda word: word


@entry("flat", "str", "str")
def words() -> Function:
    return str.split


@entry("flat", "str", lambda kind: pair("str", "int"))
def letter_counts() -> Function:
    def counts(word: str) -> Iterable[tuple[str, int]]:
        found: dict[str, int] = {}
        for letter in word:
            found[letter] = found.get(letter, 0) + 1
        return found.items()

    return counts


@entry("flat", "list", lambda kind: kind[1], weight=2)
def items() -> Function:
    return lambda x: x


@entry("flat", "list", lambda kind: kind)
def growing() -> Function:
    def prefixes(x: list[Any]) -> Iterator[list[Any]]:
        prefix: list[Any] = []
        for item in x:
            prefix.append(item)
            yield prefix

    return prefixes


@entry("flat", "iter", lambda kind: kind[1], weight=2)
def iter_items() -> Function:
    return iter


@entry("flat", "*", weight=0.15)
def number_instead() -> Function:
    return lambda x: 7


# --- filter ---------------------------------------------------------------------------------------


@entry("keep", "int", arguments=lambda r: [r.randint(2, 3)])
def no_multiple(n: int) -> Function:
    return lambda x: x % n


@entry("keep", "str", arguments=small)
def shorter(n: int) -> Function:
    return lambda word: len(word) < n


@entry("keep", "*", weight=0.7)
def truthy() -> Function:
    return bool


@entry("keep", "*", weight=0.7)
def every_other() -> Function:
    state = [False]

    def kept(x: Any) -> bool:
        state[0] = not state[0]
        return state[0]

    return kept


@entry("keep", "pair", weight=0.7)
def key_truthy() -> Function:
    return lambda kv: kv[0]


@entry("keep", "*", weight=0.3)
def nothing() -> Function:
    return lambda x: False


@entry("keep", "hashable")
def first_seen() -> Function:
    seen: set[Any] = set()

    def new(x: Any) -> bool:
        known = x in seen
        seen.add(x)
        return not known

    return new


# --- mapPartitions, mapPartitionsWithIndex --------------------------------------------------------


@entry("parts", "*", lambda kind: pair("int", kind))
def enumerated() -> Function:
    return enumerate


@entry("parts", "*", lambda kind: ["list", kind])
def one_list() -> Function:
    return lambda records: [list(records)]


@entry("parts", "*", "int")
def how_many() -> Function:
    def counted(records: Iterator[Any]) -> Iterator[int]:
        yield sum(1 for _ in records)

    return counted


@entry("parts", "*", arguments=small)
def at_most(n: int) -> Function:
    return lambda records: itertools.islice(records, n)


@entry("parts", "*")
def backwards() -> Function:
    return lambda records: reversed(list(records))


@entry("parts", "*", weight=0.5)
def ignored() -> Function:
    return lambda records: ()


@entry("parts", "list", weight=2)
def neighbours_in_place() -> Function:
    def joined(records: Iterator[list[Any]]) -> Iterator[list[Any]]:
        before: list[Any] = []
        for record in records:
            record.extend(before)
            before = record
            yield record

    return joined


@entry("indexed", "*", lambda kind: pair("int", kind))
def with_index() -> Function:
    return lambda index, records: ((index, record) for record in records)


@entry("indexed", "*", lambda kind: ["list", kind])
def index_times() -> Function:
    return lambda index, records: [list(records)] * index


# --- reduce ---------------------------------------------------------------------------------------


@entry("reduce", "int", weight=2)
def plus() -> Function:
    return operator.add


@entry("reduce", "int")
def mixed() -> Function:
    return lambda a, b: (a * 31 + b) % 1009


@entry("reduce", "int", weight=0.5)
def plus_calls() -> Function:
    calls = [0]

    def added(a: int, b: int) -> int:
        calls[0] += 1
        return a + b + 100 * calls[0]

    return added


@entry("reduce", "int", weight=0.3)
def refuse_large() -> Function:
    def added(a: int, b: int) -> int:
        if a + b > 20:
            raise OverflowError("too large")
        return a + b

    return added


@entry("reduce", "float")
def float_plus() -> Function:
    return lambda a, b: a + b


@entry("reduce", "order")
def largest() -> Function:
    return max


@entry("reduce", "str", weight=2)
def joined_text() -> Function:
    return lambda a, b: a + b


@entry("reduce", "list")
def joined_lists() -> Function:
    return lambda a, b: a + b


@entry("reduce", "list", weight=3)
def extend_in_place() -> Function:
    def extended(a: list[Any], b: list[Any]) -> list[Any]:
        a.extend(b)
        return a

    return extended


@entry("reduce", "list", weight=0.5)
def drain_in_place() -> Function:
    def drained(a: list[Any], b: list[Any]) -> list[Any]:
        a.extend(b)
        b.clear()
        return a

    return drained


@entry("reduce", "*", weight=0.5)
def earlier() -> Function:
    return lambda a, b: a


@entry("reduce", "*", weight=0.5)
def later() -> Function:
    return lambda a, b: b


# --- reduce with an inverse: (function, inverse) --------------------------------------------------


@entry("invertible", "int")
def plus_minus() -> tuple[Function, Function]:
    return operator.add, operator.sub


@entry("invertible", "list")
def extend_drop() -> tuple[Function, Function]:
    def extended(a: list[Any], b: list[Any]) -> list[Any]:
        a.extend(b)
        return a

    return extended, lambda a, b: a[len(b) :]


@entry("invertible", "list")
def extend_delete() -> tuple[Function, Function]:
    def extended(a: list[Any], b: list[Any]) -> list[Any]:
        a.extend(b)
        return a

    def deleted(a: list[Any], b: list[Any]) -> list[Any]:
        del a[: len(b)]
        return a

    return extended, deleted


@entry("invertible", "str")
def text_window() -> tuple[Function, Function]:
    return (lambda a, b: a + b), (lambda a, b: a[len(b) :])


# --- combineByKey: (create, merge value, merge combiners) -----------------------------------------


@entry("combine", "*", lambda kind: ["list", kind], weight=2)
def into_list() -> tuple[Function, Function, Function]:
    def append(all_of: list[Any], value: Any) -> list[Any]:
        all_of.append(value)
        return all_of

    def extend(a: list[Any], b: list[Any]) -> list[Any]:
        a.extend(b)
        return a

    return (lambda value: [value]), append, extend


@entry("combine", "int", lambda kind: pair("int", "int"))
def sum_and_count() -> tuple[Function, Function, Function]:
    return (
        lambda x: (x, 1),
        lambda so_far, x: (so_far[0] + x, so_far[1] + 1),
        lambda a, b: (a[0] + b[0], a[1] + b[1]),
    )


@entry("combine", "*", "str")
def steps_taken() -> tuple[Function, Function, Function]:
    return (
        lambda x: f"<{x}>" if isinstance(x, (int, str)) else "<>",
        lambda so_far, x: so_far + "v",
        lambda a, b: f"({a}|{b})",
    )


@entry("combine", "hashable", lambda kind: ["list", kind])
def distinct_in_order() -> tuple[Function, Function, Function]:
    def merge(a: list[Any], b: list[Any]) -> list[Any]:
        for item in b:
            if item not in a:
                a.append(item)
        return a

    return (lambda x: [x]), (lambda a, x: merge(a, [x])), merge


# --- updateStateByKey: function(new values, state) ------------------------------------------------


@entry("update", "int", "int", weight=2)
def running_sum() -> Function:
    return lambda values, before: sum(values) + (before or 0)


@entry("update", "int", "int", lambda r: [r.randint(5, 25)], 2)
def sum_up_to(limit: int) -> Function:
    def updated(values: list[int], before: int | None) -> int | None:
        after = sum(values) + (before or 0)
        return None if after > limit else after

    return updated


@entry("update", "*", lambda kind: ["list", kind], weight=3)
def history() -> Function:
    def updated(values: list[Any], before: list[Any] | None) -> list[Any]:
        after = [] if before is None else before
        after.extend(values)
        return after

    return updated


@entry("update", "*", lambda kind: ["list", kind], weight=2)
def kept_while_fed() -> Function:
    return lambda values, before: [*(before or []), *values] if values else None


@entry("update", "*", lambda kind: ["list", kind], lambda r: [r.randint(2, 4)])
def history_of(n: int) -> Function:
    def updated(values: list[Any], before: list[Any] | None) -> list[Any] | None:
        state = before or []
        state += values
        del state[:-n]
        return state or None

    return updated


@entry("update", "*", lambda kind: pair("int", "int"), weight=1)
def calls_and_values() -> Function:
    return lambda values, before: (before[0] + 1 if before else 1, len(values))


@entry("update", "*", lambda kind: ["list", "int"], weight=0.5)
def counted_updates() -> Function:
    count = [0]

    def updated(values: list[Any], before: list[int] | None) -> list[int]:
        count[0] += 1
        state = before or []
        state.append(count[0])
        return state

    return updated


@entry("update", "int", "int", weight=0.25)
def refuse_seven() -> Function:
    def updated(values: list[int], before: int | None) -> int:
        if 7 in values:
            raise LookupError("seven")
        return sum(values) + (before or 0)

    return updated


# --- where keys go, and what a window keeps -------------------------------------------------------


@entry("partition", "*")
def by_text() -> Function:
    return lambda key: len(str(key))


@entry("partition", "int")
def key_itself() -> Function:
    return int


@entry("partition", "*", weight=0.4)
def all_to(n: int = 1) -> Function:
    return lambda key: n


@entry("window_filter", "*")
def value_truthy() -> Function:
    return lambda kv: bool(kv[1])


# --- sequences for aggregate and the like: (zero, merge value, merge combiners) -------------------


@entry("aggregate", "*", lambda kind: ["list", kind], weight=2)
def aggregate_list() -> tuple[Any, Function, Function]:
    _, append, extend = into_list()
    return [], append, extend


@entry("aggregate", "int", "int")
def aggregate_sum() -> tuple[Any, Function, Function]:
    return 1, operator.add, operator.add


# --- functions of transform and transformWith -----------------------------------------------------


OTHER = "the other RDD"


def called(target: Any, calls: list[Any], other: Any = None) -> Any:
    """``target`` after a chain of method calls, each [name, argument, ...]."""
    for name, *arguments in calls:
        given = [other if isinstance(each, str) and each == OTHER else each for each in arguments]
        target = getattr(target, name)(*given)
    return target


@entry("transform", "*", arguments=small)
def taken(n: int) -> Function:
    return lambda rdd: rdd.context.parallelize(rdd.take(n), 2)


@entry("transform", "*", "int")
def counted() -> Function:
    return lambda rdd: rdd.context.parallelize([rdd.count(), rdd.getNumPartitions()], 1)


@entry("transform", "*", lambda kind: pair("int", kind))
def numbered_batches() -> Function:
    batches = [0]

    def numbered(rdd: Any) -> Any:
        batches[0] += 1
        number = batches[0]
        return rdd.map(lambda x: (number, x))

    return numbered


@entry("transform", "*", lambda kind: pair("int", kind))
def late_number() -> Function:
    batches: list[Any] = []

    def numbered(time: Any, rdd: Any) -> Any:
        batches.append(time)
        return rdd.map(lambda x: (len(batches), x))

    return numbered


@entry("transform", "*", arguments=lambda r: [r.randint(2, 3)], weight=0.5)
def none_every(n: int) -> Function:
    calls = itertools.count(1)
    return lambda rdd: None if next(calls) % n == 0 else rdd


@entry("transform", "*", arguments=lambda r: [r.randint(1, 4)], weight=0.25)
def fail_once(n: int) -> Function:
    calls = itertools.count(1)

    def failing(rdd: Any) -> Any:
        if next(calls) == n:
            raise RuntimeError("no RDD this time")
        return rdd

    return failing


@entry("transform", "*", weight=0.5)
def cached_twice() -> Function:
    def both(rdd: Any) -> Any:
        kept = rdd.map(lambda x: x).cache()
        return kept.union(kept)

    return both


@entry("transform", "hashable", weight=0.5)
def without_most_frequent() -> Function:
    def rarer(rdd: Any) -> Any:
        counts = rdd.countByValue()
        if not counts:
            return rdd
        top = max(counts.values())
        return rdd.filter(lambda x: counts[x] < top)

    return rarer
