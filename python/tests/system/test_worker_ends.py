"""Worker processes end with their job, whatever ends it."""

import signal

import pytest
from worker_jobs import END_SECONDS, HANGS, hanging


@pytest.mark.parametrize("what", HANGS)
def test_workers_end_with_a_driver_that_is_killed(way, begin, what):
    job = begin(way, hanging(what))
    job.until_file("hangs-0", "hangs-1")
    assert len(job.processes()) >= 2
    job.process.kill()
    assert job.end() == -signal.SIGKILL
    job.until_gone()


IDLE = """
{leave}
assert sc.parallelize([0, 1], 2).map(lambda n: (time.sleep(0.1), leave())).count() == 2
mark("idle")
{end}
"""
LEAVE = {
    "nothing": "def leave(): pass",
    "children": "def leave(): subprocess.Popen(['sleep', '1000'], close_fds=False)",
    "forks": "def leave(): os.fork() or time.sleep(1000)",
    "threads": """
import threading
def leave(): threading.Thread(target=time.sleep, args=(1000,)).start()""",
    "exit handlers": """
import atexit
def leave(): atexit.register(time.sleep, 1000)""",
}


@pytest.mark.parametrize("leave", LEAVE)
def test_idle_workers_end_with_a_driver_that_is_killed(way, begin, leave):
    job = begin(way, IDLE.format(leave=LEAVE[leave], end="time.sleep(1000)"))
    job.until_file("idle")
    assert len(job.processes()) >= 1
    job.process.kill()
    job.process.wait()
    job.until_gone()


ENDS = {
    "the last line": ("", 0),
    "stop": ("sc.stop(); mark('stopped')", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "an exception": ("1 / 0", 1),
    "os._exit": ("os._exit(4)", 4),
    "abort": ("os.abort()", -signal.SIGABRT),
    "another program": ("os.execvp('sleep', ['sleep', '0.1'])", 0),
}


@pytest.mark.parametrize("leave", ["nothing", "children", "exit handlers"])
@pytest.mark.parametrize("end", ENDS)
def test_no_worker_is_left_whatever_ends_the_job(way, begin, leave, end):
    text, status = ENDS[end]
    job = begin(way, IDLE.format(leave=LEAVE[leave], end=text))
    job.until_file("idle")
    # A shell's number for what a signal has ended.
    assert job.end() in {status, 128 - status if status < 0 else status}, job.err
    job.until_gone()


def test_no_worker_is_left_after_stop_in_a_job_that_goes_on(way, begin):
    job = begin(way, IDLE.format(leave=LEAVE["children"], end="sc.stop(); time.sleep(1000)"))
    job.until_file("idle")
    job.until_gone(2 * END_SECONDS)
    assert job.process.poll() is None


@pytest.mark.parametrize("leave", ["nothing", "children"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_worker_is_left_after_a_signal(way, begin, number, leave):
    job = begin(way, IDLE.format(leave=LEAVE[leave], end="time.sleep(1000)"))
    job.until_file("idle")
    job.process.send_signal(number)
    assert job.end() in {128 + number, -number}
    job.until_gone()
