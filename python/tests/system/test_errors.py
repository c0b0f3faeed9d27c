"""An error in a user's function: what is shown, and the exit status."""

import sys

import pytest

BROKEN = """
import sys
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

def parse(line):
    return int(line)

def pairs(line):
    return (line, parse(line))

sc = SparkContext("local[2]", "broken")
ssc = StreamingContext(sc, 0.1)
ssc.queueStream([["12", "pear"]]).map(pairs).reduceByKey(lambda a, b: a + b).pprint()
ssc.start()
ssc.awaitTermination()
"""


def report(job):
    """The lines from the traceback on; the log before it is of no interest here."""
    lines = job.err.splitlines()
    return lines[lines.index("Traceback (most recent call last):") :]


def test_an_uncaught_error(runner, run, script):
    job = run([*runner, script(BROKEN)])
    assert job.status == 1
    lines = report(job)
    text = "\n".join(lines)
    assert len(lines) <= 15
    assert "    return int(line)" in text
    assert "ValueError: invalid literal for int() with base 10: 'pear'" in text
    assert "map at job.py:14" in text
    assert "'pear'" in text.split("ValueError")[1].split("\n", 1)[1]
    assert "batch" in text
    assert "swiftwater/" not in text


def test_all_of_it_on_request(runner, run, script):
    job = run([*runner, script(BROKEN)], SWIFTWATER_ERRORS_FULL="true")
    assert job.status == 1
    assert "swiftwater/streaming/_ssc/running.py" in "\n".join(report(job))


def test_a_caught_error_lets_the_job_go_on(runner, run, script):
    text = BROKEN.replace(
        "ssc.awaitTermination()\n",
        """
try:
    ssc.awaitTermination()
except ValueError as error:
    print("caught", type(error).__name__, ssc.getActive() is ssc)
ssc.stop()
""",
    )
    job = run([*runner, script(text)])
    assert job.status == 0, job.err
    assert "caught ValueError True" in job.out


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("ssc.start()", "No output operations registered"),
        ("s.pprint()\nssc.start()\ns.map(str)", "after starting a context is not supported"),
        ("StreamingContext(sc, 0)", "the batch interval must be longer than 0 seconds, not 0"),
        ("s.map(3)", "map needs a function, not int: 3"),
        ("ssc.stop(False)\nssc.start()", "StreamingContext has already been stopped"),
        ("SparkContext()", "Cannot run multiple SparkContexts at once"),
    ],
)
def test_mistakes_end_with_a_status(runner, run, script, rest, said):
    head = BROKEN.split("ssc.queueStream", maxsplit=1)[0]
    job = run([*runner, script(f"{head}s = ssc.queueStream([[1]])\n{rest}\n")])
    assert job.status == 1
    assert said in job.err
    if "run" in runner:
        # A stock interpreter has the short form only once a stream has started.
        assert "swiftwater/" not in job.err


def test_output_before_the_error_is_complete(runner, run, script):
    text = BROKEN.replace('[["12", "pear"]]', '[["1"], ["2"], ["pear"]]')
    job = run([*runner, script(text)])
    assert job.status == 1
    assert "('1', 1)" in job.out
    assert "('2', 2)" in job.out


def test_a_hook_of_the_scripts_own_is_asked(run, script):
    hook = "sys.excepthook = lambda *error: print('own', error[0].__name__)\n"
    job = run([sys.executable, script(BROKEN.replace("sc =", f"{hook}sc =", 1))])
    assert (job.status, job.out) == (1, "own ValueError\n")
    assert "Traceback" not in job.err
