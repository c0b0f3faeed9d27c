"""Differences that are meant: where Swiftwater does not do what PySpark does, and why.

The table is as narrow as it can be: an entry explains a difference only where a certain call or
function stands in front of what differs, and where the results differ in the way that it names. An
entry that explains nothing in the recorded programs makes their test fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from differences import Difference, ancestry, inputs_of

Program = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """One meant difference."""

    name: str
    reason: str
    applies: Callable[[Program, Difference], bool]


# --- what stands in front of a difference ---------------------------------------------------------


def calls(program: Program, difference: Difference) -> Iterator[list[Any]]:
    """The calls that made what differs, [name, argument, ...], those inside transform too."""
    if difference.output is not None:
        on = difference.output
    elif difference.batch is not None:
        action = program["actions"][difference.batch]
        yield [action["call"], *action["args"]]
        on = action["on"]
    else:
        return
    for step in ancestry(program, on):
        yield [step["call"], *step["args"]]
        for argument in step["args"]:
            if isinstance(argument, dict):
                for form in ("chain", "timed_chain", "with", "all"):
                    yield from argument.get(form, [])


def functions(program: Program, difference: Difference) -> set[str]:
    """The names of the functions that made what differs."""
    return {
        argument["fn"][0]
        for call in calls(program, difference)
        for argument in call[1:]
        if isinstance(argument, dict) and "fn" in argument
    }


def only_order(difference: Difference) -> bool:
    """The same records in each partition (or in a collected list), in another order."""

    def ordered(value: Any) -> Any:
        return sorted(json.dumps(item) for item in value) if isinstance(value, list) else value

    one, other = difference.expected, difference.found
    if not isinstance(one, list) or not isinstance(other, list):
        return False
    return ordered(one) == ordered(other) or (
        [ordered(part) for part in one] == [ordered(part) for part in other]
    )


# --- the entries ----------------------------------------------------------------------------------


def not_associative(program: Program, difference: Difference) -> bool:
    """Behind a window that reduces with ``mixed``, which gives other results in other groups."""
    return any(
        call[0] in {"reduceByWindow", "reduceByKeyAndWindow"}
        and isinstance(call[1], dict)
        and call[1].get("fn", [""])[0] == "mixed"
        for call in calls(program, difference)
        if len(call) > 1
    )


def coalesced(program: Program, difference: Difference) -> bool:
    """Behind a ``coalesce`` without a shuffle the same records are in other partitions."""
    one, other = difference.expected, difference.found
    if not isinstance(one, list) or not isinstance(other, list):
        return False
    if difference.output is None:
        # What an action gives is one list of records.
        one, other = [one], [other]
    # What numbers the records of its task numbers other ones.
    numbered = any(name.startswith("numbered_") for name in functions(program, difference))
    alike = (lambda parts: len(in_all(parts))) if numbered else in_all
    regrouped = len(one) == len(other) and alike(one) == alike(other)
    return regrouped and any(
        call[0] == "coalesce" and call[1] > 1 and call[2:] != [True]
        for call in calls(program, difference)
    )


def in_all(partitions: list[list[Any]]) -> list[str]:
    """The records of all partitions, sorted."""
    return sorted(json.dumps(record) for partition in partitions for record in partition)


def cartesian_order(program: Program, difference: Difference) -> bool:
    """The pairs of ``cartesian`` in another order."""
    made_by = {call[0] for call in calls(program, difference)}
    return "cartesian" in made_by and only_order(difference)


def changed_afterwards(program: Program, difference: Difference) -> bool:
    """A function goes on changing a list that it has handed out."""
    return bool(functions(program, difference) & {"growing", "one_list_for_all"})


COUNTING = ("numbered_batches", "late_number", "none_every", "fail_once")


def called_once(program: Program, difference: Difference) -> bool:
    """A function of ``transform`` counts its calls, and several streams stand on its stream."""
    first = inputs_of(program)
    for number, step in enumerate(program["steps"], first):
        counts = step["call"] == "transform" and any(
            isinstance(argument, dict) and argument.get("fn", [None])[0] in COUNTING
            for argument in step["args"]
        )
        if counts and paths_from(program, number) > 1:
            return True
    return False


def paths_from(program: Program, number: int) -> int:
    """In how many ways a stream leads to outputs."""
    ways = int(number in program["outputs"])
    for later, step in enumerate(program["steps"], inputs_of(program)):
        uses = [step["on"]]
        for argument in step["args"]:
            if isinstance(argument, dict):
                uses += [argument.get("ref"), *argument.get("refs", [])]
        ways += uses.count(number) * paths_from(program, later) if number in uses else 0
    return ways


def none_passed_on(program: Program, difference: Difference) -> bool:
    """A function of ``transform`` gives None, and an operator follows."""
    named = functions(program, difference)
    return difference.expected is None and "none_every" in named


def cached_again(program: Program, difference: Difference) -> bool:
    """A function of ``transform`` caches an RDD that Spark has persisted itself."""
    if difference.expected is not None or difference.output is None:
        return False
    return any(
        isinstance(argument, dict) and ["cache"] in argument.get(form, [])[:1]
        for step in ancestry(program, difference.output)
        for argument in step["args"]
        for form in ("chain", "timed_chain")
    )


def stopped_iteration(program: Program, difference: Difference) -> bool:
    """A function for one record raises StopIteration: an error of its own here."""
    named = json.dumps(program["steps"]) + json.dumps(program.get("actions"))
    found = difference.found
    if isinstance(found, dict) and "refused" in found:
        found = found["refused"]
    is_error = isinstance(found, dict) and found.get("error") in ("RuntimeError", "StopIteration")
    return is_error and "stop_iteration" in named


KNOWN: tuple[Known, ...] = (
    Known(
        "how often a function of transform is called",
        "PySpark makes one function of consecutive transforms, so that a stream's function is "
        "called again for every stream that stands on it. Here it is called once a batch.",
        called_once,
    ),
    Known(
        "an operator behind a transform that gave None",
        "In PySpark the operator, which is one function with the transform, fails on None, and the "
        "whole batch is dropped. Here there is no RDD at that time, as its documentation has it.",
        none_passed_on,
    ),
    Known(
        "cache() of an RDD of a state or a window",
        "Spark has given it a storage level already, refuses another one, and drops the batch. "
        "Here there is one level.",
        cached_again,
    ),
    Known(
        "StopIteration out of a user's function",
        "In PySpark the functions of a DStream end their partition with it, and records are lost "
        "without a word; those of an RDD raise PySparkRuntimeError. Here it is always an error.",
        stopped_iteration,
    ),
    Known(
        "coalesce behind a shuffle or a cache",
        "Spark looks where the data lie that are there already: which partitions it puts together "
        "depends on whether the shuffle in front has run before. Here it never does.",
        coalesced,
    ),
    Known(
        "the order of cartesian",
        "PySpark combines the batches in which it stores records, whose sizes depend on how long "
        "the records are. Here each record of the one is followed by all of the other.",
        cartesian_order,
    ),
    Known(
        "a window whose function is not associative",
        "The values of a window are combined in other groups than one after the other, so that a "
        "slide does not cost with the window's length. The function must be associative, as "
        "Spark's documentation says.",
        not_associative,
    ),
    Known(
        "a list that is changed after it was handed out",
        "PySpark pickles records in batches, so how much of the change is seen depends on the "
        "sizes of its batches. Here all of it is seen.",
        changed_afterwards,
    ),
)


def known(program: Program, difference: Difference) -> Known | None:
    """The entry for a difference, if there is one."""
    for entry in KNOWN:
        if entry.applies(program, difference):
            return entry
    return None


def unknown(program: Program, found: list[Difference]) -> list[Difference]:
    """The differences that no entry explains."""
    return [difference for difference in found if known(program, difference) is None]
