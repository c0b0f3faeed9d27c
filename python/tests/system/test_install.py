"""``pip install`` of the package with its native module into a virtual environment."""

import subprocess
import sys
import time

import pytest
from jobs import HOST, PYTHON, environment

LIBRARY = HOST.with_name("lib_swiftwater.so")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    if not LIBRARY.exists():
        pytest.skip("the native module is not built")
    folder = tmp_path_factory.mktemp("install") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    env = environment()
    del env["PYTHONPATH"]
    times = []
    for _ in range(2):
        begin = time.monotonic()
        command = [folder / "bin" / "pip", "install", "-q", "--force-reinstall", PYTHON]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        times.append(time.monotonic() - begin)
    return folder, env, times


def test_it_is_quick(installed):
    assert min(installed[2]) < 20


def test_nothing_is_left_in_the_sources(installed):
    assert installed
    left = {path.name for path in PYTHON.iterdir()}
    assert not left & {"build", "dist", "swiftwater.egg-info"}
    assert not list((PYTHON / "swiftwater").glob("*.so"))


def test_it_works_from_any_folder(installed, tmp_path):
    folder, env, _ = installed
    code = (
        "import swiftwater, swiftwater._native as n\n"
        "assert n.engine.__file__.endswith('_swiftwater.abi3.so'), n.engine.__file__\n"
        "from swiftwater.testing import run_batches\n"
        "print(run_batches(lambda s: s.count(), [[1, 2]]))\n"
    )
    done = subprocess.run(
        [folder / "bin" / "python", "-c", code],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("[[2]]\n", 0), done.stderr


def test_it_has_a_command_and_the_compatible_names(installed, tmp_path):
    folder, env, _ = installed
    (tmp_path / "job.py").write_text(
        "import sys\nfrom pyspark import SparkContext\n"
        "with SparkContext('local', 'x') as sc:\n"
        "    print(sc.parallelize([1, 2]).sum(), sys.argv[1:])\n"
    )
    done = subprocess.run(
        [folder / "bin" / "swiftwater", "run", "job.py", "--flag"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("3 ['--flag']\n", 0), done.stderr


def test_it_brings_no_package_of_another_name(installed):
    (site,) = (installed[0] / "lib").glob("python3*/site-packages")
    names = {path.name for path in site.iterdir()}
    assert "pyspark" not in names
    assert (site / "swiftwater" / "py.typed").exists()
    assert (site / "swiftwater" / "_swiftwater.pyi").exists()
