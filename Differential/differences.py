"""What differs between two results of a program, and the smallest program that still differs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Program = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One place where two results are not the same."""

    output: int | None  # the number of the stream or RDD; None: an action, or all of the program
    batch: int | None  # the number of the batch, or of the action
    expected: Any
    found: Any

    def __str__(self) -> str:
        if self.output is None:
            place = "the program" if self.batch is None else f"action {self.batch}"
        else:
            place = f"output {self.output}"
            if self.batch is not None:
                place += f", batch {self.batch}"
        return f"{place}\n  PySpark    {shown(self.expected)}\n  Swiftwater {shown(self.found)}"


def shown(value: Any, most: int = 600) -> str:
    """A value on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[:most] + " ..."


def differences(program: Program, expected: Result, found: Result) -> list[Difference]:
    """All places where two results differ, the earliest operator and batch first."""
    if "outputs" not in expected or "outputs" not in found:
        if expected == found or refused_alike(expected, found):
            return []
        return [Difference(None, None, brief(expected), brief(found))]
    result = []
    for name, values in expected["outputs"].items():
        others = found["outputs"].get(name)
        if program["family"] == "rdd":
            if values != others:
                result.append(Difference(int(name), None, values, others))
            continue
        for batch, (one, other) in enumerate(zip(values, others, strict=True)):
            if one != other:
                result.append(Difference(int(name), batch, one, other))
    pairs = zip(expected.get("actions", []), found.get("actions", []), strict=True)
    for number, (one, other) in enumerate(pairs):
        if one != other:
            result.append(Difference(None, number, one, other))
    return result


def refused_alike(expected: Result, found: Result) -> bool:
    """Refused at the same step, with the same type; PySpark's message may stand in Java's."""
    one, other = expected.get("refused"), found.get("refused")
    if one is None or other is None or expected["step"] != found["step"]:
        return False
    return bool(one["error"] == other["error"]) and not ("message" in one and "message" in other)


def broken(result: dict[str, Any]) -> bool:
    """A result that tells of PySpark's trouble (a time-out, a batch that was interrupted)."""
    return "broken" in result or '{"error": "java: ' in json.dumps(result)


def brief(result: Result) -> Any:
    """A whole result without the records."""
    return result if "outputs" not in result else "runs"


# --- smaller programs -----------------------------------------------------------------------------


def inputs_of(program: Program) -> int:
    """How many streams or RDDs a program begins with."""
    return len(program.get("inputs") or program["sources"])


def needed(program: Program) -> Program:
    """The program without the steps that nothing stands on."""
    wanted = set(program["outputs"]) | {action["on"] for action in program.get("actions", [])}
    first = inputs_of(program)
    for number in reversed(range(len(program["steps"]))):
        if number + first in wanted:
            wanted |= parents(program["steps"][number])
    smaller = program
    for number in reversed(range(len(program["steps"]))):
        if number + first not in wanted:
            smaller = without_step(smaller, number)
    return smaller


def parents(step: dict[str, Any]) -> set[int]:
    """The numbers of the streams or RDDs that a step stands on."""
    found = set()
    if step["on"] != "context":
        found.add(step["on"])
    for argument in step["args"]:
        if isinstance(argument, dict):
            if "ref" in argument:
                found.add(argument["ref"])
            found |= set(argument.get("refs", ()))
    return found


def ancestry(program: Program, number: int) -> list[dict[str, Any]]:
    """The steps that a stream or RDD is made of."""
    first = inputs_of(program)
    wanted = {number}
    found = []
    for step in reversed(range(len(program["steps"]))):
        if step + first in wanted:
            found.append(program["steps"][step])
            wanted |= parents(program["steps"][step])
    return found


def without_step(program: Program, number: int) -> Program:
    """The program in which what stood on a step stands on that step's parent."""
    smaller = copy.deepcopy(program)
    gone = number + inputs_of(program)
    step = smaller["steps"].pop(number)
    instead = step["on"] if step["on"] != "context" else min(parents(step))

    def renumbered(node: Any) -> Any:
        if node == "context":
            return node
        node = instead if node == gone else node
        return node - 1 if node > gone else node

    for other in smaller["steps"] + smaller.get("actions", []):
        other["on"] = renumbered(other["on"])
        for argument in other["args"]:
            if isinstance(argument, dict):
                if "ref" in argument:
                    argument["ref"] = renumbered(argument["ref"])
                if "refs" in argument:
                    argument["refs"] = [renumbered(node) for node in argument["refs"]]
    smaller["outputs"] = sorted({renumbered(node) for node in smaller["outputs"]})
    return smaller


def focused(program: Program, found: list[Difference]) -> Program:
    """The program with only the first output (or action) that differs, up to its first batch.

    What it should give is a part of what the whole program should give.
    """
    smaller = copy.deepcopy(program)
    first = found[0]
    if first.output is not None:
        smaller["outputs"] = [first.output]
        if "actions" in smaller:
            smaller["actions"] = []
    elif first.batch is not None:
        smaller["outputs"] = []
        smaller["actions"] = [smaller["actions"][first.batch]]
    if program["family"] == "stream" and first.batch is not None:
        smaller["batches"] = first.batch + 1
        for given in smaller["inputs"]:
            if given.get("one_at_a_time", True):
                given["batches"] = given["batches"][: first.batch + 1]
    return needed(smaller)


def candidates(program: Program) -> Iterator[Program]:
    """Programs that are a little smaller."""
    for number in range(len(program["steps"])):
        yield needed(without_step(program, number))
    for output in program["outputs"]:
        if len(program["outputs"]) + len(program.get("actions", [])) > 1:
            rest = [other for other in program["outputs"] if other != output]
            yield needed(copy.deepcopy(program) | {"outputs": rest})
        if output > inputs_of(program):
            earlier = {output - 1 if other == output else other for other in program["outputs"]}
            yield needed(copy.deepcopy(program) | {"outputs": sorted(earlier)})
    for number in range(len(program.get("actions", []))):
        if len(program["outputs"]) + len(program["actions"]) > 1:
            smaller = copy.deepcopy(program)
            del smaller["actions"][number]
            yield needed(smaller)
    yield from with_fewer_records(program)


def with_fewer_records(program: Program) -> Iterator[Program]:
    """Programs with less input."""
    if program["family"] == "stream":
        if program["batches"] > 1:
            yield copy.deepcopy(program) | {"batches": program["batches"] - 1}
        for number, given in enumerate(program["inputs"]):
            for batch, values in enumerate(given["batches"]):
                for fewer in halves(values):
                    smaller = copy.deepcopy(program)
                    smaller["inputs"][number]["batches"][batch] = fewer
                    yield smaller
    else:
        for number, given in enumerate(program["sources"]):
            for fewer in halves(given.get("values", [])):
                smaller = copy.deepcopy(program)
                smaller["sources"][number]["values"] = fewer
                yield smaller


def halves(values: list[Any]) -> list[list[Any]]:
    """Shorter lists."""
    middle = len(values) // 2
    shorter = [[], values[:middle], values[middle:], values[1:], values[:-1]]
    return [each for each in shorter if len(each) < len(values)]


def minimised(
    program: Program, which_differs: Callable[[list[Program]], int | None], rounds: int = 12
) -> Program:
    """A smaller program that still differs.

    ``which_differs`` gets candidates, the most promising first, and gives the number of the first
    one that differs.
    """
    for _ in range(rounds):
        smaller: list[Program] = []
        for candidate in candidates(program):
            if candidate not in smaller:
                smaller.append(candidate)
        found = which_differs(smaller[:40])
        if found is None:
            break
        program = smaller[found]
    return program


def listing(program: Program) -> str:
    """A program for people: a line for each input and step."""
    lines = [f"seed {program['seed']}, family {program['family']}"]
    given = program.get("inputs") or program["sources"]
    for number, each in enumerate(given):
        lines.append(f"  {number}: {shown(each, 1000)}")
    for number, step in enumerate(program["steps"], len(given)):
        on = step["on"] if isinstance(step["on"], str) else f"#{step['on']}"
        arguments = ", ".join(shown(argument) for argument in step["args"])
        lines.append(f"  {number}: {on}.{step['call']}({arguments})")
    for number, action in enumerate(program.get("actions", [])):
        arguments = ", ".join(shown(argument) for argument in action["args"])
        lines.append(f"  action {number}: #{action['on']}.{action['call']}({arguments})")
    ends = f", {program['batches']} batches" if "batches" in program else ""
    return "\n".join([*lines, f"  outputs {program['outputs']}{ends}"])
