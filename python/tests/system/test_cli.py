"""The command line, through both doors."""

import os
import re
import zipfile

import pytest

COUNT = """
import sys
from pyspark import SparkConf, SparkContext

sc = SparkContext("local[2]", "count")
print(sc.master, sc.appName, sc.defaultParallelism, sys.argv)
sc.stop()
"""


@pytest.fixture
def count(script):
    return script(COUNT)


def test_a_script_gets_its_arguments(door, run, count):
    job = run([*door, "run", count, "--master", "x", "-v", "--", "a b"])
    assert job.status == 0
    assert job.out == f"local[2] count 2 {[count, '--master', 'x', '-v', '--', 'a b']}\n"


@pytest.mark.parametrize(
    ("flags", "env", "expected"),
    [
        (["--master", "local[3]"], {}, "local[3] count 3"),
        (["--master=local[3]"], {}, "local[3] count 3"),
        (["--name", "other"], {}, "local[2] other 2"),
        (["--conf", "spark.default.parallelism=9"], {}, "local[2] count 9"),
        (["-c", "spark.master=local[4]", "--conf", "spark.app.name=a=b"], {}, "local[4] a=b 4"),
        (["--conf", "spark.master=local[5]", "--master", "local[6]"], {}, "local[6] count 6"),
        ([], {"SWIFTWATER_MASTER": "local[7]"}, "local[7] count 7"),
        (["--master", "local"], {"SWIFTWATER_MASTER": "local[7]"}, "local count 1"),
        (["--properties-file", "app.conf"], {}, "local[8] from file 8"),
        (["--properties-file", "app.conf"], {"SWIFTWATER_NAME": "env"}, "local[8] env 8"),
        (["--properties-file", "app.conf", "--master", "local"], {}, "local from file 1"),
        (["--driver-java-options", "-Xmx1g", "--num-executors", "3"], {}, "local[2] count 2"),
    ],
)
def test_settings(door, run, count, tmp_path, flags, env, expected):
    (tmp_path / "app.conf").write_text("spark.master local[8]\nspark.app.name=from file\n")
    job = run([*door, "run", *flags, count], **env)
    assert job.status == 0, job.err
    assert job.out.startswith(expected + " [")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--num-executors", "3"], "--num-executors"),
        (["--executor-memory=2g"], "--executor-memory"),
        (["--class", "a.B", "--jars", "x.jar"], "--jars"),
        (["--supervise"], "--supervise"),
        (["--conf", "spark.executor.cores=2"], "spark.executor.cores"),
    ],
)
def test_what_has_no_effect_is_named(door, run, count, flags, named):
    job = run([*door, "run", *flags, count])
    assert job.status == 0
    assert re.search(f"{re.escape(named)}.* has no effect", job.err)


def test_an_override_is_said(door, run, count):
    job = run([*door, "run", "--master", "local[3]", count])
    assert "spark.master is local[3] (flag --master), not local[2] as the code says" in job.err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["run"], 2, "which script?"),
        (["run", "--bogus", "job.py"], 2, "unrecognized arguments: --bogus"),
        (["run", "--conf", "x", "job.py"], 2, "--conf takes NAME=VALUE"),
        (["run", "--conf"], 2, "expected one argument"),
        (["run", "missing.py"], 2, "there is no script missing.py"),
        (["run", "."], 2, ". is a folder, not a script"),
        (["run", "--properties-file", "missing.conf", "job.py"], 2, "missing.conf"),
        (["run", "--py-files", "missing.zip", "job.py"], 2, "missing.zip"),
        (["run", "--py-files", "job.txt", "job.py"], 2, "job.txt"),
        (["run", "--python", "missing", "job.py"], 2, "missing is not there"),
        (["run", "--master", "bogus", "job.py"], 1, "bogus"),
        (["run", "--conf", "swiftwater.bogus=1", "job.py"], 1, "unknown setting swiftwater.bogus"),
        (["job.py"], 2, "did you mean: swiftwater run job.py"),
        (["bogus"], 2, "invalid choice"),
    ],
)
def test_mistakes(door, run, count, tmp_path, arguments, status, said):
    (tmp_path / "job.txt").write_text("")
    job = run([*door, *arguments])
    assert job.status == status
    assert said in job.err
    assert job.out == ""
    if status == 2:
        assert "Traceback" not in job.err


def test_a_script_that_cannot_be_read(door, run, count):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    os.chmod(count, 0)
    job = run([*door, "run", count])
    assert job.status == 2
    assert "cannot read the script" in job.err


def test_version_and_help(door, run):
    assert re.fullmatch(
        r"swiftwater \d+\.\d+\.\d+\S* \(Python 3\.\d+\.\S+\)\n", run([*door, "--version"]).out
    )
    assert run([*door, "run", "--version"]).status == 0
    for arguments in (["--help"], ["run", "--help"], []):
        job = run([*door, *arguments])
        assert job.status == 0
        assert "examples:" in job.out
        assert "swiftwater run wordcount.py localhost 9999" in job.out


def rows(text):
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()}


def test_print_config_without_a_script(door, run):
    job = run([*door, "run", "--print-config", "--name", "x"], SWIFTWATER_MASTER="local[5]")
    assert job.status == 0
    table = rows(job.out)
    assert table["setting"] == ["value", "origin"]
    assert table["spark.master"] == ["local[5]", "environment", "SWIFTWATER_MASTER"]
    assert table["spark.app.name"] == ["x", "flag", "--name"]
    assert table["swiftwater.receiver.maxBuffered"][-1] == "default"


def test_print_config_with_a_script(door, run, count):
    job = run([*door, "run", "--print-config", "--name", "x", count])
    assert job.status == 0
    table = rows(job.out)
    assert table["spark.master"] == ["local[2]", "code"]
    assert table["spark.app.name"] == ["x", "flag", "--name"]
    assert "['" not in job.out


def test_print_config_with_a_script_without_context(door, run, script):
    job = run([*door, "run", "--print-config", script("print('ran')\n")])
    assert job.status == 0
    assert job.out.startswith("ran\n")
    assert "spark.master" in rows(job.out)


def test_python_files(door, run, script, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "in_folder.py").write_text("NAME = 'folder'\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "single.py").write_text("NAME = 'single'\n")
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("in_zip.py", "NAME = 'zip'\n")
    job = run(
        [
            *door,
            "run",
            "--py-files",
            "folder,other/single.py,lib.zip",
            script(
                "import in_folder as a, single as b, in_zip as c\nprint(a.NAME, b.NAME, c.NAME)\n"
            ),
        ]
    )
    assert (job.out, job.status) == ("folder single zip\n", 0)


def test_the_script_is_main(door, run, script, tmp_path):
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    path = script(
        """
        import inspect, os, pickle, sys
        import beside

        class Point:
            pass

        def function():
            return 1

        assert __name__ == "__main__"
        assert sys.modules["__main__"].function is function
        assert isinstance(pickle.loads(pickle.dumps(Point())), Point)
        assert "return 1" in inspect.getsource(function)
        assert os.path.isabs(__file__)
        assert not [name for name in globals() if name.startswith("_sw")]
        print(beside.NAME, sys.argv[0] == {0!r}, os.path.dirname(__file__) in sys.path)
        """.replace("{0!r}", repr(str(tmp_path / "job.py")))
    )
    job = run([*door, "run", path])
    assert (job.out, job.status) == ("beside True True\n", 0), job.err


@pytest.mark.parametrize("workers", ["never", "always"])
def test_files_and_archives(door, run, script, tmp_path, workers):
    (tmp_path / "lookup.csv").write_text("a,1")
    (tmp_path / "more.csv").write_text("b,2")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("words.txt", "the")
    path = script(
        """
        from pyspark import SparkContext, SparkFiles

        NAMES = ["lookup.csv", "more.csv", "named/words.txt"]

        def text(name):
            with open(SparkFiles.get(name)) as file:
                return file.read()

        sc = SparkContext()
        found = sc.parallelize(NAMES, 2).map(text).collect()
        print(found == list(map(text, NAMES)), found[0])
        """
    )
    flags = ["--files", "lookup.csv,more.csv", "--archives=packed.zip#named"]
    other = ["--conf", "spark.files=nothing.txt", "--conf", f"swiftwater.workers={workers}"]
    job = run([*door, "run", *other, *flags, path])
    assert (job.out, job.status) == ("True a,1\n", 0), job.err
    assert "no effect" not in job.err
    job = run([*door, "run", "--files", "gone.csv", path])
    assert job.status == 1
    assert f"File file:{tmp_path}/gone.csv does not exist" in job.err


def test_pyspark_is_there_only_under_run(runner, run, script):
    path = script(
        """
        import sys
        try:
            import pyspark
            print(pyspark.SparkContext.__module__)
        except ImportError:
            print("none")
        """
    )
    job = run([*runner, path])
    assert job.status == 0
    if "run" in runner:
        assert job.out == "swiftwater.context\n"
    else:
        assert "swiftwater" not in job.out


@pytest.mark.parametrize(
    ("text", "status", "err"),
    [
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("import sys; sys.exit('words')", 1, "words\n"),
        ("raise ValueError('x')", 1, "ValueError: x\n"),
        ("a = = 1", 1, "SyntaxError"),
        ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'\n"),
        (
            "import sys; sys.excepthook = lambda *a: print('own', file=sys.stderr); 1 / 0",
            1,
            "own\n",
        ),
        ("import os; os._exit(7)", 7, ""),
        ("pass", 0, ""),
    ],
)
def test_exit_status(runner, run, script, text, status, err):
    job = run([*runner, script(text + "\n")])
    assert job.status == status
    assert err in job.err
    assert job.out == ""


def test_an_error_shows_the_line_of_the_script_only(door, run, script):
    job = run([*door, "run", script("def f():\n    return 1 / 0  # here\n\nf()\n")])
    lines = job.err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "    return 1 / 0  # here" in lines
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "_script.py" not in job.err


@pytest.mark.parametrize("master", ["spark://host:7077", "yarn", "mesos://host:5050"])
@pytest.mark.parametrize(
    "make",
    [
        "SparkContext('{}', 'x')",
        "SparkContext(conf=SparkConf().setMaster('{}').setAppName('x'))",
        "SparkContext.getOrCreate(SparkConf().setMaster('{}').setAppName('x'))",
    ],
)
def test_a_cluster_as_master_says_what_to_do(door, run, script, master, make):
    text = "from pyspark import SparkConf, SparkContext\nsc = " + make.format(master)
    path = script(text + "\nprint(sc.master, sc.parallelize([1, 2]).count())\n")
    job = run([*door, "run", path])
    assert job.status == 1
    assert f"'{master}' is a cluster" in job.err
    assert "--master 'local[*]'" in job.err
    # What it says to do works.
    for flags, env in (
        (["--master", "local[2]"], {}),
        (["--conf", "spark.master=local[2]"], {}),
        ([], {"SWIFTWATER_MASTER": "local[2]"}),
    ):
        job = run([*door, "run", *flags, path], **env)
        assert (job.out, job.status) == ("local[2] 2\n", 0), job.err
        assert f"not {master} as the code says" in job.err
