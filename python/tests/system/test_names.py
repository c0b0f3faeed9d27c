"""Where names come from: the script's folder, PySpark's names, findspark."""

import os
import sys

import pytest

PLACES = """
import os, sys
here = os.path.dirname(os.path.realpath(__file__))
print(os.path.realpath(sys.path[0]) == here)
"""


def test_the_first_place_is_the_folder_of_the_script(runner, run, script, tmp_path):
    (tmp_path / "jobs").mkdir()
    script(PLACES, "jobs/job.py")
    (tmp_path / "link.py").symlink_to(tmp_path / "jobs" / "job.py")
    for path in ("jobs/job.py", tmp_path / "jobs" / "job.py", "link.py"):
        job = run([*runner, path])
        assert (job.out, job.status) == ("True\n", 0), job.err


@pytest.mark.parametrize("workers", ["always", "never"])
def test_functions_on_records_have_it_too(door, run, script, workers):
    path = script(
        """
        import os, sys
        from pyspark import SparkContext

        def place(record):
            import pyspark
            return sys.path[0], pyspark.SparkContext.__module__

        found = SparkContext("local[2]", "places").parallelize([1], 1).map(place).collect()
        print(found == [(os.path.dirname(os.path.realpath(__file__)), "swiftwater.context")])
        """
    )
    job = run([*door, "run", "--conf", f"swiftwater.workers={workers}", path])
    assert (job.out, job.status) == ("True\n", 0), job.err


@pytest.mark.parametrize("name", ["pyspark.py", "py4j.py", "pyspark/__init__.py"])
def test_what_lies_beside_the_script_hides_nothing(door, run, script, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    script("raise SystemExit('this is not it')", name)
    path = script(
        """
        import py4j
        from pyspark import SparkContext

        def place(record):
            import pyspark
            return pyspark.SparkContext.__module__

        sc = SparkContext("local[2]", "places")
        print(sc.parallelize([1], 1).map(place).collect(), "_compat" in py4j.__file__)
        """
    )
    job = run([*door, "run", "--conf", "swiftwater.workers=always", path])
    assert (job.out, job.status) == ("['swiftwater.context'] True\n", 0), job.err


def test_processes_of_a_script_have_the_names(door, run, script):
    path = script(
        """
        import multiprocessing
        import pyspark

        def child():
            return pyspark.SparkContext.__module__

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(child))
        """
    )
    job = run([*door, "run", path])
    assert (job.out, job.status) == ("swiftwater.context\n", 0), job.err


NOTEBOOK = """
import findspark
findspark.init("/no/such/spark")
from pyspark import SparkContext
from pyspark.streaming import StreamingContext
print(SparkContext.__module__, os.path.basename(findspark.find()))
"""


def test_findspark_finds_swiftwater(runner, run, script, tmp_path):
    # Where the other findspark is installed, too.
    (tmp_path / "elsewhere").mkdir()
    script("raise SystemExit('the other one')", "elsewhere/findspark.py")
    first = "" if "run" in runner else "import swiftwater.findspark\n"
    path = script("import os\n" + first + NOTEBOOK)
    job = run([*runner, path], PYTHONPATH=str(tmp_path / "elsewhere"), SPARK_HOME="")
    assert (job.out, job.status) == ("swiftwater.context swiftwater\n", 0), job.err


def test_packages_and_archives_have_no_effect(door, run, script):
    path = script(
        """
        import findspark
        findspark.init()
        findspark.add_packages(["a:b:1", "c:d:2"])
        findspark.add_jars("e.jar")
        """
    )
    job = run([*door, "run", path])
    assert job.status == 0
    assert "findspark.add_packages has no effect in Swiftwater: a:b:1, c:d:2" in job.err
    assert "findspark.add_jars has no effect in Swiftwater: e.jar" in job.err


def test_another_pyspark_that_is_there_already_is_named(run, script, tmp_path):
    script("", "pyspark.py")
    path = script("import pyspark, swiftwater.findspark\nimport findspark\nfindspark.init()")
    job = run([sys.executable, path])
    assert job.status == 1
    assert f"another pyspark has been imported before, from {tmp_path}{os.sep}pyspark.py" in job.err
