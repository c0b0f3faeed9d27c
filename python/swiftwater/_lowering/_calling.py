"""Operators and calls: what they become in the expression."""

from __future__ import annotations

import _operator
import builtins
import os
import sys
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, CodeType, FunctionType, MethodDescriptorType, MethodType

from swiftwater._lowering import _pins
from swiftwater._lowering._values import (
    CONSTANTS,
    MISSING,
    Captured,
    Members,
    Method,
    Node,
    Refused,
)
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._lowering._evaluation import Frame

__all__ = [
    "binary",
    "bound",
    "call",
    "compare",
    "contains",
    "extreme_behind",
    "identity",
    "item",
    "truth",
    "tuple_of",
    "unary",
]

_NUMBERS = (bool, int, float)
# Where the standard library is.
_LIBRARY = os.path.dirname(getattr(os, "__file__", "<none>/os.py")) + os.sep
# Integers below are computed here: so an index like N - 1 is a constant.
_SMALL = 1 << 31


# -- Operators


_COMPUTED: dict[str, Callable[[Any, Any], Any]] = {
    "+": _operator.add,
    "-": _operator.sub,
    "*": _operator.mul,
}
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": _operator.lt,
    "<=": _operator.le,
    ">": _operator.gt,
    ">=": _operator.ge,
    "==": _operator.eq,
    "!=": _operator.ne,
}


def _small(node: Node) -> bool:
    return node[0] == "const" and type(node[2]) is int and -_SMALL < node[2] < _SMALL


def binary(frame: Frame, symbol: str, first: Node, second: Node) -> Node:
    """Return the node of ``first symbol second``."""
    if symbol in _COMPUTED and _small(first) and _small(second):
        return frame.constant(_COMPUTED[symbol](first[2], second[2]))
    return frame.make("binary", symbol, first, second)


def unary(frame: Frame, symbol: str, operand: Node) -> Node:
    """Return the node of ``symbol operand``."""
    if symbol == "not" and operand[0] == "const":
        return frame.constant(not operand[2])
    if symbol == "-" and _small(operand):
        return frame.constant(-operand[2])
    return frame.make("unary", symbol, operand)


def truth(frame: Frame, operand: Node) -> Node:
    """Return the node of ``bool(operand)``."""
    if operand[0] == "const":
        return frame.constant(bool(operand[2]))
    return frame.make("call", "bool", operand)


def compare(frame: Frame, symbol: str, first: Node, second: Node) -> Node:
    """Return the node of a comparison; that of two constants is known."""
    if first[0] == second[0] == "const":
        kinds = (type(first[2]), type(second[2]))
        if kinds == (str, str) or all(kind in _NUMBERS for kind in kinds):
            return frame.constant(_COMPARED[symbol](first[2], second[2]))
    return frame.make("compare", symbol, first, second)


def identity(frame: Frame, symbol: str, first: Node, second: Node) -> Node:
    """Return the node of ``is`` or ``is not``."""
    singles = (CONSTANTS["None"], CONSTANTS["True"], CONSTANTS["False"])
    if any(first is single for single in singles):
        first, second = second, first
    if not any(second is single for single in singles):
        raise frame.refusal(f"it uses {symbol} with something else than None")
    if first[0] == "const":
        return frame.constant((first[2] is second[2]) == (symbol == "is"))
    return frame.make("compare", symbol, first, second)


def contains(frame: Frame, symbol: str, wanted: Node, container: Any) -> Node:
    """Return the node of ``in`` or ``not in``; ``container`` is a thing of the stack."""
    if type(container) is Members:
        node = container.node
    elif type(container) is Captured and type(container.value) in (set, list, dict):
        node = _members(frame, container)
    else:
        node = frame.node(container)
        if node[0] == "list" and all(part[0] == "const" for part in node[2:]):
            node = tuple_of(frame, node[2:])
    return frame.make("compare", symbol, wanted, node)


def _members(frame: Frame, captured: Captured) -> Node:
    found = frame.evaluation.members(captured)
    if found is None:
        kind = type(captured.value).__name__
        raise frame.refusal(
            f"it uses the variable {captured.path}, a {kind} of more than 1000 items "
            "or of others than constants"
        )
    is_list = type(captured.value) is list
    return frame.constant(found if is_list else frozenset(found))


def item(frame: Frame, value: Node, index: Node) -> Node:
    """Return the node of ``value[index]``."""
    if index[0] == "const" and type(index[2]) is int:
        number: int = index[2]
        if value[0] in ("tuple", "list") and -len(value) + 2 <= number < len(value) - 2:
            found: Node = value[2:][number]
            return found
        constant = value[2] if value[0] == "const" else None
        if type(constant) is tuple and -len(constant) <= number < len(constant):
            return frame.constant(constant[number])
    return frame.make("item", value, index)


def tuple_of(frame: Frame, items: Sequence[Node]) -> Node:
    """Return the node of a tuple; that of constants is a constant."""
    if all(item[0] == "const" for item in items):
        return frame.evaluation.constant_tuple(items, frame.place())
    return frame.make("tuple", *items)


# -- Calls


# By name: how many arguments, and the names by which they can be given.
_BUILTINS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "len": (1, 1, ()),
    "int": (0, 2, ("", "base")),
    "float": (0, 1, ()),
    "str": (0, 1, ("object",)),
    "bool": (0, 1, ()),
    "abs": (1, 1, ()),
    "min": (1, 255, ()),
    "max": (1, 255, ()),
    "round": (1, 2, ("number", "ndigits")),
    "sum": (1, 2, ("", "start")),
    "sorted": (1, 1, ()),
    "repr": (1, 1, ()),
    "ord": (1, 1, ()),
    "chr": (1, 1, ()),
    "tuple": (0, 1, ()),
    "list": (0, 1, ()),
}
# The functions themselves stand beside, so that their addresses stay theirs.
_BY_ADDRESS: dict[int, tuple[Any, str]] = {
    id(function): (function, name) for name in _BUILTINS for function in (getattr(builtins, name),)
}

# How a function of the module operator is written as an expression.
_OPERATORS: dict[int, tuple[Any, str, str]] = {
    id(function): (function, kind, symbol)
    for name, kind, symbol in (
        ("add", "binary", "+"),
        ("sub", "binary", "-"),
        ("mul", "binary", "*"),
        ("truediv", "binary", "/"),
        ("floordiv", "binary", "//"),
        ("mod", "binary", "%"),
        ("pow", "binary", "**"),
        ("and_", "binary", "&"),
        ("or_", "binary", "|"),
        ("xor", "binary", "^"),
        ("lshift", "binary", "<<"),
        ("rshift", "binary", ">>"),
        ("lt", "compare", "<"),
        ("le", "compare", "<="),
        ("gt", "compare", ">"),
        ("ge", "compare", ">="),
        ("eq", "compare", "=="),
        ("ne", "compare", "!="),
        ("is_", "identity", "is"),
        ("is_not", "identity", "is not"),
        ("contains", "contains", "in"),
        ("getitem", "item", ""),
        ("neg", "unary", "-"),
        ("pos", "unary", "+"),
        ("inv", "unary", "~"),
        ("invert", "unary", "~"),
        ("not_", "unary", "not"),
        ("truth", "call", "bool"),
        ("abs", "call", "abs"),
    )
    for function in (getattr(_operator, name),)
}

# Methods without a side effect, on values that have a native form.
_METHODS = frozenset(
    name
    for name in dir(str)
    if not name.startswith("_") and name not in ("encode", "format_map", "maketrans", "translate")
)
_METHOD_KEYWORDS: dict[str, tuple[str, ...]] = {
    "split": ("sep", "maxsplit"),
    "rsplit": ("sep", "maxsplit"),
    "splitlines": ("keepends",),
    "expandtabs": ("tabsize",),
}


def call(frame: Frame, function: Any, arguments: list[Any], keywords: Sequence[str]) -> Any:
    """Return what a call gives; the last arguments have the names ``keywords``."""
    if type(function) is Method:
        return _method(frame, function.name, function.receiver, arguments, keywords)
    if type(function) is not Captured:
        frame.node(function)
        raise frame.refusal("it calls a value of a record")
    value = function.value
    kind = type(value)
    if kind is FunctionType:
        return _inlined(frame, function, value.__code__, arguments, keywords)
    if id(value) in _BY_ADDRESS:
        return _builtin(frame, _BY_ADDRESS[id(value)][1], arguments, keywords)
    if id(value) in _OPERATORS and not keywords:
        return _operation(frame, function, arguments)
    if kind is MethodDescriptorType and _is_of_text(value) and len(arguments) > len(keywords):
        receiver = frame.node(arguments[0])
        return _method(frame, value.__name__, receiver, arguments[1:], keywords)
    if kind is BuiltinFunctionType and type(value.__self__) is str:
        receiver = frame.constant(value.__self__)
        return _method(frame, value.__name__, receiver, arguments, keywords)
    if kind in (_operator.itemgetter, _operator.methodcaller):
        return _got(frame, function, arguments, keywords)
    functools = sys.modules.get("functools")
    if functools is not None and kind is functools.partial:
        return _partial(frame, function, arguments, keywords)
    raise _unknown(frame, function)


def _is_of_text(method: Any) -> bool:
    # The others have these too, but not under this name.
    return method.__objclass__ is str and method.__name__ not in ("count", "index")


def _unknown(frame: Frame, function: Captured) -> Refused:
    kind = type(function.value)
    if not function.path:
        if kind is MethodType:
            return frame.refusal("it is a method of an object")
        if isinstance(function.value, type):
            return frame.refusal(f"it makes objects of {function.value.__name__}")
        return frame.refusal(f"it is of the type {kind.__name__}, which has no native form")
    if kind is type and issubclass(function.value, BaseException):
        return frame.refusal(f"it raises {function.path}")
    return frame.refusal(f"it calls {function.path}, which has no native form")


def _placed(
    frame: Frame,
    name: str,
    arguments: Sequence[Any],
    keywords: Sequence[str],
    parameters: Sequence[str],
) -> list[Node]:
    """Return the arguments in the order of the parameters."""
    for keyword in keywords:
        if keyword not in parameters:
            raise frame.refusal(f"it calls {name} with the argument {keyword}=")
    nodes = [frame.node(argument) for argument in arguments]
    if not keywords:
        return nodes
    given = dict(zip(keywords, nodes[len(nodes) - len(keywords) :], strict=True))
    placed = nodes[: len(nodes) - len(keywords)]
    for parameter in parameters[len(placed) :]:
        if parameter in given:
            placed.append(given.pop(parameter))
        elif given and parameter == "sep":
            placed.append(CONSTANTS["None"])
        else:
            break
    if given:
        raise frame.refusal(f"it calls {name} without an argument before {next(iter(given))}=")
    return placed


def _builtin(frame: Frame, name: str, arguments: Sequence[Any], keywords: Sequence[str]) -> Node:
    fewest, most, parameters = _BUILTINS[name]
    if tuple(keywords) == ("default",) and name in ("min", "max") and len(arguments) == 2:
        return _extreme(frame, name, *map(frame.node, arguments))
    nodes = _placed(frame, name, arguments, keywords, parameters)
    if not fewest <= len(nodes) <= most:
        raise frame.refusal(f"it calls {name} with {_counted(len(nodes))}")
    if not nodes:
        if name == "list":
            return frame.make("list")
        return CONSTANTS["False" if name == "bool" else name]
    return frame.make("call", name, *nodes)


def _of_items(frame: Frame, items: Node, parts: int, found: Node, default: Node) -> Node:
    """Return ``found`` where there are items, otherwise ``default``.

    ``parts`` is how many of the last nodes can raise, which are computed for ``found`` only.
    """
    effects = frame.evaluation.effects
    of_found = effects[-parts:]
    del effects[-parts:]
    size = frame.make("call", "len", items)
    condition = compare(frame, ">", size, frame.constant(0))
    effects.append(("branch", condition, of_found, []))
    return frame.make("if", condition, found, default)


def _extreme(frame: Frame, name: str, items: Node, default: Node) -> Node:
    """Return the node of ``max(items, default=default)``."""
    found = frame.make("call", name, items)
    return _of_items(frame, items, 1, found, default)


def extreme_behind(frame: Frame, name: str, first: Node, items: Node) -> Node:
    """Return the node of what ``first`` is after ``first = max(first, item)`` for each item."""
    found = frame.make("call", name, first, frame.make("call", name, items))
    return _of_items(frame, items, 2, found, first)


def _method(
    frame: Frame, name: str, receiver: Node, arguments: Sequence[Any], keywords: Sequence[str]
) -> Node:
    if name not in _METHODS:
        raise frame.refusal(f"it calls the method {name}, which has no native form")
    parameters = _METHOD_KEYWORDS.get(name, ())
    nodes = _placed(frame, name, arguments, keywords, parameters)
    return frame.make("method", name, receiver, *nodes)


_OPERANDS = {"unary": 1, "call": 1}


def _operation(frame: Frame, function: Captured, arguments: list[Any]) -> Node:
    _, kind, symbol = _OPERATORS[id(function.value)]
    if len(arguments) != _OPERANDS.get(kind, 2):
        raise frame.refusal(f"it calls {function.path} with {_counted(len(arguments))}")
    if kind == "contains":
        return contains(frame, symbol, frame.node(arguments[1]), arguments[0])
    nodes = [frame.node(argument) for argument in arguments]
    if kind == "call":
        return frame.make("call", symbol, *nodes)
    if kind == "unary":
        return unary(frame, symbol, *nodes)
    if kind == "item":
        return item(frame, *nodes)
    return {"binary": binary, "compare": compare, "identity": identity}[kind](frame, symbol, *nodes)


def _got(
    frame: Frame, function: Captured, arguments: Sequence[Any], keywords: Sequence[str]
) -> Node:
    """Call an ``operator.itemgetter`` or ``operator.methodcaller``."""
    parts = _pins.getter_parts(function.value)
    if keywords or len(arguments) != 1 or parts is None:
        raise _unknown(frame, function)
    value = frame.node(arguments[0])
    constants = [frame.constant(part) for part in parts]
    if type(function.value) is _operator.methodcaller:
        return _method(frame, parts[0], value, constants[1:], ())
    items = [item(frame, value, constant) for constant in constants]
    return items[0] if len(items) == 1 else tuple_of(frame, items)


def _partial(
    frame: Frame, function: Captured, arguments: list[Any], keywords: Sequence[str]
) -> Any:
    evaluation, pin = frame.evaluation, function.pin
    path = function.path
    shape = evaluation.read(_pins.of_keywords, pin, None, path)
    if type(shape) is Captured:
        raise _unknown(frame, function)
    count, names = shape[2]
    first = [evaluation.read(_pins.of_argument, pin, index, path) for index in range(count)]
    positional = arguments[: len(arguments) - len(keywords)]
    named = {name: evaluation.read(_pins.of_keyword, pin, name, path) for name in names}
    named.update(zip(keywords, arguments[len(positional) :], strict=True))
    inner = evaluation.read(_pins.of_function, pin, None, path)
    return call(frame, inner, [*first, *positional, *named.values()], tuple(named))


# -- Functions of the program


_VARIADIC = 0x04
_VARIADIC_KEYWORDS = 0x08
_GENERATOR = 0x20
_ASYNCHRONOUS = 0x80 | 0x200


def _inlined(
    frame: Frame,
    function: Captured,
    code: CodeType,
    arguments: Sequence[Any],
    keywords: Sequence[str],
) -> Any:
    """Evaluate the body of a function that is called."""
    inner = frame.enter(code, function.pin, function.path)
    try:
        _check_kind(inner, code)
        variables = bound(inner, code, arguments, keywords)
        calls = frame.evaluation.calls
        calls.append(code)
        result = inner.run(variables)
    except Refused:
        # Users know their own functions; of others the call says enough.
        if function.path and _is_library(code):
            raise _unknown(frame, function) from None
        raise
    calls.pop()
    return result


def _is_library(code: CodeType) -> bool:
    file = code.co_filename
    packages = ("site-packages", "dist-packages")
    return file.startswith((_LIBRARY, "<frozen ")) or any(name in file for name in packages)


def _check_kind(frame: Frame, code: CodeType) -> None:
    flags = code.co_flags
    if flags & _ASYNCHRONOUS:
        raise frame.refusal_of_all("it is asynchronous")
    if flags & _GENERATOR:
        raise frame.refusal_of_all("it is a generator")
    if flags & _VARIADIC:
        raise frame.refusal_of_all("it takes any number of arguments")
    if flags & _VARIADIC_KEYWORDS:
        raise frame.refusal_of_all("it takes arguments of any name")
    if code.co_exceptiontable:
        index, reason = frame.code.protection()
        frame.index = index
        raise frame.refusal(reason)


def bound(
    frame: Frame, code: CodeType, arguments: Sequence[Any], keywords: Sequence[str]
) -> list[Any]:
    """Return the variables at the function's beginning."""
    count = code.co_argcount
    names = code.co_varnames
    total = count + code.co_kwonlyargcount
    given = len(arguments)
    positional = given - len(keywords)
    variables: list[Any] = [None] * len(frame.code.variables())
    mistake = f"it takes {_counted(count)} where {given} {'is' if given == 1 else 'are'} given"
    if positional > count:
        raise frame.refusal_of_all(mistake)
    variables[:positional] = arguments[:positional]
    for name, value in zip(keywords, arguments[positional:], strict=True):
        index = names.index(name, code.co_posonlyargcount, total) if name in names else -1
        if index < 0 or variables[index] is not None:
            raise frame.refusal_of_all(f"it cannot take the argument {name}=")
        variables[index] = value
    for index in range(total):
        if variables[index] is None:
            name = names[index]
            key, read = (
                (count - 1 - index, _pins.of_default)
                if index < count
                else (name, _pins.of_keyword_default)
            )
            value = frame.evaluation.read(read, frame.pin, key, name, None)
            if value is MISSING:
                raise frame.refusal_of_all(mistake)
            variables[index] = value
    return variables


def _counted(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}"
