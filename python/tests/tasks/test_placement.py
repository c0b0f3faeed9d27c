"""The partition of a key is the same at both doors, whatever the hash seed, and PySpark's."""

import decimal
import fractions

import pytest

from swiftwater._native import engine


class Text(str):
    __slots__ = ()


# What pyspark.rdd.portable_hash gives under PYTHONHASHSEED=0.
HASHES = [
    (None, 0),
    (True, 1),
    (-1, -2),
    (2**61 - 1, 0),
    (2**70, 512),
    (1.5, 1152921504606846977),
    ("", 0),
    ("a", 4644417185603328019),
    (Text("a"), 4644417185603328019),
    ("\u20acuro", 7542247858446192590),
    (b"a", 4644417185603328019),
    ((), 3430008),
    (("a", 1), 102774922574124034),
    ((None, 2.5), 6888793093901411004),
    ((("x",), -1), 6220381753975832592),
    (decimal.Decimal("1.5"), 1152921504606846977),
    (fractions.Fraction(3, 2), 1152921504606846977),
    (complex(2, 0), 2),
]


@pytest.mark.parametrize(("key", "value"), HASHES, ids=[repr(key) for key, _ in HASHES])
def test_portable_hash(key, value):
    assert engine.portable_hash(key) == value


def test_lone_surrogates_have_a_place():
    # PYTHONHASHSEED=0 python3 -c 'print(hash("\ud800"))'
    assert engine.portable_hash("\ud800") == SURROGATE_HASH


SURROGATE_HASH = 5926611903945376553


def test_a_number_beyond_every_type_is_equal_to_its_equals(sc):
    pairs = [(1, "int"), (True, "bool"), (1.0, "float"), (decimal.Decimal(1), "decimal")]
    reduced = sc.parallelize(pairs, 2).reduceByKey(lambda a, b: f"{a} {b}", 3).collect()
    assert reduced == [(1, "int bool float decimal")]
