"""The job's Python environment: switched to, or refused in a sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jobs import PYTHON, environment, require_host

WHERE = "import sys\nprint(sys.prefix)\n"
OTHER = (sys.version_info[0], sys.version_info[1] + 1)


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """A virtual environment of this interpreter's version, without packages."""
    folder = tmp_path_factory.mktemp("venv") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


@pytest.fixture
def other_version(tmp_path):
    """What a virtual environment of the next minor version looks like from outside."""
    folder = tmp_path / "other"
    (folder / "bin").mkdir(parents=True)
    for name in ("python3", "python"):
        (folder / "bin" / name).symlink_to(sys.executable)
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {OTHER[0]}.{OTHER[1]}.1\n")
    return folder


@pytest.mark.parametrize("place", ["", "bin/python3", "bin/python"])
def test_a_job_runs_in_the_environment_that_is_named(door, run, script, venv, place):
    path = script(WHERE)
    for arguments, env in (
        (["--python", str(venv / place)], {}),
        ([], {"SWIFTWATER_PYTHON": str(venv / place)}),
    ):
        job = run([*door, "run", *arguments, path, "argument"], **env)
        assert (job.out, job.status) == (f"{venv}\n", 0), job.err


def test_the_environment_of_the_process_is_no_switch(door, run, script, venv):
    path = script("import os, sys\nprint(os.environ.get('_SWIFTWATER_SWITCHED'), sys.argv[1:])\n")
    job = run([*door, "run", "--python", str(venv), path, "--python", "x"])
    assert (job.out, job.status) == ("None ['--python', 'x']\n", 0)


def test_another_version_is_refused_by_the_host(run, script, other_version):
    path = script(WHERE)
    host = require_host()
    for arguments, env in (
        (["--python", str(other_version)], {}),
        ([], {"SWIFTWATER_PYTHON": str(other_version)}),
        ([], {"VIRTUAL_ENV": str(other_version)}),
    ):
        job = run([host, "run", *arguments, path], **env)
        assert (job.out, job.status) == ("", 2)
        assert f"{OTHER[0]}.{OTHER[1]}" in job.err
        assert "venv" in job.err
        assert "Traceback" not in job.err


def test_python_given_wins_over_a_wrong_environment(run, script, other_version, venv):
    job = run(
        [require_host(), "run", "--python", str(venv), script(WHERE)],
        VIRTUAL_ENV=str(other_version),
    )
    assert (job.out, job.status) == (f"{venv}\n", 0), job.err


def test_an_older_version_is_refused(door, run, script, tmp_path):
    (tmp_path / "old" / "bin").mkdir(parents=True)
    (tmp_path / "old" / "bin" / "python3").symlink_to(sys.executable)
    (tmp_path / "old" / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.9.2.final.0\n")
    job = run([*door, "run", "--python", "old", script(WHERE)])
    assert (job.out, job.status) == ("", 2)
    assert "Python 3.9" in job.err


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder.mkdir(), "without bin/python3"),
        (lambda folder: folder.write_text("text"), "cannot be executed"),
        (lambda folder: folder.symlink_to("/bin/true"), "does not answer as a Python does"),
        (lambda folder: None, "is not there"),
    ],
)
def test_what_is_no_environment_is_refused(door, run, script, tmp_path, make, said):
    make(tmp_path / "given")
    job = run([*door, "run", "--python", "given", script(WHERE)])
    assert (job.out, job.status) == ("", 2)
    assert said in job.err


def test_a_stock_interpreter_of_an_environment_loads_the_module(venv):
    done = subprocess.run(
        [venv / "bin" / "python3", "-c", "import swiftwater; print(swiftwater.__version__)"],
        env=environment(PYTHONPATH=str(PYTHON)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_without_the_native_module_it_says_what_to_run(tmp_path):
    shutil.copytree(PYTHON / "swiftwater", tmp_path / "a" / "swiftwater")
    done = subprocess.run(
        [sys.executable, "-c", "import swiftwater"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(tmp_path / "a")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "scripts/quickstart" in done.stderr
    assert "pip install ./python" in done.stderr


OLD_PYTHONS = sorted((Path.home() / ".pyenv" / "versions").glob("3.10.*/bin/python3"))


@pytest.mark.skipif(not OLD_PYTHONS, reason="needs an old Python")
def test_an_old_interpreter_is_told_before_anything_is_loaded(tmp_path):
    # Something that cannot be loaded stands where the native module is found first.
    (tmp_path / "_swiftwater.py").write_text("raise SystemError('loaded')\n")
    done = subprocess.run(
        [OLD_PYTHONS[0], "-c", "import swiftwater"],
        env=environment(PYTHONPATH=f"{PYTHON}:{tmp_path}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "ImportError: swiftwater needs Python 3.11 or newer, and this is Python 3.10" in done.stderr
    )


LENT = """
import json, os, ssl, sys
import lent
print(lent.__file__)
print(sys.prefix)
print(os.path.dirname(ssl.__file__), os.path.dirname(json.__file__))
from swiftwater import SparkContext

def seen(_):
    import lent, ssl
    return [os.getpid(), lent.__file__, ssl.__file__, sys.prefix]

[found] = SparkContext("local", "lent").parallelize([1], 1).map(seen).collect()
assert found == [found[0], lent.__file__, ssl.__file__, sys.prefix], found
assert found[0] != os.getpid()
"""


@pytest.fixture(params=["venv", "interpreter"])
def other_build(tmp_path, request):
    """A Python of this minor version from another build, whose library cannot be loaded here.

    Either a virtual environment that was made by it, or its interpreter itself.
    """
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base = tmp_path / "base"
    library = base / "lib" / name
    (library / "lib-dynload").mkdir(parents=True)
    (base / "bin").mkdir()
    # What an interpreter goes by when it looks for its library.
    for module in ("os", "ssl", "json", "encodings", "site"):
        (library / f"{module}.py").write_text("raise ImportError('of another build')\n")
    (base / "bin" / name).write_bytes(b"")
    (base / "bin" / name).chmod(0o755)
    folder = base
    if request.param == "venv":
        folder = tmp_path / "lender"
        (folder / "bin").mkdir(parents=True)
        (folder / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = {name[6:]}.99\n")
        (folder / "bin" / name).symlink_to(base / "bin" / name)
    else:
        # It is asked where it is and which version it has.
        answer = f"#!/bin/sh\necho {base}\necho {' '.join(name[6:].split('.'))}\n"
        (base / "bin" / name).write_text(answer)
    (folder / "bin" / "python3").symlink_to(name)
    (folder / "bin" / "python").symlink_to(name)
    packages = folder / "lib" / name / "site-packages"
    packages.mkdir(parents=True)
    (packages / "lent.py").write_text("")
    # Workers need cloudpickle.
    [ours] = Path(sys.prefix).glob("lib/python3*/site-packages")
    (packages / "ours.pth").write_text(f"{ours}\n")
    return folder, packages


def test_an_environment_lends_its_packages_only(run, script, other_build):
    folder, packages = other_build
    library = Path(os.__file__).parent
    path = script(LENT)
    for arguments, env in (
        (["--python", str(folder)], {}),
        (["--python", str(folder / "bin" / "python3")], {}),
        ([], {"SWIFTWATER_PYTHON": str(folder)}),
        ([], {"VIRTUAL_ENV": str(folder)}),
    ):
        job = run([require_host(), "run", *arguments, path], SWIFTWATER_WORKERS="always", **env)
        assert job.status == 0, job.err
        assert job.out.splitlines() == [
            str(packages / "lent.py"),
            str(folder),
            f"{library} {library / 'json'}",
        ]
