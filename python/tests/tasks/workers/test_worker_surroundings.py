"""What a worker knows of the driver: environment, folders, files, the context of a task."""

import os
import pathlib
import sys
import threading
import zipfile

import pytest

from swiftwater import SparkContext, SparkFiles, TaskContext
from tests.tasks.workers.worker_contexts import asked, context, spread
from tests.tasks.workers.worker_records import outcome


def test_environment_folder_and_arguments_are_the_driver_s(monkeypatch, tmp_path):
    monkeypatch.setenv("A_NAME_OF_A_TEST", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["job.py", "--flag", "é"])
    with context("always") as sc:
        assert asked(sc, lambda: os.environ.get("A_NAME_OF_A_TEST")) == "1"
        assert asked(sc, os.getcwd) == str(tmp_path)
        assert asked(sc, lambda: sys.argv) == ["job.py", "--flag", "é"]
        assert asked(sc, lambda: sys.path) == sys.path
        assert asked(sc, lambda: hash("text")) is not None
        monkeypatch.setattr(sys, "argv", ["other"])
        assert asked(sc, lambda: sys.argv) == ["other"]


def test_a_variable_that_is_set_later_is_seen(monkeypatch):
    with context("always") as sc:
        assert asked(sc, lambda: os.environ.get("A_NAME_OF_A_TEST")) is None
        monkeypatch.setenv("A_NAME_OF_A_TEST", "1")
        assert asked(sc, lambda: os.environ.get("A_NAME_OF_A_TEST")) == "1"


def test_a_folder_that_is_entered_later_is_seen(monkeypatch, tmp_path):
    with context("always") as sc:
        assert asked(sc, os.getcwd) == os.getcwd()
        monkeypatch.chdir(tmp_path)
        assert asked(sc, os.getcwd) == str(tmp_path)


def test_a_module_path_that_is_added_later(always, monkeypatch, tmp_path):
    (tmp_path / "module_of_a_worker.py").write_text("value = 3")

    def imported():
        try:
            import module_of_a_worker  # noqa: PLC0415 - not there before
        except ImportError:
            return None
        return module_of_a_worker.value

    assert asked(always, imported) is None
    monkeypatch.syspath_prepend(tmp_path)
    assert asked(always, imported) == 3


def test_added_modules_and_files(always, tmp_path):
    for number in range(3):
        name = f"added_to_workers_{number}"
        (tmp_path / f"{name}.py").write_text(f"value = {number}")
        always.addPyFile(str(tmp_path / f"{name}.py"))
        assert asked(always, lambda name=name: __import__(name).value) == number
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_for_workers.py", "value = 'packed'")
    always.addPyFile(str(tmp_path / "packed.zip"))
    assert asked(always, lambda: __import__("packed_for_workers").value) == "packed"
    for number in range(2):
        path = tmp_path / f"data{number}"
        path.write_text(f"text {number}")
        always.addFile(str(path))
        assert (
            asked(always, lambda name=path.name: pathlib.Path(SparkFiles.get(name)).read_text())
            == f"text {number}"
        )
    assert asked(always, SparkFiles.getRootDirectory) == SparkFiles.getRootDirectory()


def test_the_folder_of_files_where_there_are_none(always):
    assert always.listFiles == []
    root = asked(always, SparkFiles.getRootDirectory)
    assert root == SparkFiles.getRootDirectory()
    assert pathlib.Path(root).is_dir()


def test_the_context_of_a_task(always):
    def look(_):
        task = TaskContext.get()
        return task.partitionId(), task.attemptNumber(), task.stageId(), task.taskAttemptId()

    found = spread(always, range(6), 3).map(look).collect()
    assert [numbers[0] for numbers in found] == [0, 0, 1, 1, 2, 2]
    assert {numbers[1] for numbers in found} == {0}
    assert len({numbers[2] for numbers in found}) == 1
    assert len({numbers[3] for numbers in found}) == 3
    (again,) = spread(always, [1], 1).map(look).collect()
    assert again[2] != found[0][2]
    assert again[3] not in {numbers[3] for numbers in found}


def test_local_properties(always):
    def look():
        task = TaskContext.get()
        return task.getLocalProperty("user"), task.getLocalProperty("spark.jobGroup.id")

    assert asked(always, look) == (None, None)
    always.setLocalProperty("user", "ada")
    always.setJobGroup("sums", "adding")
    assert asked(always, look) == ("ada", "sums")
    always.setLocalProperty("user", None)
    assert asked(always, look) == (None, "sums")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(asked(always, look)))
    thread.start()
    thread.join()
    assert seen == [(None, None)]


@pytest.mark.parametrize("use", [lambda: SparkContext("local"), SparkContext.getOrCreate])
def test_there_is_no_context_in_a_worker(always, use):
    with pytest.raises(RuntimeError, match="on the driver"):
        asked(always, use)


def test_what_belongs_to_the_driver_is_refused_as_ever():
    found = []
    for workers in ("never", "always"):
        with context(workers) as sc:
            for captured in (sc, sc.parallelize([1])):
                rdd = spread(sc, [1]).map(lambda n: captured)  # noqa: B023
                found.append(outcome(rdd.collect).split(" [")[0])
    assert found[:2] == found[2:]
    assert all("raised" in text for text in found)


def test_what_is_printed_comes_before_the_action_ends(always, capsys):
    def talk(n):
        for i in range(3000):
            print(f"line {i} of {n}")
        print(f"error {n}", file=sys.stderr)
        print("no end", end="")
        return n

    assert spread(always, range(2)).map(talk).collect() == [0, 1]
    out, err = capsys.readouterr()
    for n in range(2):
        mine = [line for line in out.split("\n") if line.endswith(f"of {n}")]
        assert [line.replace("no end", "") for line in mine] == [
            f"line {i} of {n}" for i in range(3000)
        ]
    assert out.count("no end") == 2
    assert sorted(err.split("\n")[:-1]) == ["error 0", "error 1"]
