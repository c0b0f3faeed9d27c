"""After ``os.fork`` the engine is not there, and says so."""

import pytest

FORK = """
import os, sys
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "fork")
ssc = StreamingContext(sc, 0.1)
stream = ssc.queueStream([[1]])
stream.pprint()
rdd = sc.parallelize([1, 2])
uses = {
    "collect": rdd.collect,
    "map": lambda: rdd.map(str),
    "parallelize": lambda: sc.parallelize([1]),
    "count": stream.count,
    "start": ssc.start,
    "await": lambda: ssc.awaitTerminationOrTimeout(1),
    "stop": ssc.stop,
    "context": lambda: SparkContext("local", "second"),
}
child = os.fork()
if child == 0:
    try:
        uses[sys.argv[1]]()
        print("nothing raised")
    except RuntimeError as error:
        print(error)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print("child", os.waitstatus_to_exitcode(status))
print("parent", rdd.collect())
sc.stop()
"""


@pytest.mark.parametrize("use", "collect map parallelize count start await stop context".split())
def test_a_child_is_told(runner, run, script, use):
    job = run([*runner, script(FORK), use])
    lines = job.out.splitlines()
    assert "os.fork" in lines[0]
    assert lines[1:] == ["child 0", "parent [1, 2]"]
    assert job.status == 0


def test_a_fork_before_the_first_context_is_fine(runner, run, script):
    path = script(
        """
        import os, sys
        from swiftwater import SparkContext

        child = os.fork()
        with SparkContext("local[2]", "fork") as sc:
            total = sc.parallelize([1, 2]).sum()
        if child == 0:
            sys.exit(total)
        _, status = os.waitpid(child, 0)
        print(total, os.waitstatus_to_exitcode(status))
        """
    )
    job = run([*runner, path])
    assert (job.out, job.status) == ("3 3\n", 0), job.err
