"""Recovery in a process of its own: nothing of the first one is left but its folder."""

import json
import os
import subprocess
import sys

import pytest

VIRTUAL = '''
import json
import sys

from swiftwater.testing import StreamingTest

folder, begin, end, recover, FACTOR = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), \
    sys.argv[4] == "yes", int(sys.argv[5])


class Box:
    """A value of a class of the script itself."""

    def __init__(self, value):
        self.value = value


def total(new, old):
    return sum(new) * FACTOR + (old or 0)


def boxed(new, old):
    return Box(sum(new) + (old.value if old else 0))


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def define(test):
    test.ssc.checkpoint(folder)
    pairs = test.text_source().stream.map(str.split).map(lambda two: (two[0], int(two[1])))
    for stream in (
        pairs.updateStateByKey(total, initialRDD=[("z", 1)]),
        pairs.updateStateByKey(boxed).mapValues(lambda box: box.value),
        pairs.window(3, 2),
        pairs.reduceByKeyAndWindow(add, subtract, 6, 1),
        pairs.countByWindow(5, 1),
        pairs.groupByKeyAndWindow(5, 1).mapValues(list),
        pairs.countByValueAndWindow(3, 1),
    ):
        test.collect(stream)


if recover:
    test = StreamingTest.recovered(folder)
else:
    test = StreamingTest()
    define(test)
with test:
    for batch in range(begin, end):
        test.sources[0].send(f"a {batch}", f"{'abc'[batch % 3]} 1")
        test.advance()
    print(json.dumps([[out.times, out.batches] for out in test.outputs]))
'''

REAL = """
import sys
import time

from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

folder, inbox, words, line = sys.argv[1:]


def total(new, old):
    return sum(new) + (old or 0)


def setup():
    print("setup")
    ssc = StreamingContext(SparkContext("local[2]", "recovered"), 0.05)
    lines = ssc.textFileStream(inbox)
    counts = lines.map(lambda word: (word, 1)).updateStateByKey(total)
    counts.foreachRDD(lambda when, rdd: state.update(rdd.collect()))
    return ssc


# The functions in the checkpoint have a dictionary of their own: they find this one by name.
import builtins

state = builtins.state = {}
ssc = StreamingContext.getOrCreate(folder, setup)
ssc.foreign = None
ssc.start()
with open(f"{inbox}/.{line}", "w") as file:
    file.write(line + "\\n")
import os

os.rename(f"{inbox}/.{line}", f"{inbox}/{line}.txt")
end = time.monotonic() + 20
wanted = sorted(words.split(","))
while time.monotonic() < end:
    ssc.awaitTerminationOrTimeout(0.02)
    if sorted(builtins.state) == wanted:
        break
print(sorted(builtins.state.items()))
ssc.stop(stopSparkContext=True, stopGraceFully=False)
"""


def run(script, *arguments):
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
        cwd=os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..")),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def script(tmp_path, monkeypatch):
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    monkeypatch.setenv("PYTHONPATH", root)

    def write(text):
        path = tmp_path / "job.py"
        path.write_text(text)
        return path

    return write


def test_a_fresh_process_goes_on_as_if_the_first_had_never_stopped(script, tmp_path):
    job = script(VIRTUAL)
    (whole,) = [json.loads(run(job, tmp_path / "whole", 0, 13, "no", 1))]
    folder = tmp_path / "parts"
    parts = [
        json.loads(run(job, folder, 0, 4, "no", 1)),
        json.loads(run(job, folder, 4, 9, "yes", 1)),
        json.loads(run(job, folder, 9, 13, "yes", 1)),
    ]
    for number, (times, batches) in enumerate(whole):
        assert [time for part in parts for time in part[number][0]] == times
        assert [batch for part in parts for batch in part[number][1]] == batches


def test_edited_code_is_not_picked_up(script, tmp_path):
    # Spark: the functions are those of the checkpoint.
    job = script(VIRTUAL)
    folder = tmp_path / "checkpoints"
    run(job, folder, 0, 2, "no", 2)
    script(VIRTUAL.replace("sum(new) * FACTOR", "-1"))
    found = json.loads(run(job, folder, 2, 3, "yes", 3))
    # 2 * (0 + 1 + 2) for the numbers and 2 for the one that the first batch adds.
    assert dict(found[0][1][0])["a"] == 2 * (0 + 1 + 2) + 2


def test_a_program_with_get_or_create(script, tmp_path):
    job = script(REAL.replace("state.update", "__import__('builtins').state.update"))
    folder, inbox = tmp_path / "checkpoints", tmp_path / "inbox"
    inbox.mkdir()
    assert run(job, folder, inbox, "one", "one") == "setup\n[('one', 1)]\n"
    assert run(job, folder, inbox, "one,two", "two") == "[('one', 1), ('two', 1)]\n"
    assert run(job, folder, inbox, "one,two,three", "three") == (
        "[('one', 1), ('three', 1), ('two', 1)]\n"
    )
