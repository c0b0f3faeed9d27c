"""What a proof about a function knows of the values on its way.

A proof follows a function with an empty list for its values and with a state of which no more is
known than it has assumed. It assumes a kind (``str``: exactly a ``str``) only where the function's
way depends on one. It makes all values anew for each way through the function, so lists that the
function changes are changed here.
"""

from __future__ import annotations

from swiftwater._typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from swiftwater._lowering._values import Place

__all__ = [
    "EMPTY",
    "KINDS",
    "KINDS_OF_ITEMS",
    "MUTABLE",
    "NUMBERS",
    "SIMPLE",
    "SIZED",
    "Assumptions",
    "Constant",
    "Copy",
    "Iterator",
    "KindNeeded",
    "Made",
    "MadeFunction",
    "NotProved",
    "Path",
    "Slice",
    "State",
    "StateMethod",
    "Unknown",
    "Way",
]

# Where a value is in the state: () for the state itself, ("sum", 0) for state["sum"][0].
Path = tuple[Any, ...]

# What a state can be assumed to be, by the exact type. A float is none of 0.0, -0.0 and nan: sums
# with 0 change these. A tuple has an item at least.
KINDS: Final = (
    "int",
    "float",
    "tuple",
    "list",
    "dict",
    "set",
    "str",
    "bool",
    "bytes",
    "frozenset",
)
KINDS_OF_ITEMS: Final = (*KINDS, "None")
NUMBERS: Final = frozenset(("int", "bool", "float"))
SIMPLE: Final = NUMBERS | {"str", "bytes"}
MUTABLE: Final = frozenset(("list", "dict", "set"))
# Those that can be empty.
SIZED: Final = frozenset(("list", "dict", "set", "frozenset", "str", "bytes"))
# What is false of each kind that cannot be changed.
EMPTY: Final[dict[str, Any]] = {"int": 0, "bool": False, "str": "", "bytes": b""}


class NotProved(Exception):
    """The function may give something else than the state, or do something beside."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


class KindNeeded(Exception):
    """The function's way depends on what kind a value of the state is."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


class Constant:
    """A value that is known, and that nobody can change."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class State:
    """The state, or what is at a place in it."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path


class Copy:
    """A new collection of ``kind`` with exactly what is at a place in the state."""

    __slots__ = ("kind", "path")

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind


class Made:
    """A collection that the function made: a list of its items, or a dict."""

    __slots__ = ("items", "kind")

    def __init__(self, kind: str, items: Any) -> None:
        self.kind = kind
        self.items = items


class Unknown:
    """A value of which the kind is known alone."""

    __slots__ = ("kind", "truth")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.truth: bool | None = None


class Iterator:
    """What a loop goes through."""

    __slots__ = ("at", "items")

    def __init__(self, items: list[Any]) -> None:
        # Of a list, the list itself: it may grow meanwhile.
        self.items = items
        self.at = 0


class MadeFunction:
    """A function that the function made."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class StateMethod:
    """A method of a value that is about to be called."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Any, name: str) -> None:
        self.receiver = receiver
        self.name = name


class Slice:
    """The slice of an index."""

    __slots__ = ("start", "stop")

    def __init__(self, start: Any, stop: Any) -> None:
        self.start = start
        self.stop = stop


class Assumptions:
    """What is assumed of the state: the proof is one for such states only."""

    def __init__(self, kinds: dict[Path, str], filled: frozenset[Path]) -> None:
        self.kinds = kinds
        # Where collections and texts are that are not empty.
        self.filled = filled
        # By the place of a collection: the fewest items and the most (None for no bound).
        self.sizes: dict[Path, tuple[int, int | None]] = {}
        # The keys of a dict, in their order, where it has no others.
        self.orders: dict[Path, tuple[Any, ...]] = {}
        # The keys that a dict has.
        self.keys: dict[Path, list[Any]] = {}

    def kind(self, path: Path) -> str:
        """Return the kind of what is there; raise ``KindNeeded`` where nothing is assumed."""
        kind = self.kinds.get(path)
        if kind is None:
            raise KindNeeded(path)
        return kind

    def size(self, path: Path, fewest: int, most: int | None) -> bool:
        """Assume a number of items; return whether that is possible."""
        before = self.sizes.get(path, (self.fewest(path), None))
        fewest = max(fewest, before[0])
        bounds = [bound for bound in (most, before[1]) if bound is not None]
        least = min(bounds) if bounds else None
        self.sizes[path] = (fewest, least)
        return least is None or fewest <= least

    def fewest(self, path: Path) -> int:
        """Return how many items there are at least, by the kind of what is there."""
        return 1 if path in self.filled or self.kinds.get(path) == "tuple" else 0

    def order(self, path: Path, keys: tuple[Any, ...]) -> bool:
        """Assume that a dict has these keys and no others; return whether that is possible."""
        known = self.orders.setdefault(path, keys)
        return [*map(_exact, known)] == [*map(_exact, keys)]


def _exact(key: Any) -> tuple[type, Any]:
    return type(key), key


class Way:
    """One way through the function: which side each branch takes whose condition is not known."""

    def __init__(self, assumptions: Assumptions, decisions: tuple[bool, ...]) -> None:
        self.assumptions = assumptions
        self.decisions = decisions
        # What this way has taken beyond its decisions.
        self.taken = list(decisions)
        self._next = 0
        # By place: whether the value there is true.
        self.truths: dict[Path, bool] = {}

    def decide(self) -> bool:
        """Return the next decision; a new one is for true."""
        if self._next == len(self.taken):
            self.taken.append(True)
        self._next += 1
        return self.taken[self._next - 1]

    def others(self) -> list[tuple[bool, ...]]:
        """Return the beginnings of ways that this one has passed by."""
        first = len(self.decisions)
        return [(*self.taken[:at], False) for at in range(first, len(self.taken))]

    # -- What is known of values

    def kind(self, value: Any) -> str:
        """Return the name of a value's exact type; empty for what is no value."""
        if type(value) is State:
            return self.assumptions.kind(value.path)
        if type(value) is Constant:
            return type(value.value).__name__ if value.value is not None else "None"
        if type(value) in (Copy, Made, Unknown):
            return str(value.kind)
        return ""

    def truth(self, value: Any) -> bool | None:
        """Return whether a value is true; None for what is no value."""
        if type(value) is Constant:
            return bool(value.value)
        if type(value) is Made:
            return bool(value.items)
        if type(value) in (State, Copy):
            return self._truth_of_state(value.path)
        if type(value) is Unknown:
            if value.truth is None:
                value.truth = self.decide()
            return value.truth
        return None

    def _truth_of_state(self, path: Path) -> bool:
        known = self.truths.get(path)
        if known is None:
            kind = self.assumptions.kind(path)
            # Not what is found out meanwhile: the ways of one proof decide in the same places.
            if kind in ("tuple", "float") or path in self.assumptions.filled:
                known = True
            elif kind == "None":
                known = False
            else:
                known = self.decide()
            self.truths[path] = known
        return known

    def is_empty(self, value: Any) -> bool:
        """Return whether it is surely a collection without items, or a loop over nothing."""
        items = self.items(value)
        return items is not None and not items

    def items(self, value: Any) -> list[Any] | None:
        """Return the items of what can be gone through; None where nobody knows them."""
        if type(value) is Made:
            found: list[Any] = value.items
            return [Constant(key) for key in found] if value.kind == "dict" else found
        if type(value) is Iterator:
            # What is taken from another is gone from it: only loops do that.
            return None if value.items else []
        if type(value) is Constant and type(value.value) in (tuple, str, frozenset, bytes):
            return [Constant(item) for item in value.value]
        if type(value) in (State, Copy) and self.truths.get(value.path) is False:
            return [] if self.kind(value) in SIZED else None
        return None

    # -- Whether a value is that of the state

    def is_same(self, value: Any, path: Path) -> bool:
        """Return whether nobody can tell a value from what is there in the state."""
        if type(value) is State:
            return bool(value.path == path)
        if type(value) is Copy:
            return bool(value.path == path) and value.kind == self.assumptions.kind(path)
        if type(value) is Constant:
            return self._is_same_constant(value.value, path)
        if type(value) is Made and self.assumptions.kind(path) == value.kind:
            return self._are_same_items(value, path)
        return False

    def _is_same_constant(self, value: Any, path: Path) -> bool:
        kind = self.assumptions.kind(path)
        if value is None or kind == "None":
            return value is None and kind == "None"
        if type(value).__name__ != kind:
            return False
        if kind == "tuple":
            return self._are_same_items(Made("tuple", [*map(Constant, value)]), path)
        if kind == "frozenset":
            return not value and self.truths.get(path) is False
        return kind in EMPTY and value == EMPTY[kind] and self.truths.get(path) is False

    def _are_same_items(self, made: Made, path: Path) -> bool:
        items = made.items
        if not items:
            return made.kind in MUTABLE and self.truths.get(path) is False
        if self.truths.get(path) is False or made.kind == "set":
            return False
        if made.kind == "dict":
            if not self.assumptions.order(path, tuple(items)):
                return False
            return all(self.is_same(item, (*path, key)) for key, item in items.items())
        if not self.assumptions.size(path, len(items), len(items)):
            return False
        return all(self.is_same(item, (*path, index)) for index, item in enumerate(items))
