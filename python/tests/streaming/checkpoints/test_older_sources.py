"""A checkpoint of streams with sources of both kinds, which an older version has written.

``older_sources`` holds the job that was run, and what it left when it ended behind batch 11: the
data of its state is that of batch 10, and an output has failed in batch 3.
"""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from swiftwater.streaming._checkpoints import format as files
from swiftwater.testing import StreamingTest

OLDER = Path(__file__).parent / "older_sources"

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="its functions are in the code of Python 3.11"
)


@pytest.fixture
def job():
    """The job as a module."""
    spec = importlib.util.spec_from_file_location("older_sources_job", OLDER / "job.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch, job):
    """A copy of the checkpoint with the files of all batches, as if it had been written here."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoint"
    folder.mkdir(mode=0o700)
    for file in OLDER.glob("data-*"):
        shutil.copyfile(file, folder / file.name)
        (folder / file.name).chmod(0o600)
    [time_ms] = files.checkpoint_times(str(OLDER))
    written, functions = files.read_checkpoint(str(OLDER), time_ms)
    del written["name"]
    facts = json.loads(json.dumps(written).replace("/older/", f"{tmp_path}/"))
    files.write_checkpoint(str(folder), time_ms, facts, functions)
    job.fill()
    (tmp_path / "is_up").touch()
    return str(folder)


def chosen(folder):
    """What the newest checkpoint says of files, by the number of the batch."""
    facts, _ = files.read_checkpoint(folder, max(files.checkpoint_times(folder)))
    zero = facts["zero_ms"]
    return [
        (
            each["constructed_ms"] - zero,
            [((at - zero) // 1000, [Path(path).name for path in paths]) for at, paths in batches],
        )
        for each in facts["files"]
        for batches in [each["batches"]]
    ]


def test_a_job_goes_on_from_it(folder, job, tmp_path):
    with StreamingTest.recovered(folder) as test:
        job.feed(test, range(12, 15))
        texts, first, records, second, counts = test.outputs
        # Batch 11 runs again, with its file and without what receivers had taken in.
        assert texts.times == [11, 12, 13, 14]
        assert texts.batches == [[], [], ["later"], []]
        assert first.batches == [[], ["first 12"], ["first 13"], ["first 14"]]
        assert records.batches == [["zz"], [], [], ["!!"]]
        assert second.batches == [[], ["second 12"], ["second 13"], ["second 14"]]
        assert dict(counts.batches[-1]) == {
            "f": 13, "s": 12, "r": 1, "o": 2, "\xe9": 1, "x": 1, "y": 1, "z": 1, "l": 1, "!": 1,
        }  # fmt: skip
    # The output that had failed has what it had then: from its own receiver, and from its own file.
    assert (tmp_path / "delivered").read_text().splitlines()[:2] == ["['refused', 'odd']", "[]"]
    odd = "caf\udce9"
    assert chosen(folder) == [
        (0, [(1, ["a"]), (3, [odd]), (13, ["later"])]),
        (0, [(2, ["b"]), (11, ["again"]), (14, ["later"])]),
    ]


def test_what_it_has_is_what_is_written_again(folder):
    with StreamingTest.recovered(folder) as test:
        test.ssc.checkpoint(folder)
        test.start()
        [before, after] = [
            files.read_checkpoint(at, max(files.checkpoint_times(at)))[0]["files"]
            for at in (str(OLDER), folder)
        ]
    assert json.dumps(after).replace(str(Path(folder).parent), "/older") == json.dumps(before)
