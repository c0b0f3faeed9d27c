"""Whose values: which of a function's variables a task may use, and copies of the others.

Spark pickles a function for each task. So a task that changes a captured list, a global counter or
an attribute of ``self`` changes a copy, and the next task begins anew. Here functions run in the
driver's process: one that can reach nothing changeable runs as it is, for any other ``for_task``
makes what unpickling it would make. As with pickling, functions and classes that can be imported
by name are shared, and so are modules; functions of the script itself, lambdas and inner functions
are copied together with the variables that they name.
"""

from __future__ import annotations

import builtins
import dis
import functools
import sys
import types

from swiftwater._native import engine
from swiftwater._tasks import class_copies
from swiftwater._tasks.class_views import class_is_hidden
from swiftwater._tasks.outer_reads import SETS, reached
from swiftwater._typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Copies",
    "for_task",
    "identity",
    "is_imported",
    "kind_of_type",
    "may_capture",
    "variable",
]

# What a type's instances are to the native copier.
_CHANGEABLE, _IMMUTABLE, _TUPLE = 0, 1, 2

_IMMUTABLE_TYPES: Final = (
    ("datetime", "date datetime time timedelta timezone"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("uuid", "UUID"),
    ("ipaddress", "IPv4Address IPv6Address IPv4Network IPv6Network"),
    ("pathlib", "PurePath PurePosixPath PureWindowsPath Path PosixPath WindowsPath"),
    ("re", "Pattern Match"),
    ("operator", "itemgetter attrgetter methodcaller"),
)

_SHARED: Final = (
    types.ModuleType,
    type,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    range,
    type(...),
    type(NotImplemented),
)

# Of this package: what only the driver may use.
_DRIVER_ONLY: Final = frozenset(
    (f"swiftwater.{module}", name)
    for module, name in (
        ("context", "SparkContext"),
        ("rdd", "RDD"),
        ("streaming.context", "StreamingContext"),
        ("streaming.dstream", "DStream"),
    )
)


def kind_of_type(kind: type) -> int:
    """Return what instances of exactly ``kind`` are: 0 changeable, 1 immutable, 2 like a tuple.

    Called once for each type; the native copier remembers it.
    """
    if issubclass(kind, (*_SHARED, types.FunctionType)):
        return _IMMUTABLE
    for module_name, names in _IMMUTABLE_TYPES:
        module = sys.modules.get(module_name)
        if module is not None and any(
            kind is getattr(module, name, None) for name in names.split()
        ):
            return _IMMUTABLE
    enum = sys.modules.get("enum")
    if enum is not None and issubclass(kind, enum.Enum):
        return _IMMUTABLE
    if kind.__module__ in {"swiftwater.broadcast", "swiftwater.accumulators"}:
        return _IMMUTABLE
    # A named tuple has no attributes of its own.
    if issubclass(kind, tuple) and not kind.__dictoffset__:
        return _TUPLE
    return _CHANGEABLE


def may_capture(function: Callable[..., Any]) -> bool:
    """Return whether ``function`` could reach, now or later, anything that a task may change."""
    if isinstance(function, type):
        return class_copies.is_own(function)
    if type(function) is not types.FunctionType:
        return type(function) not in _SHARED or _parts(function) is not None
    if function.__closure__ or function.__defaults__ or function.__kwdefaults__:
        return True
    if is_imported(function):
        return False
    reads = reached(function.__code__)
    if reads.writes:
        return True
    if _is_own(function):
        return False
    space = function.__globals__
    # A name that is no variable yet may become one.
    return any(
        not isinstance(space[name], types.ModuleType)
        and (not isinstance(space[name], type) or class_copies.is_own(space[name]))
        if name in space
        else not hasattr(builtins, name)
        for name in reads.globals
    )


def identity(function: Callable[..., Any]) -> int:
    """Return a number that functions share which the same code made with the same captures.

    0 for what is no function of Python.
    """
    if type(function) is not types.FunctionType:
        return 0
    parts = [id(function.__code__), *map(id, function.__defaults__ or ())]
    for cell in function.__closure__ or ():
        try:
            parts.append(id(cell.cell_contents))
        except ValueError:
            parts.append(0)
    return hash(tuple(parts))


def _is_own(function: types.FunctionType) -> bool:
    # This package's own functions use each other and keep nothing in their modules' variables.
    return bool(function.__module__) and function.__module__.startswith("swiftwater.")


def is_imported(function: types.FunctionType) -> bool:
    """Return whether pickling would name the function instead of copying it."""
    module = function.__module__
    if module == "__main__" or module is None or "<" in function.__qualname__:
        return False
    found: Any = sys.modules.get(module)
    for part in function.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is function


def for_task(functions: list[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """Return ``functions`` as one task may use them: sharing among them is kept.

    Raises ``RuntimeError`` where one has captured a context, an RDD or a stream.
    """
    copies = Copies()
    copies.hide_classes_of(functions)
    # All are looked at before the first is copied: one may need a class itself that others use.
    needed = [copies.needs(function) for function in functions]
    return [
        copies.of(function) if is_needed else function
        for function, is_needed in zip(functions, needed, strict=True)
    ]


class Copies:
    """The copies that belong together: those of one task."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        # What was copied must live as long as its identity counts.
        self._sources: list[Any] = []
        self._answers: dict[int, bool] = {}
        # What is being looked at, and whether somebody has asked for it meanwhile.
        self._open: dict[int, bool] = {}
        self._spaces: dict[int, dict[str, Any]] = {}
        # By identity: objects of which no function sees the class, with the attributes that are
        # used of them.
        self._hidden: dict[int, set[str]] = {}

    def needs(self, value: Any) -> bool:
        """Return whether something changeable can be reached from ``value``."""
        known = self._answers.get(id(value))
        if known is not None:
            if id(value) in self._open:
                self._open[id(value)] = True
            return known
        # Until it is known better, for functions that reach themselves.
        self._answers[id(value)] = False
        self._open[id(value)] = False
        before = len(self._sources)
        self._sources.append(value)
        answer = self._looks_changeable(value)
        self._answers[id(value)] = answer
        if self._open.pop(id(value)) and answer:
            # Those that reach it were told otherwise.
            for other in self._sources[before:]:
                if self._answers.get(id(other)) is False:
                    del self._answers[id(other)]
        return answer

    def _looks_changeable(self, value: Any) -> bool:
        if isinstance(value, types.FunctionType):
            if is_imported(value):
                return False
            for name in reached(value.__code__).compared:
                class_copies.keep(variable(value, name))
            self._look_at_objects(value)
            # All are looked at: some are found to be changeable while others are looked at.
            changes = reached(value.__code__).writes or _has_attributes(value)
            for target in self._set(value):
                self._answers[id(target)] = changes = True
                self._sources.append(target)
            return any([*map(self.needs, self._captured(value)), changes])
        if isinstance(value, type):
            return class_copies.is_own(value) and self._keeps_changes(value)
        parts = _parts(value)
        if parts is not None:
            self._look_at_parts(value, parts)
            return any(map(self.needs, parts)) or isinstance(value, (list, dict))
        _refuse_driver_only(value)
        kind = type(value)
        if not self._can_hide(value):
            # It sees its class itself, and so do then the functions beside it.
            class_copies.keep_all(kind.__mro__)
        return not engine.is_immutable(value)

    def hide_classes_of(self, functions: list[Callable[..., Any]]) -> None:
        """Note of which objects that are called nobody sees the class."""
        for function in functions:
            if _is_object(function):
                self._hidden.setdefault(id(function), set())

    def _look_at_objects(self, function: types.FunctionType) -> None:
        """Note of which captured objects a function does not see the class.

        The others, and all that are held elsewhere than in a variable, are of their class itself.
        """
        reads = reached(function.__code__)
        names = () if _is_own(function) else reads.globals
        for name in (*function.__code__.co_freevars, *names):
            held = variable(function, name)
            if not _is_object(held):
                continue
            if reads.hides(name):
                used = self._hidden.setdefault(id(held), set())
                used.update(attribute for owner, attribute in reads.uses if owner == name)
            else:
                class_copies.keep_all(type(held).__mro__)
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        self._look_at_parts(function, (*defaults, *function.__dict__.values()))

    def _can_hide(self, value: Any) -> bool:
        """Return whether a copy of an object can be of a stand-in of its class."""
        kind = type(value)
        if id(value) not in self._hidden or not class_is_hidden(kind):
            return False
        if self.needs(kind):
            try:
                for _, _, function in class_copies.functions(kind):
                    self.needs(function)
            except Exception:  # noqa: BLE001 - a method refers to what only the driver may use
                return False
        return True

    def _look_at_parts(self, value: Any, parts: tuple[Any, ...]) -> None:
        """Have the objects that are parts of a value keep their class; not that of a method."""
        for part in parts:
            if not _is_object(part):
                continue
            if isinstance(value, types.MethodType) and _is_of_its_class(value):
                self._hidden.setdefault(id(part), set())
            else:
                class_copies.keep_all(type(part).__mro__)

    def _keeps_changes(self, kind: type) -> bool:
        """Return whether a class has something that its methods may change."""
        if any(map(self.needs, class_copies.attributes(kind).values())):
            return True
        for name, method, function in class_copies.functions(kind):
            for owner in reached(function.__code__).sets:
                target = variable(function, owner)
                if isinstance(target, type) and issubclass(kind, target):
                    return True
            if reached(function.__code__).sets_class:
                return True
            gets_class = isinstance(method, classmethod) or name == "__new__"
            if gets_class and _sets_first(function.__code__):
                return True
        return False

    def _set(self, function: types.FunctionType) -> Iterator[Any]:
        """Return the functions and classes of the script of which a function sets attributes."""
        for name in reached(function.__code__).sets:
            target = variable(function, name)
            if _is_by_value(target):
                yield target

    def _captured(self, function: types.FunctionType) -> Iterator[Any]:
        for name, cell in _variables(function):
            try:
                if name != "__class__":
                    yield cell.cell_contents
            except ValueError:
                continue  # not assigned yet
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        yield from function.__dict__.values()
        space = function.__globals__
        yield from (space[name] for name in self._names(function) if name in space)

    def of(self, value: Any) -> Any:
        """Return ``value`` with all that is changeable in it copied."""
        if not self.needs(value):
            return value
        if isinstance(value, type) and not class_copies.is_own(value):
            # Looked at before a function was found that needs the class itself.
            return value
        if id(value) in self._made:
            return self._made[id(value)]
        self._sources.append(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        made: Any
        if isinstance(value, types.MethodType):
            made = types.MethodType(self.of(value.__func__), self.of(value.__self__))
        elif isinstance(value, types.BuiltinFunctionType):
            made = getattr(self.of(value.__self__), value.__name__)
        elif isinstance(value, functools.partial):
            made = functools.partial(
                self.of(value.func),
                *map(self.of, value.args),
                **{name: self.of(part) for name, part in value.keywords.items()},
            )
        elif _parts(value) is not None:
            return self._container(value)
        else:
            made = self._object(value)
        self._made[id(value)] = made
        return made

    def _object(self, value: Any) -> Any:
        made = engine.isolated(value)
        kind = type(value)
        if id(value) not in self._hidden or not _is_object(value) or not class_is_hidden(kind):
            return made
        if made is value:
            # No copy of it can be made: it stays of its class, and so do others.
            class_copies.keep_all(kind.__mro__)
            return made
        own = self.of(kind)
        if type(made) is not own:
            # Not through a `__setattr__` of the class's own.
            object.__setattr__(made, "__class__", own)
        return made

    def _container(self, value: Any) -> Any:
        """Return a copy of a list, dict or tuple that holds functions."""
        made: Any
        if type(value) is tuple:
            made = tuple(map(self.of, value))
            self._made[id(value)] = made
            return made
        # Before what is in it is copied: it may be in itself.
        made = self._made[id(value)] = type(value)()
        if type(value) is list:
            made.extend(map(self.of, value))
        else:
            made.update((key, self.of(part)) for key, part in value.items())
        return made

    def _class(self, kind: type) -> type:
        made = class_copies.stand_in(kind)
        # Before what is in it is copied: its methods name it.
        self._made[id(kind)] = made
        for name, value in class_copies.attributes(kind).items():
            setattr(made, name, self.of(value))
        for name, method, function in class_copies.functions(kind):
            if self.needs(function):
                setattr(made, name, class_copies.made_of(method, self.of(function)))
        return made

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        names = self._names(function)
        space = self._space(function, names)
        cells = tuple(
            # What `super()` begins at is the class itself.
            cell if name == "__class__" else self._cell(cell)
            for name, cell in _variables(function)
        )
        made = types.FunctionType(function.__code__, space, function.__name__, None, cells or None)
        # Before its variables are copied: the function may be one of them.
        self._made[id(function)] = made
        made.__qualname__ = function.__qualname__
        made.__module__ = function.__module__
        made.__dict__.update((name, self.of(v)) for name, v in function.__dict__.items())
        if function.__defaults__ is not None:
            made.__defaults__ = tuple(map(self.of, function.__defaults__))
        if function.__kwdefaults__ is not None:
            made.__kwdefaults__ = {k: self.of(v) for k, v in function.__kwdefaults__.items()}
        for cell, copy in zip(function.__closure__ or (), cells, strict=True):
            try:
                if copy is not cell:
                    copy.cell_contents = self.of(cell.cell_contents)
            except ValueError:
                continue
        own = function.__globals__
        for name in names:
            if name in own:
                space[name] = self.of(own[name])
        return made

    def _space(self, function: types.FunctionType, names: tuple[str, ...]) -> dict[str, Any]:
        """Return where the copy of a function finds its variables."""
        space = function.__globals__
        if names or reached(function.__code__).writes:
            return self._spaces.setdefault(id(space), dict(space))
        return space

    def _names(self, function: types.FunctionType) -> tuple[str, ...]:
        """Return the global variables that a function reads."""
        return () if _is_own(function) else reached(function.__code__).globals

    def _cell(self, cell: types.CellType) -> types.CellType:
        made = self._made.get(id(cell))
        if made is None:
            made = self._made[id(cell)] = types.CellType()
            self._sources.append(cell)
        copy: types.CellType = made
        return copy


# Of larger collections nobody looks whether functions are in them.
_MOST_PARTS: Final = 100
_DEEPEST: Final = 4


def _parts(value: Any, depth: int = 0) -> tuple[Any, ...] | None:
    """Return what is copied one by one in ``value``; None where it is copied as one.

    That is what a bound method or a ``functools.partial`` is made of, and what is in a collection
    with functions in it.
    """
    kind = type(value)
    if kind in _SIMPLE:
        return None
    if isinstance(value, types.MethodType):
        return (value.__self__, value.__func__)
    if kind is types.BuiltinFunctionType:
        owner = value.__self__
        return None if owner is None or isinstance(owner, (types.ModuleType, type)) else (owner,)
    if isinstance(value, functools.partial):
        return (value.func, *value.args, *value.keywords.values())
    if kind in {list, dict, tuple} and 0 < len(value) <= _MOST_PARTS and depth < _DEEPEST:
        parts = tuple(value.values() if kind is dict else value)
        for part in parts:
            if isinstance(part, types.FunctionType) or _parts(part, depth + 1) is not None:
                return parts
    return None


def _is_by_value(value: Any) -> bool:
    """Return whether pickling would copy a function or class."""
    if isinstance(value, types.FunctionType):
        return not is_imported(value)
    return isinstance(value, type) and class_copies.is_own(value)


def _is_object(value: Any) -> bool:
    """Return whether a value is of a class of the script of which there can be a stand-in."""
    kind = type(value)
    return kind.__module__ != "builtins" and class_copies.is_own(kind)


def _is_of_its_class(method: types.MethodType) -> bool:
    function = method.__func__
    found = getattr(type(method.__self__), getattr(function, "__name__", ""), None)
    # A copy of the function, or one that was pickled beside its class, has the same code.
    return found is function or (
        isinstance(found, types.FunctionType)
        and isinstance(function, types.FunctionType)
        and found.__code__ == function.__code__
    )


def _sets_first(code: types.CodeType) -> bool:
    """Return whether a function sets attributes of its first argument."""
    first = code.co_varnames[:1]
    before = None
    for instruction in dis.get_instructions(code):
        if instruction.opname in SETS and before is not None:
            return True
        is_first = instruction.opname.startswith("LOAD_FAST") and (
            instruction.argval == first[0] if first else False
        )
        before = instruction if is_first else None
    return False


def _has_attributes(function: types.FunctionType) -> bool:
    return bool(function.__dict__.keys() - {"__wrapped__"})


def _variables(function: types.FunctionType) -> Iterator[tuple[str, types.CellType]]:
    return zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)


def variable(function: types.FunctionType, name: str) -> Any:
    """Return what a variable that is not the function's own holds; None for nothing."""
    code = function.__code__
    if name not in code.co_freevars:
        return function.__globals__.get(name)
    try:
        return (function.__closure__ or ())[code.co_freevars.index(name)].cell_contents
    except ValueError:
        return None


_SIMPLE: Final = frozenset((int, str, float, bool, bytes, type(None)))


def _refuse_driver_only(value: Any) -> None:
    for kind in type(value).__mro__:
        if (kind.__module__, kind.__qualname__) in _DRIVER_ONLY:
            value.__reduce__()
            raise RuntimeError(
                f"a function that works on records refers to a {kind.__name__}, which only the "
                "driver can use"
            )


def pickled(value: Any) -> Any:
    """Return ``value`` as it comes out of pickling, which is what Spark does with it."""
    import pickle

    return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - its own output
