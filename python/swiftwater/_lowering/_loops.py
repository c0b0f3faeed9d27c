"""Loops that come to a function of a whole list.

The body of a loop is evaluated once, with symbols for the item and for what the variables hold
before. Where each variable is then its old value and the item (or a number) in one of the ways
below, the loop is a sum, a count, a minimum or a maximum.
"""

from __future__ import annotations

from swiftwater._lowering import _calling
from swiftwater._lowering._code import (
    BACKWARD_BRANCHES,
    BRANCHES,
    FOR_ITER,
    JUMPS,
    JUMPS_BACK,
    RETURNS,
    VERSION,
    numbers,
)
from swiftwater._lowering._values import PERHAPS_MISSING, Node, is_node
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from swiftwater._lowering._evaluation import Frame

__all__ = ["GET_ITER", "loop"]

GET_ITER = numbers("GET_ITER")
_LEAVING = RETURNS | JUMPS | BRANCHES.keys() | BACKWARD_BRANCHES.keys() | GET_ITER | {FOR_ITER}
_END_FOR = numbers("END_FOR")


def loop(frame: Frame, handlers: dict[int, Callable[[Any, int], None]]) -> int:
    """Evaluate the loop over what is on the stack; return where it goes on."""
    instructions = frame.code.instructions
    begin = frame.index + 1
    refusal = frame.refusal("it loops")
    if instructions[begin][0] != FOR_ITER or not is_node(frame.stack[-1]):
        raise refusal
    end = begin + 1
    while instructions[end][0] not in JUMPS_BACK:
        if instructions[end][0] in _LEAVING:
            raise refusal
        end += 1
    if instructions[end][2] != begin:
        raise refusal
    items = frame.pop()
    _after(frame, items, _body(frame, handlers, begin + 1, end))
    after = instructions[begin][2]
    if instructions[after][0] in _END_FOR:
        # What takes the iterator from the stack, which is not there.
        after += 2 if VERSION >= (3, 13) else 1
    return after


# The variables after one round, their symbols before, the symbol of the item, and what can raise.
_Round = tuple[list[Any], list[Any], Node, list[Node]]


def _body(
    frame: Frame, handlers: dict[int, Callable[[Any, int], None]], begin: int, end: int
) -> _Round:
    evaluation = frame.evaluation
    before, effects, depth = frame.variables, evaluation.effects, len(frame.stack)
    refusal = frame.refusal("it loops")
    item = evaluation.make(None, "item of a loop", begin, id(frame))
    symbols = [
        evaluation.make(None, "variable of a loop", begin, id(frame), number)
        if is_node(value)
        else value
        for number, value in enumerate(before)
    ]
    frame.variables, evaluation.effects = list(symbols), []
    frame.stack.append(item)
    place = frame.index
    try:
        for index in range(begin, end):
            frame.index = index
            evaluation.step()
            number, argument, _ = frame.code.instructions[index]
            handler = handlers.get(number)
            if handler is None:
                raise refusal
            handler(frame, argument)
        if len(frame.stack) != depth:
            raise refusal
        return frame.variables, symbols, item, evaluation.effects
    finally:
        frame.index = place
        frame.variables, evaluation.effects = before, effects


def _after(frame: Frame, items: Node, found: _Round) -> None:
    """Set the variables to what they are after all rounds."""
    after, symbols, item, effects = found
    variables = list(frame.variables)
    used: list[Node] = []
    for number, value in enumerate(after):
        if value is symbols[number]:
            continue
        if value is item and not is_node(variables[number]):
            # Nobody knows whether there was an item.
            variables[number] = PERHAPS_MISSING
            continue
        if not is_node(value) or not is_node(variables[number]):
            raise frame.refusal("it loops")
        used.append(value)
        symbol = symbols[number]
        variables[number] = _folded(frame, items, variables[number], value, symbol, item)
    # What is computed and not used could raise too.
    if any(all(effect is not one for one in used) for effect in effects):
        raise frame.refusal("it loops")
    frame.variables = variables


def _folded(frame: Frame, items: Node, first: Node, value: Node, symbol: Node, item: Node) -> Node:
    """Return what a variable is after the loop that was ``first`` before it."""
    if value[0] == "binary" and value[2] == "+" and value[3] is symbol:
        if value[4] is item:
            return frame.make("call", "sum", items, first)
        if value[4][0] == "const" and type(value[4][2]) is int and value[4][2] == 1:
            return _calling.binary(frame, "+", first, frame.make("call", "len", items))
    if value[0] == "call" and value[2] in ("min", "max") and value[3:] == (symbol, item):
        return _calling.extreme_behind(frame, value[2], first, items)
    raise frame.refusal("it loops")
