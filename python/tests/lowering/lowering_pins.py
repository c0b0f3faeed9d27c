"""When an answer of the lowering holds, and when it is found anew."""

# ruff: noqa: E731, FLY002

from __future__ import annotations

import builtins
import functools
import gc
import operator
import sys
import threading
import weakref
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from lowering_reference import evaluate

from swiftwater import _lowering
from swiftwater._lowering import lowered

__all__ = ["CHECKS"]


def value(function: Any, *arguments: Any) -> Any:
    """Return what the function's expression gives."""
    answer = lowered(function, len(arguments))
    assert answer[0] == "lowered", answer
    return evaluate(answer[1], *arguments)


def made(source: str, **names: Any) -> Any:
    """Return the function that ``source`` defines as ``f``, with its own globals."""
    names["__builtins__"] = builtins
    exec(source, names)
    return names["f"]


def changes(function: Any, change: Callable[[], object]) -> tuple[Any, Any]:
    """Return the answers before and after; the first must hold until then."""
    before = lowered(function, 1)
    assert lowered(function, 1) is before
    change()
    after = lowered(function, 1)
    assert lowered(function, 1) is after
    return before, after


def same_tuple_each_time() -> None:
    function = lambda value: value + 1
    answer = lowered(function, 1)
    assert lowered(function, 1) is answer
    assert lowered(function, 2)[0] == "refused"
    assert lowered(function, 1) is answer


def new_function_of_the_same_code() -> None:
    def scaled(factor: Any, shift: Any = 0) -> Any:
        return lambda value: value * factor + shift

    answer = lowered(scaled(2), 1)
    assert lowered(scaled(2), 1) is answer
    other = lowered(scaled(3), 1)
    assert other is not answer
    assert (value(scaled(2), 5), value(scaled(3), 5)) == (10, 15)
    # Both are kept: two operators can be made by the same lambda.
    assert lowered(scaled(2), 1) is answer
    assert lowered(scaled(3), 1) is other


def equal_constants_of_other_types() -> None:
    def constant(captured: Any) -> Any:
        return lambda value: (value, captured)

    captured = [1, 1.0, True, 0.0, -0.0, (1,), (1.0,), (True,), frozenset((1,)), frozenset((1.0,))]
    answers = [lowered(constant(one), 1) for one in captured]
    assert len(set(map(id, answers))) == len(captured)
    for one in captured:
        found = value(constant(one), 0)[1]
        assert repr(found) == repr(one)
        assert type(found) is type(one)
    # Equal ones of the same type are the same, wherever they come from.
    text = "".join(["a", "b"])
    assert lowered(constant("ab"), 1) is lowered(constant(text), 1)
    assert lowered(constant(1000), 1) is lowered(constant(int("1000")), 1)
    assert lowered(constant(float("nan")), 1) is lowered(constant(float("nan")), 1)


def rebound_global() -> None:
    function = made("def f(value): return value + step", step=1)
    changed = functools.partial(function.__globals__.__setitem__, "step", 2)
    before, after = changes(function, changed)
    assert before is not after
    assert value(function, 1) == 3
    function.__globals__["step"] = 1
    assert lowered(function, 1) is before
    function.__globals__["step"] = 1.0
    assert repr(value(function, 1)) == "2.0"
    del function.__globals__["step"]
    assert lowered(function, 1)[4] == "it uses the name step, which is not defined"
    function.__globals__["step"] = 1
    assert lowered(function, 1) is before


def changed_cell() -> None:
    def counted() -> tuple[Any, Any]:
        count = 1

        def advance() -> None:
            nonlocal count
            count += 1

        return (lambda value: value + count), advance

    function, advance = counted()
    before, after = changes(function, advance)
    assert before is not after
    assert value(function, 1) == 3


def empty_cell() -> None:
    def late() -> tuple[Any, Any]:
        if id(late) == 0:
            number = 0

        def fill() -> None:
            nonlocal number
            number = 5

        return (lambda value: value + number), fill

    function, fill = late()
    before, _ = changes(function, fill)
    assert before[4] == "it uses the variable number before it has a value"
    assert value(function, 1) == 6


def changed_set() -> None:
    for collection, more in (({"a"}, "add"), (["a"], "append"), ({"a": 1}, "setdefault")):
        function = made("def f(value): return value in known", known=collection)
        assert not value(function, "b")
        before, after = changes(function, functools.partial(getattr(collection, more), "b"))
        assert before is not after
        assert value(function, "b")
        # Another object of the same content means the same.
        function.__globals__["known"] = type(collection)(collection)
        assert lowered(function, 1) is after
        function.__globals__["known"] = tuple(collection)
        assert lowered(function, 1) is not after


def set_that_becomes_unfit() -> None:
    known: set[Any] = {1}
    function = made("def f(value): return value in known", known=known)
    before, after = changes(function, functools.partial(known.add, object))
    assert (before[0], after[0]) == ("lowered", "refused")
    known.discard(object)
    assert lowered(function, 1) is before
    known.update(range(2000))
    assert lowered(function, 1)[0] == "refused"
    known.difference_update(range(500, 2000))
    assert value(function, 499)


def equal_members_of_other_types() -> None:
    known: list[Any] = [1]
    function = made("def f(value): return value in known", known=known)
    answer = lowered(function, 1)
    known[0] = True
    assert lowered(function, 1) is not answer
    known[0] = 1
    assert lowered(function, 1) is answer


def shadowed_builtin() -> None:
    function = made("def f(value): return len(value)")
    assert value(function, "abc") == 3
    shadow = functools.partial(function.__globals__.__setitem__, "len", lambda value: 7)
    before, after = changes(function, shadow)
    assert before is not after
    assert value(function, "abc") == 7
    del function.__globals__["len"]
    assert lowered(function, 1) is before
    function.__globals__["len"] = str.upper
    assert value(function, "abc") == "ABC"
    function.__globals__["len"] = print
    assert lowered(function, 1)[0] == "refused"


def changed_builtins_module() -> None:
    function = made("def f(value): return abs(value)")
    assert value(function, -2) == 2
    original = builtins.abs
    try:
        builtins.abs = lambda value: "other"
        assert value(function, -2) == "other"
    finally:
        builtins.abs = original
    assert value(function, -2) == 2


def changed_defaults() -> None:
    function = made("def f(value, step=1, *, factor=2): return (value + step) * factor")
    assert value(function, 1) == 4
    function.__defaults__ = (2,)
    assert value(function, 1) == 6
    function.__kwdefaults__ = {"factor": 3}
    assert value(function, 1) == 9
    function.__defaults__ = None
    assert lowered(function, 1)[4] == "it takes 2 arguments where 1 is given"
    assert value(function, 1, 1) == 6
    function.__kwdefaults__ = None
    assert lowered(function, 2)[0] == "refused"


def changed_code() -> None:
    function = made("def f(value): return value + 1")
    other = made("def f(value): return value + 2")
    answer = lowered(function, 1)
    function.__code__ = other.__code__
    assert lowered(function, 1) is not answer
    assert value(function, 1) == 3


def changed_function_that_is_called() -> None:
    function = made("def g(value): return value + 1\ndef f(value): return g(value)")
    names = function.__globals__
    assert value(function, 1) == 2
    names["g"] = made("def f(value): return value + 2")
    assert value(function, 1) == 3
    # A new function of the same code is no change.
    answer = lowered(function, 1)
    names["g"] = FunctionType(names["g"].__code__, names["g"].__globals__)
    assert lowered(function, 1) is answer
    names["g"].__code__ = made("def f(value): return value + 3").__code__
    assert value(function, 1) == 4


def what_called_functions_capture() -> None:
    source = "def g(value, step=1): return value + step + far\ndef f(value): return g(value)"
    function = made(source, far=0)
    names = function.__globals__
    assert value(function, 1) == 2
    names["far"] = 10
    assert value(function, 1) == 12
    names["g"].__defaults__ = (5,)
    assert value(function, 1) == 16


def changed_module() -> None:
    module = ModuleType("settings")
    module.__dict__.update(step=1, tell=str.upper)
    function = made("def f(value): return settings.tell(value) * settings.step", settings=module)
    assert value(function, "a") == "A"
    module.__dict__["step"] = 2
    assert value(function, "a") == "AA"
    module.__dict__["tell"] = str.lower
    assert value(function, "A") == "aa"
    del module.__dict__["tell"]
    assert lowered(function, 1)[0] == "refused"


def new_objects_that_mean_the_same() -> None:
    for make, arity in (
        (lambda: operator.itemgetter(1), 1),
        (lambda: operator.methodcaller("split", ","), 1),
        (lambda: "".join([","]).join, 1),
        (lambda: functools.partial(str.split, maxsplit=1), 1),
        (lambda: len, 1),
        (lambda: operator.add, 2),
    ):
        answer = lowered(make(), arity)
        assert answer[0] == "lowered"
        assert lowered(make(), arity) is answer
    getters = [operator.itemgetter(number) for number in range(20)]
    answers = [lowered(getter, 1) for getter in getters]
    assert [answer[1][3][2] for answer in answers] == list(range(20))
    assert all(map(operator.is_, answers, (lowered(getter, 1) for getter in getters)))
    assert lowered(operator.itemgetter(True), 1) is not answers[1]


def changed_partial() -> None:
    def divided(value: Any, by: Any) -> Any:
        return value / by

    assert value(functools.partial(divided, by=2), 3) == 1.5
    answer = lowered(functools.partial(divided, by=2), 1)
    assert lowered(functools.partial(divided, by=2), 1) is answer
    assert value(functools.partial(divided, by=3), 3) == 1.0
    assert value(functools.partial(divided, 3), 2) == 1.5
    partial = functools.partial(divided, by=2)
    assert lowered(partial, 1) is answer
    partial.keywords["by"] = 4
    assert value(partial, 2) == 0.5


def objects_are_not_held() -> None:
    class Model:
        pass

    model = Model()
    gone = weakref.ref(model)
    function = made("def f(value): return model(value)", model=model)
    assert lowered(function, 1)[0] == "refused"
    seen = made("def f(value): return value in known", known=[model])
    assert lowered(seen, 1)[0] == "refused"
    bound = made("def f(value): return tell(value)", tell=[model].append)
    assert lowered(bound, 1)[0] == "refused"
    for one in (function, seen, bound):
        one.__globals__.clear()
    del model
    gc.collect()
    assert gone() is None
    assert lowered(function, 1)[4] == "it uses the name model, which is not defined"


def code_is_not_held() -> None:
    def size() -> int:
        gc.collect()
        return len(_lowering._known)

    before = size()
    function = made("def f(value): return value + 1")
    lowered(function, 1)
    lowered(function, 2)
    assert size() == before + 2
    del function
    assert size() == before


def bounded() -> None:
    def constant(captured: Any) -> Any:
        return lambda value: captured

    for number in range(50):
        assert value(constant(number), None) == number
    known = _lowering._known[id(constant(0).__code__), 1]
    assert 1 < len(known.variants) <= 8
    functions = [made(f"def f(value): return {number}") for number in range(300)]
    most, _lowering._MOST_KEYS = _lowering._MOST_KEYS, 100
    try:
        for number, function in enumerate(functions):
            assert value(function, None) == number
        assert len(_lowering._known) <= 100
    finally:
        _lowering._MOST_KEYS = most


def several_threads() -> None:
    functions = [made(f"def f(value): return value + {number}") for number in range(100)]
    answers: list[list[Any]] = []

    def work() -> None:
        answers.append([lowered(function, 1) for function in functions])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(answers) == 8
    for found in zip(*answers, strict=True):
        assert all(answer == found[0] for answer in found)


def no_user_code_runs() -> None:
    class Strange:
        def refuse(self, *arguments: Any) -> Any:
            raise AssertionError("the lowering runs code of the program")

        __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __getattr__ = refuse

    strange = Strange()
    for source in (
        "def f(value): return strange(value)",
        "def f(value): return strange.x",
        "def f(value): return value == strange",
        "def f(value): return value in strange",
        "def f(value): return value in [strange]",
        "def f(value): return value in known",
        "def f(value): return 1 if strange else 2",
        "def f(value): return str.split(strange)",
        "def f(value): return pair[1]",
    ):
        function = made(source, strange=strange, known=[strange], pair=(1, strange))
        answer = lowered(function, 1)
        assert answer[0] == "refused", source
        assert lowered(function, 1) is answer
    assert lowered(strange, 1)[0] == "refused"
    assert lowered(operator.itemgetter(strange), 1)[0] == "refused"


def places() -> None:
    function = made("def g(value):\n    return int(value)\n\ndef f(value):\n    return g(value)")
    node = lowered(function, 1)[1]
    assert node[1] == ("<string>", 2, "CALL")
    function = made("def f(value):\n\n    return there(value)")
    assert lowered(function, 1)[1:4] == ("<string>", 3, "LOAD_GLOBAL there")


def shared_parts() -> None:
    function = made("def f(value):\n    parts = value.split()\n    return (parts[0], parts[1])")
    node = lowered(function, 1)[1]
    assert node[0] == "tuple"
    assert node[2][2] is node[3][2]


def unknown_version() -> None:
    known, _lowering.KNOWN = _lowering.KNOWN, False
    try:
        answer = lowered(lambda value: value, 1)
    finally:
        _lowering.KNOWN = known
    version = ".".join(map(str, sys.version_info[:2]))
    reason = f"Python {version}'s bytecode is not known to this version of Swiftwater"
    assert answer == ("refused", "", 0, "", reason)


CHECKS: list[Callable[[], None]] = [
    same_tuple_each_time,
    new_function_of_the_same_code,
    equal_constants_of_other_types,
    rebound_global,
    changed_cell,
    empty_cell,
    changed_set,
    set_that_becomes_unfit,
    equal_members_of_other_types,
    shadowed_builtin,
    changed_builtins_module,
    changed_defaults,
    changed_code,
    changed_function_that_is_called,
    what_called_functions_capture,
    changed_module,
    new_objects_that_mean_the_same,
    changed_partial,
    objects_are_not_held,
    code_is_not_held,
    bounded,
    several_threads,
    no_user_code_runs,
    places,
    shared_parts,
    unknown_version,
]
