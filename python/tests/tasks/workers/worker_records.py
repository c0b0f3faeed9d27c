"""Records of all types for the tests beside this file, and texts that tell them apart."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import math
import pathlib
import re
import signal
import types
import uuid

from swiftwater import AccumulatorParam
from swiftwater.resultiterable import ResultIterable


@dataclasses.dataclass
class Box:
    items: list


@dataclasses.dataclass(frozen=True, order=True)
class Key:
    name: str
    number: int = 0


Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"


class Name(str):
    __slots__ = ()


class Count(int):
    pass


class Slots:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Odd:
    """Pickled by its own rules."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return Odd, (self.value,)


class TwoArguments(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


class Appended(AccumulatorParam):
    def zero(self, value):
        return []

    def addInPlace(self, value1, value2):  # noqa: N802 - PySpark's name
        value1 += value2
        return value1


def local_types():
    @dataclasses.dataclass
    class Local:
        value: object

        def doubled(self):
            return self.value * 2

    class LocalInt(int):
        def __repr__(self):
            return f"LocalInt({int(self)})"

    return Local, collections.namedtuple("LocalPoint", "x y"), LocalInt


Local, LocalPoint, LocalInt = local_types()
RECORD_TYPES = {
    kind.__name__: kind
    for kind in (Box, Key, Point, Colour, Name, Count, Slots, Odd, Local, LocalPoint, LocalInt)
}
NAN = float("nan")
TEXTS = [
    "", "a", "abc", "\0", "a\0b\0", "é", "ß", "日本語", "😀", "e\u0301", "\ufeff", "\uffff",
    "\u2028", "\r\n", "\ud800", "x\udcff", "x" * 15, "x" * 16, "x" * 17, "日" * 22,
    "long " * 40_000,
]  # fmt: skip
INTS = [
    0, -1, 1, 255, 256, 2**31 - 1, -(2**31), 2**53 + 1, 2**61 - 1, 2**63 - 1, -(2**63), 2**63,
    -(2**63) - 1, 2**64, -(10**40), 3**1000,
]  # fmt: skip
FLOATS = [
    0.0, -0.0, 1.0, -2.5, 0.1, math.inf, -math.inf, NAN, 5e-324, 1.7976931348623157e308, 1e22,
]  # fmt: skip
TIME = dt.datetime(2030, 1, 2, 3, 4, 5, 6)

RECORDS = {
    "texts": TEXTS,
    "ASCII": ["be", "to", "be", "or", ""],
    "one text": ["a"],
    "ints": INTS,
    "small ints": [3, 1, 2, 1],
    "floats": FLOATS,
    "plain floats": [0.5, -1.5, 2.0],
    "bools": [True, False, True],
    "None": [None, None],
    "numbers of all types": [True, 1, 1.0, 0, False, -0.0, 1 + 0j, None, 2**70],
    "texts and others": ["a", None, 1, "b", b"a", 1.5],
    "None and ints": [1, None, 3],
    "None and floats": [1.5, None, NAN],
    "ints and floats": [1, 1.0, 2],
    "bytes": [b"", b"\0", b"\xff" * 300, bytearray(b"ab")],
    "complex": [1j, complex(-0.0, NAN)],
    "tuples": [(), (1,), (1, "a"), ((1, (2,)), None), (1, 2, 3)],
    "pairs": [("a", 1), ("b", 2), ("a", 3)],
    "pairs of ints": [(1, 2), (3, 4), (1, 6)],
    "pairs with odd ones": [("a", 1), ("b", 2.0), ("a", None), (None, 2**70), ("é", True)],
    "pairs of huge and small": [("a", 2**63 - 1), ("a", 1)],
    "triples": [("a", 1, 2.5), ("b", 2, -0.0)],
    "tuples of texts": [("a", "b"), ("", "\0")],
    "lists": [[], [1, [2, [3]]], ["a", None], [[]]],
    "lists of texts": [["a", "b"], [], ["c"]],
    "dicts": [{}, {"b": 1, "a": [2]}, {1: {2: {3}}}, {(1, 2): None}],
    "sets": [set(), {1, 2}, frozenset([(1,)])],
    "types of collections": [
        collections.OrderedDict(b=1, a=2), collections.Counter("abca"), collections.deque([1], 2),
        collections.defaultdict(list, a=[1]),
    ],
    "dataclasses": [Box([1]), Key("a"), Key("b", 2)],
    "local dataclasses": [Local(1), Local([2]), Local(Local("a"))],
    "named tuples": [Point(1, "a"), Point(Point(1, 2), [])],
    "local named tuples": [LocalPoint(1, 2), LocalPoint(3, 4)],
    "made of text and int": [Name("a"), Count(3), LocalInt(4), "a", 3],
    "only made of text": [Name("a"), Name("b")],
    "only made of int": [Count(1), LocalInt(2)],
    "enums": [Colour.RED, Colour.BLUE, signal.SIGINT, re.IGNORECASE],
    "objects": [Slots(1), Odd([1]), types.SimpleNamespace(a=1)],
    "Decimal": [decimal.Decimal("1.50"), decimal.Decimal("Infinity"), decimal.Decimal("-0")],
    "Fraction": [fractions.Fraction(1, 3), fractions.Fraction(2)],
    "datetime": [
        TIME, TIME.replace(tzinfo=dt.timezone(dt.timedelta(hours=5), "x")), TIME.replace(fold=1),
        TIME.date(), TIME.time(), dt.timedelta(1, 2, 3), dt.UTC,
    ],
    "others": [uuid.UUID(int=7), pathlib.PurePosixPath("a/b"), range(1, 9, 2), ..., slice(1, 2)],
    "functions": [lambda: 7, functools.partial(max, 3, 5), len, Box([1]).items.copy],
    "types": [int, Box, Local, type(None)],
    "exceptions": [ValueError("a", 1), KeyError("k"), OSError(2, "no", "file")],
    "nothing": [],
}  # fmt: skip


def shown(value):
    """A value as a text that tells it from everything else."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__name__}"
    if kind.__name__ in RECORD_TYPES:
        name += " itself" if kind is RECORD_TYPES[kind.__name__] else " of a worker"
    if isinstance(value, (types.FunctionType, functools.partial, types.BuiltinMethodType)):
        inside = ["len" if value is len else shown(value())]
    elif isinstance(value, BaseException):
        inside = [shown(value.args), str(value)]
    elif isinstance(value, dict):
        inside = [f"{shown(key)}: {shown(item)}" for key, item in value.items()]
    elif isinstance(value, (set, frozenset)):
        inside = sorted(map(shown, value))
    elif isinstance(value, (tuple, list, collections.deque, ResultIterable)):
        inside = map(shown, value)
    elif isinstance(value, Slots):
        inside = [shown(value.value)]
    elif isinstance(value, enum.Enum):
        inside = [repr(value), str(value is kind(value.value))]
    elif isinstance(value, type):
        inside = [value.__name__]
    elif hasattr(value, "__dict__"):
        inside = [shown(vars(value)), str(int(value)) if isinstance(value, int) else ""]
    else:
        inside = [repr(value)]
    return f"{name}({', '.join(inside)})"


def text_of(value):
    """The same in all processes, where ``local_types`` makes other types in each."""
    return re.sub(" itself| of a worker", "", shown(value))


def outcome(action):
    """What an action gives, or raises."""
    try:
        return shown(action()).replace("local_types.<locals>.", "")
    except Exception as error:  # noqa: BLE001 - compared
        notes = [re.sub(r"0x\w+", "0x", note) for note in getattr(error, "__notes__", ())]
        text = re.sub(r"0x\w+", "0x", str(error))
        return f"raised {type(error).__name__}: {text} {notes}".replace("local_types.<locals>.", "")


def merged(a, b):
    return f"<{a}|{b}>"
