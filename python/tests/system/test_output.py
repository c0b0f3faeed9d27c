"""Output to a pipe is complete and comes batch by batch."""

STREAM = """
import sys
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext

sc = SparkContext("local[2]", "output")
ssc = StreamingContext(sc, 0.1)
ssc.queueStream([[n] for n in range(3)]).pprint()
ssc.start()
ssc.awaitTerminationOrTimeout(float(sys.argv[1]))
{rest}
"""


def test_a_batch_s_output_is_there_while_the_job_runs(runner, start, script):
    job = start([*runner, script(STREAM.format(rest="")), "60"])
    for n in range(3):
        job.until_out(f"\n{n}\n\n")
    assert job.process.poll() is None


def test_what_the_script_prints_last_is_there_at_the_end(runner, run, script):
    job = run([*runner, script(STREAM.format(rest="print('x' * 100_000)")), "0.5"])
    assert job.status == 0
    assert "x" * 100_000 in job.out
    assert "Time: " in job.out


def test_prints_of_functions_are_there_too(runner, run, script):
    text = STREAM.format(rest="ssc.stop()").replace(
        ".pprint()", ".foreachRDD(lambda rdd: rdd.foreach(lambda n: print('seen', n)))"
    )
    job = run([*runner, script(text), "1"])
    assert job.status == 0, job.err
    assert [line for line in job.out.splitlines() if line.startswith("seen")] == [
        f"seen {n}" for n in range(3)
    ]


def test_the_log_is_not_in_the_output(runner, run, script):
    job = run([*runner, script(STREAM.format(rest="ssc.stop()")), "0.5"])
    assert job.out.startswith("-" * 43 + "\nTime: ")
    assert job.status == 0
