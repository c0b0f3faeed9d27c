"""What the evaluation puts on its stack.

A value of a record is a node of the expression: a tuple that begins with its kind. Whatever else
a function works with (other functions, modules, sets) is one of the classes here.
"""

from __future__ import annotations

from swiftwater._typing import Any, Final

__all__ = [
    "ARGUMENTS",
    "CONSTANTS",
    "MISSING",
    "MOST_ITEMS",
    "NULL",
    "PERHAPS_MISSING",
    "RAISING",
    "Captured",
    "Members",
    "Method",
    "Node",
    "Place",
    "Refused",
    "Slice",
    "Unusable",
    "is_node",
    "is_plain",
]

Node = tuple[Any, ...]
Place = tuple[str, int, str]

ARGUMENTS: Final[tuple[Node, Node]] = (("arg", None, 0), ("arg", None, 1))
# Nodes that can raise; those of other kinds cannot, whatever their parts are.
RAISING: Final = frozenset(
    ("item", "slice", "method", "call", "binary", "unary", "compare", "format", "unpack")
)
_SCALARS = frozenset((type(None), bool, int, float, str))
MOST_ITEMS = 1000
_DEEPEST = 20


class Refused(Exception):
    """The function cannot be understood."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


class Captured:
    """An object from outside of the function that is no plain constant."""

    __slots__ = ("path", "pin", "value")

    def __init__(self, value: Any, path: str, pin: int) -> None:
        self.value = value
        # As the function spells it: "json.loads".
        self.path = path
        # The number of the pin that read it.
        self.pin = pin

    def described(self) -> str:
        """Return it in words: ``the variable model, which is of the type Model``."""
        named = self.path if "." in self.path else f"the variable {self.path}"
        if type(self.value) in (set, frozenset, list, dict, tuple):
            return f"{named}, a {type(self.value).__name__}, otherwise than with in"
        return f"{named}, which is of the type {type(self.value).__name__}"


class Method:
    """A method of a value that is about to be called."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Node, name: str) -> None:
        self.receiver = receiver
        self.name = name


class Slice:
    """The slice of an index."""

    __slots__ = ("start", "stop")

    def __init__(self, start: Node, stop: Node) -> None:
        self.start = start
        self.stop = stop


class Members:
    """A set of constants that the function makes."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class Unusable:
    """Something that must not be used, and why: ``it has a comprehension``."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


# What the interpreter puts beside a function that is no method.
NULL: Final = Unusable("it uses its stack in an unknown way")
MISSING: Final = Unusable("it uses a variable that has no value")
# A variable that is assigned on one side of a branch only.
PERHAPS_MISSING: Final = Unusable("it uses a variable that may have no value")

CONSTANTS: Final[dict[str, Node]] = {
    "None": ("const", None, None),
    "False": ("const", None, False),
    "True": ("const", None, True),
    "int": ("const", None, 0),
    "float": ("const", None, 0.0),
    "str": ("const", None, ""),
    "tuple": ("const", None, ()),
}


def is_node(value: object) -> bool:
    """Return whether a thing on the stack is a value of a record."""
    return type(value) is tuple


def is_plain(value: object, collections: bool = True) -> bool:
    """Return whether it is a constant with a native form (or may have one)."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    return collections and kind in (tuple, frozenset) and _room(value, MOST_ITEMS, 1) >= 0


def _room(collection: Any, room: int, depth: int) -> int:
    """Return how many more items there is room for; negative for too many or unfit ones."""
    room -= len(collection)
    if room < 0 or depth > _DEEPEST:
        return -1
    for item in collection:
        kind = type(item)
        if kind is tuple or kind is frozenset:
            room = _room(item, room, depth + 1)
            if room < 0:
                return room
        elif kind not in _SCALARS or item != item:
            # Collections find a NaN by looking at the object.
            return -1
    return room
