import threading

import pytest

from swiftwater import (
    BarrierTaskContext,
    InheritableThread,
    SparkContext,
    TaskContext,
    inheritable_thread_target,
)
from swiftwater.errors import (
    IllegalArgumentException,
    JobCancelledException,
    PySparkRuntimeError,
)
from swiftwater.testing import StreamingTest


def numbers(_):
    task = TaskContext.get()
    return task.stageId(), task.partitionId(), task.attemptNumber(), task.taskAttemptId()


def test_a_task_knows_its_numbers(sc):
    assert TaskContext.get() is None
    found = sc.parallelize([1, 2, 3], 3).map(numbers).collect()
    stages, partitions, attempts, identities = zip(*found, strict=True)
    assert len(set(stages)) == 1
    assert partitions == (0, 1, 2)
    assert attempts == (0, 0, 0)
    assert len(set(identities)) == 3
    (again,) = sc.parallelize([1]).map(numbers).collect()[:1]
    assert again[0] != stages[0]
    assert again[3] not in identities


def test_the_constructor_gives_the_task_too(sc):
    def same(_):
        made, found = TaskContext(), TaskContext.get()
        return made.taskAttemptId() == found.taskAttemptId(), made.partitionId(), made.resources()

    assert sc.parallelize([1, 2], 2).map(same).collect() == [(True, 0, {}), (True, 1, {})]
    # As in PySpark: in the driver it stands for no task.
    assert (TaskContext().stageId(), TaskContext().getLocalProperty("a")) == (None, None)


@pytest.mark.parametrize(
    "use", [lambda _: SparkContext("local"), lambda _: SparkContext.getOrCreate()]
)
def test_there_is_no_context_in_a_task(sc, use):
    with pytest.raises(PySparkRuntimeError, match="on the driver") as caught:
        sc.parallelize([1]).foreach(use)
    assert caught.value.getCondition() == "CONTEXT_ONLY_VALID_ON_DRIVER"
    assert SparkContext.getOrCreate() is sc


def test_each_side_of_a_shuffle_is_a_stage(sc):
    pairs = sc.parallelize([("a", 1)], 1).map(lambda pair: (pair[0], numbers(0)))
    ((_, before), after) = pairs.reduceByKey(max, 1).map(lambda pair: (pair, numbers(0))).first()
    assert before[0] != after[0]
    assert before[3] != after[3]


def test_streaming_functions(streaming):
    stream = streaming.ssc.queueStream([[1, 2]])
    seen = []
    mapped = streaming.collect(stream.map(lambda n: TaskContext.get().partitionId()))
    stream.foreachRDD(lambda rdd: seen.append(TaskContext.get()))
    streaming.run_until_idle()
    assert (mapped.batches, seen) == ([[0, 1]], [None])


def test_what_a_task_has(sc):
    def look(_):
        task = TaskContext.get()
        return task.cpus(), task.cpuAmount(), task.resources()

    assert sc.parallelize([1]).map(look).first() == (1, 1, {})


def test_local_properties_reach_the_tasks(sc):
    def look(_):
        task = TaskContext.get()
        return task.getLocalProperty("user"), task.getLocalProperty("spark.jobGroup.id")

    assert sc.parallelize([1]).map(look).first() == (None, None)
    sc.setLocalProperty("user", "ada")
    sc.setJobGroup("sums", "adding up")
    assert sc.parallelize([1]).map(look).first() == ("ada", "sums")
    sc.setLocalProperty("user", None)
    assert sc.parallelize([1]).map(look).first() == (None, "sums")


def test_local_properties_belong_to_a_thread(sc):
    seen = []

    def look():
        seen.append(sc.getLocalProperty("user"))
        sc.setLocalProperty("user", "other")

    sc.setLocalProperty("user", "ada")
    for made in (
        threading.Thread(target=look),
        InheritableThread(target=look),
        InheritableThread(look, "named"),
        threading.Thread(target=inheritable_thread_target(look)),
    ):
        made.start()
        made.join()
    assert seen == [None, "ada", "ada", "ada"]
    assert sc.getLocalProperty("user") == "ada"


def test_a_job_group_is_properties(sc):
    sc.setJobGroup("g", "words", interruptOnCancel=True)
    names = ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel")
    assert [sc.getLocalProperty(name) for name in names] == ["g", "words", "true"]
    sc.setJobDescription("other words")
    sc.setInterruptOnCancel(False)
    assert [sc.getLocalProperty(name) for name in names] == ["g", "other words", "false"]


def test_tags(sc):
    sc.addJobTag("a")
    sc.addJobTag("b")
    assert sc.getJobTags() == {"a", "b"}
    sc.removeJobTag("a")
    assert sc.getJobTags() == {"b"}
    sc.clearJobTags()
    assert sc.getJobTags() == set()
    for tag in ("", "a,b", None):
        with pytest.raises(IllegalArgumentException, match="a job's tag"):
            sc.addJobTag(tag)


class Job(threading.Thread):
    """A job that runs until it is cancelled, in a thread of its own."""

    def __init__(self, sc, **names):
        super().__init__()
        self.sc = sc
        self.names = names
        self.running = threading.Event()
        self.error = None

    def run(self):
        if "group" in self.names:
            self.sc.setJobGroup(self.names["group"], "endless")
        if "tag" in self.names:
            self.sc.addJobTag(self.names["tag"])

        def endless(_):
            self.running.set()
            while True:
                pass

        try:
            self.sc.parallelize([1]).map(endless).collect()
        except JobCancelledException as error:
            self.error = error


@pytest.mark.parametrize(
    ("names", "others", "cancel", "text"),
    [
        ({"group": "g"}, ("cancelJobGroup", "h"), ("cancelJobGroup", "g"), "job group g"),
        ({"tag": "t"}, ("cancelJobsWithTag", "u"), ("cancelJobsWithTag", "t"), "job tags t"),
        ({}, ("cancelJobGroup", "g"), ("cancelAllJobs",), "cancellation of all jobs"),
    ],
)
def test_jobs_of_other_threads_can_be_cancelled(sc, names, others, cancel, text):
    job = Job(sc, **names)
    job.start()
    assert job.running.wait(30)
    getattr(sc, others[0])(*others[1:])
    assert job.is_alive()
    getattr(sc, cancel[0])(*cancel[1:])
    job.join(30)
    assert not job.is_alive()
    assert text in str(job.error)
    assert sc.parallelize([1, 2]).count() == 2


def test_cancelling_leaves_other_threads_alone(sc):
    go, ended = threading.Event(), []

    def wait():
        go.wait(30)
        ended.append(sc.parallelize([1]).collect())

    thread = threading.Thread(target=wait)
    thread.start()
    sc.cancelAllJobs()
    go.set()
    thread.join()
    assert ended == [[1]]


def test_jobs_are_noted(sc):
    tracker = sc.statusTracker()
    sc.setJobGroup("g", "words")
    sc.parallelize([1, 2]).collect()
    with pytest.raises(ZeroDivisionError):
        sc.parallelize([0]).map(lambda n: 1 // n).count()
    failed, done = tracker.getJobIdsForGroup("g")
    assert failed > done
    stages = {number: tracker.getJobInfo(number).stageIds for number in (done, failed)}
    assert [len(each) for each in stages.values()] == [1, 1]
    assert tracker.getJobInfo(done) == (done, stages[done], "SUCCEEDED")
    assert tracker.getJobInfo(failed) == (failed, stages[failed], "FAILED")
    assert tracker.getJobIdsForGroup("h") == []
    assert tracker.getActiveJobsIds() == []
    assert tracker.getJobInfo(-1) is None
    job = Job(sc, group="endless")
    job.start()
    assert job.running.wait(30)
    (number,) = tracker.getActiveJobsIds()
    assert tracker.getJobInfo(number).status == "RUNNING"
    assert tracker.getJobIdsForGroup("endless") == [number]
    assert [one.numRunningTasks for one in tracker.getExecutorInfos()] == [1]
    sc.cancelJobGroup("endless")
    job.join(30)
    assert tracker.getJobInfo(number).status == "FAILED"


def test_stages_are_noted(sc):
    tracker = sc.statusTracker()
    sc.setJobGroup("sums", "adding up")
    pairs = sc.parallelize([1, 2, 3, 4], 2).map(lambda n: (n % 2, n))
    sums = pairs.reduceByKey(lambda a, b: a + b, 3)
    assert sorted(sums.collect()) == [(0, 6), (1, 4)]
    assert sums.count() == 2
    counted, collected = tracker.getJobIdsForGroup("sums")
    mapped, reduced = tracker.getJobInfo(collected).stageIds
    # The shuffle has run: the second job has no stage in front of it.
    (again,) = tracker.getJobInfo(counted).stageIds
    assert mapped < reduced < again
    assert tracker.getStageInfo(mapped) == (mapped, 0, "map", 2, 0, 2, 0)
    for stage in reduced, again:
        assert tracker.getStageInfo(stage) == (stage, 0, "reduceByKey", 3, 0, 3, 0)
    assert tracker.getActiveStageIds() == []
    assert tracker.getStageInfo(-1) is None


def test_stages_that_run(sc):
    tracker = sc.statusTracker()
    with pytest.raises(ZeroDivisionError):
        sc.parallelize([1, 0, 1], 3).map(lambda n: 1 // n).foreach(lambda n: None)
    job = Job(sc, group="endless")
    job.start()
    assert job.running.wait(30)
    (number,) = tracker.getJobIdsForGroup("endless")
    (stage,) = tracker.getActiveStageIds()
    assert tracker.getJobInfo(number).stageIds == (stage,)
    info = tracker.getStageInfo(stage)
    assert (info.name, info.numActiveTasks, info.numFailedTasks) == ("map", 1, 0)
    sc.cancelJobGroup("endless")
    job.join(30)
    info = tracker.getStageInfo(stage)
    assert (info.numActiveTasks, info.numFailedTasks) == (0, 1)
    (failed,) = tracker.getJobIdsForGroup()
    (stage,) = tracker.getJobInfo(failed).stageIds
    info = tracker.getStageInfo(stage)
    assert (info.numTasks, info.numCompletedTasks, info.numFailedTasks) == (3, 1, 1)


def test_groups_belong_to_a_thread_and_a_context(sc):
    tracker = sc.statusTracker()
    numbers = sc.parallelize([1])
    sc.setJobGroup("g", "")
    for kind, known in (threading.Thread, 1), (InheritableThread, 3):
        thread = kind(target=numbers.count)
        thread.start()
        thread.join()
        numbers.count()
        assert len(tracker.getJobIdsForGroup("g")) == known
    assert len(tracker.getJobIdsForGroup()) == 1
    sc.setLocalProperty("spark.jobGroup.id", None)
    numbers.count()
    assert len(tracker.getJobIdsForGroup()) == 2


def test_jobs_of_streams_are_noted():
    with StreamingTest() as test:
        tracker = test.sc.statusTracker()
        lines = test.text_source()
        lines.stream.foreachRDD(lambda rdd: (rdd.count(), rdd.collect()))
        lines.send("a")
        test.advance(2)
        jobs = tracker.getJobIdsForGroup()
        assert [tracker.getJobInfo(job).status for job in jobs] == ["SUCCEEDED"] * 4
        # A batch without records has no partitions, and its jobs no stages.
        assert [len(tracker.getJobInfo(job).stageIds) for job in jobs] == [0, 0, 1, 1]


def test_there_are_no_barriers():
    with pytest.raises(NotImplementedError, match="barrier stage"):
        BarrierTaskContext.get()
