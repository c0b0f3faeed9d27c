"""What each instruction does to the symbolic stack."""

from __future__ import annotations

import opcode
from collections.abc import Callable
from types import CodeType, ModuleType

from swiftwater._lowering import _calling, _pins
from swiftwater._lowering._code import BRANCHES, VERSION, numbers
from swiftwater._lowering._values import (
    CONSTANTS,
    MISSING,
    NULL,
    PERHAPS_MISSING,
    Captured,
    Members,
    Method,
    Node,
    Slice,
    Unusable,
    is_node,
    is_plain,
)
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._lowering._evaluation import Frame

__all__ = ["HANDLERS"]

_Handler = Callable[["Frame", int], None]

HANDLERS: dict[int, _Handler] = {}

_FUNCTIONS_OF_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def _on(*names: str) -> Callable[[_Handler], _Handler]:
    """Handle these instructions, where the version has them."""

    def register(handler: _Handler) -> _Handler:
        for name in names:
            if name in opcode.opmap:
                HANDLERS[opcode.opmap[name]] = handler
        return handler

    return register


def _refuse(reason: str, *names: str) -> None:
    def handler(frame: Frame, argument: int) -> None:
        raise frame.refusal(reason)

    _on(*names)(handler)


# -- The stack


@_on(
    "RESUME",
    "NOP",
    "PRECALL",
    "COPY_FREE_VARS",
    "MAKE_CELL",
)
def _nothing(frame: Frame, argument: int) -> None:
    pass


@_on("POP_TOP")
def _pop_top(frame: Frame, argument: int) -> None:
    frame.stack.pop()


@_on("PUSH_NULL")
def _push_null(frame: Frame, argument: int) -> None:
    frame.stack.append(NULL)


@_on("COPY")
def _copy(frame: Frame, argument: int) -> None:
    frame.stack.append(frame.stack[-argument])


@_on("SWAP")
def _swap(frame: Frame, argument: int) -> None:
    stack = frame.stack
    stack[-1], stack[-argument] = stack[-argument], stack[-1]


# -- Variables and constants


@_on("RETURN_VALUE")
def _return_value(frame: Frame, argument: int) -> None:
    if frame.is_outermost:
        frame.stack[-1] = frame.node(frame.stack[-1])


@_on("LOAD_CONST", "RETURN_CONST")
def _load_const(frame: Frame, argument: int) -> None:
    value = frame.code.code.co_consts[argument]
    if is_plain(value):
        frame.stack.append(frame.constant(value))
    elif isinstance(value, CodeType):
        frame.stack.append(value)
    else:
        kind = type(value).__name__
        frame.stack.append(Unusable(f"it uses a constant of the type {kind}"))


def _load(frame: Frame, index: int) -> None:
    value = frame.variables[index]
    name = frame.code.variable(index)
    if value is None:
        raise frame.refusal(f"it uses the variable {name} before it has a value")
    if value is PERHAPS_MISSING:
        raise frame.refusal(f"it uses the variable {name}, which may have no value")
    frame.stack.append(value)


@_on("LOAD_FAST", "LOAD_FAST_CHECK")
def _load_fast(frame: Frame, argument: int) -> None:
    _load(frame, argument)


@_on("LOAD_FAST_LOAD_FAST")
def _load_two(frame: Frame, argument: int) -> None:
    _load(frame, argument >> 4)
    _load(frame, argument & 15)


@_on("STORE_FAST")
def _store_fast(frame: Frame, argument: int) -> None:
    frame.variables[argument] = frame.stack.pop()


@_on("STORE_FAST_LOAD_FAST")
def _store_and_load(frame: Frame, argument: int) -> None:
    frame.variables[argument >> 4] = frame.stack.pop()
    _load(frame, argument & 15)


@_on("STORE_FAST_STORE_FAST")
def _store_two(frame: Frame, argument: int) -> None:
    frame.variables[argument >> 4] = frame.stack.pop()
    frame.variables[argument & 15] = frame.stack.pop()


@_on("DELETE_FAST")
def _delete_fast(frame: Frame, argument: int) -> None:
    _load(frame, argument)
    frame.stack.pop()
    frame.variables[argument] = None


def _free(frame: Frame, index: int) -> int:
    """Return the number of a captured variable; negative for one of the function's own."""
    variables = len(frame.code.variables())
    return index - variables + len(frame.code.code.co_freevars)


@_on("LOAD_DEREF")
def _load_deref(frame: Frame, argument: int) -> None:
    number = _free(frame, argument)
    if number < 0:
        _load(frame, argument)
        return
    name = frame.code.variable(argument)
    value = frame.evaluation.read(_pins.of_cell, frame.pin, number, name, frame.place())
    if value is MISSING:
        raise frame.refusal(f"it uses the variable {name} before it has a value")
    frame.stack.append(value)


@_on("STORE_DEREF", "DELETE_DEREF")
def _store_deref(frame: Frame, argument: int) -> None:
    if _free(frame, argument) >= 0:
        raise frame.refusal(f"it assigns the captured variable {frame.code.variable(argument)}")
    frame.variables[argument] = frame.stack.pop()


@_on("LOAD_CLOSURE")
def _load_closure(frame: Frame, argument: int) -> None:
    frame.stack.append(Unusable("it makes a function"))


@_on("LOAD_GLOBAL")
def _load_global(frame: Frame, argument: int) -> None:
    name = frame.code.code.co_names[argument >> 1]
    value = frame.evaluation.read(_pins.of_global, frame.pin, name, name, frame.place())
    if value is MISSING:
        raise frame.refusal(f"it uses the name {name}, which is not defined")
    if not argument & 1:
        frame.stack.append(value)
    elif VERSION >= (3, 13):
        frame.stack += (value, NULL)
    else:
        frame.stack += (NULL, value)


@_on("STORE_GLOBAL", "DELETE_GLOBAL")
def _store_global(frame: Frame, argument: int) -> None:
    raise frame.refusal(f"it assigns the global variable {frame.code.code.co_names[argument]}")


# -- Attributes


def _attribute(frame: Frame, name: str, called: bool) -> Any:
    value = frame.stack.pop()
    if type(value) is not Captured:
        receiver = frame.node(value)
        if called:
            return Method(receiver, name)
        raise frame.refusal(f"it uses the attribute {name} of a value")
    path = f"{value.path}.{name}"
    if value.value is str:
        method = str.__dict__.get(name)
        if method is not None:
            return Captured(method, path, value.pin)
    if type(value.value) is not ModuleType:
        raise frame.refusal(f"it uses {path}, the attribute of an object")
    found = frame.evaluation.read(_pins.of_module, value.pin, name, path, frame.place())
    if found is MISSING:
        raise frame.refusal(f"it uses {path}, which is not defined")
    return found


@_on("LOAD_METHOD")
def _load_method(frame: Frame, argument: int) -> None:
    value = _attribute(frame, frame.code.code.co_names[argument], called=True)
    frame.stack += (NULL, value)


@_on("LOAD_ATTR")
def _load_attr(frame: Frame, argument: int) -> None:
    called = VERSION >= (3, 12) and argument & 1 == 1
    index = argument >> 1 if VERSION >= (3, 12) else argument
    value = _attribute(frame, frame.code.code.co_names[index], called)
    if not called:
        frame.stack.append(value)
    elif VERSION >= (3, 13):
        frame.stack += (value, NULL)
    else:
        frame.stack += (NULL, value)


@_on("STORE_ATTR", "DELETE_ATTR")
def _store_attr(frame: Frame, argument: int) -> None:
    raise frame.refusal(f"it assigns the attribute {frame.code.code.co_names[argument]}")


# -- Operators


@_on("BINARY_OP")
def _binary_op(frame: Frame, argument: int) -> None:
    second, first = frame.pop(), frame.pop()
    symbol = frame.code.operator(argument)
    if symbol.endswith("="):
        symbol = symbol[:-1]
        if symbol in ("+", "*") and _may_be_own_list(first):
            raise frame.refusal("it changes a list")
    if symbol == "@":
        raise frame.refusal("it uses the operator @")
    frame.stack.append(_calling.binary(frame, symbol, first, second))


def _may_be_own_list(node: Node) -> bool:
    """Return whether it can be a list that the function made, and may know by two names."""
    # Parts are shared: each is looked at once.
    seen: set[int] = set()
    left = [node]
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        kind = node[0]
        if kind == "list":
            return True
        if kind == "method" and node[2] in ("split", "rsplit", "splitlines"):
            return True
        if kind == "call" and node[2] in ("list", "sorted"):
            return True
        if kind == "if" or (kind == "binary" and node[2] in ("+", "*")):
            left += node[3:5]
        elif kind in ("item", "slice", "unpack"):
            left.append(node[2])
    return False


@_on("UNARY_NEGATIVE")
def _unary_negative(frame: Frame, argument: int) -> None:
    frame.stack.append(_calling.unary(frame, "-", frame.pop()))


@_on("UNARY_POSITIVE")
def _unary_positive(frame: Frame, argument: int) -> None:
    frame.stack.append(_calling.unary(frame, "+", frame.pop()))


@_on("UNARY_INVERT")
def _unary_invert(frame: Frame, argument: int) -> None:
    frame.stack.append(_calling.unary(frame, "~", frame.pop()))


@_on("TO_BOOL")
def _to_bool(frame: Frame, argument: int) -> None:
    following = frame.code.instructions[frame.index + 1][0]
    # Branches and "not" look at nothing but the truth. "not not value" has this instruction alone.
    if following not in BRANCHES and following not in _NOT:
        frame.stack.append(_calling.truth(frame, frame.pop()))


_NOT = numbers("UNARY_NOT")


@_on("UNARY_NOT")
def _unary_not(frame: Frame, argument: int) -> None:
    frame.stack.append(_calling.unary(frame, "not", frame.pop()))


@_on("COMPARE_OP")
def _compare_op(frame: Frame, argument: int) -> None:
    second, first = frame.pop(), frame.pop()
    frame.stack.append(_calling.compare(frame, frame.code.comparison(argument), first, second))


@_on("IS_OP")
def _is_op(frame: Frame, argument: int) -> None:
    second, first = frame.pop(), frame.pop()
    frame.stack.append(_calling.identity(frame, "is not" if argument else "is", first, second))


@_on("CONTAINS_OP")
def _contains_op(frame: Frame, argument: int) -> None:
    container, item = frame.stack.pop(), frame.pop()
    symbol = "not in" if argument else "in"
    frame.stack.append(_calling.contains(frame, symbol, item, container))


# -- Items


@_on("BINARY_SUBSCR")
def _binary_subscr(frame: Frame, argument: int) -> None:
    index = frame.stack.pop()
    value = frame.pop()
    if type(index) is Slice:
        frame.stack.append(frame.make("slice", value, index.start, index.stop))
    else:
        frame.stack.append(_calling.item(frame, value, frame.node(index)))


@_on("BINARY_SLICE")
def _binary_slice(frame: Frame, argument: int) -> None:
    stop, start, value = frame.pop(), frame.pop(), frame.pop()
    frame.stack.append(frame.make("slice", value, start, stop))


@_on("BUILD_SLICE")
def _build_slice(frame: Frame, argument: int) -> None:
    if argument == 3 and frame.pop() is not CONSTANTS["None"]:
        raise frame.refusal("it slices with a step")
    stop, start = frame.pop(), frame.pop()
    frame.stack.append(Slice(start, stop))


@_on("UNPACK_SEQUENCE")
def _unpack_sequence(frame: Frame, argument: int) -> None:
    value = frame.pop()
    if value[0] == "const" and type(value[2]) is tuple and len(value[2]) == argument:
        frame.stack += [frame.constant(item) for item in reversed(value[2])]
    elif value[0] in ("tuple", "list") and len(value) == argument + 2:
        frame.stack += reversed(value[2:])
    elif argument == 0:
        raise frame.refusal("it unpacks into no variables")
    else:
        items = [frame.make("unpack", value, index, argument) for index in range(argument)]
        frame.stack += reversed(items)


# -- Making things


@_on("BUILD_TUPLE")
def _build_tuple(frame: Frame, argument: int) -> None:
    items = frame.take(argument)
    if all(map(is_node, items)):
        frame.stack.append(_calling.tuple_of(frame, items))
        return
    # It may be what an inner function captures: that says more than this.
    strange = next(item for item in items if not is_node(item))
    if type(strange) is Unusable:
        frame.stack.append(strange)
    else:
        frame.node(strange)


@_on("BUILD_LIST")
def _build_list(frame: Frame, argument: int) -> None:
    frame.stack.append(frame.make("list", *map(frame.node, frame.take(argument))))


@_on("LIST_EXTEND")
def _list_extend(frame: Frame, argument: int) -> None:
    more = frame.pop()
    old = frame.node(frame.stack[-argument])
    if more[0] == "const" and type(more[2]) is tuple:
        items = [frame.constant(item) for item in more[2]]
    elif more[0] in ("tuple", "list"):
        items = list(more[2:])
    else:
        raise frame.refusal("it unpacks a value with *")
    frame.stack[-argument] = frame.make("list", *old[2:], *items)


@_on("LIST_APPEND")
def _list_append(frame: Frame, argument: int) -> None:
    item = frame.pop()
    old = frame.node(frame.stack[-argument])
    frame.stack[-argument] = frame.make("list", *old[2:], item)


@_on("LIST_TO_TUPLE")
def _list_to_tuple(frame: Frame, argument: int) -> None:
    frame.stack.append(_calling.tuple_of(frame, list(frame.pop()[2:])))


@_on("BUILD_SET")
def _build_set(frame: Frame, argument: int) -> None:
    items = [frame.node(item) for item in frame.take(argument)]
    if any(item[0] != "const" for item in items):
        raise frame.refusal("it makes a set")
    frame.stack.append(Members(frame.constant(frozenset(item[2] for item in items))))


@_on("BUILD_STRING")
def _build_string(frame: Frame, argument: int) -> None:
    frame.stack.append(frame.make("join", *map(frame.node, frame.take(argument))))


_CONVERSIONS = (None, "s", "r", "a")


@_on("FORMAT_VALUE")
def _format_value(frame: Frame, argument: int) -> None:
    spec = _spec(frame) if argument & 4 else ""
    _format(frame, _CONVERSIONS[argument & 3], spec)


@_on("CONVERT_VALUE")
def _convert_value(frame: Frame, argument: int) -> None:
    _format(frame, _CONVERSIONS[argument], "")


@_on("FORMAT_SIMPLE")
def _format_simple(frame: Frame, argument: int) -> None:
    # What was converted is text already.
    if frame.stack[-1] is not _converted(frame.stack[-1]):
        _format(frame, None, "")


@_on("FORMAT_WITH_SPEC")
def _format_with_spec(frame: Frame, argument: int) -> None:
    spec = _spec(frame)
    converted = _converted(frame.stack[-1])
    if converted is None:
        _format(frame, None, spec)
    else:
        # Both happen at once.
        effects = frame.evaluation.effects
        if effects and effects[-1] is converted:
            effects.pop()
        frame.stack[-1] = frame.make("format", converted[2], converted[3], spec)


def _converted(value: Any) -> Node | None:
    """Return ``value`` where a conversion (``!r``) made it."""
    if is_node(value) and value[0] == "format" and value[3] is not None and value[4] == "":
        node: Node = value
        return node
    return None


def _spec(frame: Frame) -> str:
    spec = frame.pop()
    if spec[0] != "const" or type(spec[2]) is not str:
        raise frame.refusal("it computes how to format a value")
    return spec[2]


def _format(frame: Frame, conversion: str | None, spec: str) -> None:
    frame.stack.append(frame.make("format", frame.pop(), conversion, spec))


# -- Calls


@_on("KW_NAMES")
def _kw_names(frame: Frame, argument: int) -> None:
    frame.keywords = frame.code.code.co_consts[argument]


@_on("CALL")
def _call(frame: Frame, argument: int) -> None:
    keywords, frame.keywords = frame.keywords, ()
    arguments = frame.take(argument)
    second, first = frame.stack.pop(), frame.stack.pop()
    function = second if first is NULL else first
    frame.stack.append(_calling.call(frame, function, arguments, keywords))


@_on("CALL_KW")
def _call_kw(frame: Frame, argument: int) -> None:
    frame.keywords = frame.pop()[2]
    _call(frame, argument)


_LIST_TO_TUPLE = 6
_POSITIVE = 5


@_on("CALL_INTRINSIC_1")
def _call_intrinsic(frame: Frame, argument: int) -> None:
    if argument == _LIST_TO_TUPLE:
        _list_to_tuple(frame, 0)
    elif argument == _POSITIVE:
        _unary_positive(frame, 0)
    else:
        raise frame.refusal("it uses an instruction that has no native form")


@_on("MAKE_FUNCTION")
def _make_function(frame: Frame, argument: int) -> None:
    code = frame.stack[-1]
    name = code.co_name if isinstance(code, CodeType) else ""
    if name in _FUNCTIONS_OF_COMPREHENSIONS:
        raise frame.refusal("it has a comprehension")
    raise frame.refusal("it makes a function")


_refuse("it has a comprehension", "LOAD_FAST_AND_CLEAR")
_refuse("it loops", "GET_ITER", "FOR_ITER", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
_refuse(
    "it loops",
    "POP_JUMP_BACKWARD_IF_FALSE",
    "POP_JUMP_BACKWARD_IF_TRUE",
    "POP_JUMP_BACKWARD_IF_NONE",
    "POP_JUMP_BACKWARD_IF_NOT_NONE",
)
_refuse("it makes a dict", "BUILD_MAP", "BUILD_CONST_KEY_MAP", "DICT_MERGE", "DICT_UPDATE")
_refuse("it makes a set", "SET_UPDATE", "SET_ADD")
_refuse("it unpacks with *", "UNPACK_EX")
_refuse("it passes arguments with *", "CALL_FUNCTION_EX")
_refuse("it stores an item", "STORE_SUBSCR", "STORE_SLICE")
_refuse("it deletes an item", "DELETE_SUBSCR")
_refuse("it imports a module", "IMPORT_NAME", "IMPORT_FROM")
_refuse("it raises an exception", "RAISE_VARARGS", "RERAISE")
_refuse("it asserts", "LOAD_ASSERTION_ERROR")
_refuse("it makes a class", "LOAD_BUILD_CLASS")
_refuse("it matches patterns", "MATCH_MAPPING", "MATCH_SEQUENCE", "MATCH_KEYS", "MATCH_CLASS")
_refuse("it matches patterns", "GET_LEN")
_refuse("it uses super()", "LOAD_SUPER_ATTR")
