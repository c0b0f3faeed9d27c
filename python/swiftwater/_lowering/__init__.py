"""Python functions as expressions that the engine can run without Python.

A function's bytecode is evaluated with symbols for its arguments. Only what is understood wholly
becomes an expression; for anything else there is the reason why not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from weakref import ref

from swiftwater._lowering import _pins
from swiftwater._typing import Any

__all__ = ["lowered", "reads_only_arguments", "unchanged_without_values"]

VERSION = sys.version_info[:2]
KNOWN = VERSION in ((3, 11), (3, 12), (3, 13))

_MOST_KEYS = 10_000
_MOST_VARIANTS = 8
# For each type of things that are no functions of Python.
_MOST_OTHERS = 64

# Stands for the number of arguments where the answer is a proof.
_UNCHANGED = -2

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
    return _answered(function, arity, _evaluated)


def unchanged_without_values(function: object) -> tuple[Any, ...]:
    """Return what states the function of an ``updateStateByKey`` keeps for keys without new values.

    - ``("unchanged",)``: it gives the state that it got, whatever that is.
    - ``("unchanged", condition)``: it does for states that meet the condition: see ``is_met`` in
      ``_unchanged``.
    - ``("refused", file, line, instruction, reason)``: that could not be proved.

    Nobody can tell what it gives from the state that it got, but by its identity, and by the order
    of a set. It does nothing beside. It is the same tuple for the same code as long as nothing
    changes that the proof depends on: ask again for each batch.
    """
    return _answered(function, _UNCHANGED, _proved)


def _answered(
    function: object, arity: int, find: Callable[[object, CodeType | None, int], _Variant]
) -> tuple[Any, ...]:
    """Return the answer that is known; otherwise what ``find`` says, and remember it."""
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
    pins, answer = find(function, code, arity)
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


def _unknown_version() -> _Variant:
    version = ".".join(map(str, VERSION))
    reason = f"Python {version}'s bytecode is not known to this version of Swiftwater"
    return [], ("refused", "", 0, "", reason)


def _unreadable(error: Exception, code: CodeType | None) -> tuple[Any, ...]:
    # Nobody's job fails because its functions cannot be read.
    file, line = ("", 0) if code is None else (code.co_filename, code.co_firstlineno)
    return ("refused", file, line, "", f"reading it failed: {type(error).__name__}: {error}")


def _placed(answer: tuple[Any, ...], code: CodeType | None) -> tuple[Any, ...]:
    """Return a refusal with the function's first line where it has no place."""
    if answer[0] != "refused" or answer[1] or code is None:
        return answer
    return ("refused", code.co_filename, code.co_firstlineno, *answer[3:])


def _proved(function: object, code: CodeType | None, _: int) -> _Variant:
    if not KNOWN:
        return _unknown_version()
    from swiftwater._lowering._proofs import Proof
    from swiftwater._lowering._unchanged import proved

    proof = Proof(function)
    try:
        answer = _placed(proved(proof), code)
    except Exception as error:  # noqa: BLE001
        answer = _unreadable(error, code)
    return proof.evaluation.pins, answer


def _evaluated(function: object, code: CodeType | None, arity: int) -> _Variant:
    if not KNOWN:
        return _unknown_version()
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
        answer = _placed(("refused", *refused.place, refused.reason), code)
    except Exception as error:  # noqa: BLE001
        answer = _unreadable(error, code)
    return evaluation.pins, answer
