"""What is proved of functions on states: they keep the state of a key without new values.

Tables and checks are plain functions, so that they run in other versions of Python too, which have
neither pytest nor the engine.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lowering.test_lowering_bytecode import SEED, VERSIONS, _name, _others

_FOLDER = Path(__file__).parent
sys.path.insert(0, str(_FOLDER))
try:
    import lowering_state_checks
    from lowering_states import CONDITIONAL, REFUSED_STATES, UNCHANGED
finally:
    sys.path.remove(str(_FOLDER))


@pytest.mark.parametrize("function", UNCHANGED, ids=lambda function: _name((function,)))
def test_any_state_is_kept(function):
    lowering_state_checks.check_condition(function, "any")


@pytest.mark.parametrize(("function", "words"), CONDITIONAL, ids=map(_name, CONDITIONAL))
def test_some_states_are_kept(function, words):
    lowering_state_checks.check_condition(function, words)


@pytest.mark.parametrize(("function", "reason"), REFUSED_STATES, ids=map(_name, REFUSED_STATES))
def test_what_is_not_proved_says_why(function, reason):
    lowering_state_checks.check_reason(function, reason)


@pytest.mark.parametrize(
    "check", lowering_state_checks.CHECKS_OF_STATES, ids=lambda check: check.__name__
)
def test_a_proof_holds_as_long_as_nothing_changes(check):
    check()


def test_what_is_proved_of_random_functions_holds():
    lowering_state_checks.check_programs_of_states(SEED)


@pytest.mark.long
def test_what_is_proved_of_many_random_functions_holds():
    lowering_state_checks.check_programs_of_states(SEED + 1, 30_000)


def test_the_check_sees_what_does_not_hold():
    with pytest.raises(AssertionError, match="became"):
        lowering_state_checks.check_held(lambda new, old: old * 1, ("unchanged",))
    with pytest.raises(AssertionError, match="was changed"):
        lowering_state_checks.check_held(_clears, ("unchanged", (("list", 0, -1, None, ()),)))


def _clears(new, old):
    kept = list(old)
    old.append(1)
    return kept


@pytest.mark.parametrize("version", VERSIONS)
def test_other_versions_of_python_prove_the_same(version):
    if version == ".".join(map(str, sys.version_info[:2])):
        return
    interpreter = _others().get(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not here (SWIFTWATER_PYTHONS can name it)")
    done = subprocess.run(
        [interpreter, str(_FOLDER / "lowering_state_checks.py"), str(SEED), "300"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
