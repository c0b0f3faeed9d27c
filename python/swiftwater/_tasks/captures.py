"""What functions have captured when jobs are made of them.

Spark pickles an RDD's functions when a job first needs them, and those of a batch before the first
output of the batch runs. What the driver binds anew or changes afterwards its tasks do not see.
Here ``captured`` makes copies of the functions in which each variable is the copy's own. Functions
that refer to nothing changeable are copied only when one of their variables was bound anew, which
``hold`` finds out at the cost of a comparison for each variable.
"""

from __future__ import annotations

import builtins
import functools
import types

from swiftwater._tasks import class_copies
from swiftwater._tasks.class_copies import is_own
from swiftwater._tasks.class_views import class_is_hidden, read_names
from swiftwater._tasks.isolation import Copies, is_imported, variable
from swiftwater._tasks.outer_reads import reached
from swiftwater._typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["captured", "hold"]

_MISSING: Final = object()

# The functions with what they have captured; for each whether a task may change something in it;
# and what they were captured from.
Captures = tuple[list["Callable[..., Any]"], list[bool], "_Source"]


def captured(functions: list[Callable[..., Any]]) -> Captures | None:
    """Return copies of ``functions`` that no later change of a variable reaches.

    What several of them share is still shared. None where one cannot be copied: it refers to what
    only the driver may use.
    """
    source = _Source()
    copies = _Captured(source)
    try:
        # All are looked at before the first is copied: one may need a class itself that others use.
        looked_at = Copies()
        looked_at.hide_classes_of(functions)
        copies.hide_classes_of(functions)
        for function in functions:
            looked_at.needs(function)
        made = [copies.of(function) for function in functions]
        tasks = Copies()
        tasks.hide_classes_of(made)
        changes = [tasks.needs(function) for function in made]
    except Exception:  # noqa: BLE001 - the task that needs the function meets it again, and tells
        return None
    return made, changes, source


def hold(captures: Captures) -> bool:
    """Return whether ``captured`` would give the same again."""
    return captures[2].holds()


class _Source:
    """Where captured values came from."""

    __slots__ = ("cells", "changes", "names")

    def __init__(self) -> None:
        # Something in a value can be changed, without any variable that shows it.
        self.changes = False
        self.cells: list[tuple[types.CellType, Any]] = []
        self.names: list[tuple[dict[str, Any], str, Any]] = []

    def holds(self) -> bool:
        if self.changes:
            return False
        for space, name, value in self.names:
            if space.get(name, _MISSING) is not value:
                return False
        return all(_content(cell) is value for cell, value in self.cells)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


class _Captured(Copies):
    """Copies of functions with all their variables, and of values that can be changed."""

    def __init__(self, source: _Source) -> None:
        super().__init__()
        self._source = source

    def _looks_changeable(self, value: Any) -> bool:
        if isinstance(value, types.FunctionType):
            if is_imported(value):
                return False
            if value.__dict__.keys() - {"__wrapped__"}:
                self._source.changes = True
            self._look_at_objects(value)
            for target in self._used(value):
                self._answers[id(target)] = True
                self._sources.append(target)
            return True
        changeable = super()._looks_changeable(value)
        if id(value) in self._hidden and self._reads_class(value):
            kind = type(value)
            self._answers[id(kind)] = True
            self._sources.append(kind)
        if changeable and not isinstance(value, _MADE_OF_PARTS):
            self._source.changes = True
        return changeable

    def _reads_class(self, value: Any) -> bool:
        """Return whether something is read through an object that is kept in its class."""
        kind = type(value)
        if not is_own(kind) or not class_is_hidden(kind):
            return False
        kept = class_copies.attributes(kind).keys() - vars(value).keys()
        return bool(kept) and not kept.isdisjoint({*self._hidden[id(value)], *read_names(kind)})

    def _used(self, function: types.FunctionType) -> Iterator[type]:
        """Return the classes of the script from which a function reads what is kept in them."""
        yield from (kind for kind in self._set(function) if isinstance(kind, type))
        for name, attribute in reached(function.__code__).uses:
            kind = variable(function, name)
            if (
                isinstance(kind, type)
                and is_own(kind)
                and attribute in class_copies.attributes(kind)
            ):
                yield kind

    def _class(self, kind: type) -> type:
        # A class may get new attributes: it is looked at each time.
        self._source.changes = True
        return super()._class(kind)

    def _space(self, function: types.FunctionType, names: tuple[str, ...]) -> dict[str, Any]:
        space = function.__globals__
        if not names:
            return space
        made = self._spaces.get(id(space))
        if made is None:
            # As cloudpickle does it: what is not named is not kept alive.
            made = {name: value for name, value in space.items() if name in _OF_MODULES}
            made["__builtins__"] = space.get("__builtins__", builtins)
            self._spaces[id(space)] = made
        return made

    def _names(self, function: types.FunctionType) -> tuple[str, ...]:
        space = function.__globals__
        found = super()._names(function)
        self._source.names += [(space, name, space.get(name, _MISSING)) for name in found]
        return found

    def _cell(self, cell: types.CellType) -> types.CellType:
        if id(cell) not in self._made:
            self._source.cells.append((cell, _content(cell)))
        return super()._cell(cell)


# What itself cannot be changed.
_MADE_OF_PARTS: Final = (types.MethodType, types.BuiltinFunctionType, functools.partial, tuple)

_OF_MODULES: Final = frozenset(
    ("__name__", "__file__", "__package__", "__path__", "__doc__", "__spec__", "__loader__")
)
