"""Storage levels: words and equality as in PySpark."""

import pytest

from swiftwater.storagelevel import StorageLevel


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("NONE", "Serialized 1x Replicated"),
        ("DISK_ONLY", "Disk Serialized 1x Replicated"),
        ("DISK_ONLY_3", "Disk Serialized 3x Replicated"),
        ("MEMORY_ONLY", "Memory Serialized 1x Replicated"),
        ("MEMORY_ONLY_2", "Memory Serialized 2x Replicated"),
        ("MEMORY_AND_DISK", "Disk Memory Serialized 1x Replicated"),
        ("MEMORY_AND_DISK_2", "Disk Memory Serialized 2x Replicated"),
        ("MEMORY_AND_DISK_DESER", "Disk Memory Deserialized 1x Replicated"),
        ("OFF_HEAP", "Disk Memory OffHeap Serialized 1x Replicated"),
        ("MEMORY_AND_DISK_SER_2", "Disk Memory Serialized 2x Replicated"),
    ],
)
def test_words(level, text):
    assert str(getattr(StorageLevel, level)) == text


def test_equality():
    level = StorageLevel(True, True, False, False, 2)
    assert level == StorageLevel.MEMORY_AND_DISK_2
    assert hash(level) == hash(StorageLevel.MEMORY_AND_DISK_2)
    assert level not in (StorageLevel.MEMORY_AND_DISK, "MEMORY_AND_DISK_2")
    assert StorageLevel.MEMORY_ONLY_SER == StorageLevel.MEMORY_ONLY


def test_the_call_that_makes_it():
    assert repr(StorageLevel.DISK_ONLY_2) == "StorageLevel(True, False, False, False, 2)"
    assert eval(repr(StorageLevel.OFF_HEAP)) == StorageLevel.OFF_HEAP
