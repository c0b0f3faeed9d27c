"""Whether functions see which class an object is of, or only what they find in it by name.

A task's copy of a captured object can be of a stand-in of its class, so that what the task does to
the class is done to the stand-in (``class_copies``). That must not show: such an object must not
become a record, be compared, or be given away. So every place is looked at that has the object in a
variable: behind it there must be the name of an attribute. In methods ``self`` is looked at, and
``type(self)`` and ``self.__class__``. What is not understood counts as seeing the class.
"""

from __future__ import annotations

import dis
import types
from weakref import WeakKeyDictionary

from swiftwater._tasks import class_copies
from swiftwater._typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["class_is_hidden", "hides_class", "read_names", "sets_class_of_first"]

_ATTRIBUTES: Final = frozenset(("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"))
_CALLS: Final = frozenset(("PRECALL", "CALL", "CALL_FUNCTION"))
# With these an object gives out its class, or what has it.
_TELLTALE: Final = frozenset((
    "__reduce__", "__reduce_ex__", "__getattribute__", "__getattr__", "__copy__", "__deepcopy__",
    "__new__", "__slots__", "__del__",
))  # fmt: skip

_known: Final[WeakKeyDictionary[type, bool]] = WeakKeyDictionary()


def hides_class(code: types.CodeType, name: str) -> bool:
    """Return whether code only uses attributes of what a variable of this name holds."""
    steps = list(dis.get_instructions(code))
    for index, step in enumerate(steps):
        if not step.opname.startswith("LOAD_") or step.opname in _ATTRIBUTES:
            continue
        if isinstance(step.argval, tuple) and name in step.argval:
            return False
        if step.argval != name or step.opname in {"LOAD_CONST", "LOAD_CLOSURE"}:
            continue
        if not _is_used_by_name(steps, index):
            return False
    return all(
        hides_class(inner, name) for inner in code.co_consts if isinstance(inner, types.CodeType)
    )


def _is_used_by_name(steps: list[dis.Instruction], index: int) -> bool:
    """Return whether only attributes are used of what the instruction at ``index`` loads."""
    place = _behind_type(steps, index) or index + 1
    if not _is_attribute(steps, place):
        return False
    step = steps[place + 1] if steps[place].opname == "COPY" else steps[place]
    if step.argval != "__class__":
        return True
    # Whoever sets the class of an object sees it, too.
    return step.opname.startswith("LOAD_") and _is_attribute(steps, place + 1)


def _behind_type(steps: list[dis.Instruction], index: int) -> int:
    """Return the place behind ``type(x)`` where ``x`` is loaded at ``index``; 0 for another use."""
    before = steps[index - 1] if index > 0 else None
    if before is None or before.opname != "LOAD_GLOBAL" or before.argval != "type":
        return 0
    place = index + 1
    while steps[place].opname in _CALLS:
        if steps[place].arg != 1:
            return 0
        place += 1
    return place if place > index + 1 else 0


def _is_attribute(steps: list[dis.Instruction], place: int) -> bool:
    name = steps[place].opname
    # An attribute is set anew: ``x.n += 1``.
    return name in _ATTRIBUTES or (name == "COPY" and steps[place + 1].opname in _ATTRIBUTES)


def sets_class_of_first(code: types.CodeType) -> bool:
    """Return whether a method sets attributes of the class of its object."""
    first = code.co_varnames[0] if code.co_argcount else ""
    steps = list(dis.get_instructions(code))
    for index, step in enumerate(steps):
        if not step.opname.startswith("LOAD_FAST") or step.argval != first:
            continue
        place = _behind_type(steps, index)
        if not place and steps[index + 1].argval == "__class__":
            place = index + 2
        if place and steps[place].opname in {"STORE_ATTR", "DELETE_ATTR", "COPY"}:
            return True
    return False


def class_is_hidden(kind: type) -> bool:
    """Return whether no method of a class of the script shows of what class its objects are."""
    kind = class_copies.original(kind)
    known = _known.get(kind)
    if known is None:
        known = _known[kind] = all(map(_hides_class_of_objects, kind.__mro__))
    return known


def _hides_class_of_objects(kind: type) -> bool:
    if kind is object:
        return True
    if not class_copies.is_own(kind) or not _TELLTALE.isdisjoint(kind.__dict__):
        return False
    for name, value in tuple(kind.__dict__.items()):
        if name in {"__dict__", "__weakref__"} or isinstance(value, (classmethod, staticmethod)):
            continue
        if not hasattr(type(value), "__get__"):
            continue
        parts = (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value,)
        for part in parts:
            if part is not None and not _method_hides_class(part):
                return False
    return True


def _method_hides_class(method: object) -> bool:
    if not isinstance(method, types.FunctionType) or not method.__code__.co_argcount:
        return False
    code = method.__code__
    first = code.co_varnames[0]
    return first not in code.co_cellvars and hides_class(code, first)


def read_names(kind: type) -> Iterator[str]:
    """Yield the names of the attributes that the methods of a class may read."""
    for _, _, function in class_copies.functions(kind):
        yield from function.__code__.co_names
