"""The evaluation of a function's bytecode with symbols for its arguments.

Both sides of a branch are followed to where they meet again, and what differs there becomes an
``if`` of the expression. What can raise on the way is noted as an *effect*: an expression has to
compute all of it, used or not (``_effects``).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType

from swiftwater._lowering import _pins
from swiftwater._lowering._code import BRANCHES, JUMPS, RETURNS, Code
from swiftwater._lowering._instructions import HANDLERS
from swiftwater._lowering._loops import GET_ITER, loop
from swiftwater._lowering._values import (
    CONSTANTS,
    MISSING,
    PERHAPS_MISSING,
    RAISING,
    Captured,
    Members,
    Method,
    Node,
    Place,
    Refused,
    Slice,
    Unusable,
    is_node,
    is_plain,
)
from swiftwater._typing import Any

__all__ = ["Evaluation", "Frame"]

_MOST_STEPS = 4000
_DEEPEST_NODE = 200
_DEEPEST_CALL = 20
_DEEPEST_BRANCH = 60

# A stack or variables, and what can raise on the way there.
_State = tuple[list[Any], list[Any], list[Node]]


class Evaluation:
    """The evaluation of one function with all that it calls."""

    def __init__(self, function: object) -> None:
        self.pins: list[_pins.Pin] = []
        # What the pins found, behind the function itself.
        self.found: list[Any] = [function]
        self.effects: list[Node] = []
        self.calls: list[CodeType] = []
        self.branches = 0
        self._steps = 0
        self._read: dict[Any, Any] = {}
        self._codes: dict[int, Code] = {}
        self._nodes: dict[Any, Node] = {}
        self._depths: dict[int, int] = {}

    # -- Nodes

    def make(self, place: Place | None, kind: str, *parts: Any) -> Node:
        """Return the node of these parts: the same object for the same parts."""
        key = (kind, id(place), *[id(part) if type(part) is tuple else part for part in parts])
        node = self._nodes.get(key)
        if node is None:
            node = (kind, place, *parts)
            depth = 1 + max([self._depths.get(id(part), 1) for part in parts], default=1)
            if depth > _DEEPEST_NODE:
                raise Refused(place or ("", 0, ""), "it is an expression of too many levels")
            self._nodes[key] = node
            self._depths[id(node)] = depth
        if kind in RAISING:
            self.effects.append(node)
        return node

    def constant(self, value: Any, place: Place | None = None) -> Node:
        """Return the node of a constant, which must live as long as the evaluation."""
        if value is None or value is True or value is False:
            return CONSTANTS[str(value)]
        key = ("const", id(value), id(place))
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = ("const", place, value)
        return node

    def constant_tuple(self, items: Sequence[Node], place: Place | None) -> Node:
        """Return the node of a tuple of these constants."""
        key = ("constants", *map(id, items))
        node = self._nodes.get(key)
        if node is None:
            value = tuple([item[2] for item in items])
            if not is_plain(value):
                return self.make(place, "tuple", *items)
            node = self._nodes[key] = ("const", None, value)
        return node

    # -- What the function captures

    def read(
        self, how: _pins.Read, start: int, key: Any, path: str, place: Place | None = None
    ) -> Any:
        """Return what is found there as a thing for the stack, and pin it."""
        known = self._read.get((how, start, key))
        if known is None:
            value = how(self.found[start], key)
            self.pins.append((how, start, key, _pins.is_same, _pins.seen(value)))
            self.found.append(value)
            if value is MISSING:
                known = MISSING
            elif is_plain(value):
                known = self.constant(value, place)
            else:
                known = Captured(value, path, len(self.pins))
            self._read[how, start, key] = known
        return known

    def members(self, captured: Captured) -> tuple[Any, ...] | None:
        """Return the members of a captured set, list or dict (its keys), and pin them.

        None where there are too many, or others than constants.
        """
        found: tuple[Any, ...] | None = _pins.members(captured.value)
        expected = (type(captured.value), found)
        self.pins.append((_pins.itself, captured.pin, None, _pins.same_members, expected))
        self.found.append(captured.value)
        return found

    # -- Running

    def step(self) -> None:
        """Count a step; there is a bound."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise Refused(("", 0, ""), "it has too many branches")

    def rest(self) -> None:
        """Begin to count anew."""
        self._steps = 0

    def code(self, code: CodeType) -> Code:
        """Return the code, read."""
        known = self._codes.get(id(code))
        if known is None:
            known = self._codes[id(code)] = Code(code)
        return known


class Frame:
    """A call that is evaluated: instructions, stack and variables."""

    def __init__(self, evaluation: Evaluation, code: Code | None, pin: int, name: str) -> None:
        self.evaluation = evaluation
        self._code = code
        # The pin that read the function.
        self.pin = pin
        # What the function is called by who calls it; empty for the outermost.
        self._name = name
        self.index = 0
        self.stack: list[Any] = []
        self.variables: list[Any] = []
        self.keywords: tuple[str, ...] = ()
        self._known: dict[Any, tuple[Any, _State]] = {}

    @property
    def code(self) -> Code:
        """The code that runs."""
        if self._code is None:
            raise Refused(("", 0, ""), "it has no bytecode")
        return self._code

    @property
    def is_outermost(self) -> bool:
        """Whether it is the function that the engine calls."""
        return not self._name

    # -- For instructions

    def place(self) -> Place | None:
        """Return where the present instruction is."""
        return self._code.place(self.index) if self._code is not None else None

    def refusal(self, reason: str) -> Refused:
        """Return the error for ``reason``, which says what the function does: ``it loops``."""
        if self._name and reason.startswith("it "):
            reason = self._name + reason[2:]
        return Refused(self.place() or ("", 0, ""), reason)

    def refusal_of_all(self, reason: str) -> Refused:
        """Return the error for what is so of the whole function."""
        error = self.refusal(reason)
        if self._code is not None:
            code = self._code.code
            error.place = (code.co_filename, code.co_firstlineno, "")
        return error

    def make(self, kind: str, *parts: Any) -> Node:
        """Return a node of the present instruction."""
        return self.evaluation.make(self.place(), kind, *parts)

    def constant(self, value: Any) -> Node:
        """Return the node of a constant that the present instruction made."""
        return self.evaluation.constant(value)

    def node(self, value: Any) -> Node:
        """Return a value of the stack as a node."""
        if type(value) is tuple:
            return value
        if type(value) is Captured:
            raise self.refusal(f"it uses {value.described()}")
        if type(value) is Unusable:
            raise self.refusal(value.reason)
        if type(value) is Members:
            raise self.refusal("it makes a set")
        if type(value) is Slice:
            raise self.refusal("it makes a slice")
        if type(value) is Method:
            raise self.refusal(f"it uses the method {value.name} without calling it")
        raise self.refusal("it uses a variable that may have no value")

    def pop(self) -> Node:
        """Take a node from the stack."""
        return self.node(self.stack.pop())

    def take(self, count: int) -> list[Any]:
        """Take so many things from the stack, the lowest first."""
        if count == 0:
            return []
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    # -- Running

    def run(self, variables: list[Any]) -> Any:
        """Return what the function gives."""
        self._known = {}
        stack, _, effects = self._from(0, len(self.code.instructions), [], variables)
        self.evaluation.effects.extend(effects)
        return stack[0]

    def _from(self, start: int, end: int, stack: list[Any], variables: list[Any]) -> _State:
        """Run from one instruction to another.

        The same beginning gives the same end, and is run once: that is what keeps the work small
        where many branches lead to one place.
        """
        key = (start, end, tuple(map(id, stack)), tuple(map(id, variables)))
        known = self._known.get(key)
        if known is not None:
            return known[1]
        evaluation = self.evaluation
        outer, evaluation.effects = evaluation.effects, []
        self.stack, self.variables = list(stack), list(variables)
        try:
            self._walk(start, end)
            state = (self.stack, self.variables, evaluation.effects)
        finally:
            evaluation.effects = outer
        # The beginning is kept because its parts are known by their addresses.
        self._known[key] = ((stack, variables), state)
        return state

    def _walk(self, start: int, end: int) -> None:
        instructions = self.code.instructions
        targets = self.code.targets
        index = start
        while index != end:
            self.index = index
            self.evaluation.step()
            number, argument, target = instructions[index]
            if index in targets and index != start:
                self._meet(index, end)
                return
            if number in RETURNS:
                HANDLERS[number](self, argument)
                # Nothing but the result is compared where returns meet.
                self.stack, self.variables = [self.stack.pop()], []
                return
            if number in JUMPS:
                index = target
            elif number in BRANCHES:
                index = self._branch(index, number, target)
            elif number in GET_ITER:
                index = loop(self, HANDLERS)
            else:
                handler = HANDLERS.get(number)
                if handler is None:
                    raise self.refusal("it uses an instruction that has no native form")
                handler(self, argument)
                index += 1

    def _meet(self, index: int, end: int) -> None:
        stack, variables, effects = self._from(index, end, self.stack, self.variables)
        self.stack, self.variables = list(stack), list(variables)
        self.evaluation.effects.extend(effects)

    def _branch(self, index: int, number: int, target: int) -> int:
        """Follow both sides to where they meet; return where that is."""
        with_none, jumps_on, keeps = BRANCHES[number]
        value = self.stack.pop()
        condition = self.node(value)
        if with_none:
            condition = self._is_none(condition)
        if condition[0] == "const":
            if bool(condition[2]) is not jumps_on:
                return index + 1
            if keeps:
                self.stack.append(value)
            return target
        end = self.code.join(index)
        there = [*self.stack, value] if keeps else self.stack
        stack, variables = self.stack, self.variables
        jumped = self._side(target, end, there, variables)
        went_on = self._side(index + 1, end, stack, variables)
        first, second = (jumped, went_on) if jumps_on else (went_on, jumped)
        self.index = index
        self.stack = self._merged(condition, first[0], second[0])
        self.variables = self._merged(condition, first[1], second[1])
        if first[2] or second[2]:
            self.evaluation.effects.append(("branch", condition, first[2], second[2]))
        return end

    def _side(self, start: int, end: int, stack: list[Any], variables: list[Any]) -> _State:
        evaluation = self.evaluation
        evaluation.branches += 1
        if evaluation.branches > _DEEPEST_BRANCH:
            raise self.refusal("it has too many branches")
        if start == end:
            state: _State = (stack, variables, [])
        else:
            state = self._from(start, end, stack, variables)
        evaluation.branches -= 1
        return state

    def _is_none(self, node: Node) -> Node:
        if node[0] == "const":
            return self.constant(node[2] is None)
        return self.make("compare", "is", node, CONSTANTS["None"])

    def _merged(self, condition: Node, first: list[Any], second: list[Any]) -> list[Any]:
        return [
            one if one is other else self._either(condition, one, other)
            for one, other in zip(first, second, strict=True)
        ]

    def _either(self, condition: Node, one: Any, other: Any) -> Any:
        if is_node(one) and is_node(other):
            return self.make("if", condition, one, other)
        if type(one) is Captured and type(other) is Captured and one.value is other.value:
            return one
        for value in (one, other):
            if type(value) is Unusable:
                return value
        if one is None or other is None:
            return PERHAPS_MISSING
        return Unusable("it chooses between things that are no values of records")

    # -- Calls of other functions

    def enter(self, code: CodeType, pin: int, name: str) -> Frame:
        """Return a frame for a function that this one calls."""
        calls = self.evaluation.calls
        if code in calls:
            raise self.refusal("it calls itself" if code is calls[-1] else f"it calls {name} again")
        if len(calls) >= _DEEPEST_CALL:
            raise self.refusal("it calls functions through too many others")
        return Frame(self.evaluation, self.evaluation.code(code), pin, name)
