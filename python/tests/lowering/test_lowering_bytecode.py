"""The lowering's reading of bytecode, on every version of Python that is here.

Tables and checks are in ``lowering_*.py``: plain functions, so that they run in other versions of
Python too, which have neither pytest nor the engine.
"""

import os
import random
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from swiftwater._lowering import lowered

_FOLDER = Path(__file__).parent
sys.path.insert(0, str(_FOLDER))
try:
    import lowering_checks
    from lowering_cases import LOWERED
    from lowering_pins import CHECKS
    from lowering_refusals import REFUSED
finally:
    sys.path.remove(str(_FOLDER))

# Another one each time; SWIFTWATER_SEED repeats a run.
SEED = int(os.environ.get("SWIFTWATER_SEED") or random.SystemRandom().randrange(10**6))
PYTHONS = os.environ.get("SWIFTWATER_PYTHONS", "").split(os.pathsep)
VERSIONS = ("3.11", "3.12", "3.13")


def _name(case):
    function = case[0]
    code = getattr(function, "__code__", None)
    name = getattr(function, "__name__", type(function).__name__)
    return f"{name}:{code.co_firstlineno}" if code else name


@pytest.mark.parametrize(("function", "calls"), LOWERED, ids=map(_name, LOWERED))
def test_an_expression_gives_what_the_function_gives(function, calls):
    lowering_checks.check_lowered(function, calls)


@pytest.mark.parametrize(
    ("function", "arity", "instruction", "reason"), REFUSED, ids=map(_name, REFUSED)
)
def test_a_function_without_an_expression_says_why(function, arity, instruction, reason):
    lowering_checks.check_refused(function, arity, instruction, reason)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_answer_holds_as_long_as_nothing_changes(check):
    check()


def test_random_functions():
    lowering_checks.check_programs(SEED)


@pytest.mark.long
def test_many_random_functions():
    lowering_checks.check_programs(SEED + 1, 20_000)


def test_the_comparison_sees_differences():
    exact = lowering_checks.exact
    values = [1, 1.0, True, 0.0, -0.0, "1", (1,), [1], (True,), None, 0, False, ((1.0,),), ((1,),)]
    assert len({repr(exact(value)) for value in values}) == len(values)

    wrong = lowered(lambda value: value + 2, 1)
    with pytest.raises(AssertionError, match="instead of"):
        lowering_checks.check_answer(wrong, lambda value: value + 1, [(1,)])


@cache
def _others():
    """Return the interpreters that are here, by version: ``{"3.12": "/usr/bin/python3.12"}``."""
    found = {}
    for name in (*PYTHONS, *(shutil.which(f"python{version}") for version in VERSIONS)):
        if not name:
            continue
        # Some programs of that name do no more than look for an interpreter, and find none.
        tell = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
        answer = subprocess.run([name, "-c", tell], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            found.setdefault(answer.stdout.strip(), name)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_other_versions_of_python(version):
    if version == ".".join(map(str, sys.version_info[:2])):
        return
    interpreter = _others().get(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not here (SWIFTWATER_PYTHONS can name it)")
    _run_standalone(interpreter)


def test_versions_that_are_not_known():
    for version, interpreter in _others().items():
        if version not in VERSIONS:
            _run_standalone(interpreter, "--unknown")


def _run_standalone(interpreter, *options):
    done = subprocess.run(
        [interpreter, str(_FOLDER / "lowering_standalone.py"), str(SEED), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
