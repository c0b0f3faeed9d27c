"""Programs whose results real PySpark has given before: the same must come out here."""

import subprocess
import sys

from jobs import PYTHON, environment

REPLAY = PYTHON.parent / "Differential" / "replay.py"


def test_recorded_programs(door):
    replay = subprocess.run(
        [sys.executable, str(REPLAY), *door],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert replay.returncode == 0, replay.stdout + replay.stderr
