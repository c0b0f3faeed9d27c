"""The checks of proofs on states, as functions that raise ``AssertionError``.

Run as a program it checks the interpreter that runs it, without pytest and without the engine.
"""

from __future__ import annotations

import copy
import random
import sys
import traceback
import warnings
from collections import Counter, OrderedDict, namedtuple
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ == "__main__":
    _package = ModuleType("swiftwater")
    _package.__path__ = [str(Path(__file__).resolve().parents[2] / "swiftwater")]
    sys.modules["swiftwater"] = _package

from lowering_reference import exact
from lowering_states import CONDITIONAL, REFUSED_STATES, UNCHANGED, condition_words

from swiftwater._lowering import unchanged_without_values
from swiftwater._lowering._unchanged import is_met

__all__ = ["CHECKS_OF_STATES", "check_condition", "check_programs_of_states", "check_reason"]

PROGRAMS = 600
Point = namedtuple("Point", "x y")


class Text(str):
    """Looks like a str and is none."""

    __slots__ = ()


class Whole(int):
    """Looks like an int and is none."""


class Kept:
    """Is equal to itself only."""


STATES: list[Any] = [
    *(0, 1, -3, 2**70, True, False, 0.0, -0.0, 1.5, -2.0, float("inf"), float("nan")),
    *("", "a", "ab", b"", b"a", (), (1,), (1, 2), (0, 0), (0.0, 0), (-0.0, 1), (1.5, 2)),
    *((True, False), (1, 2, 3), ("a", 1), (1, "a"), (None, 1), ((1, 2), [3]), ((0, 0), [])),
    *(((1.5, True), []), (1.5,) * 7, [], [0], [0, 0], [1, 2], [1.5, 2], [True, 2], [[1], 2]),
    *(list(range(99)), list(range(100)), list(range(101)), ["a"], [None], [float("nan")]),
    *({}, {"sum": 0, "count": 0}, {"sum": 1.5, "count": 2}, {"count": 1, "sum": 2}, {"sum": True}),
    *({"sum": -0.0, "count": 1}, {"sum": 1, "count": 2, "more": 3}, {1: 2}, {"a": [1]}),
    *({8, 0}, set(), {1}, frozenset(), frozenset((1, 2)), {"a", "b", "c"}),
    *(Point(1, 2), Text("a"), Text(""), Whole(3), Whole(0), Counter("ab"), OrderedDict(a=1)),
    *(bytearray(b"a"), range(3), 1j, Kept(), [Whole(3), 1], (Whole(3), 1), (Text("a"), 1)),
]


def told(state: Any) -> Any:
    """Return a state with all that can be told of it; a set's order is none of it."""
    if isinstance(state, (set, frozenset)):
        return (type(state).__name__, sorted(map(repr, state)))
    if isinstance(state, dict):
        return (type(state).__name__, [(told(key), told(value)) for key, value in state.items()])
    if type(state) in (tuple, list):
        return (type(state).__name__, [told(item) for item in state])
    if type(state) is Kept:
        return "Kept"
    return (exact(state), repr(state))


def check_held(function: Any, answer: tuple[Any, ...], source: object = "") -> int:
    """States for which it is proved are given back by Python; return how many there are."""
    count = 0
    for state in STATES:
        if answer != ("unchanged",) and not is_met(answer[1], state):
            continue
        count += 1
        given, new = copy.deepcopy(state), []
        result = function(new, given)
        assert told(result) == told(state), f"{state!r} became {result!r}\n{answer}\n{source}"
        assert told(given) == told(state), f"{state!r} was changed\n{answer}\n{source}"
        assert new == []
    return count


def check_condition(function: Any, words: str | None) -> None:
    """The function keeps states of these forms."""
    answer = unchanged_without_values(function)
    assert unchanged_without_values(function) is answer
    assert answer[0] == "unchanged", answer
    found = condition_words(answer[1]) if len(answer) == 2 else "any"
    assert words is None or found == words, found
    assert check_held(function, answer)


def check_reason(function: Any, reason: str) -> None:
    """Nothing is proved of the function, for this reason."""
    answer = unchanged_without_values(function)
    assert unchanged_without_values(function) is answer
    assert answer[0] == "refused", answer
    assert [type(part) for part in answer] == [str, str, int, str, str]
    assert reason in answer[4], answer
    code = getattr(function, "__code__", None)
    if code is not None:
        assert answer[1] == code.co_filename
        assert answer[2] > 0


# -- What a proof depends on


def check_names_bound_anew() -> None:
    names: dict[str, Any] = {}
    exec("def update(new, old): return (old or ZERO) + step(new)\ndef step(new): return 0", names)
    update = names["update"]
    names["ZERO"] = 0
    first = unchanged_without_values(update)
    assert first[0] == "unchanged", first
    names["ZERO"] = 1
    assert unchanged_without_values(update)[0] == "unchanged"
    names["step"] = lambda new: 1
    assert unchanged_without_values(update)[0] == "refused"
    names["step"] = lambda new: len(new)  # noqa: PLW0108
    names["ZERO"] = 0
    assert unchanged_without_values(update)[1] == first[1]
    names["step"] = Kept()
    assert unchanged_without_values(update)[0] == "refused"


def check_captured_variables() -> None:
    def adding(step: Any) -> Any:
        return lambda new, old: old + step

    assert unchanged_without_values(adding(0))[0] == "unchanged"
    assert unchanged_without_values(adding(1))[0] == "refused"
    assert unchanged_without_values(adding(0))[0] == "unchanged"
    assert condition_words(unchanged_without_values(adding(False))[1]) == "int | float"
    assert condition_words(unchanged_without_values(adding(0.0))[1]) == "float"
    assert condition_words(unchanged_without_values(adding(""))[1]) == "str"


def check_defaults() -> None:
    def update(new: Any, old: Any, step: Any = 0) -> Any:
        return old + step

    assert unchanged_without_values(update)[0] == "unchanged"
    update.__defaults__ = (1,)
    assert unchanged_without_values(update)[0] == "refused"


# -- Random functions


class _Writer:
    """Writes functions on states; ``numbers`` decides everything."""

    def __init__(self, numbers: random.Random) -> None:
        self.numbers = numbers

    def one(self, *texts: str) -> str:
        return self.numbers.choice(texts)

    def nothing(self) -> str:
        """Write what often is nothing for an empty list."""
        return self.one(
            *("sum(new)", "len(new)", "sum(v for v in new)", "0", "0.0", "False", "ZERO", "-0.0"),
            *("new", "[]", "list(new)", "[v for v in new]", "set(new)", "{}", "dict(new)", "()"),
            *("tuple(new)", "''", "''.join(new)", "len(new) + 1", "sum(new, 0.0)", "1", "b''"),
            *("max(new, default=0)", "sorted(new)", "frozenset()", "plus(sum(new))", "new[-1:]"),
        )

    def state(self) -> str:
        return self.one(
            *("old", "old", "old", "(old or 0)", "(old or [])", "(old or {})", "(old or '')"),
            *("(old or 0.0)", "(old or set())", "(old if old is not None else 0)", "list(old)"),
            *("(old or ())", "(old or False)", "old[:]", "old[-100:]", "old.copy()", "dict(old)"),
            *("(old or (0, 0))", "tuple(old)", "set(old)", "[*old]", "(old,)", "int(old)"),
            *("(old and old)", "(not old or old)", "float(old)", "bool(old)", "old[:3]"),
        )

    def value(self, depth: int = 2) -> str:
        kind = self.numbers.random()
        if depth == 0 or kind < 0.2:
            return self.state()
        if kind < 0.5:
            symbol = self.one("+", "+", "+", "|", "-", "^", "*", "&")
            parts = [self.value(depth - 1), self.nothing()]
            if self.numbers.random() < 0.4:
                parts.reverse()
            return f"({parts[0]} {symbol} {parts[1]})"
        if kind < 0.6:
            condition = self.one("new", "not new", "old", "old is None", "len(new) > 1", "old == 0")
            return f"({self.value(depth - 1)} if {condition} else {self.value(depth - 1)})"
        if kind < 0.7:
            call = self.one("max", "min", "sorted", "sum")
            tail = "[0]" if call == "sorted" else ""
            return f"{call}([{self.value(depth - 1)}] + new){tail}"
        if kind < 0.8:
            a, b = self.numbers.choice((0, 1)), self.numbers.choice((0, 1, 1))
            brackets = self.one("()", "()", "[]")
            parts = [f"old[{n}] + {self.nothing()}" for n in (a, b)]
            return f"{brackets[0]}{', '.join(parts)}{brackets[1]}"
        if kind < 0.86:
            return f"{{'sum': old['sum'] + {self.nothing()}, 'count': old['count']}}"
        if kind < 0.93:
            return f"plus({self.value(depth - 1)}, {self.nothing()})"
        return f"(*{self.value(depth - 1)}, *new)"

    def statement(self) -> list[str]:
        return self.numbers.choice(
            (
                ["if not new:", f"    return {self.value(1)}"],
                [f"old = {self.value()}"],
                [f"old {self.one('+', '|', '-')}= {self.nothing()}"],
                ["for v in new:", "    old = old + v"],
                [f"old.{self.one('extend', 'update', 'append', 'union')}({self.nothing()})"],
                [f"old[{self.one('0', '1', repr('sum'))}] += {self.nothing()}"],
                [f"if {self.state()}:", f"    old = {self.value(1)}"],
                ["a, b = old", "old = (a + sum(new), b)"],
                [f"while {self.one('new', 'len(new) > 3', 'old is None')}:", "    return old"],
            )
        )

    def source(self) -> str:
        lines = [line for _ in range(self.numbers.randint(0, 3)) for line in self.statement()]
        lines.append(f"return {self.value()}" if self.numbers.random() < 0.7 else "return old")
        body = "\n".join(f"    {line}" for line in lines)
        return f"ZERO = 0\ndef plus(a, b=0):\n    return a + b\ndef update(new, old):\n{body}\n"


def check_programs_of_states(seed: int, count: int = PROGRAMS) -> None:
    """Whatever is proved of random functions holds when Python runs them."""
    proofs = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(count):
            source = _Writer(random.Random(f"{seed}-{number}")).source()
            names: dict[str, Any] = {"__name__": "random_states"}
            exec(compile(source, f"<states {seed}-{number}>", "exec"), names)
            answer = unchanged_without_values(names["update"])
            assert "reading it failed" not in str(answer), f"{answer}\n{source}"
            if answer[0] == "unchanged":
                proofs += check_held(names["update"], answer, f"seed {seed}-{number}\n{source}") > 0
    assert proofs > 0.1 * count, f"seed {seed}: {proofs} of {count} were proved"


CHECKS_OF_STATES = [check_names_bound_anew, check_captured_variables, check_defaults]


def main() -> int:
    """Return 0 where all checks hold; print those that do not."""
    checks: list[tuple[Any, tuple[Any, ...]]] = [
        *((check_condition, (function, "any")) for function in UNCHANGED),
        *((check_condition, case) for case in CONDITIONAL),
        *((check_reason, case) for case in REFUSED_STATES),
        *((check, ()) for check in CHECKS_OF_STATES),
        (check_programs_of_states, (int(sys.argv[1]), int(sys.argv[2]))),
    ]
    failures = 0
    for check, parts in checks:
        try:
            check(*parts)
        except Exception:  # noqa: BLE001
            failures += 1
            print(parts, traceback.format_exc())
    print(f"{len(checks)} checks, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
