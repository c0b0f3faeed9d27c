"""Random programs: ``program(seed)`` gives the same one for the same seed.

The generator knows the kind of every stream's records (see ``catalogue.py``) and its slide, so that
most programs make sense. How many records a stream may hold is estimated, so that none grows
without bound. What it leaves out:

* order among the items of sets of text, which depends on the hash seed of a worker;
* batch times as values, which differ from run to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from catalogue import ENTRIES, Entry, Kind, fits, hashable, orderable, pair
from values import encoded

Program = dict[str, Any]
WORDS = ["a", "b", "ab", "to be", "Swift", "naïve", "日本語", "Ω", "x", "", "🌊", "É", "be or not"]
MOST_RECORDS = 250


def program(seed: int) -> Program:
    """The program of a seed: about three in five are streams."""
    random = Random(seed)
    if random.random() < 0.6:
        return StreamProgram(random, seed).made()
    return RDDProgram(random, seed).made()


# --- values ---------------------------------------------------------------------------------------


def value(random: Random, kind: Kind) -> Any:
    """A value of a kind."""
    match kind:
        case "int":
            return random.choice(
                [
                    random.randint(-3, 9),
                    random.randint(-30, 100),
                    random.choice([7, 2**40, -(2**70)]),
                ]
                if random.random() < 0.1
                else [random.randint(-3, 9), random.randint(0, 20)]
            )
        case "str":
            return random.choice(WORDS)
        case "float":
            return random.choice([0.5, -1.25, 2.0, 0.1, 1e300, -0.0, 3.0, 7.75])
        case "any":
            return random.choice(
                [None, 1, 1.0, True, "a", "é", b"a\xff", (1, "a"), (None, (2.5,)), (), -1, 2**65, 0]
            )
        case ["pair", key, content]:
            return value(random, key), value(random, content)
        case ["list", item]:
            return [value(random, item) for _ in range(random.randint(0, 3))]
    raise ValueError(f"no value is of the kind {kind!r}")


def input_kind(random: Random) -> Kind:
    """The kind of an input's records."""
    return random.choice(
        [
            "int",
            "int",
            "str",
            "str",
            "float",
            "any",
            ["list", "int"],
            pair("int", "int"),
            pair("str", "int"),
            pair("str", "int"),
            pair("int", "str"),
            pair("str", ["list", "int"]),
            pair("int", ["list", "str"]),
            pair("any", "int"),
            pair(pair("int", "str"), "float"),
        ]
    )


def records(random: Random, kind: Kind, most: int) -> list[Any]:
    """The records of one batch."""
    count = 0 if random.random() < 0.12 else random.randint(1, most)
    return [value(random, kind) for _ in range(count)]


# --- what both families share ---------------------------------------------------------------------


@dataclass
class Node:
    """A stream or RDD as the generator knows it."""

    kind: Kind
    size: float  # about how many records it has
    slide: int = 1  # in batch intervals
    reach: float = 1.0  # over how many batches its records come


Operation = tuple[float, Callable[[], None]]


class Chooser:
    """Chooses operations for a growing list of nodes."""

    def __init__(self, random: Random, seed: int) -> None:
        self.random = random
        self.seed = seed
        self.nodes: list[Node] = []
        self.steps: list[dict[str, Any]] = []

    def add(
        self,
        on: int,
        call: str,
        args: list[Any],
        kind: Kind,
        size: float,
        slide: int | None = None,
        *,
        by_context: bool = False,
    ) -> None:
        """Make the next node by a call."""
        while args and args[-1] is None:
            args = args[:-1]
        self.steps.append({"on": "context" if by_context else on, "call": call, "args": args})
        self.nodes.append(Node(kind, size, self.nodes[on].slide if slide is None else slide))

    def entry(self, role: str, kind: Kind) -> Entry | None:
        """A function of the catalogue for records of a kind."""
        found = [each for each in ENTRIES.values() if each.role == role and fits(each.takes, kind)]
        if not found:
            return None
        return self.random.choices(found, [each.weight for each in found])[0]

    def named(self, entry: Entry, **more: Any) -> dict[str, Any]:
        """How a program names a function."""
        return {"fn": [entry.name, *entry.arguments(self.random)], **more}

    def parts(self, entry: Entry, count: int) -> list[dict[str, Any]]:
        """The members of a catalogue entry that is a tuple of functions."""
        name = [entry.name, *entry.arguments(self.random)]
        return [{"fn": name, "part": part} for part in range(count)]

    def partitions(self) -> int | None:
        """A number of partitions, or none."""
        return self.random.choice([None, None, 1, 2, 3, 4])

    def choose(self, operations: list[Operation]) -> None:
        """Do one of them."""
        self.random.choices(
            [operation for _, operation in operations], [weight for weight, _ in operations]
        )[0]()

    def simple(self, on: int) -> list[Operation]:
        """The operators that streams and RDDs share and that need one parent."""
        random, node = self.random, self.nodes[on]
        kind, size = node.kind, node.size
        found: list[Operation] = []

        def offer(weight: float, do: Callable[[], None]) -> None:
            found.append((weight, do))

        def with_function(
            weight: float,
            call: str,
            role: str,
            takes: Kind,
            gives: Callable[[Kind], Kind],
            growth: float = 1,
            more: Callable[[], list[Any]] = list,
        ) -> None:
            entry = self.entry(role, takes)
            if entry is None:
                return
            offer(
                weight,
                lambda: self.add(
                    on,
                    call,
                    [self.named(entry), *more()],
                    gives(entry.gives(takes)),
                    size * growth,
                ),
            )

        same = kind

        def preserving() -> list[Any]:
            return [True] if random.random() < 0.06 else []

        with_function(4, "map", "map", kind, lambda k: k, 1, preserving)
        if size * 2 < MOST_RECORDS:
            with_function(2, "flatMap", "flat", kind, lambda k: k, 2, preserving)
        with_function(2, "filter", "keep", kind, lambda k: same, 0.8)
        with_function(1.5, "mapPartitions", "parts", kind, lambda k: k, 1, preserving)
        with_function(1, "mapPartitionsWithIndex", "indexed", kind, lambda k: k)
        offer(0.4, lambda: self.add(on, "glom", [], ["list", kind], 2))
        offer(0.7, lambda: self.add(on, "repartition", [random.randint(1, 4)], kind, size))
        offer(0.4, lambda: self.add(on, "cache", [], kind, size))
        if not fits("pair", kind):
            return found
        key, content = kind[1], kind[2]
        with_function(2, "mapValues", "map", content, lambda k: pair(key, k))
        if size * 2 < MOST_RECORDS:
            with_function(1, "flatMapValues", "flat", content, lambda k: pair(key, k), 2)
        if not hashable(key):
            return found
        with_function(
            3, "reduceByKey", "reduce", content, lambda k: same, 0.7, lambda: [self.partitions()]
        )
        iterated = pair(key, ["iter", content])
        offer(2, lambda: self.add(on, "groupByKey", [self.partitions()], iterated, size * 0.7))
        combine = self.entry("combine", content)
        if combine is not None:
            offer(
                2,
                lambda: self.add(
                    on,
                    "combineByKey",
                    [*self.parts(combine, 3), self.partitions()],
                    pair(key, combine.gives(content)),
                    size * 0.7,
                ),
            )
        partition = self.entry("partition", key)
        if partition is not None:
            offer(
                1,
                lambda: self.add(
                    on,
                    "partitionBy",
                    [
                        random.randint(1, 4),
                        self.named(partition) if random.random() < 0.4 else None,
                    ],
                    kind,
                    size,
                ),
            )
        return found

    def joins(self, on: int) -> list[Operation]:
        """Joins with another node that has keys of the same kind."""
        random, node = self.random, self.nodes[on]
        if not fits("pair", node.kind) or not hashable(node.kind[1]):
            return []
        key, left = node.kind[1], node.kind[2]
        others = [
            number
            for number, other in enumerate(self.nodes)
            if fits("pair", other.kind)
            and other.kind[1] == key
            and node.size * other.size < MOST_RECORDS
        ]
        if not others:
            return []
        other = random.choice(others)
        right = self.nodes[other].kind[2]
        size = node.size * self.nodes[other].size / 4 + node.size
        kinds = {
            "join": pair(left, right),
            "leftOuterJoin": pair(left, ["opt", right]),
            "rightOuterJoin": pair(["opt", left], right),
            "fullOuterJoin": pair(["opt", left], ["opt", right]),
            "cogroup": pair(["iter", left], ["iter", right]),
        }
        call = random.choice(sorted(kinds))
        return [
            (
                4,
                lambda: self.add(
                    on, call, [{"ref": other}, self.partitions()], pair(key, kinds[call]), size
                ),
            )
        ]

    def rdd_calls(self, kind: Kind) -> tuple[list[Any], Kind]:
        """A short chain of RDD operators, as ``transform`` uses them, and the kind it gives."""
        chooser = RDDProgram(self.random, 0)
        chooser.nodes.append(Node(kind, 10))
        for _ in range(self.random.randint(1, 2)):
            chooser.grow(len(chooser.nodes) - 1, others=False)
        calls = [[step["call"], *step["args"]] for step in chooser.steps]
        return calls, chooser.nodes[-1].kind


# --- streams --------------------------------------------------------------------------------------


class StreamProgram(Chooser):
    """A program of streams."""

    def made(self) -> Program:
        """The program."""
        random = self.random
        inputs = []
        first = input_kind(random)
        count = random.choice([1, 1, 1, 2, 2, 3])
        for number in range(count):
            kind = first if number and random.random() < 0.5 else input_kind(random)
            if number and random.random() < 0.4 and fits("pair", first):
                kind = pair(first[1], random.choice(["int", "str", ["list", "int"]]))
            most = random.choice([3, 6, 12, 24])
            inputs.append(self.input(kind, most))
            self.nodes.append(Node(kind, most))
        longest = max(len(given["batches"]) for given in inputs)
        for _ in range(random.choice([1, 2, 3, 3, 4, 5, 6, 7, 8])):
            on = len(self.nodes) - 1 if random.random() < 0.8 else random.randrange(len(self.nodes))
            self.grow(on)
        last = len(self.nodes) - 1
        outputs = {last}
        if random.random() < 0.4:
            outputs.add(random.randrange(count, last + 1))
        return {
            "family": "stream",
            "seed": self.seed,
            "batches": min(longest + random.randint(0, 3), 9),
            "inputs": inputs,
            "steps": self.steps,
            "outputs": sorted(outputs),
        }

    def input(self, kind: Kind, most: int) -> dict[str, Any]:
        """An input of random batches."""
        random = self.random
        batches = [encoded(records(random, kind, most)) for _ in range(random.randint(3, 7))]
        given: dict[str, Any] = {"batches": batches, "slices": random.choice([None, 1, 2, 3, 4])}
        if random.random() < 0.08:
            given["one_at_a_time"] = False
        if random.random() < 0.08:
            given["default"] = encoded(records(random, kind, 3))
        return given

    def grow(self, on: int) -> None:
        """Add a step on a stream."""
        random, node = self.random, self.nodes[on]
        kind, size = node.kind, node.size
        found = self.simple(on) + self.joins(on) + self.windows(on)

        def offer(weight: float, do: Callable[[], None]) -> None:
            found.append((weight, do))

        offer(0.8, lambda: self.add(on, "count", [], "int", 1))
        reduce = self.entry("reduce", kind)
        if reduce is not None:
            offer(1, lambda: self.add(on, "reduce", [self.named(reduce)], kind, 1))
        if hashable(kind):
            offer(1, lambda: self.add(on, "countByValue", [], pair(kind, "int"), size))
        alike = [
            number
            for number, other in enumerate(self.nodes)
            if other.kind == kind
            and (other.slide == node.slide or random.random() < 0.1)
            and size + other.size < MOST_RECORDS
        ]
        if alike:
            other = random.choice(alike)
            both = size + self.nodes[other].size
            offer(1, lambda: self.add(on, "union", [{"ref": other}], kind, both))
            offer(
                1,
                lambda: self.add(
                    on,
                    "transformWith",
                    [{"with": self.with_other(kind)}, {"ref": other}],
                    kind,
                    both,
                ),
            )

            refs = [{"ref": number} for number in (on, other, on)[: random.randint(2, 3)]]
            offer(
                0.4,
                lambda: self.add(on, "union", refs, kind, both + size, by_context=True),
            )
            offer(
                0.4,
                lambda: self.add(
                    on,
                    "transform",
                    [{"refs": [on, other]}, {"all": self.with_other(kind)}],
                    kind,
                    both,
                    by_context=True,
                ),
            )

        def transform() -> None:
            calls, gives = self.rdd_calls(kind)
            form = random.choice(["chain", "chain", "timed_chain"])
            self.add(on, "transform", [{form: calls}], gives, size * 1.5)

        offer(3, transform)
        driver = self.entry("transform", kind)
        if driver is not None:
            offer(
                1.5,
                lambda: self.add(
                    on, "transform", [self.named(driver)], driver.gives(kind), size * 2
                ),
            )
        if fits("pair", kind) and hashable(kind[1]):
            update = self.entry("update", kind[2])
            if update is not None:
                offer(4, lambda: self.update(on, update))
        self.choose(found)

    def with_other(self, kind: Kind) -> list[Any]:
        """What ``transformWith`` does with both RDDs."""
        options: list[Any] = [[["union", {"other": True}]]]
        if hashable(kind):
            options += [[["subtract", {"other": True}]], [["intersection", {"other": True}]]]
        if fits("pair", kind) and hashable(kind[1]):
            options += [[["subtractByKey", {"other": True}]]]
        options.append([["union", {"other": True}], ["coalesce", 2]])
        chosen: list[Any] = self.random.choice(options)
        return chosen

    def update(self, on: int, entry: Entry) -> None:
        """Add an updateStateByKey, some with an initial state."""
        random, kind = self.random, self.nodes[on].kind
        state = entry.gives(kind[2])
        initial: Any = None
        if random.random() < 0.35 and _simple(kind[1]) and _simple(state):
            wanted = random.randint(1, 5)
            keys: list[Any] = []
            while wanted and len(keys) < wanted:
                key = value(random, kind[1])
                wanted -= key in keys
                if key not in keys:
                    keys.append(key)
            pairs = encoded([(key, value(random, state)) for key in keys])
            initial = random.choice(
                [{"value": pairs}, {"rdd": pairs, "slices": random.randint(1, 3)}]
            )
        if initial is None:
            arguments = [self.named(entry), self.partitions()]
        else:
            arguments = [self.named(entry), self.partitions() or 2, initial]
        gives, size = pair(kind[1], state), self.nodes[on].size * 2
        self.add(on, "updateStateByKey", arguments, gives, size)
        if random.random() < 0.15:
            every = random.randint(1, 3) * self.nodes[on].slide
            self.add(len(self.nodes) - 1, "checkpoint", [{"time": every}], gives, size)

    def windows(self, on: int) -> list[Operation]:
        """Windows over a stream."""
        random, node = self.random, self.nodes[on]
        kind, size = node.kind, node.size
        length = random.choice([1, 2, 2, 3, 4, 5, 6]) * node.slide
        slide = random.choice([1, 1, 1, 2, 3]) * node.slide
        # Spark goes back to the inverse function from five slides on.
        if random.random() < 0.3:
            length, slide = random.choice([5, 6, 7]) * node.slide, node.slide
        if random.random() < 0.03:
            length += 1 if node.slide > 1 else 0
        if slide > 4 or size * length > MOST_RECORDS * 2:
            return []
        window: list[Any] = [{"time": length}, {"time": slide}]
        optional = [{"time": length}, None if slide == node.slide else {"time": slide}]
        most = size * length
        found: list[Operation] = []

        def offer(weight: float, call: str, args: list[Any], gives: Kind, count: float) -> None:
            found.append((weight, lambda: self.add(on, call, args, gives, count, slide)))

        offer(2, "window", list(optional), kind, most)
        offer(0.7, "countByWindow", list(window), "int", 1)
        reduce = self.entry("reduce", kind)
        if reduce is not None:
            offer(0.7, "reduceByWindow", [self.named(reduce), None, *window], kind, 1)
        invertible = self.entry("invertible", kind)
        if invertible is not None:
            inverse = self.parts(invertible, 2)
            offer(0.7, "reduceByWindow", [*inverse, *window], kind, 1)
        if hashable(kind):
            arguments = [*window, self.partitions()]
            offer(1, "countByValueAndWindow", arguments, pair(kind, "int"), most)
        if fits("pair", kind) and hashable(kind[1]):
            key, content = kind[1], kind[2]
            grouped = pair(key, ["list", content])
            offer(1.2, "groupByKeyAndWindow", [*window, self.partitions()], grouped, most)
            reduce_values = self.entry("reduce", content)
            if reduce_values is not None:
                functions: list[Any] = [self.named(reduce_values), None]
                arguments = [*functions, *window, self.partitions()]
                offer(1, "reduceByKeyAndWindow", arguments, kind, most)
            invert_values = self.entry("invertible", content)
            if invert_values is not None:
                kept = {"fn": ["value_truthy"]} if random.random() < 0.5 else None
                arguments = [*self.parts(invert_values, 2), *window, self.partitions(), kept]
                offer(2, "reduceByKeyAndWindow", arguments, kind, most)
        return found


# --- RDDs -----------------------------------------------------------------------------------------


class RDDProgram(Chooser):
    """A program of RDDs and actions."""

    def made(self) -> Program:
        """The program."""
        random = self.random
        sources = [
            self.source(random.choice([0, 3, 8, 8, 20, 40])) for _ in range(random.randint(1, 2))
        ]
        for _ in range(random.randint(1, 7)):
            on = len(self.nodes) - 1 if random.random() < 0.8 else random.randrange(len(self.nodes))
            self.grow(on)
        last = len(self.nodes) - 1
        outputs = {last}
        while len(outputs) < min(3, last - len(sources) + 1):
            outputs.add(random.randrange(len(sources), last + 1))
        actions = []
        for on in (last, last, random.randrange(len(self.nodes))):
            actions.append(self.action(on))
        return {
            "family": "rdd",
            "seed": self.seed,
            "sources": sources,
            "steps": self.steps,
            "outputs": sorted(outputs),
            "actions": actions,
        }

    def source(self, most: int) -> dict[str, Any]:
        """A source of random records."""
        random = self.random
        choice = random.random()
        if choice < 0.12:
            self.nodes.append(Node("str", most))
            ends = ["\n", "\n", "\n", "\r\n", "\r"]
            text = "".join(random.choice(WORDS) + random.choice(ends) for _ in range(most))
            text = text[:-1] if random.random() < 0.3 else text
            return {"text": text, "minimum": random.randint(1, 4)}
        if choice < 0.2:
            self.nodes.append(Node("int", 10))
            start, step = random.randint(-5, 5), random.choice([1, 2, 3, -1, -4])
            stop = start + step * random.randint(0, 12)
            return {"range": [start, stop, step, random.randint(1, 5)]}
        if choice < 0.22:
            self.nodes.append(Node("int", 0))
            return {"empty": True}
        kind = input_kind(random)
        self.nodes.append(Node(kind, most))
        values = [value(random, kind) for _ in range(most)]
        return {"values": encoded(values), "slices": random.randint(1, 5)}

    def grow(self, on: int, others: bool = True) -> None:
        """Add a step on an RDD."""
        random, node = self.random, self.nodes[on]
        kind, size = node.kind, node.size
        found = self.simple(on) + (self.joins(on) if others else [])
        if others and size * 3 < MOST_RECORDS:
            refs = {"refs": [on] * random.randint(1, 3)}
            union = (0.4, lambda: self.add(on, "union", [refs], kind, size * 3, by_context=True))
            found.append(union)

        def offer(
            weight: float, call: str, args: list[Any], gives: Kind = None, count: float = size
        ) -> None:
            found.append((weight, lambda: self.add(on, call, args, gives or kind, count)))

        offer(0.7, "zipWithIndex", [], pair(kind, "int"))
        offer(0.5, "zipWithUniqueId", [], pair(kind, "int"))
        replace, seed = random.random() < 0.4, random.randint(0, 99)
        offer(0.7, "sample", [replace, random.choice([0.3, 0.5, 0.9]), seed])
        offer(0.7, "coalesce", [random.randint(1, 4), random.choice([None, None, True])])
        if hashable(kind):
            offer(1.5, "distinct", [self.partitions()])
        by = self.entry("map", kind)
        if by is not None and hashable(by.gives(kind)):
            keyed = by.gives(kind)
            offer(0.7, "keyBy", [self.named(by)], pair(keyed, kind))
            grouped = pair(keyed, ["iter", kind])
            offer(0.7, "groupBy", [self.named(by), self.partitions()], grouped)
            if orderable(keyed):
                arguments = [self.named(by), random.random() < 0.7, self.partitions()]
                offer(1, "sortBy", arguments)
        if fits("pair", kind):
            offer(0.4, "keys", [], kind[1])
            offer(0.4, "values", [], kind[2])
            if orderable(kind[1]):
                offer(1.5, "sortByKey", [random.random() < 0.7, self.partitions()])
            if orderable(kind[1]) and hashable(kind[1]):
                arguments = [self.partitions()]
                offer(0.5, "repartitionAndSortWithinPartitions", arguments)
            if hashable(kind[1]):
                aggregate = self.entry("aggregate", kind[2])
                if aggregate is not None:
                    arguments = [*self.parts(aggregate, 3), self.partitions()]
                    gives = pair(kind[1], aggregate.gives(kind[2]))
                    offer(1, "aggregateByKey", arguments, gives)
                if kind[2] == "int":
                    offer(0.7, "foldByKey", [1, {"fn": ["plus"]}, self.partitions()])
        if others:
            self.with_others(on, offer)
        self.choose(found)

    def with_others(self, on: int, offer: Callable[..., None]) -> None:
        """Offer the operators of two RDDs."""
        random, node = self.random, self.nodes[on]
        other = random.randrange(len(self.nodes))
        there = self.nodes[other]
        if there.kind == node.kind and node.size + there.size < MOST_RECORDS:
            offer(2, "union", [{"ref": other}], None, node.size + there.size)
            if hashable(node.kind):
                offer(1.5, "subtract", [{"ref": other}, self.partitions()])
                offer(1.5, "intersection", [{"ref": other}])
        if node.size * there.size < MOST_RECORDS / 4:
            both = pair(node.kind, there.kind)
            offer(1, "cartesian", [{"ref": other}], both, node.size * there.size)
        offer(0.3, "zip", [{"ref": on}], pair(node.kind, node.kind))
        keyed = fits("pair", node.kind) and fits("pair", there.kind) and hashable(node.kind[1])
        if keyed and there.kind[1] == node.kind[1]:
            offer(1, "subtractByKey", [{"ref": other}, self.partitions()])

    def action(self, on: int) -> dict[str, Any]:
        """A random action."""
        random, kind = self.random, self.nodes[on].kind
        n = random.randint(0, 6)
        options: list[list[Any]] = [
            ["collect"],
            ["count"],
            ["first"],
            ["isEmpty"],
            ["take", n],
            ["takeSample", random.random() < 0.5, n, random.randint(0, 99)],
            ["getNumPartitions"],
        ]
        reduce = self.entry("reduce", kind)
        if reduce is not None:
            options += [["reduce", self.named(reduce)], ["treeReduce", self.named(reduce)]]
        aggregate = self.entry("aggregate", kind)
        if aggregate is not None:
            options += [["aggregate", *self.parts(aggregate, 3)]]
            options += [["treeAggregate", *self.parts(aggregate, 3)]]
        if orderable(kind):
            options += [["takeOrdered", n], ["top", n], ["max"], ["min"]]
        by = self.entry("map", kind)
        if by is not None and orderable(by.gives(kind)):
            options += [["takeOrdered", n, self.named(by)], ["top", n, self.named(by)]]
        if hashable(kind):
            options += [["countByValue"]]
        if kind in ("int", "float"):
            options += [["sum"], ["mean"], ["stdev"], ["variance"], ["histogram", n + 1]]
        if kind == "int":
            options += [["fold", 1, {"fn": ["plus"]}]]
        if fits("list", kind):
            options += [["fold", {"value": []}, {"fn": ["extend_in_place"]}]]
        if fits("pair", kind) and hashable(kind[1]):
            options += [["countByKey"], ["collectAsMap"]]
            options += (
                [["lookup", {"value": encoded(value(random, kind[1]))}]] if _simple(kind[1]) else []
            )
            values = self.entry("reduce", kind[2])
            if values is not None:
                options += [["reduceByKeyLocally", self.named(values)]]
        call, *arguments = random.choice(options)
        return {"on": on, "call": call, "args": arguments}


def _simple(kind: Kind) -> bool:
    """A kind of which values can be made."""
    if isinstance(kind, str):
        return True
    return kind[0] in ("pair", "list") and all(_simple(part) for part in kind[1:])
