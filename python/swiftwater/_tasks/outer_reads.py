"""What a function reaches beyond its arguments, read from its bytecode."""

from __future__ import annotations

import dis
import types

from swiftwater._tasks import class_copies
from swiftwater._tasks.class_views import hides_class, sets_class_of_first
from swiftwater._typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SETS", "Reads", "reached"]


class Reads:
    """What the code of a function reaches beyond its arguments."""

    __slots__ = ("_code", "_hides", "compared", "globals", "sets", "sets_class", "uses", "writes")

    def __init__(self, code: types.CodeType) -> None:
        self._code = code
        self._hides: dict[str, bool] = {}
        # It is a method that sets attributes of its object's class.
        self.sets_class = sets_class_of_first(code)
        names: set[str] = set()
        # Which attributes of a variable's value it reads, and of which ones it sets attributes.
        uses: set[tuple[str, str]] = set()
        sets: set[str] = set()
        compared: set[str] = set()
        self.writes = False
        free = set(code.co_freevars)
        for inner in _codes(code):
            owner = ""
            compared |= class_copies.compared(inner)
            for instruction in dis.get_instructions(inner):
                name = instruction.opname
                if owner and name in SETS:
                    sets.add(owner)
                elif owner and name in {"LOAD_ATTR", "LOAD_METHOD"}:
                    uses.add((owner, instruction.argval))
                owner = ""
                if name in {"LOAD_GLOBAL", "LOAD_NAME"}:
                    names.add(instruction.argval)
                    owner = instruction.argval
                elif name in {"LOAD_DEREF", "LOAD_CLASSDEREF"}:
                    owner = instruction.argval
                elif name in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
                    names.add(instruction.argval)
                    self.writes = True
                elif name in {"STORE_DEREF", "DELETE_DEREF"} and instruction.argval in free:
                    self.writes = True
        self.globals = tuple(names)
        self.uses = tuple(uses)
        self.compared = tuple(compared)
        # Whose attributes are set by a function that does so nobody can tell.
        found = sets if not names & {"setattr", "delattr"} else names | free
        self.sets = tuple(found & (names | free))

    def hides(self, name: str) -> bool:
        """Return whether the code does not see of what class the value of a variable is."""
        known = self._hides.get(name)
        if known is None:
            known = self._hides[name] = hides_class(self._code, name)
        return known


# What comes behind an object of which an attribute is set, or set anew (``f.calls += 1``).
SETS: Final = frozenset(("STORE_ATTR", "DELETE_ATTR", "COPY"))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


# By identity, with the code kept alive: code objects compare by value, which takes long.
_known: dict[int, tuple[types.CodeType, Reads]] = {}


def reached(code: types.CodeType) -> Reads:
    """Return what code reaches; it is looked at once."""
    known = _known.get(id(code))
    if known is None:
        if len(_known) > 10_000:
            _known.clear()
        known = _known[id(code)] = (code, Reads(code))
    return known[1]
