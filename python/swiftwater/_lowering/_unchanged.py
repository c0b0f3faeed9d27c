"""The proof that a key without new values keeps its state, and of which states that is so.

What a proof assumes of a state becomes a condition: a tuple of forms, of which the state has to
have one. A form is ``(kind, fewest, most, order, items)``: the exact type by its name, bounds of
the number of items (most is -1 for none), the keys of a dict that has no others (or None), and the
conditions of what is at a number or key. A ``float`` is none of 0.0, -0.0 and nan.
"""

from __future__ import annotations

from swiftwater._lowering._proof_values import (
    KINDS,
    KINDS_OF_ITEMS,
    SIZED,
    Assumptions,
    Constant,
    KindNeeded,
    Made,
    NotProved,
    Path,
    State,
    Way,
)
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._lowering._proofs import Proof
    from swiftwater._lowering._values import Place

__all__ = ["Condition", "is_met", "proved"]

Form = tuple[str, int, int, tuple[Any, ...] | None, tuple[tuple[Any, Any], ...]]
Condition = tuple[Form, ...]

_MOST_PROOFS = 300
_TYPES: dict[str, type] = {
    "None": type(None),
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "tuple": tuple,
    "list": list,
    "dict": dict,
    "set": set,
    "frozenset": frozenset,
}


def proved(proof: Proof) -> tuple[Any, ...]:
    """Return ``("unchanged",)``, ``("unchanged", condition)`` or ``("refused", ...)``."""
    search = _Search(proof)
    found = search.proofs({})
    if not found:
        return ("refused", *search.place, search.reason)
    if not found[0].kinds:
        return ("unchanged",)
    return ("unchanged", _merged([_form(assumptions, ()) for assumptions in found]))


def is_met(condition: Condition, state: Any) -> bool:
    """Return whether a state has one of the forms of a condition."""
    return any(_has_form(form, state) for form in condition)


def _has_form(form: Form, state: Any) -> bool:
    kind, fewest, most, order, items = form
    exact: Any = _TYPES[kind]
    if type(state) is not exact:
        return False
    if kind == "float" and (state == 0 or state != state):
        return False
    if fewest > 0 or most >= 0:
        count = len(state)
        if count < fewest or count > most >= 0:
            return False
    if order is not None:
        keys = tuple(state)
        if [*map(type, keys)] != [*map(type, order)] or keys != order:
            return False
    for key, condition in items:
        if kind == "dict" and key not in state:
            return False
        if condition and not is_met(condition, state[key]):
            return False
    return True


class _Search:
    """The search for what states the function keeps."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        self._count = 0
        self._steps = -1
        self.place: Place = ("", 0, "")
        self.reason = ""

    def proofs(
        self, kinds: dict[Path, str], filled: frozenset[Path] = frozenset()
    ) -> list[Assumptions]:
        """Return the assumptions that go beyond these and of which each is enough."""
        self._count += 1
        if self._count > _MOST_PROOFS:
            return []
        assumptions = Assumptions(kinds, filled)
        ways: list[tuple[bool, ...]] = [()]
        way = Way(assumptions, ())
        try:
            while ways:
                way = Way(assumptions, ways.pop())
                self._follow(way)
                ways += way.others()
        except KindNeeded as needed:
            found: list[Assumptions] = []
            for kind in KINDS_OF_ITEMS if needed.path else KINDS:
                found += self.proofs({**kinds, needed.path: kind}, filled)
            return found
        except NotProved as failure:
            # The way that came furthest says most.
            if self._proof.steps_of_way > self._steps:
                self._steps = self._proof.steps_of_way
                self.place, self.reason = failure.place, failure.reason
            # Empty collections are often the ones that a function replaces.
            empty = {
                path for path, truth in way.truths.items() if not truth and kinds[path] in SIZED
            }
            return self.proofs(kinds, filled | empty) if empty else []
        return [assumptions]

    def _follow(self, way: Way) -> None:
        """Go one way to its end; raise where it gives something else than the state."""
        state = State(())
        result = self._proof.result(way, [Made("list", []), state])
        if type(result) is Constant and result.value is None:
            reason = "it gives None for a key without new values"
            raise NotProved(self._proof.returned, reason)
        if not way.is_same(result, ()):
            reason = "it may give something else than the state for a key without new values"
            raise NotProved(self._proof.returned, reason)


# -- From assumptions to conditions


def _form(assumptions: Assumptions, path: Path) -> Form:
    kind = assumptions.kinds[path]
    fewest, most = assumptions.sizes.get(path, (assumptions.fewest(path), None))
    depth = len(path)
    keys = {
        below[depth]: None
        for below in [*assumptions.kinds, *assumptions.sizes, *assumptions.keys]
        if len(below) > depth and below[:depth] == path
    }
    keys.update(dict.fromkeys(assumptions.keys.get(path, ())))
    items = []
    for key in keys:
        below = (*path, key)
        items.append((key, (_form(assumptions, below),) if below in assumptions.kinds else ()))
    order = assumptions.orders.get(path)
    return (kind, fewest, -1 if most is None else most, order, tuple(items))


def _merged(forms: list[Form]) -> Condition:
    """Return fewer forms that mean the same: those that differ in one item become one."""
    merged: list[Form] = []
    for form in forms:
        for number, other in enumerate(merged):
            both = _either(other, form)
            if both is not None:
                merged[number] = both
                break
        else:
            merged.append(form)
    return tuple(merged) if len(merged) == len(forms) else _merged(merged)


def _either(first: Form, second: Form) -> Form | None:
    if first[:4] != second[:4] or len(first[4]) != len(second[4]):
        return None
    items = list(first[4])
    differing = [
        number
        for number, (one, other) in enumerate(zip(first[4], second[4], strict=True))
        if one != other
    ]
    if not differing:
        return first
    if len(differing) > 1:
        return None
    number = differing[0]
    (key, one), (other_key, other) = first[4][number], second[4][number]
    if key != other_key or not one or not other:
        return None
    items[number] = (key, _merged([*one, *other]))
    return (*first[:4], tuple(items))
