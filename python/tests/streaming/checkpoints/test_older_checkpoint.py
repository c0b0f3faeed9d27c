"""A checkpoint that an older version has written, whose modules had other names.

``older_checkpoint`` holds the job that was run, three batches of it, and what it has left.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from swiftwater.testing import StreamingTest

OLDER = Path(__file__).parent / "older_checkpoint"

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="its functions are in the code of Python 3.11"
)


@pytest.fixture
def job(monkeypatch):
    """The job as a module, whose classes can be pickled by name."""
    spec = importlib.util.spec_from_file_location("older_job", OLDER / "job.py")
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "older_job", made)
    spec.loader.exec_module(made)
    return made


def feed(test, batches):
    for batch in batches:
        test.sources[0].send(f"a {batch}", "b 1")
        test.advance()


@pytest.fixture
def folder(tmp_path):
    """A copy of the checkpoint that nobody else can write to, as one must be."""
    copy = tmp_path / "checkpoint"
    copy.mkdir(mode=0o700)
    for file in OLDER.glob("*-*"):
        shutil.copyfile(file, copy / file.name)
        (copy / file.name).chmod(0o600)
    return str(copy)


@pytest.mark.parametrize("script_has_classes", [True, False])
def test_a_job_goes_on_from_it(folder, job, monkeypatch, script_has_classes):
    with StreamingTest() as test:
        job.define(test)
        feed(test, range(6))
        expected = [out.batches[3:] for out in test.outputs]
    script = sys.modules["__main__"]
    for kind in (job.Box, job.Held):
        # Without its class the script gets the one in the checkpoint, for as long as this runs.
        given = kind if script_has_classes else None
        monkeypatch.setattr(script, kind.__name__, given, raising=False)
    found = [[] for _ in expected]
    # The second time all is read from what this version has written.
    for batches in (range(3, 5), range(5, 6)):
        with StreamingTest.recovered(folder) as test:
            feed(test, batches)
            for known, out in zip(found, test.outputs, strict=True):
                known.extend(out.batches)
    assert found == expected
    assert (script.Box is job.Box) is script_has_classes
