"""Workers that cannot be started, and what must not grow with them."""

import sys

import pytest

# So many records that workers are wanted from the beginning.
TRY = """
for _ in range(5):
    rdd = sc.parallelize(range(60_000), 2)
    assert rdd.map(lambda n: [n]).collect() == [[n] for n in range(60_000)]
    assert set(rdd.map(lambda n: os.getpid()).collect()) == {os.getpid()}
print("passed")
"""
BROKEN = {
    "no such program": (
        """
sys.executable = "/nowhere/python"
if hasattr(sys, "_swiftwater_host"):
    sys._swiftwater_host = "/nowhere/swiftwater"
""",
        "cannot be started (/nowhere/",
    ),
    "an interpreter without a library": (
        "os.environ['PYTHONHOME'] = '/nowhere'",
        "exited with status 1 when it began",
    ),
    "a start that ends the process": (
        """
with open("sitecustomize.py", "w") as file:
    file.write("import os; os.write(2, b'no entry\\\\n'); os._exit(7)")
os.environ["PYTHONPATH"] = os.getcwd() + os.pathsep + os.environ["PYTHONPATH"]
""",
        "exited with status 7 when it began",
    ),
    "no files": (
        """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), 4096))
""",
        "Too many open files",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_without_workers_the_job_goes_on_which_is_said_once(way, begin, how):
    if how == "an interpreter without a library" and way[0] != sys.executable:
        pytest.skip("the host knows its own library")
    text, reason = BROKEN[how]
    job = begin(way, text + TRY, SWIFTWATER_WORKERS="auto")
    assert job.ends() == "passed\n"
    assert job.err.count("functions run in the driver, on one core: ") == 1
    assert reason in job.err
    if how == "a start that ends the process":
        assert "no entry\n" in job.err


def test_too_little_memory_for_a_worker(way, begin):
    job = begin(way, TRY, SWIFTWATER_WORKERS="auto", SWIFTWATER_WORKER_MEMORY="1m")
    assert job.ends() == "passed\n"
    assert job.err.count("functions run in the driver, on one core: ") == 1
    assert job.err.endswith("swiftwater.worker.memory is 1m: too little?\n")


# From too few files for anything to enough.
FEW_FILES = """
import resource
from swiftwater.errors import SparkException
sc.stop()

def descriptors():
    return len(os.listdir("/proc/self/fd"))

usual = resource.getrlimit(resource.RLIMIT_NOFILE)
before, alone = descriptors(), 0
for more in range(40):
    with SparkContext("local[2]", "few") as sc:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + more, usual[1]))
        rdd = sc.parallelize(range(8), 2)
        try:
            assert rdd.map(lambda n: [n]).collect() == [[n] for n in range(8)]
            assert os.getpid() not in rdd.map(lambda n: os.getpid()).collect()
        except SparkException as error:
            # All has to run in workers: none of it runs in the driver instead.
            assert "no worker process can be started" in str(error)
            alone += 1
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)
print(alone, descriptors() - before)
"""


def test_few_files(way, begin):
    alone, more = begin(way, FEW_FILES).ends().split()
    # Not in all cases, and not in none.
    assert 0 < int(alone) < 40
    assert more == "0"


GROWTH = """
def used():
    with open("/proc/self/statm") as file:
        memory = int(file.read().split()[1]) * 4096
    children = 0
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                children += len(file.read().split())
        except OSError:
            pass
    return len(os.listdir("/proc/self/fd")), children, memory

def work(line):
    total.add(len(line))
    return [line, shared.value]

total, shared, done = sc.accumulator(0), sc.broadcast(["shared"] * 1000), 0
%s
first = None
while done < 400:
    step()
    if done == 100:
        first = used()
last = used()
print("grown", last[0] - first[0], last[1] - first[1], last[1], last[2] - first[2])
sc.stop()
"""
STEPS = {
    "actions": """
def step():
    global done
    n = done
    assert sc.parallelize(["x"] * 20, 4).map(lambda x: work(x + str(n))).count() == 20
    done += 1
""",
    "errors": """
def step():
    global done
    try:
        sc.parallelize([1, 0], 2).map(lambda n: 1 / n).count()
    except ZeroDivisionError:
        done += 1
""",
    "broadcasts": """
def step():
    global done
    value = sc.broadcast([done] * 10_000)
    assert sc.parallelize(range(4), 2).map(lambda n: value.value[n]).distinct().count() == 1
    value.destroy()
    done += 1
""",
    "batches": """
def counted(rdd):
    global done
    rdd.collect()
    done += 1

ssc = StreamingContext(sc, 0.01)
ssc.queueStream([], default=sc.parallelize(["a b", "c"] * 10, 4)).map(work).foreachRDD(counted)
ssc.start()

def step():
    n = done
    while done == n:
        time.sleep(0.0005)
""",
}


@pytest.mark.parametrize("step", STEPS)
def test_descriptors_workers_and_memory_do_not_grow(begin, host, step):
    job = begin(host, GROWTH % STEPS[step], SWIFTWATER_LOG_LEVEL="warning")
    job.end()
    assert "grown" in job.out, job.out[-1000:] + job.err
    files, workers, all_workers, memory = map(
        int, job.out.split("grown ")[1].split("\n")[0].split()
    )
    assert (files, workers, all_workers) == (0, 0, 2)
    # A leak of 10 KB a step would be 3 MB.
    assert memory < 3 << 20


def test_descriptors_and_memory_do_not_grow_with_deaths(begin, host):
    step = """
def step():
    global done
    here = done
    assert sc.parallelize(range(2), 2).map(lambda n: dies(here, n)).collect() == [0, 1]
    done += 1

def dies(here, n):
    name = f"died-{here}-{n}"
    if not os.path.exists(name):
        mark(name)
        os._exit(1)
    return n
"""
    text = GROWTH.replace("400", "40").replace("100", "10") % step
    job = begin(host, text, SWIFTWATER_LOG_LEVEL="error")
    files, workers, all_workers, memory = map(int, job.ends().split("grown ")[1].split())
    assert (files, workers, all_workers) == (0, 0, 2)
    assert memory < 3 << 20
