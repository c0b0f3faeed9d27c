"""Random jobs: where records come from, operators behind each other, and what is asked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.lowering.lowering_program_functions import PREFIX, Functions, literal
from tests.lowering.lowering_program_records import (
    BOOL,
    DECIMAL,
    FLOAT,
    INT,
    MIXED,
    NONE,
    NUMERAL,
    SIMPLE,
    TEXT,
    TEXTS,
    Kind,
    Records,
    Theme,
    common,
    fields,
    fits,
    list_of,
    maybe,
    row,
    tuple_of,
)

# Programs of one chunk share a context.
CHUNK = 50
# How many records a program has, or a batch of it.
_COUNTS = (0, 1, 2, 3, 4, 5, 5, 8, 8, 12, 20, 40, 100)
MASTERS = ("local[1]", "local[2]", "local[2]", "local[3]")


@dataclass(frozen=True)
class Program:
    """One job on one set of records, in a form that can be written down.

    ``source`` defines ``job(first)``. For the forms ``file`` and ``list``, ``first`` is an RDD and
    the job gives an RDD and a function that asks for the result; for ``lines`` and ``queue`` it is
    a stream, and so is what the job gives. ``rebound`` are statements that run before the result
    is asked for a second time, or before the second batch. The records, or those of each batch,
    are given ``times`` over.
    """

    form: str
    source: str
    records: list[Any]
    partitions: int
    rebound: str = ""
    ended: bool = True
    times: int = 1
    master: str = "local[2]"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_stream(self) -> bool:
        return self.form in ("lines", "queue")

    def __str__(self) -> str:
        shown = [
            f"# {self.form}, {self.partitions} partitions, {self.master} {self.settings or ''}"
        ]
        shown += [f"# the records {self.times} times"] if self.times > 1 else []
        shown += [] if self.ended else ["# the file's last line has no end"]
        shown += [f"# then {self.rebound}"] if self.rebound else []
        return "\n".join([*shown, self.source, f"records = {self.records!a}"])


def program(seed: str, number: int) -> Program:
    """Return the program of a number: always the same one for the same seed."""
    shared = random.Random(f"{seed}/{number // CHUNK}/chunk")
    settings: dict[str, str] = {}
    if shared.random() < 0.1:
        settings["swiftwater.spill.memory"] = "1m"
    if shared.random() < 0.15:
        settings["swiftwater.block.size"] = shared.choice(("1", "20", "100"))
    return _Job(random.Random(f"{seed}/{number}"), shared.choice(MASTERS), settings).program()


class _Job:
    def __init__(self, rng: random.Random, master: str, settings: dict[str, str]) -> None:
        self.rng = rng
        self.master = master
        self.settings = settings
        theme = Theme.random(rng)
        self.records = Records(rng, theme)
        self.functions = Functions(rng, theme)
        self.form = rng.choice(("file", "file", "file", "list", "list", "list", "lines", "queue"))
        self.is_stream = self.form in ("lines", "queue")
        self.kind = self._source_kind()
        self.statements: list[str] = []
        # At times more than one block's worth of records.
        self.times = rng.choice((20, 100, 300)) if rng.random() < 0.006 else 1
        self.is_many = 0 if self.times == 1 else 1

    def program(self) -> Program:
        source_kind = self.kind
        for _ in range(self.rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6))):
            self._step()
        if self.is_stream:
            ending = self.rng.choice(("return data.glom()", "return data.glom()", "return data"))
        else:
            ending = f"return data, lambda: data.{self._action()}"
        return Program(
            form=self.form,
            source=self._source(ending),
            records=self._batches(source_kind) if self.is_stream else self._given(source_kind),
            partitions=self.rng.choice((1, 2, 2, 3)),
            rebound=self._rebound(),
            ended=self.rng.random() < 0.8,
            times=self.times,
            master=self.master,
            settings=self.settings,
        )

    def _source(self, ending: str) -> str:
        body = ["data = first", *self.statements, ending]
        definitions = self.functions.definitions
        if self.rng.random() < 0.4:
            # Constants and helpers are variables of the enclosing function then.
            body, definitions = [*definitions, *body], []
        text = "\n".join(body).replace("\n", "\n    ")
        return "\n".join([PREFIX, *definitions, f"def job(first):\n    {text}\n"])

    def _rebound(self) -> str:
        if not self.functions.captured or self.rng.random() < 0.5:
            return "pass" if self.rng.random() < 0.1 else ""
        name, kind = self.rng.choice(self.functions.captured)
        if self.rng.random() < 0.2:
            kind = self.rng.choice(SIMPLE)
        return f"{name} = {literal(self.records.value(kind))}"

    # --- records ------------------------------------------------------------------------------

    def _source_kind(self) -> Kind:
        parts = [
            self.rng.choice((NUMERAL, TEXT, TEXT, DECIMAL))
            for _ in range(self.rng.choice((2, 3, 4)))
        ]
        lines = fields(self.rng.choice((" ", ",", "\t", ";", "::")), *parts)
        if self.form in ("file", "lines"):
            return self.rng.choice((TEXT, TEXT, TEXT, lines, lines, NUMERAL, DECIMAL))
        chance = self.rng.random()
        if chance < 0.3:
            return self.rng.choice((TEXT, lines))
        if chance < 0.5:
            return self.rng.choice((INT, INT, FLOAT, BOOL, NUMERAL, DECIMAL))
        if chance < 0.8:
            return tuple_of(self._key_kind(), self._value_kind())
        return self.rng.choice(
            (
                *(MIXED, NONE, maybe(INT), maybe(TEXT), TEXTS, row(NUMERAL, TEXT)),
                *(tuple_of(INT, TEXT, FLOAT), tuple_of(TEXT, tuple_of(INT, maybe(FLOAT)))),
            )
        )

    def _key_kind(self) -> Kind:
        return self.rng.choice(
            (TEXT, TEXT, TEXT, INT, INT, BOOL, FLOAT, NUMERAL, tuple_of(TEXT, INT), maybe(TEXT))
        )

    def _value_kind(self) -> Kind:
        return self.rng.choice(
            (
                *(INT, INT, INT, FLOAT, TEXT, BOOL, maybe(INT), TEXTS, NUMERAL),
                *(tuple_of(INT, INT), tuple_of(FLOAT, INT), tuple_of(TEXT, INT)),
                *(tuple_of(INT, TEXT, FLOAT), tuple_of(INT, tuple_of(FLOAT, TEXT))),
            )
        )

    def _given(self, kind: Kind) -> list[Any]:
        values = self.records.values(kind, self.rng.choice(_COUNTS))
        return (
            [_as_line(value, self.form) for value in values]
            if self.form in ("file", "lines")
            else values
        )

    def _batches(self, kind: Kind) -> list[Any]:
        return [self._given(kind) for _ in range(self.rng.choice((1, 2, 3)))]

    # --- operators ----------------------------------------------------------------------------

    def _step(self) -> None:
        is_pair = self.kind.name == "tuple" and len(self.kind.parts) == 2
        steps = list(_STEPS)
        if is_pair:
            steps += _PAIR_STEPS
        steps += _STREAM_STEPS if self.is_stream else _RDD_STEPS
        if is_pair:
            steps += _STREAM_PAIR_STEPS if self.is_stream else _RDD_PAIR_STEPS
        text = self.rng.choice(steps)(self)
        if text:
            self.statements.append(text if text.startswith("other") else f"data = data.{text}")

    def map(self) -> str:
        if idiom := self._idiom():
            return f"map({idiom})"
        result = self._result_kind()
        function = self.functions.function(self.kind, result)
        self.kind = result
        return f"map({function})"

    def opaque(self) -> str:
        """Records behind it are Python's objects, whatever they were before."""
        return "map(seen)"

    def _idiom(self) -> str:
        """Write, at times, what jobs have in common: divided lines, words with a number."""
        chance = self.rng.random()
        kind = self.kind
        if kind.name == "fields" and chance < 0.35:
            self.kind = row(*kind.parts)
            return f"lambda line: line.split({kind.separator!r})"
        if kind.name == "row" and chance < 0.4 and len(kind.parts) > 1:
            at, other = self.rng.sample(range(len(kind.parts)), 2)
            self.kind = tuple_of(kind.parts[at], kind.parts[other])
            return f"lambda f: (f[{at}], f[{other}])"
        if kind == TEXT and chance < 0.15:
            self.kind = tuple_of(TEXT, INT)
            return self.rng.choice(
                ("lambda w: (w, 1)", "lambda word: (word.lower().strip('.,'), 1)")
            )
        if kind.name == "tuple" and len(kind.parts) == 2 and chance < 0.1:
            first, second = kind.parts
            self.kind = tuple_of(second, first)
            return self.rng.choice(("lambda p: (p[1], p[0])", "operator.itemgetter(1, 0)"))
        return ""

    def _result_kind(self) -> Kind:
        chance = self.rng.random()
        if chance < 0.45:
            return tuple_of(self._key_kind(), self._value_kind())
        if chance < 0.6 and any(fits(self.kind, kind) for kind in (*SIMPLE, NUMERAL)):
            return self.kind
        return self.rng.choice(
            (
                *(TEXT, TEXT, TEXT, INT, INT, INT, FLOAT, FLOAT, BOOL, TEXTS, maybe(INT)),
                *(maybe(TEXT), tuple_of(INT, TEXT, FLOAT), tuple_of(TEXT, tuple_of(INT, FLOAT))),
                *(list_of(INT), tuple_of(TEXT), NUMERAL),
            )
        )

    def filter(self) -> str:
        truth = BOOL if self.rng.random() < 0.85 else self.rng.choice((*SIMPLE, TEXTS))
        return f"filter({self.functions.function(self.kind, truth)})"

    def flat_map(self) -> str:
        if self.is_many >= 2:
            return ""
        self.is_many += 1
        if self.kind.name in ("list", "row") and self.rng.random() < 0.4:
            self.kind = _common(self.kind.parts)
            return "flatMap(lambda items: items)"
        whole, part = self._many()
        function = self.functions.function(self.kind, whole)
        self.kind = part
        return f"flatMap({function})"

    def _many(self) -> tuple[Kind, Kind]:
        chance = self.rng.random()
        if self.kind.name == "fields" and chance < 0.3:
            parts = self.kind.parts
            return row(*parts), _common(parts)
        if chance < 0.75:
            return TEXTS, TEXT
        if chance < 0.82:
            return TEXT, TEXT
        part = self.rng.choice((INT, tuple_of(TEXT, INT), FLOAT, tuple_of(INT, TEXT)))
        if chance < 0.92:
            return list_of(part), part
        if chance < 0.96:
            return maybe(list_of(part)), part
        return tuple_of(part, part), part

    def map_values(self) -> str:
        result = self._value_kind()
        function = self.functions.function(self.kind.parts[1], result)
        self.kind = tuple_of(self.kind.parts[0], result)
        return f"mapValues({function})"

    def flat_map_values(self) -> str:
        if self.is_many >= 2:
            return ""
        self.is_many += 1
        whole, part = self._many()
        function = self.functions.function(self.kind.parts[1], whole)
        self.kind = tuple_of(self.kind.parts[0], part)
        return f"flatMapValues({function})"

    def reduce_by_key(self) -> str:
        function = self.functions.merge(self.kind.parts[1])
        return f"reduceByKey({function}{self._number()})"

    def _number(self) -> str:
        return self.rng.choice(("", "", ", 1", ", 2", ", 3"))

    def group_by_key(self) -> str:
        key, value = self.kind.parts
        after, kind = self.rng.choice(
            (("list", list_of(value)), ("list", list_of(value)), ("len", INT))
        )
        self.kind = tuple_of(key, kind)
        return f"groupByKey({self._number()[2:]}).mapValues({after})"

    def combine_by_key(self) -> str:
        key, value = self.kind.parts
        merge = self.functions.merge(value)
        self.kind = tuple_of(key, tuple_of(value, INT))
        return (
            f"combineByKey(lambda v: (v, 1), lambda c, v: (({merge})(c[0], v), c[1] + 1), "
            f"lambda c, d: (({merge})(c[0], d[0]), c[1] + d[1]))"
        )

    def union(self) -> str:
        kind = self.kind
        if self.rng.random() < 0.3:
            kind = self.rng.choice((*SIMPLE, maybe(TEXT), maybe(INT), tuple_of(TEXT, INT)))
        whole = self._branch(kind)
        self.kind = common(self.kind, kind)
        return f"{whole}\ndata = data.union(other)"

    def _branch(self, kind: Kind) -> str:
        """Define ``other``, a second way of the records that are there."""
        return f"other = data.map({self.functions.function(self.kind, kind)})"

    def join(self) -> str:
        if self.is_many >= 1:
            return ""
        self.is_many = 2
        key, value = self.kind.parts
        other_value = self._value_kind()
        branch = self._branch(tuple_of(key, other_value))
        name = self.rng.choice(("join", "join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin"))
        left = maybe(value) if name in ("rightOuterJoin", "fullOuterJoin") else value
        right = maybe(other_value) if name in ("leftOuterJoin", "fullOuterJoin") else other_value
        self.kind = tuple_of(key, tuple_of(left, right))
        return f"{branch}\ndata = data.{name}(other{self._number()})"

    def repartition(self) -> str:
        return f"repartition({self.rng.choice('123')})"

    def glom(self) -> str:
        if self.rng.random() < 0.7:
            return ""
        self.kind = list_of(self.kind)
        return "glom()"

    def map_partitions(self) -> str:
        name = self.rng.choice(("list", "sorted", "iter", "lambda rows: [len(list(rows))]"))
        self.kind = INT if name.startswith("lambda") else self.kind
        return f"mapPartitions({name})"

    # --- of RDDs only

    def distinct(self) -> str:
        return f"distinct({self._number()[2:]})"

    def sort_by(self) -> str:
        function = self.functions.function(self.kind, self.rng.choice((TEXT, INT, FLOAT)))
        return f"sortBy({function}{self.rng.choice(('', ', False', ', True, 2'))})"

    def key_by(self) -> str:
        key = self._key_kind()
        function = self.functions.function(self.kind, key)
        self.kind = tuple_of(key, self.kind)
        return f"keyBy({function})"

    def group_by(self) -> str:
        key = self._key_kind()
        function = self.functions.function(self.kind, key)
        self.kind = tuple_of(key, list_of(self.kind))
        return f"groupBy({function}{self._number()}).mapValues(list)"

    def cache(self) -> str:
        return "cache()"

    def zip_with_index(self) -> str:
        self.kind = tuple_of(self.kind, INT)
        return "zipWithIndex()"

    def coalesce(self) -> str:
        return f"coalesce({self.rng.choice('12')})"

    def keys(self) -> str:
        self.kind = self.kind.parts[0]
        return "keys()"

    def of_values(self) -> str:
        self.kind = self.kind.parts[1]
        return "values()"

    def partition_by(self) -> str:
        return f"partitionBy({self.rng.choice('123')})"

    def sort_by_key(self) -> str:
        return "sortByKey()"

    def fold_by_key(self) -> str:
        value = self.kind.parts[1]
        zero = literal(self.records.value(value))
        return f"foldByKey({zero}, {self.functions.merge(value)})"

    def aggregate_by_key(self) -> str:
        key, value = self.kind.parts
        merge = self.functions.merge(INT)
        function = self.functions.function(value, INT)
        self.kind = tuple_of(key, INT)
        return f"aggregateByKey(0, lambda c, v: ({merge})(c, ({function})(v)), {merge})"

    # --- of streams only

    def count(self) -> str:
        self.kind = INT
        return "count()"

    def reduce(self) -> str:
        return f"reduce({self.functions.merge(self.kind)})"

    def count_by_value(self) -> str:
        self.kind = tuple_of(self.kind, INT)
        return "countByValue()"

    def window(self) -> str:
        return self.rng.choice(("window(2)", "window(3, 1)", "window(2, 2)"))

    def transform(self) -> str:
        inner = self.rng.choice((self.sort_by, self.distinct, self.map, self.filter))()
        return f"transform(lambda rdd: rdd.{inner})"

    def reduce_by_key_and_window(self) -> str:
        kind = self.kind.parts[1]
        if kind in (INT, FLOAT) and self.rng.random() < 0.4:
            return "reduceByKeyAndWindow(operator.add, operator.sub, 2, 1)"
        return f"reduceByKeyAndWindow({self.functions.merge(kind)}, None, 2, 1)"

    # --- what is asked ------------------------------------------------------------------------

    def _action(self) -> str:
        chance = self.rng.random()
        if chance < 0.55:
            return "glom().collect()"
        if chance < 0.7:
            return "collect()"
        if chance < 0.78:
            return f"take({self.rng.choice((0, 1, 2, 5, 100))})"
        if chance < 0.84:
            return f"reduce({self.functions.merge(self.kind)})"
        if chance < 0.88:
            zero, function = self.records.value(self.kind), self.functions.merge(self.kind)
            return f"fold({literal(zero)}, {function})"
        simple = ["count()", "countByValue()", "first()", "isEmpty()", "max()", "min()", "sum()"]
        simple += ["takeOrdered(3)", "top(2)", "treeReduce(max)", "toLocalIterator()"]
        if self.kind.name == "tuple" and len(self.kind.parts) == 2:
            merge = self.functions.merge(self.kind.parts[1])
            simple += ["countByKey()", "collectAsMap()", f"reduceByKeyLocally({merge})"]
            simple += [f"lookup({literal(self.records.value(self.kind.parts[0]))})"]
        return self.rng.choice(simple)


def _as_line(value: Any, form: str) -> str:
    """Return what a file or a sender can have: in files are bytes too that are no text."""
    text = value if isinstance(value, str) else str(value)
    if form == "file":
        text = text.replace("\ud800", "?")
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return text.encode("utf-8", "replace").decode()


def _common(parts: tuple[Kind, ...]) -> Kind:
    kind = parts[0]
    for part in parts[1:]:
        kind = common(kind, part)
    return TEXT if kind == MIXED else kind


_Step = Callable[[_Job], str]
_STEPS: tuple[_Step, ...] = (
    *(_Job.map,) * 20,
    *(_Job.filter,) * 9,
    *(_Job.flat_map,) * 9,
    *(_Job.opaque,) * 2,
    *(_Job.union, _Job.repartition, _Job.glom, _Job.map_partitions),
)
_PAIR_STEPS: tuple[_Step, ...] = (
    *(_Job.map_values,) * 8,
    *(_Job.flat_map_values,) * 4,
    *(_Job.reduce_by_key,) * 20,
    *(_Job.group_by_key,) * 2,
    *(_Job.combine_by_key, _Job.join, _Job.join),
)
_RDD_STEPS: tuple[_Step, ...] = (
    *(_Job.distinct, _Job.sort_by, _Job.key_by, _Job.group_by, _Job.cache, _Job.zip_with_index),
    _Job.coalesce,
)
_RDD_PAIR_STEPS: tuple[_Step, ...] = (
    *(_Job.keys, _Job.of_values, _Job.partition_by, _Job.sort_by_key, _Job.fold_by_key),
    _Job.aggregate_by_key,
)
_STREAM_STEPS: tuple[_Step, ...] = (
    *(_Job.count, _Job.reduce, _Job.count_by_value, _Job.window, _Job.window, _Job.transform),
)
_STREAM_PAIR_STEPS: tuple[_Step, ...] = (_Job.reduce_by_key_and_window,)
