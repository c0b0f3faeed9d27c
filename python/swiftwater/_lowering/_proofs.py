"""The way of a proof through a function's bytecode."""

from __future__ import annotations

import opcode
import sys
from collections.abc import Sequence
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    ModuleType,
)

from swiftwater._lowering import _calling, _pins, _proof_builtins, _proof_operators
from swiftwater._lowering._code import (
    BACKWARD_BRANCHES,
    BRANCHES,
    FOR_ITER,
    JUMPS,
    JUMPS_BACK,
    RETURNS,
    VERSION,
    Code,
)
from swiftwater._lowering._evaluation import Evaluation
from swiftwater._lowering._proof_instructions import HANDLERS, TYPES, reason_against
from swiftwater._lowering._proof_values import (
    Constant,
    Iterator,
    Made,
    MadeFunction,
    NotProved,
    StateMethod,
    Way,
)
from swiftwater._lowering._values import Captured, Place, is_node
from swiftwater._typing import Any

__all__ = ["Proof", "ProofFrame"]

_MOST_STEPS = 50_000
_MOST_STEPS_OF_A_WAY = 3000
_DEEPEST_CALL = 20
_RETURN_VALUE = opcode.opmap["RETURN_VALUE"]
_GENERATOR = 0x20
_ASYNCHRONOUS = 0x80 | 0x200
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Proof:
    """What all ways of one function share."""

    def __init__(self, function: object) -> None:
        # It knows how to come to what a function captures, and notes what was found.
        self.evaluation = Evaluation(function)
        # Where the function was left last.
        self.returned: Place = ("", 0, "")
        self.steps_of_way = 0
        self._steps = 0

    def result(self, way: Way, arguments: list[Any]) -> Any:
        """Return what the function gives on one way."""
        self.steps_of_way = 0
        caller = ProofFrame(self, way, None, 0, "", 0)
        function = caller.read(_pins.itself, 0, None, "")
        return caller.call(function, arguments, ())

    def step(self, frame: ProofFrame) -> None:
        """Count a step; there are bounds."""
        self._steps += 1
        self.steps_of_way += 1
        if self._steps > _MOST_STEPS or self.steps_of_way > _MOST_STEPS_OF_A_WAY:
            raise frame.refusal("it has too many branches")


class ProofFrame:
    """A call on a way: instructions, stack and variables."""

    def __init__(
        self, proof: Proof, way: Way, code: Code | None, pin: int, name: str, depth: int
    ) -> None:
        self.proof = proof
        # Who reads what a function captures.
        self.evaluation = self
        self.way = way
        self._code = code
        self.pin = pin
        self._name = name
        self._depth = depth
        self.index = 0
        self.stack: list[Any] = []
        self.variables: list[Any] = []
        self.keywords: tuple[str, ...] = ()

    @property
    def code(self) -> Code:
        """The code that runs."""
        if self._code is None:
            raise NotProved(("", 0, ""), "it has no bytecode")
        return self._code

    def refusal(self, reason: str) -> NotProved:
        """Return the error for ``reason``, which says what the function does."""
        place: Place = ("", 0, "") if self._code is None else self._code.place(self.index)
        if self._name and reason.startswith("it "):
            reason = self._name + reason[2:]
        return NotProved(place, reason)

    def refusal_of_all(self, reason: str) -> NotProved:
        """Return the error for what is so of the whole function."""
        error = self.refusal(reason)
        if self._code is not None:
            code = self._code.code
            error.place = (code.co_filename, code.co_firstlineno, "")
        return error

    def read(
        self, how: _pins.Read, start: int, key: Any, path: str, place: Place | None = None
    ) -> Any:
        """Return what the function captures, and pin it."""
        found = self.proof.evaluation.read(how, start, key, path, place)
        return Constant(found[2]) if is_node(found) else found

    def pop(self) -> Any:
        """Take a thing from the stack."""
        return self.stack.pop()

    def take(self, count: int) -> list[Any]:
        """Take so many things from the stack, the lowest first."""
        if not count:
            return []
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def truth(self, value: Any) -> bool:
        """Return whether a thing is true."""
        truth = self.way.truth(value)
        if truth is None:
            if type(value) is Captured and type(value.value) in _ALWAYS_TRUE:
                return True
            raise self.refusal("it asks whether something is true that may be anything")
        return truth

    # -- Running

    def run(self, variables: list[Any]) -> Any:
        """Return what the function gives."""
        self.variables = variables
        instructions = self.code.instructions
        index = 0
        while True:
            self.index = index
            self.proof.step(self)
            number, argument, target = instructions[index]
            if number in RETURNS:
                if number != _RETURN_VALUE:
                    self.stack.append(Constant(self.code.code.co_consts[argument]))
                self.proof.returned = self.code.place(index)
                return self.pop()
            if number in JUMPS or number in JUMPS_BACK:
                index = target
            elif number in BRANCHES or number in BACKWARD_BRANCHES:
                index = target if self._jumps(number) else index + 1
            elif number == FOR_ITER:
                index = self._next(index, target)
            else:
                handler = HANDLERS.get(number)
                if handler is None:
                    raise self.refusal(reason_against(number))
                handler(self, argument)
                index += 1

    def _jumps(self, number: int) -> bool:
        meaning = BRANCHES.get(number) or BACKWARD_BRANCHES[number]
        with_none, jumps_on, keeps = meaning
        value = self.pop()
        truth = _proof_operators.is_none(self, value) if with_none else self.truth(value)
        jumps = truth is jumps_on
        if jumps and keeps:
            self.stack.append(value)
        return jumps

    def _next(self, index: int, target: int) -> int:
        """Take a loop's next item; return where that leads."""
        loop = self.stack[-1]
        if type(loop) is not Iterator:
            raise self.refusal("it loops over what may be anything")
        if loop.at < len(loop.items):
            self.stack.append(loop.items[loop.at])
            loop.at += 1
            return index + 1
        self.stack.pop()
        names = [opcode.opname[number] for number, _, _ in self.code.instructions[target:][:2]]
        # What comes there first takes the iterator away, which is gone already.
        if names and names[0] == "END_FOR":
            target += 2 if VERSION >= (3, 13) and names[1:] == ["POP_TOP"] else 1
        return target

    # -- Calls

    def call(self, function: Any, arguments: list[Any], names: Sequence[str]) -> Any:
        """Return what a call gives; the last arguments have these names."""
        count = len(arguments) - len(names)
        if type(function) is StateMethod:
            return _proof_operators.method(self, function, arguments, names)
        if type(function) is MadeFunction:
            return self._comprehension(function, arguments)
        if type(function) is not Captured:
            raise self.refusal("it calls what may be anything")
        value = function.value
        if type(value) is FunctionType:
            return self._inlined(function, value.__code__, arguments, names)
        functools = sys.modules.get("functools")
        if functools is not None and type(value) is functools.partial:
            return self._partial(function, arguments, names)
        name = _proof_builtins.builtin_name(value)
        if name is not None:
            named = dict(zip(names, arguments[count:], strict=True))
            return _proof_builtins.call_builtin(self, name, arguments[:count], named)
        known = _proof_operators.OPERATORS.get(id(value))
        if known is not None and not names and len(arguments) == 2:
            return _proof_operators.binary(self, known[1], *arguments)
        if type(value) is MethodDescriptorType and arguments and count:
            kind = self.way.kind(arguments[0])
            if value.__objclass__.__name__ == kind and value.__objclass__ in TYPES:
                called = StateMethod(arguments[0], value.__name__)
                return _proof_operators.method(self, called, arguments[1:], names)
        if isinstance(value, type) and issubclass(value, BaseException):
            raise self.refusal(f"it raises {function.path}")
        raise self.refusal(f"it calls {function.path or 'an object'}, of which nothing is known")

    def _comprehension(self, function: MadeFunction, arguments: list[Any]) -> Any:
        """Return what a comprehension gives that goes over nothing."""
        loop = arguments[0] if len(arguments) == 1 else None
        if function.name in _COMPREHENSIONS and type(loop) is Iterator and not loop.items:
            if function.name == "<genexpr>":
                return Iterator([])
            kind = function.name[1:-5]
            return Made(kind, {} if kind == "dict" else [])
        raise self.refusal("it calls a function that it makes")

    def _partial(self, function: Captured, arguments: list[Any], names: Sequence[str]) -> Any:
        pin, path = function.pin, function.path
        shape = self.read(_pins.of_keywords, pin, None, path)
        if type(shape) is not Constant:
            raise self.refusal("it is a functools.partial of which nothing is known")
        count, given = shape.value
        first = [self.read(_pins.of_argument, pin, index, path) for index in range(count)]
        positional = arguments[: len(arguments) - len(names)]
        named = {name: self.read(_pins.of_keyword, pin, name, path) for name in given}
        named.update(zip(names, arguments[len(positional) :], strict=True))
        inner = self.read(_pins.of_function, pin, None, path)
        return self.call(inner, [*first, *positional, *named.values()], tuple(named))

    def _inlined(
        self, function: Captured, code: CodeType, arguments: list[Any], names: Sequence[str]
    ) -> Any:
        if self._depth >= _DEEPEST_CALL:
            raise self.refusal("it calls functions through too many others")
        read = self.proof.evaluation.code(code)
        frame = ProofFrame(self.proof, self.way, read, function.pin, function.path, self._depth + 1)
        if code.co_flags & _ASYNCHRONOUS:
            raise frame.refusal_of_all("it is asynchronous")
        if code.co_flags & _GENERATOR:
            raise frame.refusal_of_all("it is a generator")
        if code.co_flags & 0x0C:
            raise frame.refusal_of_all("it takes any number of arguments")
        bind: Any = _calling.bound
        return frame.run(bind(frame, code, arguments, names))


_ALWAYS_TRUE = (FunctionType, BuiltinFunctionType, ModuleType, type)
