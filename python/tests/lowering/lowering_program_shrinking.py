"""Makes a program smaller for as long as its two runs differ.

    python lowering_program_shrinking.py PROGRAM RESULT SECONDS

Each trial is a process of its own, forked before the engine is loaded: a trial may crash.
"""

from __future__ import annotations

import ast
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.lowering.lowering_program_jobs import Program
from tests.lowering.lowering_programs import compare, compiled, limit_memory, loaded

TRIAL_SECONDS = 15
Trial = Callable[[Program], str]


def tried(given: Program) -> str:
    """Return how the runs of a program differ, or how the process ended that ran it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(TRIAL_SECONDS)
        limit_memory()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.write(writing, compare(given).encode()[:4000])
        os._exit(0)
    os.close(writing)
    found = bytearray()
    while part := os.read(reading, 4096):
        found += part
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if status != 0:
        return f"the process ended with status {os.waitstatus_to_exitcode(status)}"
    return found.decode("utf-8", "replace")


def smaller(
    given: Program, trial: Trial, end: float, note: Callable[[Program, str], None]
) -> Program:
    """Return the smallest program found by ``end`` that ``trial`` finds a difference in.

    Calls ``note`` with each one on the way.
    """
    first = trial(given)
    if not first:
        return given
    note(given, first)
    best = given
    went_on = True
    while went_on:
        went_on = False
        for candidates in (_simpler_forms, _fewer_records, _less_source, _simpler_records):
            at = 0
            while time.monotonic() < end:
                candidate = _nth(candidates(best), at)
                if candidate is None:
                    break
                found = trial(candidate) if candidate != best else ""
                if _alike(found, first):
                    best, went_on = candidate, True
                    note(best, found)
                else:
                    at += 1
    return best


def _alike(found: str, first: str) -> bool:
    return bool(found) and found.startswith("the process") == first.startswith("the process")


def _nth(candidates: Iterator[Program], at: int) -> Program | None:
    for number, candidate in enumerate(candidates):
        if number == at:
            return candidate
    return None


def _simpler_forms(given: Program) -> Iterator[Program]:
    yield replace(given, master="local[1]", settings={}, rebound="", ended=True, partitions=1)
    yield replace(given, times=1)
    yield replace(given, times=(given.times + 1) // 2)
    yield replace(given, settings={})
    yield replace(given, master="local[1]")
    yield replace(given, partitions=1)
    yield replace(given, partitions=min(given.partitions, 2))
    yield replace(given, ended=True)
    yield replace(given, rebound="")


def _fewer_records(given: Program) -> Iterator[Program]:
    for records in _fewer(given.records, given.is_stream):
        yield replace(given, records=records)


def _fewer(items: list[Any], is_nested: bool) -> Iterator[list[Any]]:
    size = len(items)
    while size := size // 2:
        for at in range(0, len(items), size):
            yield [*items[:at], *items[at + size :]]
    if is_nested:
        for at, item in enumerate(items):
            for fewer in _fewer(item, is_nested=False):
                yield [*items[:at], fewer, *items[at + 1 :]]


def _simpler_records(given: Program) -> Iterator[Program]:
    for simpler in _simpler(given.records):
        yield replace(given, records=simpler)


def _simpler(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            for simpler in _simpler(item):
                yield type(value)([*value[:at], simpler, *value[at + 1 :]])
    elif isinstance(value, str):
        size = len(value)
        while size := size // 2:
            for at in range(0, len(value), size):
                yield value[:at] + value[at + size :]
    elif type(value) is int and abs(value) > 1:
        yield value // 10
        yield 1


# --- source -----------------------------------------------------------------------------------


def _less_source(given: Program) -> Iterator[Program]:
    edits = len(list(_edits(ast.parse(given.source))))
    for number in range(edits):
        tree = ast.parse(given.source)
        list(_edits(tree))[number].apply()
        candidate = replace(given, source=ast.unparse(ast.fix_missing_locations(tree)) + "\n")
        if len(candidate.source) < len(given.source) and compiled(candidate) is not None:
            yield candidate


@dataclass(frozen=True)
class _Edit:
    """Puts something in place of a node's field, or of some items of a list in it."""

    node: ast.AST
    name: str
    items: slice | None
    new: Any

    def apply(self) -> None:
        if self.items is None:
            setattr(self.node, self.name, self.new)
        else:
            getattr(self.node, self.name)[self.items] = self.new


def _edits(tree: ast.AST) -> Iterator[_Edit]:
    """Give what can be done to a tree: the largest parts first, statements before expressions."""
    lists = [
        (node, name, value)
        for node in ast.walk(tree)
        for name, value in ast.iter_fields(node)
        if isinstance(value, list)
    ]
    for node, name, values in lists:
        for at, value in reversed(list(enumerate(values))):
            if isinstance(value, ast.stmt):
                yield from _edits_of_statement(node, name, at, value, len(values) > 1)
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                yield from (_Edit(node, name, None, part) for part in _parts(value))
    for node, name, values in lists:
        for at, value in enumerate(values):
            if isinstance(value, ast.expr):
                if len(values) > 1:
                    yield _Edit(node, name, slice(at, at + 1), [])
                for part in _parts(value):
                    yield _Edit(node, name, slice(at, at + 1), [part])


def _edits_of_statement(
    node: ast.AST, name: str, at: int, statement: ast.stmt, is_one_of_many: bool
) -> Iterator[_Edit]:
    if is_one_of_many:
        yield _Edit(node, name, slice(at, at + 1), [])
    if isinstance(statement, (ast.If, ast.For, ast.Try)):
        for inner in (statement.body, statement.orelse):
            if inner:
                yield _Edit(node, name, slice(at, at + 1), inner)


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """Give the expressions that an expression is made of, and plain ones in its place."""
    if isinstance(value, (ast.Lambda, ast.Constant)):
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
            yield ast.Constant("")
            yield ast.Constant(value.value[:1])
        return
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        yield value.func.value
    for child in ast.iter_child_nodes(value):
        if isinstance(child, ast.FormattedValue):
            yield child.value
        elif isinstance(child, ast.expr):
            yield child
    if not isinstance(value, (ast.Name, ast.FormattedValue, ast.JoinedStr)):
        for plain in (0, "", None):
            yield ast.Constant(plain)


def _main() -> None:
    path, result, seconds = sys.argv[1:]

    def note(best: Program, found: str) -> None:
        Path(result).write_text(f"{found}\n{best}")

    smaller(loaded(Path(path).read_text()), tried, time.monotonic() + float(seconds), note)


if __name__ == "__main__":
    _main()
