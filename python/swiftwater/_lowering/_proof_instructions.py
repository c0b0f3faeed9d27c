"""What each instruction does on the way of a proof."""

from __future__ import annotations

import opcode
from collections.abc import Callable, Sequence
from types import CodeType, MethodDescriptorType, ModuleType

from swiftwater._lowering import _pins, _proof_builtins, _proof_operators
from swiftwater._lowering._code import VERSION, numbers
from swiftwater._lowering._proof_values import (
    Constant,
    Copy,
    Iterator,
    Made,
    MadeFunction,
    Slice,
    State,
    StateMethod,
    Unknown,
)
from swiftwater._lowering._values import MISSING, NULL, Captured
from swiftwater._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftwater._lowering._proofs import ProofFrame

__all__ = ["HANDLERS", "TYPES", "reason_against"]

# Types whose methods are known.
TYPES = (list, dict, set, frozenset, str)
_VALUES = (Constant, State, Copy, Made, Unknown)
_Handler = Callable[["ProofFrame", int], None]
HANDLERS: dict[int, _Handler] = {}
_REASONS = {
    "STORE_GLOBAL": "it assigns a global variable",
    "DELETE_GLOBAL": "it assigns a global variable",
    "STORE_ATTR": "it assigns an attribute",
    "DELETE_ATTR": "it deletes an attribute",
    "DELETE_SUBSCR": "it deletes an item",
    "IMPORT_NAME": "it imports a module",
    "RAISE_VARARGS": "it raises an exception",
    "LOAD_ASSERTION_ERROR": "it may raise an AssertionError",
    "BEFORE_WITH": "it uses with",
    "CALL_FUNCTION_EX": "it passes arguments with *",
    "FORMAT_VALUE": "it formats a value",
    "FORMAT_SIMPLE": "it formats a value",
    "BUILD_STRING": "it formats a value",
    "LOAD_BUILD_CLASS": "it makes a class",
}


def reason_against(number: int) -> str:
    """Return why nothing is proved of an instruction that has no handler."""
    return _REASONS.get(opcode.opname[number], "it uses an unknown instruction")


def _on(*names: str) -> Callable[[_Handler], _Handler]:
    """Handle these instructions, where the version has them."""

    def register(handler: _Handler) -> _Handler:
        for number in numbers(*names):
            HANDLERS[number] = handler
        return handler

    return register


# -- The stack, variables and constants


@_on("RESUME", "NOP", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL", "END_FOR", "SETUP_ANNOTATIONS")
def _nothing(frame: ProofFrame, argument: int) -> None:
    pass


@_on("POP_TOP")
def _pop_top(frame: ProofFrame, argument: int) -> None:
    frame.pop()


@_on("PUSH_NULL")
def _push_null(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(NULL)


@_on("COPY")
def _copy(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(frame.stack[-argument])


@_on("SWAP")
def _swap(frame: ProofFrame, argument: int) -> None:
    stack = frame.stack
    stack[-1], stack[-argument] = stack[-argument], stack[-1]


@_on("LOAD_CONST")
def _load_const(frame: ProofFrame, argument: int) -> None:
    value = frame.code.code.co_consts[argument]
    frame.stack.append(MadeFunction(value.co_name) if type(value) is CodeType else Constant(value))


def _load(frame: ProofFrame, index: int) -> None:
    value = frame.variables[index]
    if value is None:
        name = frame.code.variable(index)
        raise frame.refusal(f"it uses the variable {name}, which has no value")
    frame.stack.append(value)


@_on("LOAD_FAST", "LOAD_FAST_CHECK")
def _load_fast(frame: ProofFrame, argument: int) -> None:
    _load(frame, argument)


@_on("LOAD_FAST_AND_CLEAR")
def _load_and_clear(frame: ProofFrame, argument: int) -> None:
    # What the comprehension hides, None where there is nothing: it comes back with STORE_FAST.
    frame.stack.append(frame.variables[argument])
    frame.variables[argument] = None


@_on("LOAD_FAST_LOAD_FAST")
def _load_two(frame: ProofFrame, argument: int) -> None:
    _load(frame, argument >> 4)
    _load(frame, argument & 15)


@_on("STORE_FAST")
def _store_fast(frame: ProofFrame, argument: int) -> None:
    frame.variables[argument] = frame.pop()


@_on("STORE_FAST_LOAD_FAST")
def _store_and_load(frame: ProofFrame, argument: int) -> None:
    frame.variables[argument >> 4] = frame.pop()
    _load(frame, argument & 15)


@_on("STORE_FAST_STORE_FAST")
def _store_two(frame: ProofFrame, argument: int) -> None:
    frame.variables[argument >> 4] = frame.pop()
    frame.variables[argument & 15] = frame.pop()


@_on("DELETE_FAST")
def _delete_fast(frame: ProofFrame, argument: int) -> None:
    _load(frame, argument)
    frame.pop()
    frame.variables[argument] = None


def _free(frame: ProofFrame, index: int) -> int:
    """Return the number of a captured variable; negative for one of the function's own."""
    return index - len(frame.code.variables()) + len(frame.code.code.co_freevars)


@_on("LOAD_DEREF")
def _load_deref(frame: ProofFrame, argument: int) -> None:
    number = _free(frame, argument)
    if number < 0:
        _load(frame, argument)
        return
    name = frame.code.variable(argument)
    value = frame.read(_pins.of_cell, frame.pin, number, name)
    if value is MISSING:
        raise frame.refusal(f"it uses the variable {name}, which has no value")
    frame.stack.append(value)


@_on("STORE_DEREF")
def _store_deref(frame: ProofFrame, argument: int) -> None:
    if _free(frame, argument) >= 0:
        raise frame.refusal(f"it assigns the captured variable {frame.code.variable(argument)}")
    frame.variables[argument] = frame.pop()


@_on("LOAD_CLOSURE")
def _load_closure(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(MadeFunction(""))


@_on("LOAD_GLOBAL")
def _load_global(frame: ProofFrame, argument: int) -> None:
    name = frame.code.code.co_names[argument >> 1]
    value = frame.read(_pins.of_global, frame.pin, name, name)
    if value is MISSING:
        raise frame.refusal(f"it uses the name {name}, which is not defined")
    _push_function(frame, value, is_called=argument & 1 == 1)


def _push_function(frame: ProofFrame, value: Any, *, is_called: bool) -> None:
    if not is_called:
        frame.stack.append(value)
    elif VERSION >= (3, 13):
        frame.stack += (value, NULL)
    else:
        frame.stack += (NULL, value)


def _attribute(frame: ProofFrame, name: str, *, is_called: bool) -> Any:
    value = frame.pop()
    if type(value) in _VALUES:
        if is_called:
            return StateMethod(value, name)
        raise frame.refusal(f"it uses the attribute {name} of a value")
    if type(value) is not Captured:
        raise frame.refusal(f"it uses the attribute {name} of what may be anything")
    path = f"{value.path}.{name}"
    if value.value in TYPES:
        found = value.value.__dict__.get(name)
        if type(found) is MethodDescriptorType:
            return Captured(found, path, value.pin)
    if type(value.value) is not ModuleType:
        raise frame.refusal(f"it uses {path}, the attribute of an object")
    found = frame.read(_pins.of_module, value.pin, name, path)
    if type(found) is not Captured:
        raise frame.refusal(f"it uses {path}, which may change")
    return found


@_on("LOAD_METHOD")
def _load_method(frame: ProofFrame, argument: int) -> None:
    value = _attribute(frame, frame.code.code.co_names[argument], is_called=True)
    frame.stack += (NULL, value)


@_on("LOAD_ATTR")
def _load_attr(frame: ProofFrame, argument: int) -> None:
    is_called = VERSION >= (3, 12) and argument & 1 == 1
    name = frame.code.code.co_names[argument >> 1 if VERSION >= (3, 12) else argument]
    _push_function(frame, _attribute(frame, name, is_called=is_called), is_called=is_called)


# -- Operators and items


@_on("BINARY_OP")
def _binary_op(frame: ProofFrame, argument: int) -> None:
    second, first = frame.pop(), frame.pop()
    symbol = frame.code.operator(argument)
    frame.stack.append(_proof_operators.binary(frame, symbol, first, second))


@_on("UNARY_NEGATIVE")
def _unary_negative(frame: ProofFrame, argument: int) -> None:
    value = frame.pop()
    if type(value) is not Constant or type(value.value) not in (int, float):
        raise frame.refusal("it may give something else than the state at -")
    frame.stack.append(Constant(-value.value))


@_on("TO_BOOL")
def _to_bool(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(Constant(frame.truth(frame.pop())))


@_on("UNARY_NOT")
def _unary_not(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(Constant(not frame.truth(frame.pop())))


@_on("COMPARE_OP")
def _compare_op(frame: ProofFrame, argument: int) -> None:
    second, first = frame.pop(), frame.pop()
    symbol = frame.code.comparison(argument)
    frame.stack.append(_proof_operators.compare(frame, symbol, first, second))


@_on("IS_OP")
def _is_op(frame: ProofFrame, argument: int) -> None:
    second, first = frame.pop(), frame.pop()
    if type(first) is Constant and first.value is None:
        first, second = second, first
    if type(second) is not Constant or second.value is not None:
        raise frame.refusal("it uses is with something else than None")
    frame.stack.append(Constant(_proof_operators.is_none(frame, first) is (argument == 0)))


@_on("CONTAINS_OP")
def _contains_op(frame: ProofFrame, argument: int) -> None:
    container, wanted = frame.pop(), frame.pop()
    is_there = _proof_operators.contains(frame, wanted, container)
    frame.stack.append(Constant(is_there is (argument == 0)))


@_on("BINARY_SUBSCR")
def _binary_subscr(frame: ProofFrame, argument: int) -> None:
    index, value = frame.pop(), frame.pop()
    frame.stack.append(_proof_operators.item(frame, value, index))


@_on("BINARY_SLICE")
def _binary_slice(frame: ProofFrame, argument: int) -> None:
    stop, start, value = frame.pop(), frame.pop(), frame.pop()
    frame.stack.append(_proof_operators.item(frame, value, Slice(start, stop)))


@_on("BUILD_SLICE")
def _build_slice(frame: ProofFrame, argument: int) -> None:
    if argument == 3:
        raise frame.refusal("it slices with a step")
    stop, start = frame.pop(), frame.pop()
    frame.stack.append(Slice(start, stop))


@_on("STORE_SUBSCR")
def _store_subscr(frame: ProofFrame, argument: int) -> None:
    index, collection, value = frame.pop(), frame.pop(), frame.pop()
    _proof_operators.store(frame, collection, index, value)


@_on("UNPACK_SEQUENCE")
def _unpack_sequence(frame: ProofFrame, argument: int) -> None:
    value = frame.pop()
    items = frame.way.items(value)
    if items is None and type(value) in (State, Copy):
        way, path = frame.way, value.path
        kinds = (way.kind(value), way.assumptions.kind(path))
        fits = argument and all(kind in ("tuple", "list") for kind in kinds)
        if fits and way.assumptions.size(path, argument, argument):
            way.truths[path] = True
            items = [State((*path, index)) for index in range(argument)]
    if items is None or len(items) != argument or type(value) is Iterator:
        raise frame.refusal("it unpacks what may have another number of items")
    frame.stack += reversed(items)


# -- Making things


@_on("BUILD_TUPLE")
def _build_tuple(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(Made("tuple", frame.take(argument)))


@_on("BUILD_LIST")
def _build_list(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(Made("list", frame.take(argument)))


@_on("BUILD_SET")
def _build_set(frame: ProofFrame, argument: int) -> None:
    if argument:
        raise frame.refusal("it makes a set")
    frame.stack.append(Made("set", []))


def _dict(frame: ProofFrame, keys: Sequence[Any], values: Sequence[Any]) -> None:
    if any(type(key) not in (int, str) for key in keys):
        raise frame.refusal("it makes a dict of other keys than constants")
    frame.stack.append(Made("dict", dict(zip(keys, values, strict=True))))


@_on("BUILD_MAP")
def _build_map(frame: ProofFrame, argument: int) -> None:
    parts = frame.take(2 * argument)
    keys = [key.value if type(key) is Constant else None for key in parts[::2]]
    _dict(frame, keys, parts[1::2])


@_on("BUILD_CONST_KEY_MAP")
def _build_const_key_map(frame: ProofFrame, argument: int) -> None:
    keys = frame.pop()
    _dict(frame, keys.value, frame.take(argument))


def _grown(frame: ProofFrame, argument: int, kinds: tuple[str, ...]) -> None:
    """Put all items of a value into the collection that is being made."""
    more = frame.pop()
    made = frame.stack[-argument]
    way = frame.way
    items = way.items(more)
    if items is not None and not items:
        return
    if type(made) is Made:
        if made.kind == "list" and items is not None:
            made.items += items
            return
        if made.kind == "dict" and type(more) is Made and more.kind == "dict":
            made.items.update(more.items)
            return
        if not made.items and type(more) in (State, Copy) and way.kind(more) in kinds:
            frame.stack[-argument] = Copy(more.path, made.kind)
            return
    raise frame.refusal("it unpacks with * what may be anything")


@_on("LIST_EXTEND")
def _list_extend(frame: ProofFrame, argument: int) -> None:
    _grown(frame, argument, ("list", "tuple"))


@_on("SET_UPDATE")
def _set_update(frame: ProofFrame, argument: int) -> None:
    _grown(frame, argument, ("set", "frozenset"))


@_on("DICT_UPDATE")
def _dict_update(frame: ProofFrame, argument: int) -> None:
    # {**value} takes dicts only, and not whatever dict() does.
    if frame.way.kind(frame.stack[-1]) != "dict":
        raise frame.refusal("it unpacks with ** what may be anything")
    _grown(frame, argument, ("dict",))


@_on("LIST_APPEND", "SET_ADD", "MAP_ADD")
def _refused_addition(frame: ProofFrame, argument: int) -> None:
    raise frame.refusal("it has a comprehension over what is not empty")


@_on("LIST_TO_TUPLE")
def _list_to_tuple(frame: ProofFrame, argument: int) -> None:
    frame.stack.append(_proof_builtins.call_builtin(frame, "tuple", [frame.pop()], {}))


_LIST_TO_TUPLE = 6


@_on("CALL_INTRINSIC_1")
def _call_intrinsic(frame: ProofFrame, argument: int) -> None:
    if argument != _LIST_TO_TUPLE:
        raise frame.refusal("it uses an unknown instruction")
    _list_to_tuple(frame, 0)


# -- Functions and loops


@_on("KW_NAMES")
def _kw_names(frame: ProofFrame, argument: int) -> None:
    frame.keywords = frame.code.code.co_consts[argument]


@_on("CALL")
def _call(frame: ProofFrame, argument: int) -> None:
    names, frame.keywords = frame.keywords, ()
    arguments = frame.take(argument)
    second, first = frame.pop(), frame.pop()
    if first is NULL or second is NULL:
        function = second if first is NULL else first
    else:
        # As comprehensions are called: with an argument where others have nothing.
        function, arguments = first, [second, *arguments]
    frame.stack.append(frame.call(function, arguments, names))


@_on("CALL_KW")
def _call_kw(frame: ProofFrame, argument: int) -> None:
    frame.keywords = frame.pop().value
    _call(frame, argument)


_MAKE_FUNCTION_PARTS = 0x0F


@_on("MAKE_FUNCTION")
def _make_function(frame: ProofFrame, argument: int) -> None:
    function = frame.pop()
    if VERSION < (3, 13):
        frame.take((argument & _MAKE_FUNCTION_PARTS).bit_count())
    frame.stack.append(function)


@_on("SET_FUNCTION_ATTRIBUTE")
def _set_function_attribute(frame: ProofFrame, argument: int) -> None:
    function = frame.pop()
    frame.pop()
    frame.stack.append(function)


@_on("GET_ITER")
def _get_iter(frame: ProofFrame, argument: int) -> None:
    value = frame.pop()
    if type(value) is Iterator:
        frame.stack.append(value)
        return
    items = frame.way.items(value)
    if items is None:
        raise frame.refusal("it loops over what may be anything")
    frame.stack.append(Iterator(items))
