"""What a function computes and may raise at, although its result does not need it.

``n = int(s)`` raises even where ``n`` is not used afterwards. So an expression computes each node
that the function computed on its way, by the same branches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swiftwater._lowering._values import CONSTANTS, Node
from swiftwater._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swiftwater._lowering._evaluation import Evaluation

__all__ = ["complete"]

_FIRST: Node = ("const", None, 0)


def complete(evaluation: Evaluation, result: Node, effects: Sequence[Node]) -> Node:
    """Return ``result`` as an expression that computes all effects."""
    return _Completion(evaluation).with_all(result, effects, {})


class _Completion:
    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    def with_all(self, result: Node, effects: Sequence[Node], known: Mapping[int, bool]) -> Node:
        return self._with(result, self._missing([result], effects, known))

    def _with(self, result: Node, missing: Sequence[Node]) -> Node:
        if not missing:
            return result
        return ("item", None, ("tuple", None, result, *missing), _FIRST)

    def _missing(
        self, roots: list[Node], effects: Sequence[Node], known: Mapping[int, bool]
    ) -> list[Node]:
        """Return the effects that ``roots`` do not compute where conditions are as ``known``."""
        computed: set[object] = set()
        for root in roots:
            self._collect(root, known, computed)
        missing: list[Node] = []
        # Later ones contain earlier ones.
        for effect in reversed(effects):
            self._evaluation.step()
            lost: Node | None = None
            if effect[0] == "branch":
                lost = self._of_branch([*roots, *missing], effect, known)
            elif _identity(effect) not in computed:
                lost = effect
            if lost is not None:
                self._collect(lost, known, computed)
                missing.append(lost)
        missing.reverse()
        return missing

    def _of_branch(self, roots: list[Node], branch: Node, known: Mapping[int, bool]) -> Node | None:
        _, condition, first, second = branch
        nothing = CONSTANTS["None"]
        sides = [
            self._with(nothing, self._missing(roots, side, {**known, id(condition): holds}))
            for side, holds in ((first, True), (second, False))
        ]
        if sides[0] is nothing and sides[1] is nothing:
            return None
        return ("if", None, condition, *sides)

    def _collect(self, node: Node, known: Mapping[int, bool], computed: set[object]) -> None:
        """Add what is computed whenever ``node`` is."""
        identity = _identity(node)
        # Items of one unpacking share an identity, but not their node.
        if id(node) in computed:
            return
        self._evaluation.step()
        computed.add(id(node))
        computed.add(identity)
        if node[0] == "const":
            return
        if node[0] != "if":
            for part in node[2:]:
                if type(part) is tuple:
                    self._collect(part, known, computed)
            return
        _, _, condition, first, second = node
        self._collect(condition, known, computed)
        holds = known.get(id(condition))
        if holds is not None:
            self._collect(first if holds else second, known, computed)
            return
        either: tuple[set[object], set[object]] = (set(), set())
        self._collect(first, known, either[0])
        self._collect(second, known, either[1])
        computed |= either[0] & either[1]


def _identity(node: Node) -> object:
    """Return what is the same for nodes that raise at the same values."""
    if node[0] == "unpack":
        return ("unpack", id(node[2]), node[4])
    return id(node)
