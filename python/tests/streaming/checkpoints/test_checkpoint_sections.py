"""The sections of files in a checkpoint folder: each in its place, and those of older versions."""

import os
import struct
import zlib

import pytest

from swiftwater.errors import SparkException
from swiftwater.streaming import StreamingContext
from swiftwater.streaming._checkpoints import format as checkpoint_format
from swiftwater.testing import StreamingTest
from tests.streaming.checkpoints.checkpointed_jobs import feed, pairs, total


@pytest.fixture
def folder(tmp_path):
    """A folder with the state after each of three batches."""
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        counts = pairs(test.text_source().stream).updateStateByKey(total)
        counts.checkpoint(1)
        test.collect(counts)
        feed(test, [["a 1", "b 1", "c 1", "d 1"]] * 3)
    return tmp_path


def names(folder, prefix):
    return sorted(name for name in os.listdir(folder) if name.startswith(prefix))


def sections_of(content):
    """Return the head of a file, and its sections with theirs."""
    pieces, place = [content[:16]], 16
    while place < len(content):
        end = place + 16 + struct.unpack_from("<4sQI", content, place)[1]
        pieces.append(content[place:end])
        place = end
    return pieces


def exchanged(old, older):
    return [old[0], old[1], old[3], old[2], *old[4:]]


def from_another(old, older):
    return [*old[:2], older[2], *old[3:]]


def doubled(old, older):
    return [*old[:3], old[2], *old[4:]]


def renamed(old, older):
    return [*old[:2], b"PARS" + old[2][4:], *old[3:]]


@pytest.mark.parametrize("change", [exchanged, from_another, doubled, renamed])
def test_a_section_in_the_place_of_another_is_noticed(folder, change):
    # Each of them is whole, and would be the records of other keys.
    older, old = names(folder, "data-")[-2:]
    pieces = sections_of((folder / old).read_bytes())
    others = sections_of((folder / older).read_bytes())
    (folder / old).write_bytes(b"".join(change(pieces, others)))
    with pytest.raises(checkpoint_format.CheckpointError, match="a checksum does not match"):
        checkpoint_format.read_data(str(folder), old)


def as_version(path, version, has_name):
    """Rewrite a file as it was when each section had a checksum of its own, or no name either."""
    content = path.read_bytes()
    magic, _, count = struct.unpack_from("<8sII", content)
    place, sections = 16, []
    for _ in range(count):
        kind, length, _ = struct.unpack_from("<4sQI", content, place)
        section = content[place + 16 : place + 16 + length]
        place += 16 + length
        if kind != b"NAME" or has_name:
            checksum = zlib.crc32(section)
            sections.append(struct.pack("<4sQI", kind, length, checksum) + section)
    path.write_bytes(struct.pack("<8sII", magic, version, len(sections)) + b"".join(sections))


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_older_versions_are_read(folder, version):
    for name in names(folder, "data-"):
        as_version(folder / name, version, has_name=version > 1)
    for name in names(folder, "checkpoint-"):
        as_version(folder / name, 1, has_name=False)
    with StreamingTest.recovered(str(folder)) as test:
        feed(test, [["a 1"]])
        assert sorted(test.outputs[0].last) == [("a", 4), ("b", 3), ("c", 3), ("d", 3)]


def test_a_file_without_a_name_is_refused(folder):
    for name in names(folder, "data-"):
        as_version(folder / name, 2, has_name=False)
    with pytest.raises(SparkException, match="does not say what it is called"):
        StreamingContext.getOrCreate(str(folder), lambda: None)
