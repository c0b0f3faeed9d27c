"""A job that is killed between the writing of a batch and its commit."""

import os
import signal

import pytest
from jobs import require_host

JOB = """
import os
import signal
import sys
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

folder, where = sys.argv[1], sys.argv[2]


def kill_before(commit):
    def killed(*given, **named):
        if where == "before" and not os.path.exists(folder + "/killed"):
            open(folder + "/killed", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        commit(*given, **named)
        if where == "after" and not os.path.exists(folder + "/killed"):
            open(folder + "/killed", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    return killed


def made():
    sc = SparkContext("local[2]", "killed")
    ssc = StreamingContext(sc, 0.1)
    ssc.checkpoint(folder + "/checkpoint")
    lines = ssc.textFileStream(folder + "/in")
    lines.saveAsTextFiles(folder + "/out")
    return ssc


from swiftwater._rdd.part_files import PreparedFolder

publish = PreparedFolder.publish


def publish_what_is_full(self):
    parts = [name for name in os.listdir(self._work) if name.startswith("part-")]
    full = any(os.path.getsize(os.path.join(self._work, name)) for name in parts)
    (kill_before(publish) if full else publish)(self)
    if full:
        print("published", flush=True)


PreparedFolder.publish = publish_what_is_full
ssc = StreamingContext.getOrCreate(folder + "/checkpoint", made)
ssc.start()
print("started", flush=True)
ssc.awaitTerminationOrTimeout(60)
"""


def texts(folder):
    """What each folder that is there holds, by name; nothing for those that are empty."""
    found = {}
    for path in sorted(folder.glob("out-*")):
        assert (path / "_SUCCESS").exists()
        text = "".join(part.read_text() for part in sorted(path.glob("part-*")))
        if text:
            found[path.name] = text
    return found


@pytest.mark.parametrize("where", ["before", "after"])
def test_its_batch_has_its_folder_once(runner, start, script, tmp_path, where):
    (tmp_path / "in").mkdir()
    path = script(JOB)
    job = start([*runner, path, str(tmp_path), where])
    job.until_out("started")
    (tmp_path / "in" / ".new").write_text("a line\n")
    os.rename(tmp_path / "in" / ".new", tmp_path / "in" / "new")
    assert job.process.wait(60) in (-signal.SIGKILL, 128 + signal.SIGKILL)
    before = texts(tmp_path)
    assert list(before.values()) == ([] if where == "before" else ["a line\n"])
    again = start([*runner, path, str(tmp_path), where])
    again.until_out("started" if where == "after" else "published")
    # Another file shows that the batches since then have run.
    (tmp_path / "in" / ".next").write_text("another\n")
    os.rename(tmp_path / "in" / ".next", tmp_path / "in" / "next")
    again.until(lambda: "another\n" in texts(tmp_path).values(), "folder of the other file")
    again.process.send_signal(signal.SIGTERM)
    again.process.wait(60)
    after = texts(tmp_path)
    assert list(after.values()) == ["a line\n", "another\n"]
    assert before.items() <= after.items()


HANGS = """
import os
import sys
import threading
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

folder = sys.argv[1]


class Hangs:
    \"\"\"Standard output that takes nothing at first.\"\"\"

    def __init__(self):
        self.begun = threading.Event()

    def write(self, text):
        if "a line" not in text:
            return
        self.begun.set()
        threading.Event().wait(60)

    def flush(self):
        pass


def made():
    ssc = StreamingContext(SparkContext("local[2]", "hangs"), 0.1)
    ssc.checkpoint(folder + "/checkpoint")
    ssc.textFileStream(folder + "/in").pprint()
    return ssc


real, hangs = sys.stdout, Hangs()
if not os.path.exists(folder + "/checkpoint"):
    sys.stdout = hangs
ssc = StreamingContext.getOrCreate(folder + "/checkpoint", made)
ssc.start()
print("started", file=real, flush=True)
if sys.stdout is hangs:
    hangs.begun.wait()
    ssc.stop()
    print("stopped", file=real, flush=True)
else:
    ssc.awaitTerminationOrTimeout(60)
"""


def test_a_commit_that_a_stop_has_interrupted_is_made_at_the_recovery(start, script, tmp_path):
    (tmp_path / "in").mkdir()
    command = [require_host(), "run", script(HANGS), str(tmp_path)]
    job = start(command, SWIFTWATER_STOP_TIMEOUT="200ms")
    job.until_out("started")
    (tmp_path / "in" / ".new").write_text("a line\n")
    os.rename(tmp_path / "in" / ".new", tmp_path / "in" / "new")
    job.until_out("stopped")
    job.process.wait(60)
    again = start(command)
    again.until_out("a line\n")
