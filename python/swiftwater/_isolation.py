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
from typing import TYPE_CHECKING, Any, Final

from swiftwater._native import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["for_task", "identity", "kind_of_type", "may_capture"]

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


class _Reads:
    """What the code of a function reaches beyond its arguments."""

    __slots__ = ("globals", "writes")

    def __init__(self, code: types.CodeType) -> None:
        names: set[str] = set()
        self.writes = False
        free = set(code.co_freevars)
        for inner in _codes(code):
            for instruction in dis.get_instructions(inner):
                name = instruction.opname
                if name in {"LOAD_GLOBAL", "LOAD_NAME"}:
                    names.add(instruction.argval)
                elif name in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
                    names.add(instruction.argval)
                    self.writes = True
                elif name in {"STORE_DEREF", "DELETE_DEREF"} and instruction.argval in free:
                    self.writes = True
        self.globals = tuple(names)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


# By identity, with the code kept alive: code objects compare by value, which takes long.
_known: dict[int, tuple[types.CodeType, _Reads]] = {}


def _reads(code: types.CodeType) -> _Reads:
    known = _known.get(id(code))
    if known is None:
        if len(_known) > 10_000:
            _known.clear()
        known = _known[id(code)] = (code, _Reads(code))
    return known[1]


def may_capture(function: Callable[..., Any]) -> bool:
    """Return whether ``function`` could reach, now or later, anything that a task may change."""
    if type(function) is not types.FunctionType:
        return type(function) not in _SHARED
    if function.__closure__ or function.__defaults__ or function.__kwdefaults__:
        return True
    if _is_imported(function):
        return False
    reads = _reads(function.__code__)
    if reads.writes:
        return True
    if _is_own(function):
        return False
    space = function.__globals__
    # A name that is no variable yet may become one.
    return any(
        not isinstance(space[name], (types.ModuleType, type))
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


def _is_imported(function: types.FunctionType) -> bool:
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
    copies = _Copies()
    return [copies.of(function) if copies.needs(function) else function for function in functions]


class _Copies:
    """The copies that belong together: those of one task."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        # What was copied must live as long as its identity counts.
        self._sources: list[Any] = []
        self._answers: dict[int, bool] = {}
        self._spaces: dict[int, dict[str, Any]] = {}

    def needs(self, value: Any) -> bool:
        """Return whether something changeable can be reached from ``value``."""
        known = self._answers.get(id(value))
        if known is not None:
            return known
        # Until it is known better, for functions that reach themselves.
        self._answers[id(value)] = False
        answer = self._looks_changeable(value)
        self._answers[id(value)] = answer
        self._sources.append(value)
        return answer

    def _looks_changeable(self, value: Any) -> bool:
        if isinstance(value, types.FunctionType):
            if _is_imported(value):
                return False
            if self._writes(value):
                return True
            return any(self.needs(captured) for captured in self._captured(value))
        if isinstance(value, types.MethodType):
            return self.needs(value.__self__) or self.needs(value.__func__)
        if isinstance(value, functools.partial):
            parts = (value.func, *value.args, *value.keywords.values())
            return any(self.needs(part) for part in parts)
        _refuse_driver_only(value)
        return not engine.is_immutable(value)

    @staticmethod
    def _writes(function: types.FunctionType) -> bool:
        return _reads(function.__code__).writes

    @staticmethod
    def _captured(function: types.FunctionType) -> Iterator[Any]:
        for cell in function.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                continue  # not assigned yet
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        yield from (function.__globals__[name] for name in _global_names(function))

    def of(self, value: Any) -> Any:
        """Return ``value`` with all that is changeable in it copied."""
        if not self.needs(value):
            return value
        if id(value) in self._made:
            return self._made[id(value)]
        self._sources.append(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            made: Any = types.MethodType(self.of(value.__func__), self.of(value.__self__))
        elif isinstance(value, functools.partial):
            made = functools.partial(
                self.of(value.func),
                *map(self.of, value.args),
                **{name: self.of(part) for name, part in value.keywords.items()},
            )
        else:
            made = engine.isolated(value)
        self._made[id(value)] = made
        return made

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        space = function.__globals__
        names = _global_names(function)
        if names or self._writes(function):
            space = self._spaces.setdefault(id(space), dict(space))
        cells = tuple(self._cell(cell) for cell in function.__closure__ or ())
        made = types.FunctionType(function.__code__, space, function.__name__, None, cells or None)
        # Before its variables are copied: the function may be one of them.
        self._made[id(function)] = made
        made.__qualname__ = function.__qualname__
        made.__module__ = function.__module__
        made.__dict__.update(function.__dict__)
        if function.__defaults__ is not None:
            made.__defaults__ = tuple(map(self.of, function.__defaults__))
        if function.__kwdefaults__ is not None:
            made.__kwdefaults__ = {k: self.of(v) for k, v in function.__kwdefaults__.items()}
        for cell, copy in zip(function.__closure__ or (), cells, strict=True):
            try:
                copy.cell_contents = self.of(cell.cell_contents)
            except ValueError:
                continue
        for name in names:
            space[name] = self.of(function.__globals__[name])
        return made

    def _cell(self, cell: types.CellType) -> types.CellType:
        made = self._made.get(id(cell))
        if made is None:
            made = self._made[id(cell)] = types.CellType()
            self._sources.append(cell)
        copy: types.CellType = made
        return copy


def _global_names(function: types.FunctionType) -> tuple[str, ...]:
    if _is_own(function):
        return ()
    space = function.__globals__
    return tuple(name for name in _reads(function.__code__).globals if name in space)


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
