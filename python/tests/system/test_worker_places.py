"""Where the settings of worker processes are given."""

import sys

import pytest
from worker_jobs import HEAD

WHERE = """
pids = set(sc.parallelize(range(4), 4).map(lambda n: (time.sleep(0.03), os.getpid())[1]).collect())
pids |= set(sc.parallelize(range(4), 4).map(lambda n: (time.sleep(0.03), os.getpid())[1]).collect())
print("driver" if os.getpid() in pids else "", len(pids - {os.getpid()}))
"""
FOUND = {"always": " 2\n", "auto": "driver 1\n", "never": "driver 0\n"}


def places(tmp_path, value):
    """Where ``swiftwater.workers`` may be set: the flags, the environment, the text of ``conf``."""
    (tmp_path / "job.conf").write_text(f"swiftwater.workers={value}\n")
    return {
        "conf": ([], {}, f'conf=SparkConf().set("swiftwater.workers", "{value}")'),
        "environment": ([], {"SWIFTWATER_WORKERS": value}, ""),
        "flag": (["--conf", f"swiftwater.workers={value}"], {}, ""),
        "properties": (["--properties-file", "job.conf"], {}, ""),
    }


def begin_with(begin, way, setting, text):
    flags, env, conf = setting
    if way == [sys.executable] and flags:
        way = [sys.executable, "-m", "swiftwater", "run"]
    # Nothing but what the test sets.
    env = {"SWIFTWATER_WORKERS": env.get("SWIFTWATER_WORKERS")}
    head = HEAD.replace('"workers")', f'"workers", {conf})')
    return begin([*way, *flags], text, head=head, **env)


PLACES = ["conf", "environment", "flag", "properties"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", FOUND)
def test_each_place_of_the_setting_counts(way, begin, tmp_path, place, value):
    job = begin_with(begin, way, places(tmp_path, value)[place], WHERE)
    assert job.ends() == FOUND[value]


def test_whoever_runs_the_job_wins_over_the_code(way, begin, tmp_path):
    flags, env, _ = places(tmp_path, "never")["environment"]
    conf = places(tmp_path, "always")["conf"][2]
    assert begin_with(begin, way, (flags, env, conf), WHERE).ends() == FOUND["never"]


@pytest.mark.parametrize("value", ["sometimes", ""])
@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_value_ends_the_job_and_is_named(way, begin, tmp_path, place, value):
    job = begin_with(begin, way, places(tmp_path, value)[place], "print('not reached')")
    assert job.end() in {1, 2}
    assert "not reached" not in job.out
    assert "swiftwater.workers" in job.err
    assert all(word in job.err for word in ("auto", "always", "never"))


def test_a_wrong_size_and_a_wrong_name_are_named(way, begin):
    job = begin(way, "", SWIFTWATER_WORKER_MEMORY="lots")
    assert job.end() == 1
    assert "swiftwater.worker.memory" in job.err
    assert "lots" in job.err
    conf = 'conf=SparkConf().set("swiftwater.worker", "always")'
    job = begin(way, "", head=HEAD.replace('"workers")', f'"workers", {conf})'))
    assert job.end() == 1
    assert "swiftwater.workers" in job.err
