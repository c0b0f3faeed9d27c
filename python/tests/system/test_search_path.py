"""What is lying in the current folder is not run: by no door, and by none of their processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jobs import environment, require_host

# Modules that the package or what it needs imports, and that no interpreter has loaded by itself.
PLANTED = ("typing", "re", "pickle", "argparse", "traceback", "signal", "subprocess", "tempfile")
PLANT = """
import os
with open({mark!r}, "a") as file:
    file.write(__name__ + "\\n")
"""

JOB = """
import os, sys
from swiftwater import SparkContext

def seen(_):
    return os.getpid(), str(sys.flags), dict(sys._xoptions), list(sys.warnoptions)

sc = SparkContext("local[2]", "paths")
[found] = sc.parallelize([1], 1).map(seen).collect()
assert found[0] != os.getpid()
print(found[1:])
"""


@pytest.fixture
def planted(tmp_path):
    """A folder with modules that write down that they were run, and the file where they do."""
    folder, mark = tmp_path / "shared", tmp_path / "mark"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(PLANT.format(mark=str(mark)))
    return folder, mark


@pytest.fixture
def job(tmp_path):
    (tmp_path / "job").mkdir()
    path = tmp_path / "job" / "job.py"
    path.write_text(JOB)
    return path


def ran(command, folder, **env):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment(SWIFTWATER_WORKERS="always", **env),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


COMMANDS = {
    "stock": lambda: [sys.executable],
    "isolated": lambda: [sys.executable, "-I"],
    "module": lambda: [sys.executable, "-P", "-m", "swiftwater", "run"],
    "switched": lambda: [
        *(sys.executable, "-P", "-m", "swiftwater", "run", "--python", "../environment")
    ],
    "host": lambda: [require_host(), "run"],
    # As it is typed where its folder is in PATH.
    "host by name": lambda: ["swiftwater", "run"],
    "host switched": lambda: [require_host(), "run", "--python", "../environment"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_modules_of_the_current_folder_are_not_imported(command, planted, job):
    folder, mark = planted
    command = command()
    if "--python" in command:
        packages = Path(sys.prefix) / "lib"
        other = folder.parent / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
        [site] = other.glob("lib/python3*/site-packages")
        [ours] = packages.glob("python3*/site-packages")
        # Workers need cloudpickle.
        (site / "packages.pth").write_text(f"{ours}\n")
    host = Path(require_host())
    out = ran([*command, job], folder, PATH=f"{host.parent}{os.pathsep}{os.environ['PATH']}")
    assert out.startswith("(")
    assert not mark.exists(), mark.read_text()


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ([], ["isolated=0", "ignore_environment=0", "safe_path=True", "optimize=0"]),
        (["-P"], ["safe_path=True"]),
        (["-I"], ["isolated=1", "ignore_environment=1", "no_user_site=1", "safe_path=True"]),
        (["-E"], ["ignore_environment=1", "isolated=0"]),
        (["-s"], ["no_user_site=1"]),
        (["-O"], ["optimize=1"]),
        (["-B"], ["dont_write_bytecode=1"]),
        (["-X", "dev"], ["dev_mode=True"]),
        (["-X", "utf8=1"], ["utf8_mode=1"]),
        (["-X", "int_max_str_digits=5000"], ["int_max_str_digits=5000"]),
        (["-X", "pycache_prefix=cached"], ["'pycache_prefix': 'cached'"]),
        (["-W", "ignore::ImportWarning"], ["'ignore::ImportWarning'"]),
    ],
)
def test_workers_are_started_with_the_flags_of_their_driver(flags, shown, job):
    out = ran([sys.executable, *flags, job], job.parent)
    for text in shown:
        assert text in out


def test_a_module_beside_the_job_is_imported_by_its_functions_only(tmp_path):
    # Not while the worker starts: then it would stand in for the library's.
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "faulthandler.py").write_text("register = None\n")
    (folder / "helping.py").write_text("def double(x):\n    return 2 * x\n")
    (folder / "job.py").write_text(
        "from swiftwater import SparkContext\n"
        "sc = SparkContext('local[2]', 'beside')\n"
        "import helping\n"
        "print(sc.parallelize([1, 2], 1).map(helping.double).map(lambda x: [x]).collect())\n"
    )
    for command in ([sys.executable], [require_host(), "run"]):
        assert ran([*command, folder / "job.py"], tmp_path) == "[[2], [4]]\n"
