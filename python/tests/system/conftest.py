import socket
import sys
import textwrap

import pytest
from jobs import Job, environment, require_host


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
