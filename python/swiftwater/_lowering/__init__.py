"""Python functions as expressions that the engine can run without Python.

A function's bytecode is evaluated with symbols for its arguments. Only what is understood wholly
becomes an expression; for anything else there is the reason why not.
"""

from __future__ import annotations

import sys
from types import CodeType, FunctionType, MethodType
from weakref import ref

from swiftwater._lowering import _pins
from swiftwater._typing import Any

__all__ = ["lowered", "reads_only_arguments"]

VERSION = sys.version_info[:2]
KNOWN = VERSION in ((3, 11), (3, 12), (3, 13))

_MOST_KEYS = 10_000
_MOST_VARIANTS = 8
# For each type of things that are no functions of Python.
_MOST_OTHERS = 64

# An answer with what it depends on.
_Variant = tuple[list[_pins.Pin], tuple[Any, ...]]


class _Known:
    """The answers for one code: there are several where functions differ in what they capture."""

    __slots__ = ("code", "variants")

    def __init__(self, code: Any) -> None:
        self.code = code
        self.variants: tuple[_Variant, ...] = ()


_known: dict[tuple[int, int], _Known] = {}


def lowered(function: object, arity: int) -> tuple[Any, ...]:
    """Return ``("lowered", node)`` or ``("refused", file, line, instruction, reason)``.

    Where the function looks into a set, list, dict or module of the program's, ``"members"`` comes
    behind the node: what is in it may be changed by another function of the same task.

    ``arity`` is the number of arguments that the engine calls the function with, 1 or 2. It is the
    same tuple for the same code as long as nothing changes that its meaning depends on.
    """
    code = function.__code__ if type(function) is FunctionType else _code_of(function)
    # The address of a code is its own as long as it lives, and its answers go when it goes. Other
    # things are told apart by what they are, not by which object: an itemgetter can be a new one
    # for each batch.
    key = (id(type(function) if code is None else code), arity)
    known = _known.get(key)
    if known is not None:
        answer = _answer(known, function)
        if answer is not None:
            return answer
    pins, answer = _evaluated(function, code, arity)
    known = _known.get(key)
    if known is None:
        known = _new(key, code)
    else:
        # Another thread can have been faster.
        earlier = _answer(known, function)
        if earlier is not None:
            return earlier
    most = _MOST_OTHERS if code is None else _MOST_VARIANTS
    known.variants = ((pins, answer), *known.variants[: most - 1])
    return answer


def reads_only_arguments(function: object) -> bool:
    """Return whether a function's code is all that its meaning depends on."""
    if type(function) is not FunctionType:
        return False
    code = function.__code__
    parts = (code.co_names, code.co_freevars, function.__defaults__, function.__kwdefaults__)
    return not any(parts)


def _code_of(function: Any) -> CodeType | None:
    """Return the code that tells functions apart; None for what is no function of Python."""
    functools = sys.modules.get("functools")
    partial: Any = getattr(functools, "partial", None)
    while partial is not None and type(function) is partial:
        function = function.func
    if type(function) is MethodType:
        function = function.__func__
    return function.__code__ if type(function) is FunctionType else None


def _answer(known: _Known, function: object) -> tuple[Any, ...] | None:
    is_plain = type(function) is FunctionType
    for pins, answer in known.variants:
        # Often a function is pinned to nothing but its code, and that is what it was found by.
        if is_plain and len(pins) == 1 and _pins.is_code_alone(pins[0]):
            return answer
        if _pins.hold(pins, function):
            return answer
    return None


def _new(key: tuple[int, int], code: CodeType | None) -> _Known:
    if len(_known) >= _MOST_KEYS:
        for old in list(_known)[: _MOST_KEYS // 10]:
            _known.pop(old, None)
    holder = None
    if code is not None:

        def forget(_: object, known: dict[tuple[int, int], _Known] = _known) -> None:
            known.pop(key, None)

        holder = ref(code, forget)
    known = _known[key] = _Known(holder)
    return known


def _evaluated(function: object, code: CodeType | None, arity: int) -> _Variant:
    if not KNOWN:
        version = ".".join(map(str, VERSION))
        reason = f"Python {version}'s bytecode is not known to this version of Swiftwater"
        return [], ("refused", "", 0, "", reason)
    from swiftwater._lowering._calling import call
    from swiftwater._lowering._effects import complete
    from swiftwater._lowering._evaluation import Evaluation, Frame
    from swiftwater._lowering._values import ARGUMENTS, Refused

    evaluation = Evaluation(function)
    caller = Frame(evaluation, None, 0, "")
    answer: tuple[Any, ...]
    try:
        captured = evaluation.read(_pins.itself, 0, None, "")
        result = caller.node(call(caller, captured, list(ARGUMENTS[:arity]), ()))
        evaluation.rest()
        node = complete(evaluation, result, evaluation.effects)
        looks_into = _pins.look_into_collections(evaluation.pins)
        answer = ("lowered", node, "members") if looks_into else ("lowered", node)
    except Refused as refused:
        place = refused.place
        if not place[0] and code is not None:
            place = (code.co_filename, code.co_firstlineno, "")
        answer = ("refused", *place, refused.reason)
    except Exception as error:  # noqa: BLE001
        # Nobody's job fails because its functions cannot be read.
        file, line = ("", 0) if code is None else (code.co_filename, code.co_firstlineno)
        reason = f"reading it failed: {type(error).__name__}: {error}"
        answer = ("refused", file, line, "", reason)
    return evaluation.pins, answer
