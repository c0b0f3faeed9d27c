import socket
import sys
import textwrap
import uuid

import pytest
from jobs import Job, environment, require_host
from worker_jobs import HEAD, HOST, STOCK, WorkerJob, command_of

# What the scripts begin with whose streams are stopped.
STOPPED_HEAD = """
import sys, threading, time
from pyspark import SparkContext
from pyspark.streaming import StreamingContext, StreamingListener

sc = SparkContext("local[2]", "orders")
ssc = StreamingContext(sc, {interval})
"""


@pytest.fixture(params=["host", "module"])
def door(request):
    """The command line of one of the two doors that take ``run``."""
    if request.param == "host":
        return [require_host()]
    return [sys.executable, "-m", "swiftwater"]


@pytest.fixture(params=["host", "module", "stock"])
def runner(request):
    """What a script's path follows: one of the three ways to run it."""
    if request.param == "stock":
        return [sys.executable]
    command = [require_host()] if request.param == "host" else [sys.executable, "-m", "swiftwater"]
    return [*command, "run"]


@pytest.fixture
def script(tmp_path):
    """Write a script; return its path."""

    def write(text, name="job.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    return write


@pytest.fixture
def start(tmp_path):
    """Start a job; whatever still runs at the test's end is ended."""
    jobs = []

    def started(command, **env):
        job = Job([str(word) for word in command], tmp_path, environment(**env))
        jobs.append(job)
        return job

    yield started
    for job in jobs:
        job.close()


@pytest.fixture
def run(start):
    """Run a job to its end and return it; ``status`` is its exit status."""

    def ran(command, **env):
        job = start(command, **env)
        job.status = job.end()
        return job

    return ran


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def begin(tmp_path):
    """Start a job of ``HEAD`` and a text; all its functions run in workers."""
    jobs = []

    def begun(command, text, *arguments, head=HEAD, **env):
        (tmp_path / "job.py").write_text(head + textwrap.dedent(text))
        name = uuid.uuid4().hex
        env = {"SWIFTWATER_WORKERS": "always", "SYSTEM_TEST_JOB": name, **env}
        env = environment(**{name: value for name, value in env.items() if value is not None})
        job = WorkerJob([*command, "job.py", *arguments], tmp_path, name, env)
        jobs.append(job)
        return job

    yield begun
    for job in jobs:
        job.close()


@pytest.fixture(params=[HOST, STOCK])
def way(request):
    """What the script's name follows: one of two ways to run it."""
    return command_of(request.param)


@pytest.fixture
def host():
    return command_of(HOST)


@pytest.fixture
def ends(run, script):
    """Run a script that stops its streams; it must end well. Return the job."""

    def ran(text, interval=0.1, *arguments):
        path = script(STOPPED_HEAD.format(interval=interval) + text)
        job = run([require_host(), "run", path, *arguments])
        assert job.status == 0, job.out + job.err
        assert "Traceback" not in job.err, job.err
        return job

    return ran


@pytest.fixture
def begins(start, script):
    """Start a script that a test stops from outside."""

    def started(text, interval=0.1, *arguments):
        path = script(STOPPED_HEAD.format(interval=interval) + text)
        # What hangs is waited for this long. With the default of two seconds it is the same.
        patience = "swiftwater.stop.timeout=300ms"
        return start([require_host(), "run", "--conf", patience, path, *arguments])

    return started
