"""Standard input is the script's: functions on records, and what they start, meet its end."""

import subprocess

import pytest
from jobs import environment

JOB = """
import io, multiprocessing, os, subprocess, sys
from swiftwater import SparkConf, SparkContext
from swiftwater.streaming import StreamingContext

def read(_): return sys.stdin.read()
def captured(_): return given.readline()
def iterated(_): return list(sys.stdin)
def asked(_):
    try:
        return input()
    except EOFError:
        return "the end"
def program(_): return subprocess.check_output(["cat"]).decode()
def shell(_): return subprocess.run("cat", shell=True, capture_output=True).stdout.decode()
def popen(_): return os.popen("cat").read()
def system(_): return os.system("test -z \\"$(cat)\\"")
def spawned(_):
    child = os.posix_spawnp("sh", ["sh", "-c", "test -z \\"$(cat)\\""], os.environ)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def forked(_):
    child = os.fork()
    if child == 0:
        os._exit(len(os.read(0, 1)) + len(sys.stdin.read()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def piped(_): return subprocess.run(["cat"], input=b"own", capture_output=True).stdout.decode()

uses = [read, captured, iterated, asked, program, shell, popen, system, spawned, forked, piped]
expected = ["", "", [], "the end", "", "", "", 0, 0, 0, "own"]

sc = SparkContext("local[2]", "input")
given = sys.stdin
for use, value in zip(uses, expected):
    result = sc.parallelize([0], 1).map(use).collect()
    assert result == [value], (use, result)
streamed = []
ssc = StreamingContext(sc, 0.1)
ssc.queueStream([[0]]).map(program).foreachRDD(lambda rdd: streamed.extend(rdd.collect()))
ssc.start()
while not streamed:
    ssc.awaitTerminationOrTimeout(0.05)
ssc.stop(stopSparkContext=False)
assert streamed == [""]

assert isinstance(sys.stdin, io.TextIOBase)
assert sys.stdin.fileno() == 0
print(repr(input()), repr(sys.stdin.readline()))
# Text is read ahead: what a program finds comes later.
print("ready", flush=True)
print(subprocess.check_output(["head", "-n", "1"]), flush=True)
os.system("head -n 1")
"""


@pytest.mark.parametrize("workers", ["never", "always"])
def test_the_input_is_the_script_s(runner, script, workers):
    with subprocess.Popen(
        [*runner, script(JOB)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=environment(SWIFTWATER_WORKERS=workers),
    ) as job:
        job.stdin.write("one\ntwo\n")
        lines = [job.stdout.readline() for _ in range(2)]
        assert lines == ["'one' 'two\\n'\n", "ready\n"], job.stderr.read()
        job.stdin.write("three\n")
        assert job.stdout.readline() == "b'three\\n'\n"
        job.stdin.write("four\n")
        assert job.stdout.readline() == "four\n"
        job.stdin.close()
        assert job.wait(20) == 0
