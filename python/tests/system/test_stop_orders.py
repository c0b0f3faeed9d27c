"""Every order in which a job may be stopped: none hangs.

A job that does not end within the patience of ``Job`` fails its test. Stops with work left are in
``test_stop_graceful.py``, functions that do not come back in ``test_stop_hung.py``; what a batch
sees that asks for the stop is in ``test_stop.py``, signals in general are in ``test_signals.py``.
"""

import pytest

TICKING = """
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: print("batch", rdd.collect()))
"""

WAIT_FOR_A_BATCH = """
seen = threading.Event()
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: seen.set())
ssc.start()
assert seen.wait(10)
"""

CALLS = [
    "ssc.stop()",
    "ssc.stop(False)",
    "ssc.stop(True, True)",
    "ssc.stop(False, True)",
    "sc.stop()",
]


@pytest.mark.parametrize("second", CALLS)
@pytest.mark.parametrize("first", CALLS)
def test_twice(ends, first, second):
    job = ends(
        f"""
{WAIT_FOR_A_BATCH}
{first}
print(ssc._phase(), SparkContext._active_spark_context is None)
{second}
ssc.awaitTermination()
print(ssc._phase(), SparkContext._active_spark_context is None, StreamingContext.getActive())
"""
    )
    stops = ["False" not in call for call in (first, second)]
    assert job.out == f"stopped {stops[0]}\nstopped {any(stops)} None\n"
    assert job.err.count("INFO stopped") == 1


def test_before_the_start(ends):
    job = ends(
        """
ssc.queueStream([[1]]).pprint()
ssc.stop(stopSparkContext=False)
ssc.stop(False, True)
ssc.awaitTermination()
print(ssc.awaitTerminationOrTimeout(5))
try:
    ssc.start()
except Exception as error:
    print(type(error).__name__, error)
sc.stop()
"""
    )
    assert job.out == ("True\nIllegalStateException StreamingContext has already been stopped\n")


def test_right_after_the_start(ends):
    job = ends(
        """
for number in range(30):
    ssc = StreamingContext(sc, 0.1)
    ssc.queueStream([[1]], default=[2]).foreachRDD(lambda rdd: rdd.count())
    ssc.start()
    ssc.stop(stopSparkContext=False, stopGraceFully=number % 2 == 1)
    ssc.awaitTermination()
sc.stop()
print("done")
""",
        0.5,
    )
    assert job.out == "done\n"


def test_another_stream_on_the_same_context(ends):
    job = ends(
        """
for number in range(3):
    ssc = StreamingContext(sc, 0.05)
    results, seen = [], threading.Event()
    def output(rdd):
        results.append(rdd.map(lambda n: n + number).collect())
        seen.set()
    ssc.queueStream([[1]], default=[2]).foreachRDD(output)
    ssc.start()
    assert seen.wait(10)
    ssc.stop(stopSparkContext=False)
    print(number, results[0])
ssc.stop()
"""
    )
    assert job.out == "0 [1]\n1 [2]\n2 [3]\n"


def test_the_spark_context_alone(ends):
    job = ends(
        f"""
{WAIT_FOR_A_BATCH}
sc.stop()
print(ssc._phase(), StreamingContext.getActive())
ssc.awaitTermination()
"""
    )
    assert job.out == "stopped None\n"


def test_at_the_end_of_a_with_block(ends):
    job = ends(
        """
sc.stop()
with SparkContext("local[2]", "with") as sc:
    ssc = StreamingContext(sc, 0.05)
    seen = threading.Event()
    ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: seen.set())
    ssc.start()
    assert seen.wait(10)
print(ssc._phase())
"""
    )
    assert job.out == "stopped\n"


def test_a_listener_cannot_stop_the_job(ends):
    job = ends(
        """
errors, batches = [], threading.Semaphore(0)

class Stopper(StreamingListener):
    def onBatchCompleted(self, event):
        try:
            ssc.stop()
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        batches.release()

ssc.addStreamingListener(Stopper())
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: None)
ssc.start()
for _ in range(3):
    assert batches.acquire(timeout=10)
print(errors[0])
print(len(set(errors)), ssc._phase())
ssc.stop()
"""
    )
    words = "SparkException: Cannot stop StreamingContext within listener bus thread."
    assert job.out == f"{words}\n1 active\n"


@pytest.mark.parametrize("graceful", [True, False])
def test_a_listener_may_have_another_thread_stop_it(ends, graceful):
    job = ends(
        f"""
class Stopper(StreamingListener):
    def onBatchCompleted(self, event):
        threading.Thread(target=ssc.stop, args=(True, {graceful})).start()

ssc.addStreamingListener(Stopper())
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: None)
ssc.start()
ssc.awaitTermination()
print(ssc._phase())
"""
    )
    assert job.out == "stopped\n"


@pytest.mark.parametrize("call", CALLS)
def test_from_a_function_of_transform(ends, call):
    job = ends(
        f"""
def stop(rdd):
    {call}
    return rdd

ssc.queueStream([[0]], default=[1]).transform(stop).foreachRDD(
    lambda rdd: print("batch", rdd.collect())
)
ssc.start()
ssc.awaitTermination()
print(ssc._phase())
{"sc.stop()" if "False" in call else ""}
"""
    )
    # The batch goes on.
    assert job.out.startswith("batch [0]\n")
    assert job.out.endswith("]\nstopped\n")


@pytest.mark.parametrize("call", CALLS)
def test_from_an_output(ends, call):
    job = ends(
        f"""
def stop(rdd):
    {call}
    print("batch", rdd.collect(), sc.parallelize([1, 2]).sum())

numbers = ssc.queueStream([[0]], default=[1])
numbers.foreachRDD(stop)
numbers.foreachRDD(lambda rdd: print("later", rdd.collect()))
ssc.start()
ssc.awaitTermination()
print(ssc._phase())
{"sc.stop()" if "False" in call else ""}
"""
    )
    assert job.out.startswith("batch [0] 3\nlater [0]\n")
    assert job.out.endswith("]\nstopped\n")


@pytest.mark.parametrize("call", CALLS)
def test_from_a_function_on_records(ends, call):
    # Such a function cannot name the contexts, but it can ask for them.
    call = call.replace("ssc.", "StreamingContext.getActive().")
    call = (
        call.replace("sc.stop()", "SparkContext.getOrCreate().stop()", 1)
        if call == ("sc.stop()")
        else call
    )
    job = ends(
        f"""
def stop(record):
    if StreamingContext.getActive() is not None:
        try:
            {call}
        except Exception as error:
            pass
    return record

ssc.queueStream([[0]]).map(stop).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
if not ssc.awaitTerminationOrTimeout(2):
    ssc.stop()
print(ssc._phase())
"""
    )
    assert job.out.endswith("stopped\n")


STOPS = {
    "gracefully": "ssc.stop(True, True)",
    "plainly": "ssc.stop(True, False)",
    "the streams only": "ssc.stop(False, False)",
    "the context": "sc.stop()",
}


@pytest.mark.parametrize("second", STOPS.values(), ids=STOPS)
@pytest.mark.parametrize("first", STOPS.values(), ids=STOPS)
def test_two_threads_at_the_same_time(ends, first, second):
    job = ends(
        f"""
def slow(rdd):
    seen.set()
    time.sleep(0.2)

seen = threading.Event()
ssc.queueStream([[0]], default=[1]).foreachRDD(slow)
ssc.start()
assert seen.wait(10)
together = threading.Barrier(2)
states = []

def first():
    together.wait()
    {first}
    states.append(ssc._phase())

def second():
    together.wait()
    {second}
    states.append(ssc._phase())

threads = [threading.Thread(target=call) for call in (first, second)]
for thread in threads:
    thread.start()
ssc.awaitTermination()
for thread in threads:
    thread.join()
print(states)
sc.stop()
"""
    )
    assert job.out == "['stopped', 'stopped']\n"


def test_many_threads_start_and_stop_and_wait(ends):
    job = ends(
        """
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: rdd.count())
together = threading.Barrier(8)
errors = []

def use(number):
    together.wait()
    try:
        if number < 2:
            ssc.start()
        elif number < 5:
            time.sleep(0.02 * number)
            ssc.stop(False, number % 2 == 0)
        else:
            ssc.awaitTerminationOrTimeout(10)
    except Exception as error:
        errors.append(str(error))

threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(ssc._phase(), errors)
sc.stop()
""",
        0.02,
    )
    assert job.out == "stopped []\n"


def test_another_thread_while_the_script_waits(ends):
    job = ends(
        """
ssc.queueStream([[0]], default=[1]).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
threading.Timer(0.5, ssc.stop).start()
begin = time.monotonic()
ssc.awaitTermination()
print(ssc._phase(), time.monotonic() - begin < 5)
"""
    )
    assert job.out.endswith("stopped True\n")
