"""Random Python functions as source text, mostly of the types that are asked for."""

from __future__ import annotations

import random
from typing import NamedTuple

from tests.lowering.lowering_program_forms import (
    BY_NAME,
    CONSTANTS,
    CONVERSIONS,
    DIVISORS,
    MERGES,
    READY_MADE,
    READY_MERGES,
    SEPARATORS,
    SPECS,
    TAME,
    WILD,
    Known,
    projections,
)
from tests.lowering.lowering_program_records import (
    BOOL,
    FLOAT,
    INT,
    MIXED,
    NONE,
    SIMPLE,
    STRANGE,
    TEXT,
    TEXTS,
    WORDS,
    Kind,
    Records,
    Theme,
    fits,
    row,
    tuple_of,
)

PREFIX = """
import functools
import math
import operator

from swiftwater import SparkContext
from tests.lowering.lowering_program_records import Name, Number, Pair


def seen(value):
    try:
        return value
    finally:
        pass
"""


class Helper(NamedTuple):
    name: str
    parameters: tuple[Kind, ...]
    result: Kind


class Functions:
    """Writes the functions of one program, and the constants and helpers that they share."""

    def __init__(self, rng: random.Random, theme: Theme) -> None:
        self.rng = rng
        self.records = Records(rng, theme)
        self.nonsense = rng.choice((0, 0, 0, 0.01, 0.05))
        self.is_wild = self.flip(0.35)
        self.forms = WILD if self.is_wild else TAME
        self.definitions: list[str] = []
        self.captured: list[Known] = []
        self.helpers: list[Helper] = []
        self.scope: list[Known] = []
        self._count = 0
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            self._capture()
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            self._define_helper()

    def name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def flip(self, chance: float) -> bool:
        return self.rng.random() < chance

    # --- what functions share -----------------------------------------------------------------

    def _capture(self) -> None:
        kind = self.rng.choice((*SIMPLE, TEXT, tuple_of(INT, TEXT), NONE))
        name = self.name("K")
        value = self.records.value(kind)
        self.definitions.append(f"{name} = {literal(value)}")
        self.captured.append(Known(name, kind))

    def _define_helper(self) -> None:
        parameters = tuple(self.rng.choice(SIMPLE) for _ in range(self.rng.choice((1, 1, 2))))
        result = self.rng.choice(SIMPLE)
        name = self.name("helper")
        names = ["p", "q"][: len(parameters)]
        self.definitions.append(self.definition(name, names, parameters, result))
        self.helpers.append(Helper(name, parameters, result))

    # --- whole functions ----------------------------------------------------------------------

    def function(self, parameter: Kind, result: Kind) -> str:
        """Write a function of one argument: a lambda, or the name of what is defined before."""
        chance = self.rng.random()
        if chance < 0.12 and (ready := self._ready_made(parameter, result)):
            return self.rng.choice(ready)
        name = self.rng.choice(("a", "line", "x", "record"))
        if chance < 0.65:
            return self._lambda([name], (parameter,), result)
        defined = self.name("f")
        self.definitions.append(self.definition(defined, [name], (parameter,), result))
        return defined

    def _lambda(self, names: list[str], kinds: tuple[Kind, ...], result: Kind) -> str:
        scope = [known for pair in zip(names, kinds, strict=True) for known in projections(*pair)]
        written = list(names)
        if self.flip(0.06):
            default = self.rng.choice(SIMPLE)
            written.append(f"extra={literal(self.records.value(default))}")
            scope.append(Known("extra", default))
        self.scope = scope + self.captured
        depth = self.rng.choice((1, 1, 2, 2, 3))
        text = self.expression(result, depth)
        if names[0] not in text:
            # Once more: what is always the same tells little.
            text = self.expression(result, depth + 1)
        return f"lambda {', '.join(written)}: {text}"

    def definition(self, name: str, names: list[str], kinds: tuple[Kind, ...], result: Kind) -> str:
        """Write a ``def`` with variables of its own and early returns."""
        self.scope = [
            known for pair in zip(names, kinds, strict=True) for known in projections(*pair)
        ] + self.captured
        lines = [f"def {name}({', '.join(names)}):"]
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            lines += self._statement(result)
        lines.append(f"    return {self.expression(result, self.rng.choice((0, 1, 2)))}")
        return "\n".join(lines)

    def _statement(self, result: Kind) -> list[str]:
        chance = self.rng.random()
        if chance < 0.3:
            kind = self.rng.choice((*SIMPLE, TEXTS, tuple_of(TEXT, INT)))
            variable = self.name("v")
            text = self.expression(kind, 2)
            self.scope = projections(variable, kind) + self.scope
            return [f"    {variable} = {text}"]
        if chance < 0.45 and (lines := self._unpacking()):
            return lines
        if chance < 0.7:
            return [
                f"    if {self.expression(BOOL, 2)}:",
                f"        return {self.expression(result, 1)}",
            ]
        if chance < 0.85:
            return self._branches()
        if self.is_wild and chance > 0.92:
            return self._beyond(result)
        return self._augmented()

    def _unpacking(self) -> list[str]:
        known = [k for k in self.scope if k.kind.name in ("tuple", "row", "fields")]
        if not known:
            return []
        text, kind = self.rng.choice(known)
        if kind.name == "fields":
            text = f"{text}.split({kind.separator!r})"
        names = [self.name("u") for _ in kind.parts]
        self.scope = [
            part for pair in zip(names, kind.parts, strict=True) for part in projections(*pair)
        ] + self.scope
        return [f"    {', '.join(names)}{',' if len(names) == 1 else ''} = {text}"]

    def _branches(self) -> list[str]:
        kind = self.rng.choice(SIMPLE)
        variable = self.name("v")
        lines = [
            f"    if {self.expression(BOOL, 1)}:",
            f"        {variable} = {self.expression(kind, 1)}",
        ]
        if self.flip(0.3):
            lines += [
                f"    elif {self.expression(BOOL, 1)}:",
                f"        {variable} = {self.expression(kind, 1)}",
            ]
        if self.flip(0.95):
            lines += ["    else:", f"        {variable} = {self.expression(kind, 1)}"]
        self.scope = [Known(variable, kind), *self.scope]
        return lines

    def _augmented(self) -> list[str]:
        kind = self.rng.choice((INT, FLOAT, TEXT))
        variable = self.name("v")
        first, second = self.expression(kind, 1), self.expression(kind, 1)
        self.scope = [Known(variable, kind), *self.scope]
        operator = self.rng.choice(("+", "-", "|", "&")) if kind == INT else "+"
        lines = [f"    {variable} = {first}"]
        if self.flip(0.5):
            return [*lines, f"    {variable} {operator}= {second}"]
        condition = self.expression(BOOL, 1)
        return [*lines, f"    if {condition}:", f"        {variable} {operator}= {second}"]

    def _beyond(self, result: Kind) -> list[str]:
        """Write what no expression is: loops, exceptions that are caught, asserts."""
        variable = self.name("v")
        chance = self.rng.random()
        if chance < 0.4:
            lines = [
                f"    {variable} = 0",
                f"    for item in {self.expression(TEXTS, 1)}:",
                f"        {variable} += len(item)",
            ]
        elif chance < 0.8:
            lines = [
                "    try:",
                f"        {variable} = int({self.expression(TEXT, 1)})",
                "    except ValueError:",
                f"        {variable} = -1",
            ]
        else:
            condition, text = self.expression(BOOL, 1), self.expression(result, 1)
            return [f"    if {condition}:", f"        raise KeyError({text})"]
        self.scope = [Known(variable, INT), *self.scope]
        return lines

    def _ready_made(self, parameter: Kind, result: Kind) -> list[str]:
        found = [
            text
            for taken, given, text in READY_MADE
            if fits(parameter, taken) and fits(given, result)
        ]
        if parameter.name == "tuple":
            parts = parameter.parts
            found += [
                f"operator.itemgetter({at})" for at, part in enumerate(parts) if fits(part, result)
            ]
            if len(parts) == 2 and fits(tuple_of(parts[1], parts[0]), result):
                found.append("operator.itemgetter(1, 0)")
        for helper in self.helpers:
            if len(helper.parameters) == 1 and fits(parameter, helper.parameters[0]):
                found += [helper.name] if fits(helper.result, result) else []
        return found

    # --- functions that merge -----------------------------------------------------------------

    def merge(self, kind: Kind) -> str:
        """Write a function of two arguments of ``kind`` that gives one, mostly.

        What it gives grows slowly, however often it is called.
        """
        chance = self.rng.random()
        if chance < 0.05:
            return f"lambda a, b: {self.rng.choice(('None', '(b, 1)', 'a + 1', '[b]', 'a == b'))}"
        if chance < 0.3 and (ready := READY_MERGES.get(kind.name)):
            return self.rng.choice(ready)
        if chance < 0.45 and kind.name == "tuple":
            return self._merge_by_parts(kind)
        body = self._merged("a", "b", kind)
        if chance < 0.9:
            return f"lambda a, b: {body}"
        name = self.name("merge")
        self.definitions.append(f"def {name}(a, b):\n    result = {body}\n    return result")
        return name

    def _merge_by_parts(self, kind: Kind) -> str:
        name = self.name("merge")
        if len(kind.parts) != 2 or self.flip(0.1):
            return self._merge_by_wrong_parts(name, kind)
        first = self._merged("a1", "b1", kind.parts[0])
        second = self._merged("a2", "b2", kind.parts[1])
        self.definitions.append(
            f"def {name}(a, b):\n    a1, a2 = a\n    b1, b2 = b\n    return {first}, {second}"
        )
        return name

    def _merge_by_wrong_parts(self, name: str, kind: Kind) -> str:
        """Write a merge that unpacks at times more or fewer parts than there are."""
        count = max(1, len(kind.parts) + self.rng.choice((0, 0, -1, 1)))
        lines = [
            f"    {', '.join(f'{side}{at}' for at in range(count))}, = {side}"
            for side in self.rng.choice(("ab", "ab", "a", "b"))
        ]
        text = "\n".join(lines)
        parts = []
        for at, part in enumerate(kind.parts):
            a, b = (f"{s}{at}" if f"{s}{at}" in text else f"{s}[{at}]" for s in "ab")
            parts.append(self._merged(a, b, part))
        self.definitions.append(f"def {name}(a, b):\n{text}\n    return ({', '.join(parts)},)")
        return name

    def _merged(self, a: str, b: str, kind: Kind) -> str:
        if kind.name == "tuple" and self.flip(0.8):
            parts = [
                self._merged(f"{a}[{at}]", f"{b}[{at}]", part) for at, part in enumerate(kind.parts)
            ]
            return f"({', '.join(parts)},)"
        if kind.name == "maybe":
            part = self._merged(a, b, kind.parts[0])
            return self.rng.choice(
                (
                    f"({b} if {a} is None else {a} if {b} is None else {part})",
                    f"({a} or {b})",
                    part,
                    f"({a} if {b} is None else {b})",
                )
            )
        name = "text" if fits(kind, TEXT) else "list" if kind.name == "row" else kind.name
        text = self.rng.choice(MERGES.get(name, MERGES["mixed"]))
        return text.replace("@", a).replace("$", b)

    # --- expressions --------------------------------------------------------------------------

    def expression(self, kind: Kind, depth: int) -> str:
        """Write an expression of ``kind``, of at most ``depth`` operations within each other."""
        if self.nonsense and self.flip(self.nonsense):
            other = self.rng.choice((*SIMPLE, NONE, TEXTS))
            return f"({self._expression(other, depth)})"
        return self._expression(kind, depth)

    def _expression(self, kind: Kind, depth: int) -> str:
        chance = self.rng.random()
        if depth <= 0 or chance < 0.2:
            return self._leaf(kind, depth)
        if chance < 0.28 and (text := self._call_of_helper(kind, depth)):
            return text
        return self._operation(kind, depth)

    def _leaf(self, kind: Kind, depth: int) -> str:
        known = [found.text for found in self.scope if fits(found.kind, kind)]
        if known and self.flip(0.85):
            # What comes first is nearest: the arguments and the latest variables.
            return self.rng.choice(known[:6])
        if kind.name not in ("int", "float", "bool", "text", "numeral", "decimal", "none"):
            return self._operation(kind, depth)
        if not known and depth > -2 and kind.name in self.forms and self.flip(0.8):
            return self._operation(kind, depth)
        return self._constant(kind)

    def _constant(self, kind: Kind) -> str:
        if kind.name in CONSTANTS:
            values = CONSTANTS[kind.name]
            value = self.rng.choice(values[:6] if self.flip(0.7) else values)
            return literal(value) if value.__class__ is bool or value >= 0 else f"({value!r})"
        if kind == TEXT:
            return self._literal(0)
        return literal(self.records.value(kind))

    def _call_of_helper(self, kind: Kind, depth: int) -> str:
        helpers = [helper for helper in self.helpers if fits(helper.result, kind)]
        if not helpers:
            return ""
        helper = self.rng.choice(helpers)
        given = [self.expression(part, depth - 1) for part in helper.parameters]
        if len(given) == 2 and self.flip(0.3):
            return f"{helper.name}({given[0]}, q={given[1]})"
        return f"{helper.name}({', '.join(given)})"

    def _operation(self, kind: Kind, depth: int) -> str:
        name = "texts" if kind == TEXTS else kind.name
        if name in self.forms:
            # Rather one that works on what there is than on constants.
            for _ in range(4):
                form = self.rng.choice(self.forms[name])
                kinds = [BY_NAME[part] for part in form[1::2] if part in BY_NAME]
                if any(fits(known.kind, kind) for known in self.scope for kind in kinds):
                    break
            return self._filled(form, depth - 1)
        return str(getattr(self, "_make_" + name)(kind, depth - 1))

    def _filled(self, form: list[str], depth: int) -> str:
        parts = list(form)
        for at in range(1, len(parts), 2):
            kind = BY_NAME.get(parts[at])
            if kind is not None:
                parts[at] = self.expression(kind, depth)
            else:
                parts[at] = getattr(self, "_" + parts[at])(depth)
        return "".join(parts)

    def _make_tuple(self, kind: Kind, depth: int) -> str:
        if depth > 0 and self.flip(0.1):
            first, second = self.expression(kind, depth - 1), self.expression(kind, depth - 1)
            return f"({first} if {self.expression(BOOL, depth)} else {second})"
        parts = [self.expression(part, depth) for part in kind.parts]
        if self.is_wild and len(parts) == 2 and self.flip(0.05):
            return f"Pair({parts[0]}, {parts[1]})"
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def _make_list(self, kind: Kind, depth: int) -> str:
        part = kind.parts[0]
        items = [self.expression(part, depth) for _ in range(self.rng.choice((1, 2, 2, 3)))]
        return f"[{', '.join(items)}]"

    def _make_row(self, kind: Kind, depth: int) -> str:
        return f"[{', '.join(self.expression(part, depth) for part in kind.parts)}]"

    def _make_fields(self, kind: Kind, depth: int) -> str:
        return f"{kind.separator!r}.join({self._make_row(row(*kind.parts), depth)})"

    def _make_maybe(self, kind: Kind, depth: int) -> str:
        part = kind.parts[0]
        text = self.expression(part, depth)
        known = [found.text for found in self.scope if found.kind == kind]
        if known and self.flip(0.4):
            one = self.rng.choice(known)
            return f"({one} if {one} is not None else {text})"
        condition = self.expression(BOOL, depth)
        return f"({text} if {condition} else None)"

    def _make_mixed(self, _: Kind, depth: int) -> str:
        return self.expression(self.rng.choice(SIMPLE), depth)

    def _make_none(self, _: Kind, __: int) -> str:
        return "None"

    def _make_numeral(self, _: Kind, depth: int) -> str:
        return f"str({self.expression(INT, depth)})"

    def _make_decimal(self, _: Kind, depth: int) -> str:
        return f"str({self.expression(FLOAT, depth)})"

    # --- what forms name ----------------------------------------------------------------------

    def _any(self, depth: int) -> str:
        if self.scope and self.flip(0.6):
            return self.rng.choice(self.scope[:6]).text
        return self.expression(self.rng.choice((*SIMPLE, tuple_of(INT, TEXT), TEXTS)), depth)

    def _tuple(self, depth: int) -> str:
        known = [found.text for found in self.scope if found.kind.name == "tuple"]
        if known and self.flip(0.7):
            return self.rng.choice(known)
        return self.expression(tuple_of(self.rng.choice(SIMPLE), self.rng.choice(SIMPLE)), depth)

    def _sure(self, depth: int) -> str:
        """Write what is a number or raises, and not too long a one."""
        chance = self.rng.random()
        if chance < 0.4:
            return literal(self.rng.choice((0, 1, 2, 3, 10, 1000, 2**31, 2**62)))
        text = self._without_nonsense(INT, depth)
        return f"({text} + 0)" if chance < 0.7 else f"len(str({text}))"

    def _sure_float(self, depth: int) -> str:
        return f"({self._without_nonsense(FLOAT, depth)} + 0)"

    def _without_nonsense(self, kind: Kind, depth: int) -> str:
        before, self.nonsense = self.nonsense, 0
        text = self.expression(kind, depth)
        self.nonsense = before
        return text

    def _number(self, _: int) -> str:
        return literal(self.rng.choice(CONSTANTS["int"]))

    def _number_float(self, _: int) -> str:
        return self.rng.choice(("0.5", "2.0", "1.5", "(-0.5)", "0.1", "3.0", "100.0"))

    def _divisor(self, depth: int) -> str:
        chance = self.rng.random()
        if chance < 0.7:
            return self.rng.choice(DIVISORS[:8] if chance < 0.66 else DIVISORS)
        text = self.expression(INT, depth - 1)
        return f"({text} or 1)" if chance < 0.95 else text

    def _small(self, _: int) -> str:
        return self.rng.choice("0122345")

    def _zero(self, _: int) -> str:
        return self.rng.choice(("0", "0", "0", "-1"))

    def _place(self, _: int) -> str:
        return self.rng.choice(("0", "1", "2", "-1", "0"))

    def _index(self, _: int) -> str:
        return self.rng.choice(("0", "0", "1", "-1", "2", "-2", "3", "5", "-7", "100", "0"))

    def _width(self, _: int) -> str:
        return self.rng.choice(("0", "3", "5", "8", "10", "-1", "20"))

    def _base(self, _: int) -> str:
        return self.rng.choice(("10", "16", "0", "2", "37", "8"))

    def _char(self, _: int) -> str:
        return self.rng.choice(("'.'", "'0'", "'é'", "'ab'"))

    def _chars(self, _: int) -> str:
        return self.rng.choice(
            ("'.,'", "' '", "'a'", "'ab.é'", "'0'", "''", "None", "'\\t '", "'xX'")
        )

    def _separator(self, _: int) -> str:
        known = [k.kind.separator for k in self.scope if k.kind.separator]
        if known and self.flip(0.7):
            return repr(known[0])
        return self.rng.choice(SEPARATORS if self.flip(0.3) else SEPARATORS[:5])

    def _literal(self, _: int) -> str:
        chance = self.rng.random()
        if chance < 0.3:
            return self.rng.choice(("''", "' '", "','", "'a'", "'e'", "'-'", "'to'", "'the'"))
        if chance < 0.9:
            return literal(self.rng.choice(WORDS))
        return literal(self.rng.choice(STRANGE))

    def _part(self, depth: int) -> str:
        if self.flip(0.8):
            return self.rng.choice(
                ("'a'", "'e'", "'to'", "' '", "','", "'/api'", "''", "'x'", "'é'")
            )
        return self.expression(TEXT, depth - 1)

    def _prefixes(self, depth: int) -> str:
        return f"({self._literal(depth)}, {self._part(depth)})"

    def _collection_text(self, _: int) -> str:
        return self._collection(TEXT)

    def _collection_int(self, _: int) -> str:
        return self._collection(INT)

    def _collection_any(self, _: int) -> str:
        return self._collection(MIXED)

    def _collection(self, kind: Kind) -> str:
        """Write a set or the like with constants; half of them are captured variables."""
        values = [self.records.value(kind) for _ in range(self.rng.choice((1, 2, 3, 3)))]
        items = ", ".join(literal(value) for value in values if not isinstance(value, list))
        if not items:
            items = "'to'"
        text = self.rng.choice(("{%s}", "{%s}", "(%s,)", "[%s]", "frozenset([%s])")) % items
        if self.flip(0.1):
            text = f"dict.fromkeys([{items}])"
        if self.flip(0.4):
            return text
        name = self.name("C")
        if self.is_wild and self.flip(0.3):
            self.definitions.append(f"{name} = SparkContext.getOrCreate().broadcast({text})")
            return f"{name}.value"
        self.definitions.append(f"{name} = {text}")
        return name

    def _format(self, _: int) -> str:
        return self.rng.choice(
            ("'%s'", "'<%r>'", "'%d'", "'%5s|'", "'%.2f'", "'{}'", "'{:>8}'", "'x'")
        )

    def _fstring(self, depth: int) -> str:
        pieces = []
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            pieces.append(self.rng.choice(("", "", "a", " - ", ":", "é", "{{", "/", "k=")))
            kind = self.rng.choice((INT, INT, FLOAT, TEXT, TEXT, BOOL, MIXED))
            text = self._any(0) if kind == MIXED else self.expression(kind, min(depth, 1))
            # Python 3.11 allows neither quotes nor backslashes within the braces.
            if any(mark in text for mark in "'\"\\{}#!"):
                text = self.scope[0].text if self.scope else "1"
            if any(mark in text for mark in "'\"\\{}#!"):
                text = "7"
            specs = SPECS.get(kind.name, ("",))
            spec = self.rng.choice(specs) if self.flip(0.5) else ""
            conversion = self.rng.choice(CONVERSIONS)
            pieces.append("{" + text + conversion + (f":{spec}" if spec else "") + "}")
        return "f'" + "".join(pieces) + "'"


def literal(value: object) -> str:
    """Return the source of a value; ``inf`` and ``nan`` are names that programs know."""
    text = repr(value)
    return text if text.isascii() or text.isprintable() else ascii(value)


__all__ = ["PREFIX", "Functions", "Helper", "Known", "literal"]
