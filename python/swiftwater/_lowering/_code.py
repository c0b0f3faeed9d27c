"""The instructions of a code object: CPython 3.11 to 3.13."""

from __future__ import annotations

import opcode
import sys
from types import CodeType

from swiftwater._typing import Any

__all__ = [
    "BACKWARD_BRANCHES",
    "BRANCHES",
    "ENDS",
    "FOR_ITER",
    "JUMPS",
    "JUMPS_BACK",
    "RETURNS",
    "VERSION",
    "Code",
    "numbers",
]

VERSION = sys.version_info[:2]


def numbers(*names: str) -> frozenset[int]:
    """Return the numbers of those instructions that this version has."""
    return frozenset(opcode.opmap[name] for name in names if name in opcode.opmap)


RETURNS = numbers("RETURN_VALUE", "RETURN_CONST")
JUMPS = numbers("JUMP_FORWARD")
# After these nothing is followed: either the function is left, or it is refused there.
ENDS = RETURNS | numbers(
    "RAISE_VARARGS",
    "RERAISE",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "POP_JUMP_BACKWARD_IF_FALSE",
    "POP_JUMP_BACKWARD_IF_TRUE",
    "POP_JUMP_BACKWARD_IF_NONE",
    "POP_JUMP_BACKWARD_IF_NOT_NONE",
    "FOR_ITER",
    "SEND",
    "END_ASYNC_FOR",
)
# By number: whether the value is compared with None, on what it jumps, and whether the value stays
# on the stack then.
BRANCHES: dict[int, tuple[bool, bool, bool]] = {
    opcode.opmap[name]: meaning
    for name, meaning in {
        "POP_JUMP_IF_FALSE": (False, False, False),
        "POP_JUMP_IF_TRUE": (False, True, False),
        "POP_JUMP_IF_NONE": (True, True, False),
        "POP_JUMP_IF_NOT_NONE": (True, False, False),
        "POP_JUMP_FORWARD_IF_FALSE": (False, False, False),
        "POP_JUMP_FORWARD_IF_TRUE": (False, True, False),
        "POP_JUMP_FORWARD_IF_NONE": (True, True, False),
        "POP_JUMP_FORWARD_IF_NOT_NONE": (True, False, False),
        "JUMP_IF_FALSE_OR_POP": (False, False, True),
        "JUMP_IF_TRUE_OR_POP": (False, True, True),
    }.items()
    if name in opcode.opmap
}
# As above; only Python 3.11 has them.
BACKWARD_BRANCHES: dict[int, tuple[bool, bool, bool]] = {
    opcode.opmap[name]: meaning
    for name, meaning in {
        "POP_JUMP_BACKWARD_IF_FALSE": (False, False, False),
        "POP_JUMP_BACKWARD_IF_TRUE": (False, True, False),
        "POP_JUMP_BACKWARD_IF_NONE": (True, True, False),
        "POP_JUMP_BACKWARD_IF_NOT_NONE": (True, False, False),
    }.items()
    if name in opcode.opmap
}
JUMPS_BACK = numbers("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
FOR_ITER = opcode.opmap["FOR_ITER"]

_CACHE = opcode.opmap["CACHE"]
_EXTENDED = opcode.opmap["EXTENDED_ARG"]
_NAMES = opcode.opname
_COMPARISONS = opcode.cmp_op
_COMPARISON_SHIFT = {(3, 12): 4, (3, 13): 5}.get(VERSION, 0)
_OPERATORS: list[str] = [symbol for _, symbol in getattr(opcode, "_nb_ops", ())]
_BY_NAME = numbers(
    "LOAD_METHOD",
    "STORE_GLOBAL",
    "DELETE_GLOBAL",
    "STORE_ATTR",
    "DELETE_ATTR",
    "IMPORT_NAME",
    "IMPORT_FROM",
    "LOAD_NAME",
)
_BY_SHIFTED_NAME = numbers("LOAD_GLOBAL")
_ATTRIBUTE = numbers("LOAD_ATTR")
_BY_VARIABLE = numbers(
    "LOAD_FAST",
    "LOAD_FAST_CHECK",
    "STORE_FAST",
    "DELETE_FAST",
    "LOAD_DEREF",
    "STORE_DEREF",
    "DELETE_DEREF",
    "LOAD_CLOSURE",
)
_COMPREHENSIONS = numbers("LOAD_FAST_AND_CLEAR")
_WITH = numbers("BEFORE_WITH", "BEFORE_ASYNC_WITH")
_BINARY = numbers("BINARY_OP")
_COMPARE = numbers("COMPARE_OP")


class Code:
    """A code object, read.

    An instruction is its number, its argument, and the index of the instruction that it jumps to
    (0 where it does not jump). That of a loop is where it jumps when it is over.
    """

    __slots__ = ("_joins", "_lines", "_offsets", "_places", "code", "instructions", "targets")

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.instructions: list[tuple[int, int, int]] = []
        # Where two ways can meet.
        self.targets: set[int] = set()
        self._offsets: list[int] = []
        self._places: dict[int, tuple[str, int, str]] = {}
        self._lines: list[tuple[int, int, int | None]] | None = None
        self._joins: list[int] | None = None
        self._read(code.co_code)

    def _read(self, raw: bytes) -> None:
        instructions: list[tuple[int, int]] = []
        offsets = self._offsets
        index_at: dict[int, int] = {}
        high, first = 0, -1
        for offset in range(0, len(raw), 2):
            number = raw[offset]
            if number == _CACHE:
                continue
            argument = raw[offset + 1] | high
            if first < 0:
                first = offset
            if number == _EXTENDED:
                high = argument << 8
                continue
            index_at[first] = len(instructions)
            instructions.append((number, argument))
            offsets.append(first)
            high, first = 0, -1
        offsets.append(len(raw))
        for index, (number, argument) in enumerate(instructions):
            target = 0
            if number in BRANCHES or number in JUMPS:
                # Counted from the next instruction on, behind the caches of this one.
                target = index_at[offsets[index + 1] + 2 * argument]
                self.targets.add(target)
            elif number in JUMPS_BACK or number in BACKWARD_BRANCHES:
                target = index_at[offsets[index + 1] - 2 * argument]
            elif number == FOR_ITER:
                target = index_at[offsets[index + 1] + 2 * argument]
            self.instructions.append((number, argument, target))

    def join(self, index: int) -> int:
        """Return where all ways from the branch at ``index`` meet again.

        That is the number of instructions where they meet only outside of the function.
        """
        if self._joins is None:
            self._joins = self._meeting_points()
        return self._joins[index]

    def _meeting_points(self) -> list[int]:
        # All jumps that are followed lead forward: what comes later is known already.
        count = len(self.instructions)
        joins = [count] * count
        for index in range(count - 1, -1, -1):
            number, _, target = self.instructions[index]
            if number == FOR_ITER:
                # A loop that is followed at all goes on behind it.
                joins[index] = target
                continue
            if number in ENDS:
                continue
            if number in JUMPS:
                joins[index] = target
            elif number in BRANCHES:
                first, second = index + 1, target
                while first != second:
                    if first < second:
                        first = joins[first]
                    else:
                        second = joins[second]
                joins[index] = first
            else:
                joins[index] = index + 1
        return joins

    def place(self, index: int) -> tuple[str, int, str]:
        """Return file, line and instruction: the same object each time."""
        place = self._places.get(index)
        if place is None:
            place = (self.code.co_filename, self.line(index), self.described(index))
            self._places[index] = place
        return place

    def line(self, index: int) -> int:
        """Return the line in the file; 0 where nobody knows."""
        if self._lines is None:
            self._lines = list(self.code.co_lines())
        offset = self._offsets[index]
        for start, end, line in self._lines:
            if start <= offset < end:
                return line or 0
        return 0

    def protection(self) -> tuple[int, str]:
        """Return the first instruction that handles exceptions in some way, and why it does."""
        for index, (number, _, _) in enumerate(self.instructions):
            if number in _COMPREHENSIONS:
                return index, "it has a comprehension"
            if number in _WITH:
                return index, "it uses with"
        # The table begins with where the first protected instruction is, in code units of two bytes
        # and six bits a byte.
        start = 0
        for byte in self.code.co_exceptiontable:
            start = start << 6 | byte & 0x3F
            if not byte & 0x40:
                break
        for index, offset in enumerate(self._offsets):
            if offset >= 2 * start:
                return index, "it catches exceptions"
        return 0, "it catches exceptions"

    def described(self, index: int) -> str:
        """Return the instruction's name, with what it works on where that helps."""
        number, argument, _ = self.instructions[index]
        detail = self._detail(number, argument)
        return f"{_NAMES[number]} {detail}" if detail else _NAMES[number]

    def _detail(self, number: int, argument: int) -> str:
        names = self.code.co_names
        if number in _BY_SHIFTED_NAME:
            return names[argument >> 1]
        if number in _ATTRIBUTE:
            return names[argument >> 1 if VERSION >= (3, 12) else argument]
        if number in _BY_NAME:
            return names[argument]
        if number in _BY_VARIABLE:
            return self.variable(argument)
        if number in _BINARY:
            return _OPERATORS[argument]
        if number in _COMPARE:
            return self.comparison(argument)
        return ""

    def comparison(self, argument: int) -> str:
        """Return the operator of a ``COMPARE_OP``."""
        return _COMPARISONS[argument >> _COMPARISON_SHIFT]

    def operator(self, argument: int) -> str:
        """Return the operator of a ``BINARY_OP``; that of an assignment ends in ``=``."""
        return _OPERATORS[argument]

    def variable(self, index: int) -> str:
        """Return the name of a local or captured variable."""
        names = self.variables()
        return names[index] if index < len(names) else ""

    def variables(self) -> list[str]:
        """Return the names of local variables, of those that inner functions use, and captured."""
        code: Any = self.code
        local = code.co_varnames
        cells = [name for name in code.co_cellvars if name not in local]
        return [*local, *cells, *code.co_freevars]
