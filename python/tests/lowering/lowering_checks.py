"""The checks of the lowering as functions that raise ``AssertionError``."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from typing import Any

from lowering_cases import LOWERED
from lowering_pins import CHECKS
from lowering_random import arguments, program
from lowering_reference import evaluate, exact, outcome
from lowering_refusals import REFUSED

from swiftwater._lowering import lowered

__all__ = [
    "check_answer",
    "check_lowered",
    "check_program",
    "check_programs",
    "check_refused",
    "exact",
    "failures",
]

PROGRAMS = 400


def check_lowered(function: Any, calls: list[tuple[Any, ...]]) -> None:
    """The expression gives what the function gives."""
    answer = lowered(function, len(calls[0]))
    assert answer[0] == "lowered", answer
    assert lowered(function, len(calls[0])) is answer
    check_answer(answer, function, calls)


def check_answer(answer: tuple[Any, ...], function: Any, calls: list[tuple[Any, ...]]) -> None:
    """The answer's expression gives what the function gives."""
    for call in calls:
        wanted = outcome(function, *call)
        found = outcome(evaluate, answer[1], *call)
        assert found == wanted, f"{call}: {found} instead of {wanted}\n{answer[1]}"


def check_refused(function: Any, arity: int, instruction: str, reason: str) -> None:
    """The function is refused for this reason."""
    answer = lowered(function, arity)
    assert answer[0] == "refused", answer
    assert [type(part) for part in answer] == [str, str, int, str, str]
    assert answer[3].startswith(instruction), answer
    assert reason in answer[4], answer
    assert lowered(function, arity) is answer
    code = getattr(function, "__code__", None)
    if code is not None:
        assert answer[1] == code.co_filename
        assert answer[2] > 0


def check_program(seed: str) -> bool:
    """A random function and its expression give the same; return whether there is one."""
    source, function, arity = program(seed)
    answer = lowered(function, arity)
    assert lowered(function, arity) is answer
    if answer[0] != "lowered":
        return False
    for call in arguments(seed, arity, 12):
        wanted = outcome(function, *call)
        found = outcome(evaluate, answer[1], *call)
        if found[0] == wanted[0] == "raised":
            # An expression computes a part where it is used, which can be later than the function
            # does: of two exceptions the other one can be first.
            continue
        assert found == wanted, (
            f"seed {seed}, {call}: {found} instead of {wanted}\n{source}\n{answer[1]}"
        )
    return True


def check_programs(seed: int, count: int = PROGRAMS) -> None:
    """Most random functions have an expression, and it gives the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expressions = sum(check_program(f"{seed}-{number}") for number in range(count))
    assert expressions > 0.6 * count, f"seed {seed}: {expressions} of {count} were lowered"


def failures(seed: int) -> list[str]:
    """Run everything; return what does not hold."""
    checks: list[tuple[str, Callable[..., object], tuple[Any, ...]]] = [
        *((f"lowered {number}", check_lowered, case) for number, case in enumerate(LOWERED)),
        *((f"refused {number}", check_refused, case) for number, case in enumerate(REFUSED)),
        *((check.__name__, check, ()) for check in CHECKS),
        ("random programs", check_programs, (seed,)),
    ]
    found = []
    for name, check, parts in checks:
        try:
            check(*parts)
        except Exception:  # noqa: BLE001
            found.append(f"{name}: {traceback.format_exc()}")
    return found
