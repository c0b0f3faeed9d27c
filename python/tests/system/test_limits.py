"""Where the system gives a process little, it says what is missing; it never ends in silence."""

import pytest
from jobs import require_host

JOB = """
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[4]", "limits")
counts = sc.parallelize(range(100), 4).map(lambda n: (n % 7, n)).reduceByKey(max)
print(counts.count(), flush=True)
ssc = StreamingContext(sc, 0.1)
# Nobody listens there.
ssc.socketTextStream("127.0.0.1", 9).pprint()
ssc.queueStream([[1]]).map(lambda n: n + 1).foreachRDD(lambda rdd: print(rdd.collect(), flush=True))
ssc.start()
ssc.awaitTerminationOrTimeout(0.5)
ssc.stop()
print("end")
"""


def limited(start, limit, command):
    job = start(["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", *command])
    return job, job.end()


@pytest.mark.parametrize("workers", ["never", "always"])
@pytest.mark.parametrize("count", [5, 6, 7, 8, 10, 14])
def test_few_descriptors(start, script, count, workers):
    command = [require_host(), "run", "--conf", f"swiftwater.workers={workers}", script(JOB)]
    job, status = limited(start, f"-n {count}", command)
    # What cannot be opened is an error of its own, or a connection that fails and is tried again.
    assert status in (0, 1), (status, job.err)
    assert status == 0 or "descriptors (ulimit -n)" in job.err or "open files" in job.err


@pytest.mark.parametrize("megabytes", [60, 80, 400])
def test_little_memory(start, script, megabytes):
    command = [require_host(), "run", "--conf", "swiftwater.workers=never", script(JOB)]
    job, status = limited(start, f"-v {megabytes * 1024}", command)
    assert status in (0, 1), (status, job.err)
    assert status == 0 or f"{megabytes} MB (ulimit -v)" in job.err or "MemoryError" in job.err
